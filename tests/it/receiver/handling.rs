//! Claim, handler, commit: what a handler may do, and what may happen to it.

use std::future::{pending, ready};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use http::HeaderValue;
use http::request::Parts;
use http_body_util::Full;
use tokio::sync::{Notify, watch};
use webhook_sdk::preo;
use webhook_sdk::receiver::{
    Authenticated, Authentication, BoxError, Claim, ClaimToken, DecodeError, DedupStore, Delivery,
    Event, EventKey, MemoryStore, Outcome, Receiver, Refusal, Source, StoreError,
};
use webhook_sdk::signature::Verifier;

use crate::receiver::store::{LEASE, granted};
use crate::receiver::support::{
    Batches, Lune, Preo, Pretix, Runs, Service, builder, genuine, received,
};

const EVENT: u32 = 7;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn event_key() -> EventKey {
    EventKey::new(["test", "preo", "", ""], &["event-7"])
}

async fn delivery(
    receiver: &Receiver<<Preo as Service>::Source>,
) -> Delivery<<Preo as Service>::Source> {
    received(receiver, genuine::<Preo>(Preo::body(EVENT))).await
}

fn named<S: Source>(source: S) -> Receiver<S> {
    Receiver::builder(source).name("test").build().unwrap()
}

async fn claim(store: &MemoryStore) -> Claim {
    store
        .claim(&event_key(), ClaimToken::new(), LEASE)
        .await
        .unwrap()
}

/// Lets other tasks run until the store grants the event, for as long as the test may take.
async fn until_granted(store: &MemoryStore) {
    while claim(store).await == Claim::Held {
        tokio::task::yield_now().await;
    }
}

async fn poll_once<F: Future<Output = Outcome>>(future: &mut Pin<Box<F>>) -> Poll<Outcome> {
    std::future::poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await
}

fn receiver_and_store() -> (Receiver<<Preo as Service>::Source>, MemoryStore) {
    let store = MemoryStore::default();
    (
        builder::<Preo>()
            .name("test")
            .store(store.clone())
            .build()
            .unwrap(),
        store,
    )
}

#[tokio::test]
async fn an_event_is_held_while_its_handler_runs_and_committed_after() {
    let (receiver, store) = receiver_and_store();
    let answer = delivery(&receiver).await.handle(|event| {
        let store = store.clone();
        async move {
            assert_eq!(event.id, "event-7");
            assert_eq!(claim(&store).await, Claim::Held);
        }
    });
    assert_eq!(answer.await.status(), 204);
    assert_eq!(claim(&store).await, Claim::Committed);
}

#[tokio::test]
async fn a_failure_releases_the_event() {
    let (receiver, store) = receiver_and_store();
    let answer = delivery(&receiver)
        .await
        .handle(|_| ready(Err::<(), BoxError>("no".into())));
    assert_eq!(answer.await.status(), 500);
    granted(&store, &event_key()).await;
}

#[tokio::test]
async fn of_two_concurrent_deliveries_one_runs_and_the_other_gets_503() {
    let (receiver, _) = receiver_and_store();
    let (runs, gate) = (Runs::default(), Notify::new());
    let first = delivery(&receiver).await;
    let mut first = Box::pin(first.handle(|_| {
        runs.add();
        gate.notified()
    }));
    assert!(poll_once(&mut first).await.is_pending());

    let second = delivery(&receiver).await;
    let answer = second.handle(|_| async { runs.add() }).await;
    assert_eq!(answer.status(), 503);
    assert_eq!(answer.response::<()>().headers()["retry-after"], "30");

    gate.notify_one();
    assert_eq!(first.await.status(), 204);
    let third = delivery(&receiver).await;
    let answer = third.handle(|_| async { runs.add() }).await;
    assert_eq!(answer.status(), 204);
    assert_eq!(runs.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn handler_that_exceeds_its_lease_is_dropped_and_its_event_released() {
    let store = MemoryStore::default();
    let receiver = builder::<Preo>()
        .name("test")
        .store(store.clone())
        .lease(LEASE)
        .build()
        .unwrap();
    let dropped = Runs::default();
    let begun = tokio::time::Instant::now();
    let answer = delivery(&receiver).await.handle(|_| {
        let guard = OnDrop(dropped.clone());
        async move {
            pending::<()>().await;
            drop(guard);
        }
    });
    assert_eq!(answer.await.status(), 500);
    assert_eq!(dropped.count(), 1);
    assert_eq!(begun.elapsed().as_secs(), LEASE.as_secs());
    granted(&store, &event_key()).await;
}

#[tokio::test(start_paused = true)]
async fn the_time_to_grant_a_claim_counts_as_part_of_the_lease() {
    let store = Slow(LEASE / 3);
    let receiver = builder::<Preo>()
        .name("test")
        .store(store)
        .lease(LEASE)
        .build()
        .unwrap();
    let begun = tokio::time::Instant::now();
    let answer = delivery(&receiver).await.handle(|_| pending::<()>());
    assert_eq!(answer.await.status(), 500);
    assert_eq!(begun.elapsed().as_secs(), LEASE.as_secs());
}

#[tokio::test(start_paused = true)]
async fn endless_lease_never_expires() {
    let receiver = builder::<Preo>().lease(Duration::MAX).build().unwrap();
    let handling = delivery(&receiver).await;
    let answer = handling.handle(|_| tokio::time::sleep(400 * DAY)).await;
    assert_eq!(answer.status(), 204);
}

#[tokio::test(start_paused = true)]
async fn handled_event_is_remembered_for_four_days_by_default() {
    let receiver = builder::<Preo>().build().unwrap();
    let runs = Runs::default();
    let almost = 4 * DAY - Duration::from_millis(1);
    for (wait, expected) in [
        (Duration::ZERO, 1),
        (almost, 1),
        (Duration::from_millis(1), 2),
    ] {
        tokio::time::advance(wait).await;
        let delivery = delivery(&receiver).await;
        let answer = delivery.handle(|_| async { runs.add() }).await;
        assert_eq!((answer.status().as_u16(), runs.count()), (204, expected));
    }
}

#[tokio::test]
async fn events_can_be_taken_without_being_deduplicated() {
    let receiver = builder::<Batches>().build().unwrap();
    for _ in 0..2 {
        let delivery = received(&receiver, Batches::of(&["a", "b"])).await;
        let events = delivery.into_events().into_iter().map(Event::into_data);
        assert_eq!(events.collect::<Vec<_>>(), ["a", "b"]);
    }
}

#[tokio::test]
async fn dropping_a_request_cancels_its_handler_and_releases_the_event() {
    let (receiver, store) = receiver_and_store();
    let dropped = Runs::default();
    let mut handling = Box::pin(delivery(&receiver).await.handle(|_| {
        let guard = OnDrop(dropped.clone());
        async move {
            pending::<()>().await;
            drop(guard);
        }
    }));
    assert!(poll_once(&mut handling).await.is_pending());
    assert_eq!(claim(&store).await, Claim::Held);
    drop(handling);
    assert_eq!(dropped.count(), 1);
    until_granted(&store).await;
}

#[tokio::test]
async fn panicking_handler_gets_500_and_releases_the_event() {
    async fn panics<E>(_: E) {
        panic!("on purpose");
    }
    let (receiver, store) = receiver_and_store();
    let outcome = delivery(&receiver).await.handle(panics).await;
    assert_eq!(outcome.status(), 500);
    granted(&store, &event_key()).await;
}

#[tokio::test(start_paused = true)]
async fn handler_that_panics_when_its_timeout_drops_it_gets_500_and_releases_the_event() {
    struct PanicsOnDrop;

    impl Drop for PanicsOnDrop {
        fn drop(&mut self) {
            panic!("on purpose");
        }
    }

    let (receiver, store) = receiver_and_store();
    let handled = delivery(&receiver).await.handle(async |_| {
        let _guard = PanicsOnDrop;
        pending::<()>().await
    });
    assert_eq!(handled.await.status(), 500);
    granted(&store, &event_key()).await;
}

#[tokio::test]
async fn request_dropped_during_the_commit_is_still_committed() {
    let store = Gated::default();
    let receiver = builder::<Preo>()
        .name("test")
        .store(store.clone())
        .build()
        .unwrap();
    let mut handling = Box::pin(delivery(&receiver).await.handle(|_| ready(())));
    assert!(poll_once(&mut handling).await.is_pending());
    drop(handling);
    store.open.send_replace(true);
    while claim(&store.memory).await == Claim::Held {
        tokio::task::yield_now().await;
    }
    assert_eq!(claim(&store.memory).await, Claim::Committed);
}

#[tokio::test]
async fn event_is_released_if_its_request_is_dropped_while_the_claim_is_in_flight() {
    let memory = MemoryStore::default();
    let store = Unanswered(memory.clone());
    let receiver = builder::<Preo>().name("test").store(store).build().unwrap();
    let runs = Runs::default();
    let mut handling = Box::pin(delivery(&receiver).await.handle(|_| async { runs.add() }));
    assert!(poll_once(&mut handling).await.is_pending());
    assert_eq!(claim(&memory).await, Claim::Held);
    drop(handling);
    until_granted(&memory).await;
    assert_eq!(runs.count(), 0);
}

#[tokio::test(start_paused = true)]
async fn store_that_does_not_respond_within_the_lease_gets_503() {
    let memory = MemoryStore::default();
    let unanswered = builder::<Preo>()
        .name("test")
        .store(Unanswered(memory.clone()));
    let receiver = unanswered.build().unwrap();
    let outcome = delivery(&receiver).await.handle(|_| ready(())).await;
    assert_eq!(outcome.status(), 503);
    until_granted(&memory).await;

    let uncommitted = builder::<Preo>().name("test").store(Gated::default());
    let receiver = uncommitted.build().unwrap();
    let outcome = delivery(&receiver).await.handle(|_| ready(())).await;
    assert_eq!(outcome.status(), 503);
}

#[tokio::test]
async fn failed_commit_gets_503_and_the_claim_expires() {
    let store = Failing::at("commit");
    let receiver = builder::<Preo>()
        .name("test")
        .store(store.clone())
        .build()
        .unwrap();
    let runs = Runs::default();
    let answer = delivery(&receiver).await.handle(|_| async { runs.add() });
    let answer = answer.await;
    assert_eq!(answer.status(), 503);
    assert_eq!(answer.response::<()>().headers()["retry-after"], "30");
    assert_eq!(runs.count(), 1);
    assert_eq!(store.calls(), ["claim", "commit"]);
}

#[tokio::test]
async fn failed_claim_gets_503_and_is_released_in_case_it_took_effect() {
    let store = Failing::at("claim");
    let receiver = builder::<Preo>()
        .name("test")
        .store(store.clone())
        .build()
        .unwrap();
    let runs = Runs::default();
    let answer = delivery(&receiver).await.handle(|_| async { runs.add() });
    assert_eq!(answer.await.status(), 503);
    assert_eq!(runs.count(), 0);
    while store.calls() != ["claim", "release"] {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn failed_release_gets_503() {
    let store = Failing::at("release");
    let receiver = builder::<Preo>()
        .name("test")
        .store(store.clone())
        .build()
        .unwrap();
    let answer = delivery(&receiver)
        .await
        .handle(|_| ready(Err::<(), BoxError>("no".into())));
    assert_eq!(answer.await.status(), 503);
    assert_eq!(store.calls(), ["claim", "release"]);
}

#[tokio::test(start_paused = true)]
async fn lost_claim_is_not_committed_over_its_new_holder() {
    let store = Hasty(MemoryStore::default());
    let receiver = builder::<Preo>()
        .name("test")
        .store(store.clone())
        .lease(LEASE)
        .build()
        .unwrap();
    let other = Mutex::new(None);
    let answer = delivery(&receiver).await.handle(|_| async {
        tokio::time::advance(LEASE / 2).await;
        let token = granted(&store.0, &event_key()).await;
        *other.lock().unwrap() = Some(token);
    });
    assert_eq!(answer.await.status(), 503);
    assert_eq!(claim(&store.0).await, Claim::Held);
    let token = other.lock().unwrap().unwrap();
    let committed = store.commit(&event_key(), token, LEASE).await;
    assert_eq!(committed, Ok(()));
}

#[tokio::test]
async fn the_events_of_a_batch_are_handled_in_order_and_the_first_failure_ends_it() {
    let receiver = builder::<Batches>().build().unwrap();
    let handled = Mutex::new(Vec::new());
    let run = |failing: &'static str| {
        let handled = &handled;
        move |event: Event<String>| {
            handled.lock().unwrap().push(event.clone().into_data());
            ready(if *event == failing {
                Err(BoxError::from("no"))
            } else {
                Ok(())
            })
        }
    };
    let batch = || Batches::of(&["a", "b", "c", "b"]);
    let delivery = received(&receiver, batch()).await;
    assert_eq!(delivery.handle(run("b")).await.status(), 500);
    assert_eq!(*handled.lock().unwrap(), ["a", "b"]);

    let delivery = received(&receiver, batch()).await;
    assert_eq!(delivery.handle(run("")).await.status(), 204);
    assert_eq!(*handled.lock().unwrap(), ["a", "b", "b", "c"]);

    let delivery = received(&receiver, Batches::of(&[])).await;
    assert_eq!(delivery.handle(run("")).await.status(), 204);
}

#[tokio::test]
async fn delivery_has_the_key_name_and_the_timestamp() {
    let receiver = builder::<Batches>().build().unwrap();
    let delivery = received(&receiver, Batches::of(&["a"])).await;
    assert_eq!(delivery.key_name(), "2026-11");
    assert!(delivery.timestamp().is_some());
    assert_eq!(delivery.events()[0].timestamp(), delivery.timestamp());

    let receiver = builder::<Pretix>().build().unwrap();
    let delivery = received(&receiver, genuine::<Pretix>(Pretix::body(1))).await;
    assert_eq!(delivery.key_name(), "2026");
    assert_eq!(delivery.timestamp(), None);
    assert_eq!(delivery.events()[0].timestamp(), None);
}

#[tokio::test]
async fn events_without_an_id_are_deduplicated_by_their_bytes() {
    let verifier = Verifier::new(preo::scheme(), Preo::keyring());
    let deliveries = preo::Source::new(verifier).identified_by(|payload: &serde_json::Value| {
        payload.get("id")?.as_str().map(str::to_owned)
    });
    let receiver = named(deliveries);
    let keys = |body: &'static str| {
        let receiver = receiver.clone();
        async move {
            let request = genuine::<Preo>(body.as_bytes().to_vec());
            received(&receiver, request).await.events()[0].key().clone()
        }
    };
    assert_eq!(keys(r#"{"id":"a"}"#).await, keys(r#"{ "id": "a" }"#).await);
    assert_ne!(keys(r#"{"id":"a"}"#).await, keys(r#"{"id":"b"}"#).await);
    assert_eq!(keys(r#"{"n":1}"#).await, keys(r#"{"n":1}"#).await);
    assert_ne!(keys(r#"{"n":1}"#).await, keys(r#"{ "n": 1 }"#).await);
}

#[tokio::test]
async fn pretix_notifications_are_deduplicated_by_installation_organizer_and_id() {
    async fn key(installation: Option<&str>, body: &str) -> EventKey {
        let mut deliveries = Pretix::source();
        if let Some(host) = installation {
            deliveries = deliveries.installation(host);
        }
        let request = genuine::<Pretix>(body.as_bytes().to_vec());
        let delivery = received(&named(deliveries), request).await;
        delivery.events()[0].key().clone()
    }
    let body = r#"{"notification_id":5,"organizer":"o","event":"e","code":"A","action":"pretix.event.order.placed"}"#;
    let later = r#"{"notification_id":5,"organizer":"o","event":"e","code":"A","action":"pretix.event.order.placed","more":1}"#;
    let other = r#"{"notification_id":5,"organizer":"p","event":"e","code":"A","action":"pretix.event.order.placed"}"#;
    let first = key(None, body).await;
    assert_eq!(first.as_str(), "test:pretix::pretix:id::o:5");
    assert_eq!(first, key(None, later).await);
    assert_ne!(first, key(None, other).await);
    assert_ne!(first, key(Some("tickets.example"), body).await);
}

#[tokio::test]
async fn a_key_can_be_added_and_retired_while_a_receiver_runs() {
    use webhook_sdk::Secret;
    use webhook_sdk::signature::{Key, Retire, Signer};

    let keyring = Preo::keyring();
    let verifier = Verifier::new(preo::scheme(), keyring.clone());
    let receiver = Receiver::new(preo::Source::new(verifier));
    let new = Secret::from("the new secret");
    let signed_anew = || {
        let mut request = genuine::<Preo>(Preo::body(EVENT));
        let body = request.body().clone();
        let signer = Signer::new(preo::scheme(), &new).unwrap();
        signer.sign(request.headers_mut(), &body).unwrap();
        request.into_parts()
    };

    let (parts, body) = signed_anew();
    let refused = receiver.receive(&parts, Full::new(body)).await;
    assert_eq!(refused.unwrap_err().status(), 401);

    keyring.add(Key::new("2026-12", &new).unwrap()).unwrap();
    let (parts, body) = signed_anew();
    let delivery = receiver.receive(&parts, Full::new(body)).await.unwrap();
    assert_eq!(delivery.key_name(), "2026-12");
    let old = received(&receiver, genuine::<Preo>(Preo::body(EVENT))).await;
    assert_eq!(old.key_name(), "2026-11");

    keyring.retire("2026-11", Retire::now()).unwrap();
    let (parts, body) = genuine::<Preo>(Preo::body(EVENT)).into_parts();
    let refused = receiver.receive(&parts, Full::new(body)).await;
    assert_eq!(refused.unwrap_err().status(), 401);
}

struct OnDrop(Runs);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.add();
    }
}

/// A store that takes its time to grant a claim.
struct Slow(Duration);

impl DedupStore for Slow {
    async fn claim(&self, _: &EventKey, _: ClaimToken, _: Duration) -> Result<Claim, StoreError> {
        tokio::time::sleep(self.0).await;
        Ok(Claim::Granted)
    }

    async fn commit(&self, _: &EventKey, _: ClaimToken, _: Duration) -> Result<(), StoreError> {
        Ok(())
    }

    async fn release(&self, _: &EventKey, _: ClaimToken) -> Result<(), StoreError> {
        Ok(())
    }
}

/// A store whose leases are half as long as they should be.
#[derive(Clone)]
struct Hasty(MemoryStore);

impl DedupStore for Hasty {
    async fn claim(
        &self,
        key: &EventKey,
        token: ClaimToken,
        lease: Duration,
    ) -> Result<Claim, StoreError> {
        self.0.claim(key, token, lease / 2).await
    }

    async fn commit(
        &self,
        key: &EventKey,
        token: ClaimToken,
        remember: Duration,
    ) -> Result<(), StoreError> {
        self.0.commit(key, token, remember).await
    }

    async fn release(&self, key: &EventKey, token: ClaimToken) -> Result<(), StoreError> {
        self.0.release(key, token).await
    }
}

/// A store whose commits wait for a gate.
#[derive(Clone)]
struct Gated {
    memory: MemoryStore,
    open: watch::Sender<bool>,
}

impl Default for Gated {
    fn default() -> Self {
        Self {
            memory: MemoryStore::default(),
            open: watch::Sender::new(false),
        }
    }
}

impl DedupStore for Gated {
    async fn claim(
        &self,
        key: &EventKey,
        token: ClaimToken,
        lease: Duration,
    ) -> Result<Claim, StoreError> {
        self.memory.claim(key, token, lease).await
    }

    async fn commit(
        &self,
        key: &EventKey,
        token: ClaimToken,
        remember: Duration,
    ) -> Result<(), StoreError> {
        let mut open = self.open.subscribe();
        open.wait_for(|open| *open).await.unwrap();
        self.memory.commit(key, token, remember).await
    }

    async fn release(&self, key: &EventKey, token: ClaimToken) -> Result<(), StoreError> {
        self.memory.release(key, token).await
    }
}

/// A store that claims an event at once, and whose response doesn't arrive.
struct Unanswered(MemoryStore);

impl DedupStore for Unanswered {
    async fn claim(
        &self,
        key: &EventKey,
        token: ClaimToken,
        lease: Duration,
    ) -> Result<Claim, StoreError> {
        self.0.claim(key, token, lease).await?;
        pending().await
    }

    async fn commit(&self, _: &EventKey, _: ClaimToken, _: Duration) -> Result<(), StoreError> {
        unreachable!("nothing was granted")
    }

    async fn release(&self, key: &EventKey, token: ClaimToken) -> Result<(), StoreError> {
        self.0.release(key, token).await
    }
}

/// A store that is out of reach for one step of three.
#[derive(Clone)]
pub(crate) struct Failing {
    step: &'static str,
    calls: Arc<Mutex<Vec<&'static str>>>,
}

impl Failing {
    pub(crate) fn at(step: &'static str) -> Self {
        let calls = Arc::default();
        Self { step, calls }
    }

    fn calls(&self) -> Vec<&'static str> {
        self.calls.lock().unwrap().clone()
    }

    fn call(&self, step: &'static str) -> Result<(), StoreError> {
        self.calls.lock().unwrap().push(step);
        if step == self.step {
            return Err(StoreError::Unavailable("connection refused".to_owned()));
        }
        Ok(())
    }
}

impl DedupStore for Failing {
    async fn claim(&self, _: &EventKey, _: ClaimToken, _: Duration) -> Result<Claim, StoreError> {
        self.call("claim")?;
        Ok(Claim::Granted)
    }

    async fn commit(&self, _: &EventKey, _: ClaimToken, _: Duration) -> Result<(), StoreError> {
        self.call("commit")
    }

    async fn release(&self, _: &EventKey, _: ClaimToken) -> Result<(), StoreError> {
        self.call("release")
    }
}

#[tokio::test]
async fn lune_batch_stops_at_a_failure_and_resumes_there_on_redelivery() {
    let receiver = builder::<Lune>().build().unwrap();
    let body = br#"{"events":[
        {"event_id":"ev1","event_type":"order.paid","data":{"order":{"id":"or1"}}},
        {"event_id":"ev2","event_type":"order.paid","data":"odd"},
        {"event_id":"ev3","event_type":"something.new","data":{}},
        {"event_type":"order.paid","data":{"order":{"id":"or4"}}}
    ]}"#;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let handle = |refuse: &'static str| {
        let seen = Arc::clone(&seen);
        move |event: Event<webhook_sdk::lune::Event>| {
            let id = event.event_id().unwrap_or("none").to_owned();
            seen.lock().unwrap().push(id.clone());
            async move {
                if id == refuse {
                    Err(BoxError::from("refused"))
                } else {
                    Ok(())
                }
            }
        }
    };
    for (refuse, status, ran) in [
        ("ev3", 500, vec!["ev1", "ev2", "ev3"]),
        ("", 204, vec!["ev3", "none"]),
        ("", 204, vec![]),
    ] {
        let mut request = genuine::<Lune>(body.to_vec());
        let signed = request.headers()["lune-hmac"].to_str().unwrap();
        let named = HeaderValue::from_str(&format!("{signed},organisation=org_1")).unwrap();
        request.headers_mut().insert("lune-hmac", named);
        let delivery = received(&receiver, request).await;
        assert_eq!(delivery.unsigned_field("organisation"), Some("org_1"));
        assert_eq!(delivery.unsigned_field("v1"), None);
        assert_eq!(delivery.handle(handle(refuse)).await.status(), status);
        assert_eq!(std::mem::take(&mut *seen.lock().unwrap()), ran);
    }
}

#[tokio::test]
async fn closures_infer_their_error_and_functions_of_any_error_can_be_called() {
    async fn store(_: &str) -> Result<(), std::io::Error> {
        Err(std::io::Error::other("disk full"))
    }
    async fn count(id: &str) -> Result<u64, std::num::ParseIntError> {
        id.trim_start_matches("event-").parse()
    }
    let receiver = builder::<Preo>().build().unwrap();
    let outcome = delivery(&receiver).await.handle(async |event| {
        count(&event.id).await?;
        store(&event.id).await?;
        Ok(())
    });
    assert_eq!(outcome.await.status(), 500);
    let outcome = delivery(&receiver).await;
    let outcome = outcome.handle(async |event| Ok(store(&event.id).await?));
    assert_eq!(outcome.await.status(), 500);
    let outcome = delivery(&receiver).await.handle(async |event| {
        if event.id == "event-7" {
            Err("text is an error too")?;
        }
        Ok(())
    });
    assert_eq!(outcome.await.status(), 500);
    let outcome = delivery(&receiver).await.handle(async |_| Ok(()));
    assert_eq!(outcome.await.status(), 204);
}

#[tokio::test]
async fn handler_sees_the_event_key_raw_bytes_and_key_name() {
    #[derive(serde::Deserialize)]
    struct More {
        added_later: u64,
    }
    let receiver = Receiver::builder(Preo::source())
        .name("shop")
        .build()
        .unwrap();
    let body = br#"{"id":"event-7", "added_later": 7}"#;
    let delivery = received(&receiver, genuine::<Preo>(body.to_vec())).await;
    let outcome = delivery.handle(async |event| {
        assert_eq!(event.key().as_str(), "shop:preo:::id:event-7");
        assert_eq!(event.key_name(), "2026-11");
        assert_eq!(event.tenant(), None);
        assert_eq!(&event.raw()[..], body);
        assert_eq!(event.json::<More>()?.added_later, 7);
        assert_eq!(event.id, "event-7");
        assert!(!format!("{event:?}").contains("event-7"));
        Ok(())
    });
    assert_eq!(outcome.await.status(), 204);

    let notification = br#"{"notification_id":1,"organizer":"o","event":"e","code":"A","action":"pretix.event.order.placed","added_later":7}"#;
    let receiver = builder::<Pretix>().build().unwrap();
    let delivery = received(&receiver, genuine::<Pretix>(notification.to_vec())).await;
    let event = &delivery.events()[0];
    assert_eq!(&event.raw()[..], notification);
    assert_eq!(event.json::<More>().unwrap().added_later, 7);
    let wrong = event.json::<Vec<u64>>().err().unwrap().to_string();
    assert!(!wrong.contains("pretix"), "{wrong}");
}

/// A source whose events are the `Debug` text of what it decodes.
struct Shown(<Preo as Service>::Source);

impl Source for Shown {
    type Event = String;

    fn name(&self) -> &str {
        "shown"
    }

    async fn authenticate(&self, parts: &Parts) -> Result<Authentication, Refusal> {
        self.0.authenticate(parts).await
    }

    fn decode(&self, request: &Authenticated<'_>) -> Result<Vec<Event<String>>, DecodeError> {
        let key = request.digest_key(request.body());
        Ok(vec![request.event(key, format!("{request:?}"))])
    }
}

#[tokio::test]
async fn debug_of_a_source_and_of_an_authenticated_request_shows_no_content() {
    let source = Preo::source();
    let shown = format!("{:?}", source.clone());
    assert!(shown.contains("2026-11"), "{shown}");
    let receiver = Receiver::builder(Shown(source)).build().unwrap();
    let delivery = received(&receiver, genuine::<Preo>(Preo::body(EVENT))).await;
    let shown: &String = &delivery.events()[0];
    assert!(
        shown.contains("2026-11") && !shown.contains("event-7"),
        "{shown}"
    );
}

/// A source whose events are a header, the tenant, and the name of the signing key.
struct Named(<Preo as Service>::Source);

impl Source for Named {
    type Event = (String, Option<String>, Option<String>);

    fn name(&self) -> &str {
        "named"
    }

    async fn authenticate(&self, parts: &Parts) -> Result<Authentication, Refusal> {
        Ok(self.0.authenticate(parts).await?.tenant("acme"))
    }

    fn decode(&self, request: &Authenticated<'_>) -> Result<Vec<Event<Self::Event>>, DecodeError> {
        let name = request.header("x-name")?.to_owned();
        assert_eq!(request.headers()["x-name"], name);
        let tenant = request.tenant().map(str::to_owned);
        let signed_by = request.verified();
        let signed_by = signed_by.map(|verified| verified.key_name().to_owned());
        let key = request.digest_key(request.body());
        Ok(vec![request.event(key, (name, tenant, signed_by))])
    }
}

#[tokio::test]
async fn source_decodes_headers_the_tenant_and_the_key_name() {
    let receiver = Receiver::new(Named(Preo::source()));
    let (mut parts, body) = genuine::<Preo>(Preo::body(EVENT)).into_parts();
    let refusal = receiver
        .receive(&parts, Full::new(body.clone()))
        .await
        .unwrap_err();
    assert!(refusal.to_string().contains("x-name"), "{refusal}");
    assert!(std::error::Error::source(&refusal).is_none());
    parts.headers.insert("x-name", "Ada".parse().unwrap());
    let delivery = receiver.receive(&parts, Full::new(body)).await.unwrap();
    assert_eq!(
        *delivery.events()[0],
        (
            "Ada".to_owned(),
            Some("acme".to_owned()),
            Some("2026-11".to_owned())
        )
    );
}

#[tokio::test]
async fn an_undecodable_body_is_refused_with_its_json_path_and_no_value() {
    let receiver = builder::<Preo>().build().unwrap();
    let (parts, body) = genuine::<Preo>(br#"{"id":{"hidden":1}}"#.to_vec()).into_parts();
    let refusal = receiver.receive(&parts, Full::new(body)).await.unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "authentic but undecodable: id: expected a string"
    );
}

/// Text whose conversion always fails, with the text as its error.
#[derive(Debug)]
struct Quoted;

impl<'de> serde::Deserialize<'de> for Quoted {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Err(serde::de::Error::custom(text))
    }
}

#[tokio::test]
async fn an_error_of_a_payload_type_cannot_show_the_body() {
    let verifier = Verifier::new(preo::scheme(), Preo::keyring());
    let receiver = Receiver::new(preo::Source::new(verifier).identified_by(|_: &Quoted| None));
    for (text, shown) in [
        ("hidden", "an invalid value"),
        ("x, expected hidden", "an invalid value"),
        ("x, expected a string", "an invalid value"),
        ("invalid type: x, expected hidden", "an invalid value"),
        ("invalid type: hidden, expected a map", "expected a map"),
        (
            "invalid type: x, expected struct hidden",
            "expected an object",
        ),
        ("invalid value: hidden, expected u64", "expected u64"),
        ("invalid length 1, expected hidden", "an invalid value"),
        ("unknown variant `x`, expected `hidden`", "an invalid value"),
        ("unknown field `hidden`, expected `a`", "an invalid value"),
        ("missing field `hidden`", "a missing field"),
        ("missing field `hidden", "a missing field"),
        ("hidden at line 1 column 2", "an invalid value"),
    ] {
        let body = serde_json::to_vec(text).unwrap();
        let (parts, body) = genuine::<Preo>(body).into_parts();
        let refusal = receiver.receive(&parts, Full::new(body)).await.unwrap_err();
        assert_eq!(
            refusal.to_string(),
            format!("authentic but undecodable: {shown}"),
            "{text}"
        );
        assert!(!format!("{refusal:?}").contains("hidden"), "{refusal:?}");
    }
}
