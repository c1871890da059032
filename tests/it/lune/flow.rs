//! LuneClient, LuneFake and the receiver together.

use std::future::ready;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::HeaderMap;
use axum::routing::post;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use webhook_sdk::Rotation;
use webhook_sdk::lune::{
    self, AccountType, ErrorCode, Event, LuneClient, WebhookCreate, WebhookUpdate, WebhookUrl,
    WebhookWithSecret,
};
use webhook_sdk::receiver::{BoxError, Delivery, Observation, Receiver, Refusal};
use webhook_sdk::signature::{DigestEncoding, Key, Keyring, Part, Scheme, Signer, Verifier};
use webhook_sdk::testing::{FakeBuilder, FakeDelivery, FakeDeliveryStatus, Fault, Lune, LuneFake};

use crate::fakes::support::lune_webhook;

const HOST: &str = "hooks.example.com";

async fn start(builder: FakeBuilder<Lune>) -> (LuneFake, LuneClient) {
    let fake = builder.start().await;
    let client = fake.client();
    (fake, client)
}

fn is_done(delivery: &FakeDelivery) -> bool {
    delivery.status == FakeDeliveryStatus::Delivered
}

fn url() -> WebhookUrl {
    WebhookUrl::try_from(format!("https://{HOST}/lune")).unwrap()
}

async fn create(lune: &LuneClient) -> WebhookWithSecret {
    let create = lune.create_webhook(WebhookCreate::builder().url(url()).build());
    create.send().await.unwrap()
}

/// A receiver that fails at the events it is told to.
#[derive(Default)]
struct Hook {
    to_fail: Mutex<Vec<String>>,
    handled: Mutex<Vec<String>>,
    refusals: Mutex<Vec<Refusal>>,
}

impl Hook {
    async fn start(fake: &LuneFake, verifier: Verifier) -> Arc<Self> {
        let hook = Arc::new(Self::default());
        let observing = Arc::clone(&hook);
        let receiver = Receiver::builder(lune::Source::new(verifier))
            .observer(move |observed| {
                if let Observation::Refused(refusal) = observed.observation() {
                    observing.refusals.lock().unwrap().push(refusal.clone());
                }
            })
            .build()
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        fake.route(HOST, &format!("http://{}", listener.local_addr().unwrap()));
        let handling = Arc::clone(&hook);
        let route = post(async move |delivery: Delivery<lune::Source>| {
            delivery
                .handle(|event| ready(handling.handle(&event)))
                .await
        });
        let app = Router::new().route("/lune", route).with_state(receiver);
        tokio::spawn(async move { axum::serve(listener, app).await });
        hook
    }

    fn handle(&self, event: &Event) -> Result<(), BoxError> {
        let name = event.event_type().unwrap().as_str().to_owned();
        let mut to_fail = self.to_fail.lock().unwrap();
        if let Some(place) = to_fail.iter().position(|failing| *failing == name) {
            to_fail.remove(place);
            return Err("told to fail".into());
        }
        self.handled.lock().unwrap().push(name);
        Ok(())
    }

    fn fail_once_at(&self, event_type: &str) {
        self.to_fail.lock().unwrap().push(event_type.to_owned());
    }

    fn handled(&self) -> Vec<String> {
        self.handled.lock().unwrap().clone()
    }

    fn refusals(&self) -> Vec<Refusal> {
        self.refusals.lock().unwrap().clone()
    }
}

#[tokio::test]
async fn webhook_lifecycle_from_create_to_delete() {
    let (_fake, lune) = start(LuneFake::builder()).await;
    let body = WebhookCreate::builder()
        .url(url())
        .account_ids(["acc_1"])
        .build();
    let response = lune.create_webhook(body).send_with_response().await;
    let (created, parts) = response.unwrap().into_parts();
    assert_eq!(created.account_type, AccountType::Live);
    assert_eq!(parts.headers()["lune-version"], "2024-08-08");
    assert!(parts.request_id().is_some());

    let listed = lune.list_webhooks().send().await.unwrap();
    assert!(listed[0].secret.matches(&created.secret));

    let update = WebhookUpdate::builder()
        .url(WebhookUrl::try_from(listed[0].url.as_str()).unwrap())
        .enabled(false)
        .build();
    let changed = lune
        .update_webhook(&created.id, update)
        .send()
        .await
        .unwrap();
    assert_eq!(
        (changed.enabled, &changed.account_ids[..]),
        (false, &["acc_1".to_owned()][..])
    );
    assert_eq!(changed.url, created.url);

    lune.delete_webhook(&created.id).send().await.unwrap();
    let error = lune.retrieve_webhook(&created.id).send().await.unwrap_err();
    assert!(error.is_not_found() && error.code().is_none() && error.request_id().is_some());
    let error = lune.delete_webhook(&created.id).send().await.unwrap_err();
    assert!(error.is_not_found());
}

#[tokio::test]
async fn a_list_is_filtered_by_account() {
    let (fake, lune) = start(LuneFake::builder()).await;
    for accounts in [["acc_1"], ["acc_2"]] {
        let body = WebhookCreate::builder()
            .url(url())
            .account_ids(accounts)
            .build();
        lune.create_webhook(body).send().await.unwrap();
    }
    let of = |accounts: &[&str]| {
        let accounts: Vec<String> = accounts.iter().map(|id| (*id).to_owned()).collect();
        lune.list_webhooks().account_id(accounts).send()
    };
    assert_eq!(of(&["acc_2"]).await.unwrap()[0].account_ids, ["acc_2"]);
    assert_eq!(of(&["acc_1", "acc_2"]).await.unwrap().len(), 2);
    assert!(of(&["acc_3"]).await.unwrap().is_empty());
    let requests = fake.requests();
    assert_eq!(requests.last().unwrap().query(), Some("account_id=acc_3"));
}

#[tokio::test]
async fn fake_accepts_all_requests_that_the_client_allows() {
    let (_fake, lune) = start(LuneFake::builder()).await;
    for text in [
        "https://hooks.foo.technology/x",
        "https://user:pw@ex.com/h",
        "https://EXAMPLE.com:8443/~x?a=%2C#b",
    ] {
        let url = WebhookUrl::try_from(text).unwrap();
        let create = lune.create_webhook(WebhookCreate::builder().url(url).build());
        assert_eq!(create.send().await.unwrap().url.as_str(), text);
    }
}

#[tokio::test]
async fn errors_of_the_fake_have_the_format_of_lune() {
    let (fake, lune) = start(LuneFake::builder().accounts(["acc_1"])).await;
    let body = WebhookCreate::builder()
        .url(url())
        .account_ids(["acc_2"])
        .build();
    let error = lune.create_webhook(body).send().await.unwrap_err();
    assert_eq!(
        error.code().map(ErrorCode::from),
        Some(ErrorCode::ValidationError)
    );
    assert!(error.is_validation() && error.detail().is_some());

    let other = LuneClient::builder("wrong").base_url(fake.base_url());
    let error = other
        .build()
        .unwrap()
        .list_webhooks()
        .send()
        .await
        .unwrap_err();
    assert!(error.is_unauthorized());
    assert_eq!(
        error.code().map(ErrorCode::from),
        Some(ErrorCode::Unauthorised)
    );

    let other = LuneClient::builder(fake.credentials()).base_url(fake.base_url());
    let other = other.account("acc_9").build().unwrap();
    let error = other.list_webhooks().send().await.unwrap_err();
    assert_eq!(
        error.code().map(ErrorCode::from),
        Some(ErrorCode::InvalidSelectedAccountId)
    );
}

#[tokio::test]
async fn client_waits_after_a_429() {
    let fake = LuneFake::start().await;
    let lune = fake.client();
    fake.limit_rate(1, None);
    for _ in 0..3 {
        lune.list_webhooks().send().await.unwrap();
    }
    let statuses: Vec<_> = fake
        .requests()
        .iter()
        .map(|r| r.status().unwrap().as_u16())
        .collect();
    assert_eq!(statuses, [200, 429, 200, 429, 200]);
}

#[tokio::test]
async fn last_response_of_a_retried_rotation_has_the_valid_secret() {
    let fake = LuneFake::start().await;
    let lune = fake.client();
    let created = create(&lune).await;
    let lost = Fault::closed_connection().after_operation();
    fake.fail_next_on("rotate_webhook_secret", 1, lost);

    let rotated = lune
        .rotate_webhook_secret(&created.id)
        .send()
        .await
        .unwrap();
    assert_eq!(fake.requests().len(), 3);
    assert_eq!(rotated.secret, fake.webhook(&created.id).unwrap().secret);
    let now = lune.retrieve_webhook(&created.id).send().await.unwrap();
    assert!(now.secret.matches(&rotated.secret) && !now.secret.matches(&created.secret));
}

/// Lune's scheme in the other of the encodings that it may have.
fn base64_scheme() -> Scheme {
    Scheme::builder("lune-hmac")
        .fields("v1")
        .timestamp_field("timestamp")
        .encoding(DigestEncoding::Base64)
        .sign([Part::Timestamp, Part::literal("."), Part::Body])
        .build()
        .unwrap()
}

#[tokio::test]
async fn batches_are_verified_and_each_event_is_handled_once_in_order() {
    for builder in [
        LuneFake::builder(),
        LuneFake::builder().scheme(base64_scheme()),
        LuneFake::builder().batch_limit(2),
        LuneFake::builder().mix_accounts(true),
    ] {
        let (fake, lune) = start(builder).await;
        let webhook = create(&lune).await;
        let receiver = Hook::start(&fake, webhook.verifier().unwrap()).await;
        receiver.fail_once_at("second");
        fake.emit("first", json!({})).duplicated().await;
        for event in ["second", "third"] {
            fake.emit(event, json!({})).queued().await;
        }
        let other = fake.emit("other", json!({})).account_id("acc_2");
        other.queued().await;

        let mut rounds = 0;
        while !fake.deliveries(&webhook.id).iter().all(is_done) {
            fake.deliver_due().await;
            rounds += 1;
            assert!(rounds < 10, "it never ends");
        }
        let mut handled = receiver.handled();
        handled.retain(|event| event != "other");
        assert_eq!(handled, ["first", "second", "third"]);
        assert_eq!(receiver.handled().len(), 4);
        assert!(receiver.refusals().is_empty());
        assert!(rounds > 1);
    }
}

#[tokio::test]
async fn malformed_event_does_not_affect_others() {
    let (fake, lune) = start(LuneFake::builder()).await;
    let webhook = create(&lune).await;
    let receiver = Hook::start(&fake, webhook.verifier().unwrap()).await;
    let odd = json!({ "event_type": "odd", "data": 7 });
    fake.emit("odd", odd).raw().queued().await;
    let order = json!({ "order": { "id": "or_1" } });
    let sent = fake.emit("order.paid", order).await;
    assert!(is_done(&sent[0]));
    assert_eq!(receiver.handled(), ["odd", "order.paid"]);
}

#[tokio::test]
async fn after_a_rotation_redeliveries_need_the_new_secret() {
    let (fake, lune) = start(LuneFake::builder()).await;
    let created = create(&lune).await;
    let keyring = Keyring::new(created.signing_key("old").unwrap());
    let verifier = Verifier::new(lune::scheme(), keyring.clone());
    let receiver = Hook::start(&fake, verifier).await;
    fake.emit("waiting", json!({})).queued().await;

    let rotated = lune
        .rotate_webhook_secret(&created.id)
        .send()
        .await
        .unwrap();
    assert!(!is_done(&fake.deliver_due().await[0]));
    assert_eq!(receiver.refusals().len(), 1);

    keyring.add(rotated.signing_key("new").unwrap()).unwrap();
    assert!(is_done(&fake.deliver_due().await[0]));
    assert_eq!(receiver.handled(), ["waiting"]);
}

#[tokio::test]
async fn stale_delivery_is_refused_until_it_is_signed_again() {
    let (fake, lune) = start(LuneFake::builder()).await;
    let receiver = Hook::start(&fake, create(&lune).await.verifier().unwrap()).await;
    let sent = fake.emit("late", json!({})).stale().await;
    assert_eq!(sent[0].response_status, Some(401));
    assert_eq!(receiver.refusals().len(), 1);

    assert!(is_done(&fake.deliver_due().await[0]));
}

#[tokio::test]
async fn suffix_is_not_a_secret() {
    let (fake, lune) = start(LuneFake::builder()).await;
    let created = create(&lune).await;
    let shown = lune.retrieve_webhook(&created.id).send().await.unwrap();
    let shown: Value = serde_json::to_value(shown).unwrap();
    let whole = fake.webhook(&created.id).unwrap().secret;
    assert_eq!(created.secret, whole);
    let whole = whole.expose();
    assert_eq!(shown["secret"], whole[whole.len() - 4..]);
}

#[tokio::test]
async fn running_verifier_accepts_the_secret_of_a_rotation() {
    let fake = LuneFake::start().await;
    let webhook = fake.seed(lune_webhook("https://hooks.example.com/lune"));
    let lune = LuneClient::builder(fake.credentials())
        .base_url(fake.base_url())
        .build()
        .unwrap();
    let old = Key::new("old", &webhook.secret).unwrap();
    let keyring = Keyring::new(old);
    let running = Verifier::new(lune::scheme(), keyring.clone());

    let rotation = Rotation::new(&keyring, "old", "new");
    let rotated = lune
        .rotate_webhook_secret(&webhook.id)
        .rotate(rotation)
        .await
        .unwrap();

    let told = fake.webhook(&webhook.id).unwrap().secret;
    assert!(rotated.secret == told && told != webhook.secret);
    for (secret, name) in [(webhook.secret, "old"), (told, "new")] {
        let mut headers = HeaderMap::new();
        let signer = Signer::new(lune::scheme(), &secret).unwrap();
        signer.sign(&mut headers, b"{}").unwrap();
        assert_eq!(running.verify(&headers, b"{}").unwrap().key_name(), name);
    }
}
