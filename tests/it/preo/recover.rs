//! What a receiver missed, recovered from the log of deliveries.

use std::sync::Mutex;
use std::time::Duration;

use http::Request;
use serde_json::{Value, json};
use webhook_sdk::preo::{self, PreoClient, RecoveryReport, Webhook};
use webhook_sdk::receiver::{BoxError, Event, Receiver, Tenants};
use webhook_sdk::signature::{Scheme, Verifier};
use webhook_sdk::testing::{Fault, PreoFake, signed_request};
use wiremock::MockServer;

use crate::fakes::support::{preo_webhook, receiver as server};

type Counts = [u64; 5];

/// Seen, already handled, recovered, refused and failed.
fn counts(report: &RecoveryReport) -> Counts {
    [
        report.seen,
        report.already_handled,
        report.recovered,
        report.refused,
        report.failed,
    ]
}

/// A fake whose deliveries have failed, and a receiver for what they hold.
struct Outage {
    fake: PreoFake,
    preo: PreoClient,
    webhook: Webhook,
    receiver: Receiver<preo::Source>,
    handled: Mutex<Vec<Value>>,
    _down: MockServer,
}

impl Outage {
    /// An outage during which events with these numbers were delivered, on pages of two.
    async fn of(numbers: impl IntoIterator<Item = u32>) -> Self {
        let fake = PreoFake::builder().max_page_size(2).start().await;
        let outage = Self::start(fake).await;
        for number in numbers {
            outage.fake.emit("purchase.action", json!(number)).await;
        }
        outage
    }

    async fn start(fake: PreoFake) -> Self {
        let down = server(&[503; 100]).await;
        let webhook = fake.seed(preo_webhook(down.uri()));
        Self {
            preo: fake.client(),
            receiver: Receiver::new(preo::Source::new(webhook.verifier().unwrap())),
            handled: Mutex::default(),
            fake,
            webhook,
            _down: down,
        }
    }

    fn recover(&self) -> preo::Recover {
        self.preo.recover(&self.webhook.id)
    }

    async fn run(&self) -> Counts {
        let handler = async |event: Event<Value>| {
            self.handled.lock().unwrap().push(event["data"].clone());
        };
        let report = self.recover().through(&self.receiver, handler).await;
        counts(&report.unwrap())
    }

    fn handled(&self) -> Vec<Value> {
        self.handled.lock().unwrap().clone()
    }

    /// The pages and the deliveries requested after this many requests.
    fn requested(&self, before: usize) -> (usize, usize) {
        let requests = self.fake.requests().split_off(before);
        let lists = requests
            .iter()
            .filter(|request| request.path().ends_with("/deliveries"));
        let lists = lists.count();
        (lists, requests.len() - lists)
    }
}

#[tokio::test]
async fn failed_and_exhausted_deliveries_are_recovered_once() {
    let fake = PreoFake::builder().max_attempts(2).start().await;
    let outage = Outage::start(fake).await;
    outage
        .fake
        .emit("purchase.action", json!("exhausted"))
        .await;
    outage.fake.advance(Duration::from_secs(60));
    outage.fake.deliver_due().await;
    outage.fake.emit("purchase.action", json!("failed")).await;

    assert_eq!(outage.run().await, [2, 0, 2, 0, 0]);
    assert_eq!(outage.handled(), ["failed", "exhausted"]);
    assert_eq!(outage.run().await, [2, 2, 0, 0, 0]);
    assert_eq!(outage.handled().len(), 2);
}

#[tokio::test]
async fn a_run_costs_a_request_per_page_and_per_delivery() {
    let outage = Outage::of(1..=5).await;
    for _ in 0..2 {
        let before = outage.fake.requests().len();
        outage.run().await;
        // Three pages of failed deliveries and one of exhausted ones.
        assert_eq!(outage.requested(before), (4, 5));
    }
}

#[tokio::test]
async fn deliveries_attempted_before_since_are_neither_retrieved_nor_handled() {
    let outage = Outage::of([1, 2]).await;
    outage.fake.advance(Duration::from_secs(3600));
    let since = outage.fake.now();
    outage.fake.emit("purchase.action", json!(3)).await;

    let before = outage.fake.requests().len();
    let recover = outage.recover().since(since);
    let report = recover.through(&outage.receiver, async |_| ()).await;
    assert_eq!(counts(&report.unwrap()), [1, 0, 1, 0, 0]);
    assert_eq!(outage.requested(before), (3, 1));
}

#[tokio::test]
async fn a_stored_signature_that_is_wrong_or_missing_is_refused() {
    let outage = Outage::of([]).await;
    let emit = |data| outage.fake.emit("purchase.action", data);
    let forged = emit(json!("forged")).forged().await;
    let unsigned = emit(json!("unsigned")).without_signature().await;
    emit(json!("genuine")).await;

    let recover = outage.recover();
    let report = recover.through(&outage.receiver, async |_| ()).await;
    let report = report.unwrap();
    assert_eq!(counts(&report), [3, 0, 1, 2, 0]);
    let refused = [&forged[0].id, &unsigned[0].id];
    assert_eq!(report.unrecovered.iter().collect::<Vec<_>>(), refused);
}

#[tokio::test]
async fn a_delivery_that_was_handled_although_it_failed_is_not_handled_again() {
    let outage = Outage::of([1, 2]).await;
    let delivery = &outage.fake.deliveries(&outage.webhook.id)[0];
    let secret = outage.webhook.secret.as_ref().unwrap();
    let request = signed_request(preo::scheme(), secret, delivery.payload.to_string());
    let (parts, body) = request.into_parts();
    let delivery = outage
        .receiver
        .receive(&parts, http_body_util::Full::new(body));
    assert!(
        delivery
            .await
            .unwrap()
            .handle(async |_| ())
            .await
            .is_success()
    );

    assert_eq!(outage.run().await, [2, 1, 1, 0, 0]);
    assert_eq!(outage.handled(), [2]);
}

#[tokio::test]
async fn a_failing_handler_stops_no_other_delivery_and_the_next_run_recovers_it() {
    let outage = Outage::of(1..=3).await;
    let recover = outage.recover();
    let report = recover.through(&outage.receiver, async |event| {
        match event["data"].as_u64() {
            Some(1) => Err(BoxError::from("database is down")),
            Some(2) => panic!("a bug"),
            _ => Ok(()),
        }
    });
    let report = report.await.unwrap();
    assert_eq!(counts(&report), [3, 0, 1, 0, 2]);
    assert_eq!(report.unrecovered.len(), 2);
    assert_eq!(outage.run().await, [3, 1, 2, 0, 0]);
    assert_eq!(outage.handled(), [1, 2]);
}

#[tokio::test]
async fn an_error_of_the_api_ends_the_run_with_what_was_done() {
    let outage = Outage::of(1..=3).await;
    let recover = outage.recover();
    let error = recover.through(&outage.receiver, async |_| {
        let fault = Fault::status(500);
        outage
            .fake
            .fail_next_on("retrieve_webhook_delivery", 100, fault);
    });
    let error = error.await.unwrap_err();
    assert_eq!(counts(error.report()), [1, 0, 1, 0, 0]);
    assert_eq!(error.error().status().unwrap(), 500);
    assert_eq!(error.to_string(), "recovery ended after 1 deliveries");

    outage.fake.clear_faults();
    assert_eq!(outage.run().await, [3, 1, 2, 0, 0]);
}

#[tokio::test]
async fn a_delivery_that_is_gone_or_undecodable_stops_no_other() {
    let outage = Outage::of(1..=3).await;
    for fault in [Fault::status(404), Fault::status(200).json(&json!([]))] {
        outage
            .fake
            .fail_next_on("retrieve_webhook_delivery", 1, fault);
    }
    assert_eq!(outage.run().await, [3, 0, 1, 0, 2]);
    assert_eq!(outage.run().await, [3, 1, 2, 0, 0]);
}

#[tokio::test]
async fn deliveries_that_move_to_a_page_already_read_are_recovered() {
    let outage = Outage::of([]).await;
    let up = server(&[503; 7]).await;
    let webhook = outage.fake.seed(preo_webhook(up.uri()).id("wh_up"));
    for number in 1..=7 {
        let emission = outage.fake.emit("purchase.action", json!(number));
        emission.to(&webhook.id).await;
    }
    let deliveries = outage.fake.deliveries(&webhook.id);
    let handled = Mutex::new(Vec::new());
    let before = outage.fake.requests().len();
    let recover = outage.preo.recover(&webhook.id);
    let report = recover.through(&outage.receiver, async |event| {
        let number = event["data"].as_u64().unwrap();
        // Preo's own retry of this delivery succeeds, and the list shrinks.
        let own = &deliveries[usize::try_from(number).unwrap() - 1].id;
        outage
            .preo
            .retry_webhook_delivery(&webhook.id, own)
            .send()
            .await?;
        outage.fake.wait_idle().await;
        handled.lock().unwrap().push(number);
        Ok(())
    });
    assert_eq!(counts(&report.await.unwrap()), [7, 0, 7, 0, 0]);
    let mut handled = handled.into_inner().unwrap();
    handled.sort_unstable();
    assert_eq!(handled, [1, 2, 3, 4, 5, 6, 7]);
    let requests = outage.fake.requests().split_off(before);
    let retrieved = requests
        .iter()
        .filter(|request| request.method() == "GET" && !request.path().ends_with("/deliveries"));
    assert_eq!(retrieved.count(), 7);
}

#[tokio::test]
async fn the_limits_of_the_receiver_apply() {
    let mut outage = Outage::of([1]).await;
    let source = preo::Source::new(outage.webhook.verifier().unwrap());
    let receiver = Receiver::builder(source).max_body_bytes(10);
    outage.receiver = receiver.build().unwrap();
    assert_eq!(outage.run().await, [1, 0, 0, 1, 0]);
}

#[tokio::test]
async fn a_scheme_with_another_header_and_a_prefix_verifies_stored_signatures() {
    let scheme = Scheme::builder("x-hub-signature-256").prefix("sha256=");
    let scheme = scheme.build().unwrap();
    let fake = PreoFake::builder().scheme(scheme.clone()).start().await;
    let mut outage = Outage::start(fake).await;
    outage.fake.emit("purchase.action", json!(1)).await;
    let key = outage.webhook.signing_key("main").unwrap();
    let verifier = Verifier::new(scheme, key);
    outage.receiver = Receiver::new(preo::Source::new(verifier));
    assert_eq!(outage.run().await, [1, 0, 1, 0, 0]);
}

#[tokio::test]
async fn the_head_names_the_tenant() {
    let mut outage = Outage::of([1]).await;
    let verifier = outage.webhook.verifier().unwrap();
    let tenants = Tenants::new(
        |parts| parts.uri.path().strip_prefix("/hooks/").map(str::to_owned),
        move |tenant| std::future::ready(Ok((tenant == "acme").then(|| verifier.clone()))),
    );
    outage.receiver = Receiver::new(preo::Source::for_tenants(tenants));
    assert_eq!(outage.run().await, [1, 0, 0, 1, 0]);

    let head = Request::post("/hooks/acme")
        .body(())
        .unwrap()
        .into_parts()
        .0;
    let recover = outage.recover().head(head);
    let report = recover.through(&outage.receiver, async |_| ()).await;
    assert_eq!(counts(&report.unwrap()), [1, 0, 1, 0, 0]);
}

#[tokio::test]
async fn an_inbox_records_what_is_recovered() {
    use webhook_sdk::receiver::SqliteInbox;

    let mut outage = Outage::of([1, 2]).await;
    let source = preo::Source::new(outage.webhook.verifier().unwrap());
    outage.receiver = Receiver::builder(source).name("orders").build().unwrap();
    let file = format!("webhook-sdk-recover-{}.db", uuid::Uuid::new_v4());
    let inbox = SqliteInbox::open(std::env::temp_dir().join(file)).await;
    let inbox = inbox.unwrap();
    inbox.migrate().await.unwrap();
    for expected in [[2, 0, 2, 0, 0], [2, 2, 0, 0, 0]] {
        let recover = outage.recover();
        let report = recover.through_inbox(&outage.receiver, &inbox, async |_, _| ());
        assert_eq!(counts(&report.await.unwrap()), expected);
    }
}

#[tokio::test]
async fn a_run_can_be_spawned_and_shows_no_secret() {
    let outage = Outage::of([1]).await;
    let (recover, receiver) = (outage.recover(), outage.receiver.clone());
    assert!(!format!("{recover:?}").contains("s3cret"));
    let task = tokio::spawn(async move { recover.through(&receiver, async |_| ()).await });
    assert_eq!(task.await.unwrap().unwrap().recovered, 1);
}
