//! The lifecycle of a webhook, with an embedded fake over HTTP on loopback.
//!
//! `cargo run --example quickstart --all-features`
//!
//! With `PREO_TOKEN` and `PREO_BASE_URL` set, the API part uses that server instead, and skips what
//! only a fake can do (deliver, fail). `PREO_ORGANIZATION_ID` sets the organization where the
//! webhook is created and deleted.

use std::env;
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use webhook_sdk::preo::{
    self, DeliveryStatus, PreoClient, Webhook, WebhookCreate, WebhookEvent, WebhookOrdering,
    WebhookUpdate,
};
use webhook_sdk::signature::{Keyring, Retire, Verifier};
use webhook_sdk::testing::PreoFake;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

#[tokio::main]
async fn main() -> Result<()> {
    match (env::var("PREO_TOKEN"), env::var("PREO_BASE_URL")) {
        (Ok(_), Err(_)) | (Err(_), Ok(_)) => {
            return Err("set both PREO_TOKEN and PREO_BASE_URL, or neither".into());
        }
        (Ok(token), Ok(base_url)) => {
            let preo = PreoClient::builder(token).base_url(base_url).build()?;
            let organization = env::var("PREO_ORGANIZATION_ID").unwrap_or("org_1".into());
            let webhook = create(&preo, &organization, "https://example.com/webhooks/preo").await?;
            let outcome = api_part(&preo, &organization, &webhook).await;
            delete(&preo, &webhook).await?;
            outcome?;
        }
        _ => on_the_fake().await?,
    }
    println!("quickstart: ok");
    Ok(())
}

async fn api_part(preo: &PreoClient, organization: &str, webhook: &Webhook) -> Result<()> {
    change(preo, webhook).await?;
    list(preo, organization).await?;
    rotate(preo, webhook).await?;
    Ok(())
}

/// Returns an error if a step failed.
fn ensure(done: bool, otherwise: &str) -> Result<()> {
    if done { Ok(()) } else { Err(otherwise.into()) }
}

async fn on_the_fake() -> Result<()> {
    let fake = PreoFake::start().await;
    let inbox = Inbox::start().await?;
    println!(
        "A Preo fake listens on {}, a receiver on {}.",
        fake.base_url(),
        inbox.url
    );
    let preo = fake.client();

    let webhook = create(&preo, "org_1", &inbox.url).await?;
    inbox.verify_with(webhook.verifier()?).await;
    change(&preo, &webhook).await?;
    for _ in 0..250 {
        fake.seed(Webhook::example());
    }
    let listed = list(&preo, "org_1").await?;
    ensure(listed == 251, "the list wasn't complete")?;

    fake.emit("purchase.action", json!({ "purchase": "p_1" }))
        .await;
    let (headers, body) = inbox.last().await.ok_or("nothing was delivered")?;
    let verified = webhook.verifier()?.verify(&headers, &body)?;
    println!(
        "Received {} bytes, signed with the key {}.",
        body.len(),
        verified.key_name()
    );
    let mut forged = body.to_vec();
    forged[0] ^= 1;
    let refusal = webhook.verifier()?.verify(&headers, &forged).err();
    println!(
        "With one byte changed: {}.",
        refusal.ok_or("a forgery was accepted")?
    );

    recover(&preo, &fake, &inbox, &webhook).await?;

    let rotated = rotate(&preo, &webhook).await?;
    let keyring = Keyring::from_keys([webhook.signing_key("old")?, rotated.signing_key("new")?])?;
    keyring.retire("old", Retire::after(Duration::from_secs(24 * 3600)))?;
    let both = Verifier::new(preo::scheme(), keyring);
    inbox.verify_with(both.clone()).await;
    let verified = both.verify(&headers, &body)?;
    ensure(
        verified.key_name() == "old",
        "the old delivery passed with another key",
    )?;
    println!(
        "The old delivery passes with the key {}.",
        verified.key_name()
    );
    fake.emit("purchase.action", json!({ "purchase": "p_3" }))
        .await;
    let (headers, body) = inbox.last().await.ok_or("nothing was delivered")?;
    let verified = both.verify(&headers, &body)?;
    ensure(
        verified.key_name() == "new",
        "the new delivery passed with another key",
    )?;
    println!(
        "A new delivery passes with the key {}.",
        verified.key_name()
    );

    delete(&preo, &webhook).await
}

async fn create(preo: &PreoClient, organization: &str, url: &str) -> Result<Webhook> {
    let body = WebhookCreate::builder()
        .organization_id(organization)
        .name("Quickstart")
        .url(url)
        .events([WebhookEvent::PurchaseAction])
        .timeout_seconds(5)
        .build();
    let webhook = preo.create_webhook(body).send().await?;
    let secret = webhook
        .secret
        .as_ref()
        .ok_or("the create call sent no secret")?;
    println!("Created {}; its secret prints as {secret:?}.", webhook.id);
    Ok(webhook)
}

async fn change(preo: &PreoClient, webhook: &Webhook) -> Result<()> {
    let update = WebhookUpdate::new()
        .name("Quickstart, renamed")
        .edition_id(None);
    let changed = preo.update_webhook(&webhook.id, update).send().await?;
    ensure(
        changed.name == "Quickstart, renamed",
        "the name didn't change",
    )?;
    println!("Renamed it to {:?}.", changed.name);
    Ok(())
}

async fn list(preo: &PreoClient, organization: &str) -> Result<usize> {
    let mut webhooks = preo
        .list_webhooks()
        .organization_id(organization)
        .is_active(true)
        .ordering([WebhookOrdering::NameDesc, WebhookOrdering::Created])
        .page_size(100_u64)
        .stream();
    let mut count = 0;
    while webhooks.try_next().await?.is_some() {
        count += 1;
    }
    println!("Listed {count} active webhooks of {organization}, 100 on a page, names from Z to A.");
    Ok(count)
}

async fn recover(
    preo: &PreoClient,
    fake: &PreoFake,
    inbox: &Inbox,
    webhook: &Webhook,
) -> Result<()> {
    inbox.out_of_order(true);
    fake.emit("purchase.action", json!({ "purchase": "p_2" }))
        .await;
    inbox.out_of_order(false);
    let keyring = Keyring::new(webhook.signing_key("current")?);
    let failed = preo
        .list_webhook_deliveries(&webhook.id)
        .status(DeliveryStatus::Failed)
        .stream()
        .try_next()
        .await?
        .ok_or("the log has no failed delivery")?;
    println!(
        "{} failed: the receiver responded with {}.",
        failed.id,
        failed.response_status_code.unwrap_or_default()
    );

    let stored = preo.retrieve_webhook_delivery(&webhook.id, &failed.id);
    stored.clone().send().await?.verify(&keyring)?;
    println!("Its stored payload matches its stored signature.");

    preo.retry_webhook_delivery(&webhook.id, &failed.id)
        .send()
        .await?;
    fake.wait_idle().await;
    let status = stored.send().await?.status.clone();
    let status = status.ok_or("the delivery has no status")?;
    ensure(
        status == DeliveryStatus::Success,
        "the retry didn't succeed",
    )?;
    println!("After a retry its status is {status}.");
    Ok(())
}

async fn rotate(preo: &PreoClient, webhook: &Webhook) -> Result<Webhook> {
    let rotated = preo.rotate_webhook_secret(&webhook.id).send().await?;
    ensure(rotated.secret != webhook.secret, "the secret didn't change")?;
    println!("Rotated the secret.");
    Ok(rotated)
}

async fn delete(preo: &PreoClient, webhook: &Webhook) -> Result<()> {
    preo.delete_webhook(&webhook.id).send().await?;
    let gone = preo.retrieve_webhook(&webhook.id).send().await;
    let gone = gone.is_err_and(|error| error.is_not_found());
    ensure(gone, "the webhook is still there")?;
    println!("Deleted it; it is gone.");
    Ok(())
}

/// A receiver that stores verified deliveries and can be set to fail.
struct Inbox {
    url: String,
    shelf: Arc<Shelf>,
}

#[derive(Default)]
struct Shelf {
    verifier: Mutex<Option<Verifier>>,
    received: Mutex<Vec<(HeaderMap, Bytes)>>,
    out_of_order: AtomicBool,
}

impl Inbox {
    async fn start() -> Result<Self> {
        let shelf = Arc::new(Shelf::default());
        let router = Router::new()
            .route("/preo", post(receive))
            .with_state(Arc::clone(&shelf));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/preo", listener.local_addr()?);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { url, shelf })
    }

    async fn verify_with(&self, verifier: Verifier) {
        *self.shelf.verifier.lock().await = Some(verifier);
    }

    fn out_of_order(&self, out_of_order: bool) {
        self.shelf
            .out_of_order
            .store(out_of_order, Ordering::Relaxed);
    }

    async fn last(&self) -> Option<(HeaderMap, Bytes)> {
        self.shelf.received.lock().await.last().cloned()
    }
}

async fn receive(State(shelf): State<Arc<Shelf>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    if shelf.out_of_order.load(Ordering::Relaxed) {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    let verifier = shelf.verifier.lock().await.clone();
    match verifier.map(|verifier| verifier.verify(&headers, &body).is_ok()) {
        Some(true) => {
            shelf.received.lock().await.push((headers, body));
            StatusCode::NO_CONTENT
        }
        _ => StatusCode::UNAUTHORIZED,
    }
}
