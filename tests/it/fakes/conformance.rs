//! What all fakes do alike, through the clients of the three services.

use std::fmt::Debug;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use webhook_sdk::pretix::{BasicAuth, Credentials, EventScope, TargetUrl};
use webhook_sdk::signature::{Key, Keyring, Verifier, VerifyError};
use webhook_sdk::testing::{
    Emission, Fake, FakeDelivery, FakeDeliveryStatus as Status, FakeService, Fault, Lune, Preo,
    Pretix,
};
use webhook_sdk::{Error, Secret, lune, preo, pretix};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::support::{http, lune_webhook, preo_webhook, pretix_webhook, received, receiver};

/// One service with what its client, webhooks and verification are called.
trait Subject: FakeService<Client: Send + Sync, Webhook: Debug + PartialEq> {
    /// An event that `webhook` gets.
    const EVENT: &'static str;

    fn webhook(url: &str) -> Self::Webhook;
    fn id_of(webhook: &Self::Webhook) -> String;
    fn list(client: &Self::Client) -> impl Future<Output = Result<Vec<String>, Error>>;
    fn create(client: &Self::Client) -> impl Future<Output = Result<String, Error>>;
    fn disable(client: &Self::Client, id: &str) -> impl Future<Output = Result<(), Error>>;
    /// Why a receiver refuses a request, if it does.
    fn refusal(webhook: &Self::Webhook, request: &Request) -> Option<String>;
    /// A number that grows with the events, as a text of constant length.
    fn order(body: &[u8]) -> String;
}

impl Subject for Preo {
    const EVENT: &'static str = "purchase.action";

    fn webhook(url: &str) -> preo::Webhook {
        preo_webhook(url)
    }

    fn id_of(webhook: &preo::Webhook) -> String {
        webhook.id.clone()
    }

    async fn list(client: &preo::PreoClient) -> Result<Vec<String>, Error> {
        let page = client.list_webhooks().send().await?;
        Ok(page.results.into_iter().map(|row| row.id).collect())
    }

    async fn create(client: &preo::PreoClient) -> Result<String, Error> {
        let events = [preo::WebhookEvent::PurchaseAction];
        let body = preo::WebhookCreate::builder()
            .organization_id("org_1")
            .name("Shop")
            .url("https://example.com/")
            .events(events)
            .build();
        Ok(client.create_webhook(body).send().await?.id)
    }

    async fn disable(client: &preo::PreoClient, id: &str) -> Result<(), Error> {
        let update = preo::WebhookUpdate::new().is_active(false);
        client.update_webhook(id, update).send().await.map(drop)
    }

    fn refusal(webhook: &preo::Webhook, request: &Request) -> Option<String> {
        let secret = webhook.secret.clone().unwrap();
        refusal(preo::scheme(), &secret, request)
    }

    fn order(body: &[u8]) -> String {
        let body: serde_json::Value = serde_json::from_slice(body).unwrap();
        body["created"].as_str().unwrap().to_owned()
    }
}

impl Subject for Lune {
    const EVENT: &'static str = "order.paid";

    fn webhook(url: &str) -> lune::WebhookWithSecret {
        lune_webhook(url)
    }

    fn id_of(webhook: &lune::WebhookWithSecret) -> String {
        webhook.id.clone()
    }

    async fn list(client: &lune::LuneClient) -> Result<Vec<String>, Error> {
        let rows = client.list_webhooks().send().await?;
        Ok(rows.into_iter().map(|row| row.id).collect())
    }

    async fn create(client: &lune::LuneClient) -> Result<String, Error> {
        let url = lune::WebhookUrl::try_from("https://example.com/").unwrap();
        let body = lune::WebhookCreate::builder().url(url).build();
        Ok(client.create_webhook(body).send().await?.id)
    }

    async fn disable(client: &lune::LuneClient, id: &str) -> Result<(), Error> {
        let url = lune::WebhookUrl::try_from("https://example.com/").unwrap();
        let update = lune::WebhookUpdate::builder();
        let update = update.url(url).enabled(false).build();
        client.update_webhook(id, update).send().await.map(drop)
    }

    fn refusal(webhook: &lune::WebhookWithSecret, request: &Request) -> Option<String> {
        refusal(lune::scheme(), &webhook.secret, request)
    }

    fn order(body: &[u8]) -> String {
        let body: serde_json::Value = serde_json::from_slice(body).unwrap();
        body["events"][0]["sequence"].as_str().unwrap().to_owned()
    }
}

impl Subject for Pretix {
    const EVENT: &'static str = "pretix.event.changed";

    /// With credentials, without which there is nothing to verify.
    fn webhook(url: &str) -> pretix::Webhook {
        pretix_webhook(url.replacen("://", "://pretix:s3cret@", 1))
    }

    fn id_of(webhook: &pretix::Webhook) -> String {
        webhook.id.to_string()
    }

    async fn list(client: &pretix::PretixClient) -> Result<Vec<String>, Error> {
        let page = client.list_webhooks().send().await?;
        Ok(page.results.iter().map(Self::id_of).collect())
    }

    async fn create(client: &pretix::PretixClient) -> Result<String, Error> {
        let target = TargetUrl::without_credentials("https://example.com/").unwrap();
        let types = [pretix::ActionType::OrderPaid];
        let body = pretix::WebhookCreate::builder()
            .target_url(target)
            .events(EventScope::All)
            .action_types(types)
            .build();
        Ok(client.create_webhook(body).send().await?.id.to_string())
    }

    async fn disable(client: &pretix::PretixClient, id: &str) -> Result<(), Error> {
        client
            .delete_webhook(id.parse::<i64>().unwrap())
            .send()
            .await
    }

    fn refusal(_: &pretix::Webhook, request: &Request) -> Option<String> {
        let credentials = Credentials::new("pretix", Secret::from("s3cret")).unwrap();
        let refusal = BasicAuth::new("2026", &credentials).verify(&request.headers);
        refusal.err().map(|error| error.to_string())
    }

    fn order(body: &[u8]) -> String {
        let body: serde_json::Value = serde_json::from_slice(body).unwrap();
        format!("{:020}", body["notification_id"].as_u64().unwrap())
    }
}

fn refusal(
    scheme: webhook_sdk::signature::Scheme,
    secret: &Secret,
    request: &Request,
) -> Option<String> {
    let keyring = Keyring::new(Key::new("key", secret).unwrap());
    let verifier = Verifier::new(scheme, keyring);
    let refusal: Option<VerifyError> = verifier.verify(&request.headers, &request.body).err();
    refusal.map(|error| format!("{error:?}"))
}

/// A fake, and a receiver with a webhook that leads there.
async fn with_receiver<S: Subject>(statuses: &[u16]) -> (Fake<S>, MockServer, S::Webhook) {
    let receiver = receiver(statuses).await;
    let fake = Fake::<S>::start().await;
    let webhook = fake.seed(S::webhook(&receiver.uri()));
    (fake, receiver, webhook)
}

async fn one<S: Subject>(emission: Emission<'_, S>) -> FakeDelivery {
    let mut deliveries = emission.await;
    assert_eq!(deliveries.len(), 1);
    deliveries.remove(0)
}

/// The requests that a receiver gets of one emission, and why it refuses each.
async fn refusals<S: Subject>(
    change: impl FnOnce(Emission<'_, S>) -> Emission<'_, S>,
) -> (FakeDelivery, Vec<Request>, Vec<Option<String>>) {
    let (fake, receiver, webhook) = with_receiver::<S>(&[]).await;
    let delivery = one(change(fake.emit(S::EVENT, json!({ "id": "x" })))).await;
    let requests = received(&receiver).await;
    let refusals = requests.iter().map(|request| S::refusal(&webhook, request));
    let refusals = refusals.collect();
    (delivery, requests, refusals)
}

/// Where the first request went.
fn url_of<S: Subject>(fake: &Fake<S>) -> String {
    format!("{}{}", fake.base_url(), fake.requests()[0].path())
}

async fn its_client_is_ready<S: Subject>() {
    let fake = Fake::<S>::start().await;
    let client = fake.client();
    let id = S::create(&client).await.unwrap();
    assert_eq!(S::list(&client).await.unwrap(), std::slice::from_ref(&id));
    assert_eq!(S::id_of(&fake.webhook(&id).unwrap()), id);
    assert_eq!(fake.webhooks().len(), 1);
}

async fn other_credentials_are_refused<S: Subject>() {
    let fake = Fake::<S>::builder().credentials("right").start().await;
    let header = HeaderName::from_static("x-key");
    let moved = Fake::<S>::builder().credentials("right").auth(header, "");
    let moved = moved.start().await;
    assert_eq!(fake.credentials(), "right");
    S::list(&fake.client()).await.unwrap();
    S::list(&moved.client()).await.unwrap();
    let mut recorded = fake.requests().remove(0).request().headers.clone();
    recorded.remove("host");
    let url = url_of(&moved);
    let http = http();
    let response = http.get(url).headers(recorded).send().await.unwrap();
    assert_eq!(response.status(), 401);
}

async fn a_seed_gets_the_next_free_id_if_its_own_is_taken<S: Subject>() {
    let fake = Fake::<S>::start().await;
    let first = fake.seed(S::webhook("https://example.com/"));
    let second = fake.seed(first.clone());
    let created = S::create(&fake.client()).await.unwrap();
    let ids = [S::id_of(&first), S::id_of(&second), created];
    assert_eq!(S::list(&fake.client()).await.unwrap(), ids);
    assert_eq!(fake.webhook(S::id_of(&first)), Some(first));
}

async fn a_fault_hits_as_many_requests_as_it_is_told<S: Subject>() {
    let fake = Fake::<S>::start().await;
    let client = fake.client();
    fake.fail_next(2, Fault::status(503));
    fake.fail_next(0, Fault::status(400));
    assert_eq!(fake.pending_faults(), 2);
    S::list(&client).await.unwrap();
    let seen: Vec<_> = fake.requests().iter().map(|seen| seen.status()).collect();
    assert_eq!(
        seen,
        [503, 503, 200].map(|code| StatusCode::from_u16(code).ok())
    );
    assert_eq!(fake.pending_faults(), 0);

    fake.fail_next(100, Fault::bad_gateway());
    fake.clear_faults();
    S::list(&client).await.unwrap();
}

async fn a_fault_can_be_limited_to_one_operation<S: Subject>() {
    let fake = Fake::<S>::start().await;
    let client = fake.client();
    fake.fail_next_on("create_webhook", 1, Fault::status(418));
    S::list(&client).await.unwrap();
    let refused = S::create(&client).await.unwrap_err();
    assert_eq!(refused.status().unwrap(), 418);
    S::create(&client).await.unwrap();
}

async fn faults_keep_their_order<S: Subject>() {
    let fake = Fake::<S>::start().await;
    let client = fake.client();
    fake.fail_next(1, Fault::status(410));
    fake.fail_next(1, Fault::closed_connection());
    assert!(S::list(&client).await.is_err());
    S::list(&client).await.unwrap();
    let seen: Vec<_> = fake.requests().iter().map(|seen| seen.status()).collect();
    assert_eq!(seen, [Some(StatusCode::GONE), None, Some(StatusCode::OK)]);
}

async fn a_fault_comes_before_the_operation_or_after_it<S: Subject>() {
    let fake = Fake::<S>::start().await;
    let client = fake.client();
    for fault in [
        Fault::status(400).json(&json!({ "detail": "no" })),
        Fault::status(418),
    ] {
        let before = fake.webhooks().len();
        fake.fail_next(1, fault.clone());
        S::create(&client).await.unwrap_err();
        assert_eq!(fake.webhooks().len(), before);
        fake.fail_next(1, fault.after_operation());
        S::create(&client).await.unwrap_err();
        assert_eq!(fake.webhooks().len(), before + 1);
    }
}

async fn a_fault_changes_the_response<S: Subject>() {
    let fake = Fake::<S>::start().await;
    let client = fake.client();
    let name = HeaderName::from_static("x-fault");
    let fault = Fault::status(403)
        .body("text/plain", "no")
        .header(name.clone(), HeaderValue::from_static("yes"));
    fake.fail_next(1, fault);
    assert_eq!(S::list(&client).await.unwrap_err().status().unwrap(), 403);
    fake.fail_next(1, Fault::truncated_body());
    assert!(S::list(&client).await.unwrap_err().is_decode());

    let url = url_of(&fake);
    let http = http();
    fake.fail_next(
        1,
        Fault::bad_gateway().header(name, HeaderValue::from_static("yes")),
    );
    let response = http.get(url.clone()).send().await.unwrap();
    assert_eq!(response.headers()["x-fault"], "yes");
    assert_eq!(
        response.headers()["content-type"],
        "text/html; charset=utf-8"
    );
    fake.fail_next(1, Fault::rate_limited(Duration::from_millis(1_001)));
    let response = http.get(url.clone()).send().await.unwrap();
    assert_eq!(
        (response.status(), &response.headers()["retry-after"]),
        (StatusCode::TOO_MANY_REQUESTS, &HeaderValue::from(2))
    );
    fake.fail_next(1, Fault::slow(Duration::from_secs(600)));
    let impatient = http.get(url).timeout(Duration::from_millis(50)).send();
    assert!(impatient.await.unwrap_err().is_timeout());
}

async fn a_rate_limit_refuses_one_request_after_so_many<S: Subject>() {
    let fake = Fake::<S>::start().await;
    let client = fake.client();
    fake.limit_rate(2, Duration::ZERO);
    for _ in 0..5 {
        S::list(&client).await.unwrap();
    }
    let seen = fake.requests();
    let seen: Vec<_> = seen
        .iter()
        .map(|seen| seen.status().unwrap().as_u16())
        .collect();
    assert_eq!(seen, [200, 200, 429, 200, 200, 429, 200]);
    fake.clear_faults();
    for _ in 0..4 {
        S::list(&client).await.unwrap();
    }
    assert_eq!(fake.requests().len(), 11);
}

async fn requests_are_recorded_as_they_were_sent<S: Subject>() {
    let fake = Fake::<S>::start().await;
    S::create(&fake.client()).await.unwrap();
    S::list(&fake.client()).await.unwrap();
    let requests = fake.requests();
    assert_eq!(requests[0].method(), "POST");
    assert!(requests[0].path().contains("/webhooks"));
    assert!(requests[0].request().body.starts_with(b"{"));
    assert_eq!(requests[1].method(), "GET");
    assert_eq!(requests[1].query(), None);
    let shown = format!("{requests:?}");
    assert!(shown.contains("/webhooks") && !shown.contains(fake.credentials()));
}

async fn fakes_share_nothing<S: Subject>() {
    let (one, two) = tokio::join!(Fake::<S>::start(), Fake::<S>::start());
    assert_ne!(one.base_url(), two.base_url());
    assert_ne!(one.credentials(), two.credentials());
    one.seed(S::webhook("https://example.com/"));
    one.fail_next(9, Fault::bad_gateway());
    assert!(S::list(&two.client()).await.unwrap().is_empty());
    assert!(one.requests().is_empty());
}

async fn tasks_can_share_a_fake<S: Subject>() {
    let fake = Arc::new(Fake::<S>::start().await);
    let other = Arc::clone(&fake);
    let task = tokio::spawn(async move {
        other.seed(S::webhook("https://example.com/"));
        other.emit(S::EVENT, json!({})).await.len()
    });
    assert_eq!(task.await.unwrap(), 1);
    assert_eq!(fake.webhooks().len(), 1);
}

async fn dropping_a_fake_closes_its_port_and_its_deliveries<S: Subject>() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let fake = Fake::<S>::start().await;
    fake.seed(S::webhook(&format!(
        "http://{}/",
        listener.local_addr().unwrap()
    )));
    let address = fake.base_url().trim_start_matches("http://").to_owned();
    TcpStream::connect(&address).await.unwrap();
    let accepted = {
        let emission = std::pin::pin!(fake.emit(S::EVENT, json!({})).into_future());
        tokio::select! {
            _ = emission => panic!("nobody answers"),
            accepted = listener.accept() => accepted,
        }
    };
    drop(fake);

    let ended = async {
        let mut rest = Vec::new();
        accepted.unwrap().0.read_to_end(&mut rest).await.ok();
        while TcpStream::connect(&address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    let ended = tokio::time::timeout(Duration::from_secs(30), ended).await;
    assert!(ended.is_ok());
}

async fn the_clock_moves_on_request<S: Subject>() {
    let start = "2030-06-01T12:00:00Z".parse().unwrap();
    let fake = Fake::<S>::builder().start_time(start).start().await;
    assert_eq!(fake.now(), start);
    fake.advance(Duration::from_secs(60));
    assert_eq!((fake.now() - start).num_seconds(), 60);
    fake.advance(Duration::MAX);
    assert_eq!(fake.now().to_rfc3339(), "9999-12-31T23:59:59+00:00");
    S::create(&fake.client()).await.unwrap();
}

async fn debug_shows_no_secret_and_no_payload<S: Subject>() {
    let (fake, _receiver, webhook) = with_receiver::<S>(&[]).await;
    let builder = Fake::<S>::builder().credentials("t0ken");
    let emission = fake.emit(S::EVENT, json!({ "card": "4111" }));
    let shown = format!("{builder:?} {emission:?} {webhook:?} {fake:?}");
    let deliveries = emission.await;
    let fault = Fault::status(400).json(&json!({ "card": "4111" }));
    let shown = format!("{shown} {deliveries:?} {fault:?}");
    for hidden in ["t0ken", "s3cret", "4111", fake.credentials()] {
        assert!(!shown.contains(hidden), "{hidden} in {shown}");
    }
}

async fn an_event_arrives_as_an_authentic_post<S: Subject>() {
    let (delivery, requests, refusals) = refusals::<S>(|emission| emission).await;
    assert_eq!(refusals, [None]);
    assert_eq!(requests[0].method, "POST");
    assert_eq!(requests[0].headers["content-type"], "application/json");
    assert_eq!(delivery.status, Status::Delivered);
    assert_eq!(delivery.event, S::EVENT);
    assert_eq!(
        (delivery.attempts, delivery.response_status),
        (1, Some(204))
    );
    let body = String::from_utf8(requests[0].body.clone()).unwrap();
    assert!(body.contains(&*delivery.payload) && body.contains("\"x\""));
}

async fn only_2xx_is_success_and_no_redirect_is_followed<S: Subject>() {
    let elsewhere = receiver(&[]).await;
    for status in [200, 204, 299, 300, 307, 400, 401, 500] {
        let server = MockServer::start().await;
        let response = ResponseTemplate::new(status);
        let response = response.insert_header("location", elsewhere.uri().as_str());
        Mock::given(any())
            .respond_with(response)
            .mount(&server)
            .await;
        let fake = Fake::<S>::start().await;
        let webhook = fake.seed(S::webhook(&server.uri()));
        let delivery = one(fake.emit(S::EVENT, json!({}))).await;
        assert_eq!(delivery.response_status, Some(status));
        let delivered = delivery.status == Status::Delivered;
        assert_eq!(delivered, (200..300).contains(&status), "{status}");
        assert_eq!(fake.deliveries(S::id_of(&webhook)), [delivery]);
    }
    assert!(received(&elsewhere).await.is_empty());
}

async fn a_failed_delivery_is_attempted_again_once_it_is_due<S: Subject>() {
    let (fake, receiver, _) = with_receiver::<S>(&[500]).await;
    let failed = one(fake.emit(S::EVENT, json!({}))).await;
    assert_eq!((failed.status, failed.attempts), (Status::Failed, 1));
    let due = failed.next_attempt_at.unwrap();
    if due > fake.now() {
        assert!(fake.deliver_due().await.is_empty());
        fake.advance((due - fake.now()).to_std().unwrap());
    }
    let again = fake.deliver_due().await;
    assert_eq!(again.len(), 1);
    assert_eq!((again[0].status, again[0].attempts), (Status::Delivered, 2));
    assert_eq!((&again[0].id, again[0].next_attempt_at), (&failed.id, None));
    assert!(fake.deliver_due().await.is_empty());
    let requests = received(&receiver).await;
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0].body, requests[1].body);
}

async fn a_queued_event_waits_for_its_delivery<S: Subject>() {
    let (fake, receiver, webhook) = with_receiver::<S>(&[]).await;
    let queued = one(fake.emit(S::EVENT, json!({})).queued()).await;
    assert_eq!((queued.status, queued.attempts), (Status::Pending, 0));
    assert!(received(&receiver).await.is_empty());
    assert_eq!(fake.deliveries(S::id_of(&webhook)), [queued]);
    assert_eq!(fake.deliver_due().await[0].status, Status::Delivered);
    assert_eq!(received(&receiver).await.len(), 1);
}

async fn a_disabled_webhook_gets_nothing<S: Subject>() {
    let (fake, receiver, webhook) = with_receiver::<S>(&[]).await;
    fake.emit(S::EVENT, json!({})).queued().await;
    S::disable(&fake.client(), &S::id_of(&webhook))
        .await
        .unwrap();
    assert!(fake.emit(S::EVENT, json!({})).await.is_empty());
    assert!(fake.deliver_due().await.is_empty());
    assert!(received(&receiver).await.is_empty());
}

async fn one_webhook_can_be_named<S: Subject>() {
    let (fake, receiver, webhook) = with_receiver::<S>(&[]).await;
    let second = fake.seed(webhook);
    let delivery = one(fake.emit(S::EVENT, json!({})).to(S::id_of(&second))).await;
    assert_eq!(delivery.webhook_id, S::id_of(&second));
    assert_eq!(received(&receiver).await.len(), 1);
    assert!(fake.emit(S::EVENT, json!({})).to("nobody").await.is_empty());
}

async fn hundreds_of_webhooks_are_all_reached<S: Subject>() {
    let (fake, receiver, webhook) = with_receiver::<S>(&[]).await;
    for _ in 1..300 {
        fake.seed(webhook.clone());
    }
    let deliveries = fake.emit(S::EVENT, json!({})).await;
    assert_eq!(deliveries.len(), 300);
    let delivered = |delivery: &FakeDelivery| delivery.status == Status::Delivered;
    assert!(deliveries.iter().all(delivered));
    assert_eq!(received(&receiver).await.len(), 300);
}

/// 0.0.0.0 is no loopback address, but connecting to it stays on the machine.
async fn only_loopback_is_delivered_to_unless_allowed<S: Subject>() {
    let receiver = receiver(&[]).await;
    let url = format!("http://0.0.0.0:{}/", receiver.address().port());
    let careful = Fake::<S>::start().await;
    let free = Fake::<S>::builder().deliver_anywhere(true).start().await;
    for url in [url.as_str(), "::", "http://192.0.2.1/", "ftp://127.0.0.1/"] {
        careful.seed(S::webhook(url));
    }
    for delivery in careful.emit(S::EVENT, json!({})).await {
        assert_eq!(
            (delivery.status, delivery.response_status),
            (Status::Failed, None)
        );
    }
    assert!(received(&receiver).await.is_empty());
    free.seed(S::webhook(&url));
    assert_eq!(
        one(free.emit(S::EVENT, json!({}))).await.response_status,
        Some(204)
    );
    let local = format!("http://localhost:{}/", receiver.address().port());
    let id = S::id_of(&careful.seed(S::webhook(&local)));
    let sent = careful.emit(S::EVENT, json!({})).to(id);
    assert_eq!(one(sent).await.response_status, Some(204));
}

async fn a_route_keeps_path_and_query<S: Subject>() {
    let receiver = receiver(&[]).await;
    let fake = Fake::<S>::start().await;
    fake.route("HOOKS.example.com", &receiver.uri());
    let webhook = fake.seed(S::webhook("https://hooks.example.com:8443/a/b?c=d"));
    assert_eq!(
        one(fake.emit(S::EVENT, json!({}))).await.response_status,
        Some(204)
    );
    let request = received(&receiver).await.remove(0);
    assert_eq!(
        (request.url.path(), request.url.query()),
        ("/a/b", Some("c=d"))
    );
    assert_eq!(S::refusal(&webhook, &request), None);
}

async fn dropping_an_emission_doesnt_lose_its_delivery<S: Subject>() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let fake = Fake::<S>::start().await;
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let webhook = fake.seed(S::webhook(&url));
    let (mut stream, _) = {
        let emission = std::pin::pin!(fake.emit(S::EVENT, json!({})).into_future());
        tokio::select! {
            _ = emission => panic!("nobody has answered"),
            accepted = listener.accept() => accepted.unwrap(),
        }
    };
    let mut request = Vec::new();
    while !is_whole(&request) {
        assert_ne!(stream.read_buf(&mut request).await.unwrap(), 0);
    }
    stream.write_all(b"HTTP/1.1 204 No\r\n\r\n").await.unwrap();
    fake.wait_idle().await;
    assert_eq!(
        fake.deliveries(S::id_of(&webhook))[0].status,
        Status::Delivered
    );
}

async fn a_forged_delivery_is_refused<S: Subject>() {
    let (_, _, refusals) = refusals::<S>(|emission| emission.forged()).await;
    assert!(matches!(&refusals[..], [Some(_)]));
}

async fn a_delivery_without_a_signature_is_refused<S: Subject>() {
    let (_, requests, refusals) = refusals::<S>(|emission| emission.without_signature()).await;
    assert!(matches!(&refusals[..], [Some(_)]));
    let (_, signed, _) = self::refusals::<S>(|emission| emission).await;
    assert_eq!(
        requests[0].headers.keys_len() + 1,
        signed[0].headers.keys_len()
    );
}

async fn a_delivery_that_is_signed_twice_is_refused<S: Subject>() {
    let (_, requests, refusals) = refusals::<S>(|emission| emission.signed_twice()).await;
    assert!(matches!(&refusals[..], [Some(_)]));
    let (_, signed, _) = self::refusals::<S>(|emission| emission).await;
    assert_eq!(requests[0].headers.len(), signed[0].headers.len() + 1);
}

async fn a_duplicate_is_the_same_request_twice<S: Subject>() {
    let (delivery, requests, refusals) = refusals::<S>(|emission| emission.duplicated()).await;
    assert_eq!(refusals, [None, None]);
    assert_eq!(requests[0].body, requests[1].body);
    assert_eq!(requests[0].headers, requests[1].headers);
    assert_eq!(delivery.attempts, 1);
}

async fn an_event_can_come_out_of_order<S: Subject>() {
    let (fake, receiver, webhook) = with_receiver::<S>(&[]).await;
    fake.emit(S::EVENT, json!({})).await;
    fake.emit(S::EVENT, json!({})).out_of_order().await;
    fake.emit(S::EVENT, json!({})).await;
    let requests = received(&receiver).await;
    let order: Vec<_> = requests.iter().map(|sent| S::order(&sent.body)).collect();
    assert!(order[1] < order[0] && order[0] < order[2], "{order:?}");
    assert!(
        requests
            .iter()
            .all(|sent| S::refusal(&webhook, sent).is_none())
    );
}

async fn an_oversized_body_is_authentic_and_still_json<S: Subject>() {
    let size = 2 * 1024 * 1024;
    let (_, requests, refusals) = refusals::<S>(|emission| emission.oversized(size)).await;
    assert_eq!(refusals, [None]);
    assert_eq!(requests[0].body.len(), size);
    serde_json::from_slice::<serde_json::Value>(&requests[0].body).unwrap();
}

async fn a_slow_body_arrives_in_pieces<S: Subject>() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let fake = Fake::<S>::start().await;
    fake.seed(S::webhook(&format!(
        "http://{}/",
        listener.local_addr().unwrap()
    )));
    let receive = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let (mut request, mut reads) = (Vec::new(), 0);
        while !is_whole(&request) {
            assert_ne!(stream.read_buf(&mut request).await.unwrap(), 0);
            reads += 1;
        }
        stream.write_all(b"HTTP/1.1 204 No\r\n\r\n").await.unwrap();
        reads
    };
    let slow = fake
        .emit(S::EVENT, json!({}))
        .slow(Duration::from_millis(500));
    let (reads, delivery) = tokio::join!(receive, one(slow));
    assert!(reads > 2, "{reads}");
    assert_eq!(delivery.status, Status::Delivered);
}

/// Whether a request has as many bytes after its head as it says.
fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let mut lines = head.lines();
    let length = lines.find_map(|line| line.strip_prefix("content-length: "));
    body.len() == length.unwrap().parse::<usize>().unwrap()
}

async fn a_body_can_be_cut_off<S: Subject>() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let fake = Fake::<S>::start().await;
    fake.seed(S::webhook(&format!(
        "http://{}/",
        listener.local_addr().unwrap()
    )));
    let receive = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        stream.read_to_end(&mut request).await.ok();
        request
    };
    let cut = fake.emit(S::EVENT, json!({})).cut_off();
    let (request, delivery) = tokio::join!(receive, one(cut));
    assert!(!is_whole(&request) && request.contains(&b'{'));
    assert_eq!(
        (delivery.status, delivery.response_status),
        (Status::Failed, None)
    );
}

async fn what_is_wrong_is_right_at_the_next_attempt<S: Subject>() {
    let (fake, receiver, webhook) = with_receiver::<S>(&[401]).await;
    let failed = one(fake.emit(S::EVENT, json!({})).forged()).await;
    let due = (failed.next_attempt_at.unwrap() - fake.now()).to_std();
    fake.advance(due.unwrap_or_default());
    assert_eq!(fake.deliver_due().await[0].status, Status::Delivered);
    let requests = received(&receiver).await;
    let refused: Vec<_> = requests
        .iter()
        .map(|sent| S::refusal(&webhook, sent).is_some())
        .collect();
    assert_eq!(refused, [true, false]);
}

async fn data_can_replace_the_envelope<S: Subject>() {
    let (delivery, requests, _) = refusals::<S>(|emission| emission.raw()).await;
    assert_eq!(&*delivery.payload, r#"{"id":"x"}"#);
    let body = String::from_utf8(requests[0].body.clone()).unwrap();
    assert!(body.contains(r#"{"id":"x"}"#) && !body.contains(S::EVENT));
}

#[tokio::test]
async fn an_altered_body_is_refused_where_the_body_is_signed() {
    let (_, _, refused) = refusals::<Preo>(|emission| emission.altered()).await;
    assert_eq!(refused, [Some("Mismatch".to_owned())]);
    let (_, _, refused) = refusals::<Lune>(|emission| emission.altered()).await;
    assert_eq!(refused, [Some("Mismatch".to_owned())]);
    let (_, _, accepted) = refusals::<Pretix>(|emission| emission.altered()).await;
    assert_eq!(accepted, [None], "pretix signs no body");
}

#[tokio::test]
async fn a_stale_delivery_is_refused_where_the_time_is_signed() {
    let (_, _, refused) = refusals::<Lune>(|emission| emission.stale()).await;
    assert!(refused[0].as_ref().unwrap().contains("Old"), "{refused:?}");
    let (_, _, accepted) = refusals::<Preo>(|emission| emission.stale()).await;
    assert_eq!(accepted, [None], "Preo's scheme has no timestamp");
}

#[tokio::test]
#[should_panic(expected = "no operation \"create_webhooks\"")]
async fn a_misspelled_operation_panics() {
    let fake = Fake::<Preo>::start().await;
    fake.fail_next_on("create_webhooks", 1, Fault::bad_gateway());
}

macro_rules! conformance {
    ($($behavior:ident)+) => {
        mod preo_fake { $(#[tokio::test] async fn $behavior() { super::$behavior::<super::Preo>().await; })+ }
        mod lune_fake { $(#[tokio::test] async fn $behavior() { super::$behavior::<super::Lune>().await; })+ }
        mod pretix_fake { $(#[tokio::test] async fn $behavior() { super::$behavior::<super::Pretix>().await; })+ }
    };
}

conformance! {
    its_client_is_ready
    other_credentials_are_refused
    a_seed_gets_the_next_free_id_if_its_own_is_taken
    a_fault_hits_as_many_requests_as_it_is_told
    a_fault_can_be_limited_to_one_operation
    faults_keep_their_order
    a_fault_comes_before_the_operation_or_after_it
    a_fault_changes_the_response
    a_rate_limit_refuses_one_request_after_so_many
    requests_are_recorded_as_they_were_sent
    fakes_share_nothing
    tasks_can_share_a_fake
    dropping_a_fake_closes_its_port_and_its_deliveries
    the_clock_moves_on_request
    debug_shows_no_secret_and_no_payload
    an_event_arrives_as_an_authentic_post
    only_2xx_is_success_and_no_redirect_is_followed
    a_failed_delivery_is_attempted_again_once_it_is_due
    a_queued_event_waits_for_its_delivery
    a_disabled_webhook_gets_nothing
    one_webhook_can_be_named
    hundreds_of_webhooks_are_all_reached
    only_loopback_is_delivered_to_unless_allowed
    a_route_keeps_path_and_query
    dropping_an_emission_doesnt_lose_its_delivery
    a_forged_delivery_is_refused
    a_delivery_without_a_signature_is_refused
    a_delivery_that_is_signed_twice_is_refused
    a_duplicate_is_the_same_request_twice
    an_event_can_come_out_of_order
    an_oversized_body_is_authentic_and_still_json
    a_slow_body_arrives_in_pieces
    a_body_can_be_cut_off
    what_is_wrong_is_right_at_the_next_attempt
    data_can_replace_the_envelope
}
