//! Batches of Lune: each event by itself, in order, and each once.

use std::future::ready;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use serde_json::{Value, json};
use tokio::sync::Notify;
use webhook_sdk::lune::{self, EventData};
use webhook_sdk::receiver::{BuildError, Delivery, Event, Observation, Outcome, Receiver};
use webhook_sdk::signature::Verifier;

use crate::receiver::support::{Lune, Preo, builder, genuine, received};

fn event(id: &str, account: &str, sequence: &str) -> Value {
    let order = json!({ "order": { "id": id } });
    json!({
        "api_version": "v1", "event_id": id, "event_type": "order.paid", "account_id": account,
        "sequence": sequence, "data": order,
    })
}

fn batch(events: &[Value]) -> Request<Bytes> {
    let body = json!({ "events": events }).to_string();
    genuine::<Lune>(body.into_bytes())
}

fn source() -> lune::Source {
    lune::Source::new(Verifier::new(lune::scheme(), Preo::keyring()))
}

/// The ids that handlers saw, in order.
#[derive(Clone, Default)]
pub(crate) struct Seen(Arc<Mutex<Vec<String>>>);

impl Seen {
    fn add(&self, event: &Event<lune::Event>) {
        let id = event.event_id().unwrap_or("none").to_owned();
        self.0.lock().unwrap().push(id);
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }

    async fn handle(&self, receiver: &Receiver<lune::Source>, request: Request<Bytes>) -> Outcome {
        let delivery = received(receiver, request).await;
        delivery
            .handle(|event| {
                self.add(&event);
                ready(())
            })
            .await
    }
}

/// Sends a batch again, to `second`, while `first` handles its first event.
pub(crate) async fn order_holds_while_a_batch_is_redelivered(
    first: Receiver<lune::Source>,
    second: Receiver<lune::Source>,
) {
    let events = [
        event("e1", "a", "1"),
        event("e2", "a", "2"),
        event("e3", "a", "3"),
    ];
    let (seen, started, go_on) = (
        Seen::default(),
        Arc::new(Notify::new()),
        Arc::new(Notify::new()),
    );
    let running = tokio::spawn({
        let (delivery, seen) = (received(&first, batch(&events)).await, seen.clone());
        let (started, go_on) = (Arc::clone(&started), Arc::clone(&go_on));
        async move {
            let handler = async |event: Event<lune::Event>| {
                if event.event_id() == Some("e2") {
                    started.notify_one();
                    go_on.notified().await;
                }
                seen.add(&event);
            };
            delivery.handle(handler).await
        }
    });
    started.notified().await;
    for receiver in [&second, &first] {
        let outcome = seen.handle(receiver, batch(&events)).await;
        assert_eq!(outcome.status(), 503);
    }
    assert_eq!(seen.take(), ["e1"]);
    go_on.notify_one();
    assert_eq!(running.await.unwrap().status(), 204);
    assert_eq!(seen.take(), ["e2", "e3"]);
    for receiver in [&second, &first] {
        assert_eq!(seen.handle(receiver, batch(&events)).await.status(), 204);
    }
    assert!(seen.take().is_empty());
}

#[tokio::test]
async fn order_holds_while_a_batch_is_redelivered_in_one_process() {
    let receiver = Receiver::new(source());
    order_holds_while_a_batch_is_redelivered(receiver.clone(), receiver).await;
}

#[tokio::test]
async fn a_lower_sequence_is_skipped_and_an_equal_one_is_a_new_event() {
    let stale = Arc::new(Mutex::new(0));
    let count = Arc::clone(&stale);
    let receiver = Receiver::builder(source().skip_stale())
        .observer(move |observed| {
            if let Observation::Stale = observed.observation() {
                *count.lock().unwrap() += 1;
            }
        })
        .build()
        .unwrap();
    let seen = Seen::default();
    let first = batch(&[event("e5", "a", "5"), event("b9", "b", "9")]);
    assert_eq!(seen.handle(&receiver, first).await.status(), 204);
    let second = batch(&[
        event("lower", "a", "4"),
        event("equal", "a", "5"),
        event("higher", "a", "6"),
        event("other account", "c", "1"),
        event("no account", "", "1"),
        event("no sequence", "a", ""),
        event("lower within the batch", "a", "55"),
    ]);
    assert_eq!(seen.handle(&receiver, second).await.status(), 204);
    let handled = [
        "e5",
        "b9",
        "equal",
        "higher",
        "other account",
        "no account",
        "no sequence",
    ];
    assert_eq!(seen.take(), handled);
    assert_eq!(*stale.lock().unwrap(), 2);
}

#[tokio::test]
async fn without_the_option_a_lower_sequence_is_handled() {
    let receiver = Receiver::new(source());
    let seen = Seen::default();
    let events = batch(&[event("e2", "a", "2"), event("e1", "a", "1")]);
    assert_eq!(seen.handle(&receiver, events).await.status(), 204);
    assert_eq!(seen.take(), ["e2", "e1"]);
}

#[tokio::test]
async fn failed_event_is_not_stale_when_redelivered() {
    let receiver = Receiver::builder(source().skip_stale()).build().unwrap();
    let events = || batch(&[event("e1", "a", "1"), event("e2", "a", "2")]);
    let failed = received(&receiver, events()).await;
    let outcome = failed.handle(|event: Event<lune::Event>| {
        ready(match event.event_id() {
            Some("e1") => Ok(()),
            _ => Err("the database is away".into()),
        })
    });
    assert_eq!(outcome.await.status(), 500);
    let seen = Seen::default();
    assert_eq!(seen.handle(&receiver, events()).await.status(), 204);
    assert_eq!(seen.take(), ["e2"]);
}

#[tokio::test]
async fn a_source_that_skips_stale_events_needs_a_store_that_can() {
    use crate::receiver::handling::Failing;

    let refused = Receiver::builder(source().skip_stale())
        .name("orders")
        .store(Failing::at("nothing"))
        .build();
    assert_eq!(refused.unwrap_err(), BuildError::PositionsUnsupported);
}

#[tokio::test]
async fn malformed_event_is_handled_with_its_bytes_and_does_not_affect_others() {
    let odd = b"{\"event_id\":\"e2\",\"event_type\":\"order.paid\",\"data\":\"\xff\"}";
    let (head, tail) = (
        event("e1", "a", "1").to_string(),
        event("e3", "a", "3").to_string(),
    );
    let body = [
        b"{\"events\":[",
        head.as_bytes(),
        b",",
        odd,
        b",5,",
        tail.as_bytes(),
        b"]}",
    ]
    .concat();
    let receiver = Receiver::new(source());
    for runs in [4, 0] {
        let handled = Mutex::new(Vec::new());
        let delivery = received(&receiver, genuine::<Lune>(body.clone())).await;
        let outcome = delivery.handle(|event: Event<lune::Event>| {
            let is_odd = matches!(event.data(), EventData::Undecodable(_));
            handled.lock().unwrap().push((is_odd, event.raw().clone()));
            ready(())
        });
        assert_eq!(outcome.await.status(), 204);
        let handled = handled.into_inner().unwrap();
        assert_eq!(handled.len(), runs);
        if runs > 0 {
            let raw: Vec<&[u8]> = handled.iter().map(|(_, raw)| &raw[..]).collect();
            assert_eq!(raw, [head.as_bytes(), odd, b"5", tail.as_bytes()]);
            let odd: Vec<bool> = handled.iter().map(|(is_odd, _)| *is_odd).collect();
            assert_eq!(odd, [false, true, true, false]);
        }
    }
}

#[tokio::test]
async fn string_5_and_number_5_are_different_ids() {
    let receiver = Receiver::new(source());
    let body = br#"{"events":[
        {"event_id":5,"event_type":"x"}, {"event_id":"5","event_type":"x"},
        {"event_id":5,"event_type":"y"}, {"event_id":"\u0035","event_type":"y"},
        {"event_id":"event_id=5","event_type":"x"}, 5
    ]}"#;
    let delivery: Delivery<lune::Source> =
        received(&receiver, genuine::<Lune>(body.to_vec())).await;
    let keys: Vec<_> = delivery
        .events()
        .iter()
        .map(|event| event.key().clone())
        .collect();
    assert_eq!(keys[0], keys[2]);
    assert_eq!(keys[1], keys[3]);
    for (index, key) in [&keys[0], &keys[1], &keys[4], &keys[5]].iter().enumerate() {
        let others = [&keys[0], &keys[1], &keys[4], &keys[5]];
        assert_eq!(
            others.iter().filter(|other| other == &key).count(),
            1,
            "{index}"
        );
    }
}

#[tokio::test]
async fn batch_of_ten_thousand_events_is_accepted_by_default() {
    let sample: Value =
        serde_json::from_str(include_str!("../../data/lune/sample-delivery.json")).unwrap();
    let events: Vec<Value> = (0..10_000)
        .map(|number| {
            let mut event = sample["events"][0].clone();
            event["event_id"] = json!(format!("event-{number}"));
            event
        })
        .collect();
    let request = batch(&events);
    assert!(request.body().len() > 10_000_000);
    let receiver = builder::<Lune>().build().unwrap();
    let seen = Seen::default();
    assert_eq!(seen.handle(&receiver, request).await.status(), 204);
    assert_eq!(seen.take().len(), 10_000);
}

#[tokio::test]
async fn the_body_of_a_batch_counts_as_buffered_until_its_events_are_handled() {
    let request = batch(&[event("e1", "a", "1")]);
    let length = request.body().len();
    let receiver = builder::<Lune>()
        .max_body_bytes(length)
        .max_buffered_bytes(length)
        .build()
        .unwrap();
    let delivery = received(&receiver, request).await;
    let (parts, body) = batch(&[event("e2", "a", "2")]).into_parts();
    let refused = receiver.receive(&parts, Full::new(body.clone())).await;
    assert_eq!(refused.unwrap_err().status(), 503);
    assert_eq!(delivery.handle(|_| ready(())).await.status(), 204);
    assert!(receiver.receive(&parts, Full::new(body)).await.is_ok());
}
