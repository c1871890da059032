//! The inbox: what every database promises.

use std::future::{pending, ready};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::join_all;
use http::Request;
use serde_json::{Value, json};
use tokio::sync::oneshot;
use webhook_sdk::receiver::{
    Ack, BoxError, Dialect, Event, Inbox, InboxError, InboxTransaction, IntoAck, Receiver,
    ReceiverBuilder,
};
use webhook_sdk::signature::{Key, Keyring, Scheme, Signer, Verifier};
use webhook_sdk::{Secret, lune, preo};

#[cfg(feature = "postgres")]
mod postgres;
mod sqlite;

const SECRET: &str = "inbox-secret";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const EFFECT: &str = "insert into effects values (1)";

type Source = preo::Source;

/// A database of the test's own.
trait Fixture: Sized {
    type Db: Dialect;

    /// Makes all records two days old.
    const AGE: &'static str;
    /// Adds 2,500 records.
    const ADD_2500: &'static str;

    /// Adds 2,500 positions that are two days old.
    const ADD_2500_POSITIONS: &'static str;

    async fn start() -> Self;

    fn inbox(&self) -> Inbox<Self::Db>;

    /// Runs statements in a transaction of their own.
    async fn run(&self, statements: &'static str);

    /// The only value of a query.
    async fn value(&self, query: &'static str) -> i64;

    /// Runs statements in an event's transaction.
    async fn run_in(
        tx: &mut InboxTransaction<Self::Db>,
        statements: &'static str,
    ) -> Result<(), sqlx::Error>;
}

/// A receiver with an inbox in a fixture.
struct Setup<F: Fixture> {
    fixture: F,
    inbox: Inbox<F::Db>,
    receiver: Receiver<Source>,
    observed: Arc<Mutex<Vec<String>>>,
}

impl<F: Fixture> Setup<F> {
    async fn migrated() -> Self {
        let setup = Self::with(receiver()).await;
        setup.inbox.migrate().await.unwrap();
        setup
    }

    async fn with(receiver: ReceiverBuilder<Source>) -> Self {
        let fixture = F::start().await;
        fixture
            .run("create table effects (number bigint not null)")
            .await;
        let observed = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&observed);
        let receiver = receiver.observer(move |outcome| {
            log.lock()
                .unwrap()
                .push(format!("{:?}", outcome.observation()));
        });
        Self {
            inbox: fixture.inbox(),
            fixture,
            receiver: receiver.build().unwrap(),
            observed,
        }
    }

    /// Delivers an event, and returns the status.
    async fn deliver<H, R>(&self, id: &str, handler: H) -> u16
    where
        H: FnMut(Event<Value>, InboxTransaction<F::Db>) -> R,
        R: Future<Output: IntoAck<Source>>,
    {
        let (parts, body) = request(id).into_parts();
        let delivery = self.receiver.receive(&parts, body).await.unwrap();
        delivery
            .handle_in(&self.inbox, handler)
            .await
            .status()
            .as_u16()
    }

    /// Delivers an event with an effect.
    async fn deliver_effect(&self, id: &str) -> u16 {
        self.deliver(id, |_, tx| effect::<F>(tx)).await
    }

    /// Delivers an event whose handler must not run.
    async fn deliver_duplicate(&self, id: &str) -> u16 {
        let twice = async |_, _| Err::<(), BoxError>("handled twice".into());
        self.deliver(id, twice).await
    }

    /// Delivers an event with an effect again for as long as it is held by a rollback that is on its way.
    async fn deliver_until_released(&self, id: &str) {
        while self.deliver_effect(id).await == 503 {
            tokio::task::yield_now().await;
        }
        assert_eq!((self.effects().await, self.records().await), (1, 1));
        assert_eq!(self.deliver_duplicate(id).await, 204);
    }

    async fn effects(&self) -> i64 {
        self.fixture.value("select count(*) from effects").await
    }

    async fn records(&self) -> i64 {
        self.fixture
            .value("select count(*) from webhook_inbox")
            .await
    }

    /// After a failed delivery: nothing has happened, and the next delivery is handled.
    async fn is_handled_next(&self, id: &str) {
        assert_eq!((self.effects().await, self.records().await), (0, 0));
        assert_eq!(self.deliver_effect(id).await, 204);
        assert_eq!((self.effects().await, self.records().await), (1, 1));
        assert_eq!(self.deliver_duplicate(id).await, 204);
    }

    fn last_observed(&self) -> String {
        self.observed.lock().unwrap().last().unwrap().clone()
    }
}

async fn effect<F: Fixture>(mut tx: InboxTransaction<F::Db>) -> Result<(), BoxError> {
    Ok(F::run_in(&mut tx, EFFECT).await?)
}

fn receiver() -> ReceiverBuilder<Source> {
    unnamed().name("inbox")
}

fn unnamed() -> ReceiverBuilder<Source> {
    let keyring = Keyring::new(Key::new("2026-11", &Secret::from(SECRET)).unwrap());
    let source = Source::new(Verifier::new(preo::scheme(), keyring))
        .identified_by(|payload: &Value| payload["id"].as_str().map(str::to_owned));
    Receiver::builder(source)
}

fn request(id: &str) -> Request<String> {
    signed(preo::scheme(), &json!({ "id": id }))
}

fn signed(scheme: Scheme, body: &Value) -> Request<String> {
    let mut request = Request::post("/").body(body.to_string()).unwrap();
    let signer = Signer::new(scheme, &Secret::from(SECRET)).unwrap();
    signer
        .sign(request.headers_mut(), body.to_string().as_bytes())
        .unwrap();
    request
}

/// Makes a test of each function for a database.
macro_rules! promises {
    ($fixture:ty, $attribute:tt) => {
        crate::receiver::inbox::promises! {
            $fixture, $attribute:
            effect_and_record_commit_together
            failing_handler_rolls_back
            panicking_handler_rolls_back
            dropped_handler_rolls_back
            handler_that_exceeds_its_lease_rolls_back
            retry_rolls_back_and_gets_503
            concurrent_duplicates_are_handled_once
            transaction_ended_by_the_handler_is_not_acknowledged
            transaction_kept_by_the_handler_is_not_acknowledged
            claim_waits_no_longer_than_the_lease
            ids_with_any_character_are_recorded
            purge_deletes_only_old_records
            purge_deletes_more_than_one_chunk
            migrating_twice_and_at_once_is_safe
            missing_table_gets_503_and_says_what_to_do
            table_of_another_shape_gets_503_and_says_what_to_do
            tables_do_not_share_events
            unsafe_table_names_are_refused
            receiver_without_a_name_gets_503
            batch_stays_in_order_while_it_is_redelivered
            stale_events_are_skipped
            failed_event_raises_no_sequence
        }
    };
    ($fixture:ty, $attribute:tt: $($test:ident)*) => {$(
        #[tokio::test]
        # $attribute
        async fn $test() {
            crate::receiver::inbox::$test::<$fixture>().await;
        }
    )*};
}
use promises;

async fn effect_and_record_commit_together<F: Fixture>() {
    let setup = Setup::<F>::migrated().await;
    let status = setup
        .deliver("event-1", async |event, mut tx| {
            assert_eq!(event["id"], "event-1");
            assert_eq!(format!("{tx:?}"), "InboxTransaction { .. }");
            F::run_in(&mut tx, EFFECT).await?;
            Ok(())
        })
        .await;
    assert_eq!(status, 204);
    assert_eq!(setup.last_observed(), "Handled");
    assert_eq!((setup.effects().await, setup.records().await), (1, 1));
    assert_eq!(setup.deliver_duplicate("event-1").await, 204);
    assert_eq!(setup.last_observed(), "Duplicate");
}

async fn failing_handler_rolls_back<F: Fixture>() {
    let setup = Setup::<F>::migrated().await;
    let status = setup
        .deliver("event-1", async |_, tx| {
            effect::<F>(tx).await?;
            Err::<(), BoxError>("the handler failed".into())
        })
        .await;
    assert_eq!(status, 500);
    assert!(setup.last_observed().contains("the handler failed"));
    setup.is_handled_next("event-1").await;
}

async fn panicking_handler_rolls_back<F: Fixture>() {
    let setup = Setup::<F>::migrated().await;
    let status = setup
        .deliver("event-1", async |_, tx| {
            let effect = effect::<F>(tx).await;
            assert!(effect.is_err(), "on purpose");
        })
        .await;
    assert_eq!(status, 500);
    assert_eq!(setup.last_observed(), "Panicked");
    setup.is_handled_next("event-1").await;
}

async fn dropped_handler_rolls_back<F: Fixture>() {
    let setup = Setup::<F>::migrated().await;
    let (written, has_written) = oneshot::channel();
    let mut written = Some(written);
    let delivering = setup.deliver("event-1", |_, mut tx| {
        let written = written.take().unwrap();
        async move {
            F::run_in(&mut tx, EFFECT).await.unwrap();
            written.send(()).unwrap();
            pending::<()>().await;
        }
    });
    futures_util::select_biased! {
        _ = delivering.fuse() => panic!("the handler never ends"),
        written = has_written.fuse() => written.unwrap(),
    }
    setup.deliver_until_released("event-1").await;
}

async fn handler_that_exceeds_its_lease_rolls_back<F: Fixture>() {
    let mut setup = Setup::<F>::with(receiver().lease(Duration::from_secs(1))).await;
    setup.inbox.migrate().await.unwrap();
    let status = setup
        .deliver("event-1", async |_, mut tx| {
            F::run_in(&mut tx, EFFECT).await.unwrap();
            pending::<()>().await;
        })
        .await;
    assert_eq!(status, 500);
    assert_eq!(setup.last_observed(), "TimedOut");
    setup.receiver = receiver().build().unwrap();
    setup.is_handled_next("event-1").await;
}

async fn retry_rolls_back_and_gets_503<F: Fixture>() {
    let setup = Setup::<F>::migrated().await;
    let status = setup
        .deliver("event-1", async |_, tx| {
            effect::<F>(tx).await?;
            Ok(Ack::retry())
        })
        .await;
    assert_eq!(status, 503);
    assert_eq!(setup.last_observed(), "Retry");
    setup.is_handled_next("event-1").await;
}

async fn concurrent_duplicates_are_handled_once<F: Fixture>() {
    let setup = Setup::<F>::migrated().await;
    let statuses = join_all((0..16).map(|_| setup.deliver_effect("event-1"))).await;
    assert!(statuses.contains(&204), "{statuses:?}");
    assert!(
        statuses.iter().all(|status| [204, 503].contains(status)),
        "{statuses:?}"
    );
    assert_eq!((setup.effects().await, setup.records().await), (1, 1));
    assert_eq!(setup.deliver_duplicate("event-1").await, 204);
}

async fn transaction_ended_by_the_handler_is_not_acknowledged<F: Fixture>() {
    let setup = Setup::<F>::migrated().await;
    let status = setup
        .deliver("event-1", async |_, mut tx| {
            F::run_in(&mut tx, EFFECT).await?;
            F::run_in(&mut tx, "rollback").await?;
            Ok(())
        })
        .await;
    assert_eq!(status, 503);
    assert!(setup.last_observed().contains("rolled back"));
    setup.is_handled_next("event-1").await;
}

async fn transaction_kept_by_the_handler_is_not_acknowledged<F: Fixture>() {
    let setup = Setup::<F>::migrated().await;
    let kept = Mutex::new(None);
    let status = setup
        .deliver("event-1", |_, tx| {
            *kept.lock().unwrap() = Some(tx);
            ready(())
        })
        .await;
    assert_eq!(status, 503);
    assert!(setup.last_observed().contains("kept"));
    drop(kept);
    setup.deliver_until_released("event-1").await;
}

async fn claim_waits_no_longer_than_the_lease<F: Fixture>() {
    let mut setup = Setup::<F>::with(receiver().lease(Duration::from_millis(300))).await;
    setup.inbox.migrate().await.unwrap();
    let all = setup.inbox.pool().options().get_max_connections();
    let mut connections = Vec::new();
    for _ in 0..all {
        connections.push(setup.inbox.pool().acquire().await.unwrap());
    }
    assert_eq!(setup.deliver_duplicate("event-1").await, 503);
    drop(connections);
    setup.receiver = receiver().build().unwrap();
    setup.is_handled_next("event-1").await;
}

async fn ids_with_any_character_are_recorded<F: Fixture>() {
    let setup = Setup::<F>::migrated().await;
    for id in [
        "\0",
        "'; drop table effects; --",
        "\u{feff}ä🎟\u{10ffff}",
        "%",
        ":",
    ] {
        assert_eq!(setup.deliver_effect(id).await, 204, "{id:?}");
        assert_eq!(setup.deliver_duplicate(id).await, 204, "{id:?}");
    }
    assert_eq!((setup.effects().await, setup.records().await), (5, 5));
}

async fn purge_deletes_only_old_records<F: Fixture>() {
    let setup = Setup::<F>::migrated().await;
    for id in ["event-1", "event-2"] {
        assert_eq!(setup.deliver_effect(id).await, 204);
    }
    setup.fixture.run(F::AGE).await;
    assert_eq!(setup.deliver_effect("event-3").await, 204);
    assert_eq!(setup.inbox.purge(3 * DAY).await.unwrap(), 0);
    assert_eq!(setup.inbox.purge(Duration::MAX).await.unwrap(), 0);
    assert_eq!(setup.inbox.purge(DAY).await.unwrap(), 2);
    assert_eq!(setup.deliver_duplicate("event-3").await, 204);
    assert_eq!(setup.deliver_effect("event-1").await, 204);
    assert_eq!((setup.effects().await, setup.records().await), (4, 2));
}

async fn purge_deletes_more_than_one_chunk<F: Fixture>() {
    let setup = Setup::<F>::migrated().await;
    setup.fixture.run(F::ADD_2500).await;
    setup.fixture.run(F::AGE).await;
    setup.fixture.run(F::ADD_2500_POSITIONS).await;
    assert_eq!(setup.inbox.purge(3 * DAY).await.unwrap(), 0);
    let positions = "select count(*) from webhook_inbox_position";
    assert_eq!(setup.fixture.value(positions).await, 2_500);
    assert_eq!(setup.inbox.purge(DAY).await.unwrap(), 2_500);
    assert_eq!(setup.fixture.value(positions).await, 0);
    assert_eq!(setup.records().await, 0);
}

async fn migrating_twice_and_at_once_is_safe<F: Fixture>() {
    let setup = Setup::<F>::with(receiver()).await;
    for migrated in join_all((0..4).map(|_| setup.inbox.migrate())).await {
        migrated.unwrap();
    }
    assert_eq!(setup.deliver_effect("event-1").await, 204);
    setup.inbox.migrate().await.unwrap();
    assert_eq!(setup.deliver_duplicate("event-1").await, 204);
}

async fn missing_table_gets_503_and_says_what_to_do<F: Fixture>() {
    let setup = Setup::<F>::with(receiver()).await;
    assert_eq!(setup.deliver_duplicate("event-1").await, 503);
    assert!(
        setup.last_observed().contains("call `migrate`"),
        "{}",
        setup.last_observed()
    );
    let error = setup.inbox.purge(DAY).await.unwrap_err();
    assert!(matches!(error, InboxError::Schema(_)), "{error:?}");
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(!error.to_string().contains(&cause), "{error}");
    let shown = setup.last_observed();
    assert_eq!(shown.matches("webhook_inbox").count(), 1, "{shown}");
    setup.inbox.migrate().await.unwrap();
    setup.is_handled_next("event-1").await;
}

async fn table_of_another_shape_gets_503_and_says_what_to_do<F: Fixture>() {
    let setup = Setup::<F>::with(receiver()).await;
    setup
        .fixture
        .run("create table webhook_inbox (id text)")
        .await;
    assert_eq!(setup.deliver_duplicate("event-1").await, 503);
    assert!(
        setup.last_observed().contains("call `migrate`"),
        "{}",
        setup.last_observed()
    );
}

async fn tables_do_not_share_events<F: Fixture>() {
    let mut setup = Setup::<F>::migrated().await;
    assert_eq!(setup.deliver_effect("event-1").await, 204);
    setup.inbox = setup.inbox.table("orders_inbox").unwrap();
    let shown = format!("{:?}", setup.inbox);
    assert_eq!(shown, "Inbox { table: \"orders_inbox\", .. }");
    setup.inbox.migrate().await.unwrap();
    assert_eq!(setup.deliver_effect("event-1").await, 204);
    assert_eq!(setup.deliver_duplicate("event-1").await, 204);
    assert_eq!(setup.effects().await, 2);
    assert_eq!(
        setup
            .fixture
            .value("select count(*) from orders_inbox")
            .await,
        1
    );
}

async fn unsafe_table_names_are_refused<F: Fixture>() {
    let inbox = F::start().await.inbox();
    let long = "a".repeat(51);
    for name in [
        "", " ", "Inbox", "a-b", "a\"b", "a;b", "a.b.c", ".", "a.", ".a", "\0", &long,
    ] {
        let error = inbox.clone().table(name).unwrap_err();
        assert!(matches!(error, InboxError::TableName), "{name:?}");
    }
}

async fn receiver_without_a_name_gets_503<F: Fixture>() {
    let mut setup = Setup::<F>::with(receiver()).await;
    setup.inbox.migrate().await.unwrap();
    let observed = Arc::clone(&setup.observed);
    setup.receiver = unnamed()
        .observer(move |outcome| {
            observed
                .lock()
                .unwrap()
                .push(format!("{:?}", outcome.observation()))
        })
        .build()
        .unwrap();
    assert_eq!(setup.deliver_duplicate("event-1").await, 503);
    assert!(setup.last_observed().contains("requires a receiver name"));
}

/// The ids of Lune's events that handlers saw, in order.
struct Accounts<F: Fixture> {
    setup: Setup<F>,
    receiver: Receiver<lune::Source>,
    seen: Mutex<Vec<String>>,
}

impl<F: Fixture> Accounts<F> {
    async fn new(change: impl FnOnce(lune::Source) -> lune::Source) -> Self {
        let keyring = Keyring::new(Key::new("2026-11", &Secret::from(SECRET)).unwrap());
        let source = change(lune::Source::new(Verifier::new(lune::scheme(), keyring)));
        Self {
            setup: Setup::migrated().await,
            receiver: Receiver::builder(source).name("accounts").build().unwrap(),
            seen: Mutex::default(),
        }
    }

    /// Delivers a batch of events, each an id, an account, and a sequence.
    async fn deliver<R>(
        &self,
        events: &[(&str, &str, &str)],
        mut handler: impl FnMut(String, InboxTransaction<F::Db>) -> R,
    ) -> u16
    where
        R: Future<Output: IntoAck<lune::Source>>,
    {
        let event = |(id, account, sequence): &(&str, &str, &str)| {
            json!({
                "api_version": "v1", "event_id": id, "event_type": "order.paid",
                "account_id": account, "sequence": sequence, "data": { "order": { "id": "o" } },
            })
        };
        let events: Vec<_> = events.iter().map(event).collect();
        let (parts, body) = signed(lune::scheme(), &json!({ "events": events })).into_parts();
        let delivery = self.receiver.receive(&parts, body).await.unwrap();
        let handling = delivery.handle_in(&self.setup.inbox, |event, tx| {
            let id = event.event_id().unwrap().to_owned();
            self.seen.lock().unwrap().push(id.clone());
            handler(id, tx)
        });
        handling.await.status().as_u16()
    }

    async fn succeed(&self, events: &[(&str, &str, &str)]) -> u16 {
        self.deliver(events, |_, _| ready(())).await
    }

    fn seen(&self) -> Vec<String> {
        std::mem::take(&mut self.seen.lock().unwrap())
    }
}

async fn batch_stays_in_order_while_it_is_redelivered<F: Fixture>() {
    let accounts = Accounts::<F>::new(|source| source).await;
    let batch = [("e1", "a", "1"), ("e2", "a", "2"), ("e3", "a", "3")];
    let copies = join_all((0..8).map(|_| accounts.succeed(&batch))).await;
    assert!(
        copies.iter().all(|status| [204, 503].contains(status)),
        "{copies:?}"
    );
    while accounts.succeed(&batch).await == 503 {}
    assert_eq!(accounts.seen(), ["e1", "e2", "e3"]);
}

async fn stale_events_are_skipped<F: Fixture>() {
    let accounts = Accounts::<F>::new(lune::Source::skip_stale).await;
    assert_eq!(
        accounts
            .succeed(&[("e5", "a", "5"), ("f9", "b", "9")])
            .await,
        204
    );
    let second = [
        ("lower", "a", "4"),
        ("equal", "a", "5"),
        ("higher", "a", "6"),
        ("f8", "b", "8"),
    ];
    assert_eq!(accounts.succeed(&second).await, 204);
    assert_eq!(accounts.seen(), ["e5", "f9", "equal", "higher"]);
    assert_eq!(accounts.setup.records().await, 4);
}

async fn failed_event_raises_no_sequence<F: Fixture>() {
    let accounts = Accounts::<F>::new(lune::Source::skip_stale).await;
    let fail = |_, _| ready(Err::<(), BoxError>("on purpose".into()));
    assert_eq!(accounts.deliver(&[("e5", "a", "5")], fail).await, 500);
    assert_eq!(
        accounts
            .succeed(&[("e4", "a", "4"), ("e5", "a", "5")])
            .await,
        204
    );
    assert_eq!(accounts.seen(), ["e5", "e4", "e5"]);
}
