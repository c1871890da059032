//! What an observer and the log see of each outcome.

use std::future::{pending, ready};
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::Full;
use webhook_sdk::receiver::{
    Ack, BoxError, Claim, MemoryStore, Observation, Observed, Outcome, Receiver, ReceiverBuilder,
    StoreError,
};

use crate::log::listen;
use crate::receiver::handling::Failing;
use crate::receiver::status::Answering;
use crate::receiver::support::{Preo, Service, Way, builder, genuine, received, request};

type Source = <Preo as Service>::Source;

/// What an observer saw: label, event, key, and the text of an error.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<Sight>>>);

type Sight = (String, String, String, String);

impl Seen {
    fn observing(&self, builder: ReceiverBuilder<Source>) -> Receiver<Source> {
        let seen = self.clone();
        let builder = builder.observer(move |observed| seen.add(observed));
        builder.name("shop").build().unwrap()
    }

    fn add(&self, observed: &Observed<'_>) {
        assert_eq!(
            (observed.source(), observed.receiver()),
            ("preo", Some("shop"))
        );
        assert!(observed.duration() < Duration::from_secs(3600));
        let error = match observed.observation() {
            Observation::Failed(error) => error.to_string(),
            Observation::Refused(refusal) => refusal.to_string(),
            Observation::StoreUnavailable(error) => error.to_string(),
            _ => String::new(),
        };
        let event = observed
            .event()
            .map(ToString::to_string)
            .unwrap_or_default();
        let key = observed.key_name().unwrap_or_default().to_owned();
        self.0
            .lock()
            .unwrap()
            .push((observed.label().to_owned(), event, key, error));
    }

    fn only(&self) -> (String, String) {
        let seen = std::mem::take(&mut *self.0.lock().unwrap());
        let [(label, event, key, error)] = &seen[..] else {
            panic!("{seen:?}")
        };
        if label == "refused" {
            assert_eq!((event.as_str(), key.as_str()), ("", ""));
        } else {
            assert_eq!(
                (event.as_str(), key.as_str()),
                ("shop:preo:::id:event-1", "2026-11")
            );
        }
        (label.clone(), error.clone())
    }
}

fn delivery() -> Request<Bytes> {
    genuine::<Preo>(Preo::body(1))
}

async fn handled<R: webhook_sdk::receiver::IntoAck<Source>>(
    receiver: &Receiver<Source>,
    result: impl Fn() -> R,
) -> Outcome {
    received(receiver, delivery())
        .await
        .handle(|_| ready(result()))
        .await
}

#[tokio::test]
async fn an_observer_sees_handled_and_duplicate_events() {
    let seen = Seen::default();
    let receiver = seen.observing(builder::<Preo>());
    for label in ["handled", "duplicate"] {
        assert_eq!(handled(&receiver, || ()).await.status(), 204);
        assert_eq!(seen.only(), (label.to_owned(), String::new()));
    }
}

#[tokio::test]
async fn an_observer_sees_the_handlers_own_error() {
    let seen = Seen::default();
    let receiver = seen.observing(builder::<Preo>());
    let outcome = received(&receiver, delivery()).await.handle(async |_| {
        Err(io::Error::other("disk full"))?;
        Ok(())
    });
    assert_eq!(outcome.await.status(), 500);
    assert_eq!(seen.only(), ("failed".to_owned(), "disk full".to_owned()));
}

#[tokio::test]
async fn an_observer_sees_retries_panics_and_abandoned_events() {
    let seen = Seen::default();
    let receiver = seen.observing(builder::<Preo>());
    assert_eq!(handled(&receiver, Ack::retry).await.status(), 503);
    assert_eq!(seen.only().0, "retry");

    let panicking = received(&receiver, delivery()).await.handle(async |_| {
        if true {
            panic!("on purpose")
        }
    });
    assert_eq!(panicking.await.status(), 500);
    assert_eq!(seen.only().0, "panicked");

    let mut dropped = Box::pin(
        received(&receiver, delivery())
            .await
            .handle(|_| pending::<()>()),
    );
    std::future::poll_fn(|context| {
        assert!(dropped.as_mut().poll(context).is_pending());
        std::task::Poll::Ready(())
    })
    .await;
    drop(dropped);
    assert_eq!(seen.only().0, "abandoned");
}

#[tokio::test(start_paused = true)]
async fn an_observer_sees_a_handler_past_its_lease() {
    let seen = Seen::default();
    let receiver = seen.observing(builder::<Preo>());
    let outcome = received(&receiver, delivery())
        .await
        .handle(|_| pending::<()>());
    assert_eq!(outcome.await.status(), 500);
    assert_eq!(seen.only().0, "timed_out");
}

#[tokio::test]
async fn observer_sees_store_results() {
    let seen = Seen::default();
    for (answer, label) in [
        (Ok(Claim::Held), "held"),
        (Ok(Claim::Stale), "stale"),
        (Ok(Claim::Committed), "duplicate"),
        (
            Err(StoreError::Unavailable("away".to_owned())),
            "store_unavailable",
        ),
    ] {
        let receiver = seen.observing(builder::<Preo>().store(Answering(answer)));
        handled(&receiver, || ()).await.status();
        assert_eq!(seen.only().0, label);
    }
    let receiver = seen.observing(builder::<Preo>().store(Failing::at("commit")));
    assert_eq!(handled(&receiver, || ()).await.status(), 503);
    assert_eq!(seen.only().0, "store_unavailable");
}

#[tokio::test]
async fn an_observer_sees_why_a_request_was_refused() {
    let seen = Seen::default();
    let receiver = seen.observing(builder::<Preo>());
    let forged = request(HeaderMap::new(), Preo::body(1));
    Way::Function.send(&receiver, forged, |_| ready(())).await;
    let (label, reason) = seen.only();
    assert_eq!(label, "refused");
    assert!(
        reason.contains("the header x-preo-signature is missing"),
        "{reason}"
    );
}

#[tokio::test]
async fn a_duplicate_is_logged_at_debug_level_with_its_key() {
    let receiver = builder::<Preo>()
        .name("shop")
        .store(MemoryStore::default())
        .build()
        .unwrap();
    handled(&receiver, || ()).await.status();
    let (log, guard) = listen();
    handled(&receiver, || Ok::<_, BoxError>(())).await.status();
    drop(guard);
    let log = log.text();
    for part in [
        "DEBUG",
        "outcome=\"duplicate\"",
        "elapsed_ms=",
        "event=shop:preo:::id:event-1",
    ] {
        assert!(log.contains(part), "{log} lacks {part}");
    }
}

#[tokio::test]
async fn a_panic_of_the_observer_is_logged_and_changes_no_response() {
    let store = MemoryStore::default();
    let builder = builder::<Preo>().name("shop").store(store.clone());
    let receiver = builder.observer(|_| panic!("on purpose")).build().unwrap();
    let (log, guard) = listen();
    assert_eq!(handled(&receiver, || ()).await.status(), 204);
    assert_eq!(handled(&receiver, || ()).await.status(), 204);

    let (parts, body) = request(HeaderMap::new(), Preo::body(1)).into_parts();
    let refused = receiver.receive(&parts, Full::new(body)).await;
    assert_eq!(refused.unwrap_err().status(), 401);

    let other = genuine::<Preo>(Preo::body(2));
    let mut dropped = Box::pin(received(&receiver, other).await.handle(|_| pending::<()>()));
    std::future::poll_fn(|context| {
        assert!(dropped.as_mut().poll(context).is_pending());
        std::task::Poll::Ready(())
    })
    .await;
    drop(dropped);
    drop(guard);
    assert_eq!(log.text().matches("observer panicked").count(), 4);
}
