//! A webhook from creation to deletion, with an embedded fake over HTTP on loopback.
//!
//! `cargo run --example quickstart --all-features`
//!
//! With `PREO_TOKEN` and `PREO_BASE_URL` set, it creates, updates, lists, rotates, and deletes on
//! that server instead, in the organization `PREO_ORGANIZATION_ID`.

use std::env;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::{FromRef, State};
use axum::routing::post;
use serde_json::json;
use tokio::net::TcpListener;
use webhook_sdk::preo::{
    self, DeliveryStatus, PreoClient, Webhook, WebhookCreate, WebhookDelivery, WebhookEvent,
    WebhookOrdering, WebhookUpdate,
};
use webhook_sdk::receiver::{BoxError, Delivery, Outcome, Receiver};
use webhook_sdk::signature::Retire;
use webhook_sdk::testing::PreoFake;

type Result<T = ()> = std::result::Result<T, BoxError>;

#[tokio::main]
async fn main() -> Result {
    match (env::var("PREO_TOKEN"), env::var("PREO_BASE_URL")) {
        (Ok(token), Ok(base_url)) => on_a_server(&token, &base_url).await?,
        (Err(_), Err(_)) => on_the_fake().await?,
        _ => return Err("set both PREO_TOKEN and PREO_BASE_URL, or neither".into()),
    }
    Ok(())
}

async fn on_a_server(token: &str, base_url: &str) -> Result {
    let preo = PreoClient::builder(token).base_url(base_url).build()?;
    let organization = env::var("PREO_ORGANIZATION_ID").unwrap_or("org_1".into());
    let webhook = create(&preo, &organization, "https://example.com/hooks/preo").await?;
    let result = async {
        update(&preo, &webhook).await?;
        list(&preo, &organization).await?;
        rotate(&preo, &webhook).await
    };
    let result = result.await;
    delete(&preo, &webhook).await?;
    result.map(drop)
}

async fn on_the_fake() -> Result {
    let fake = PreoFake::start().await;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/hooks/preo", listener.local_addr()?);
    println!("A fake of Preo listens on {}.", fake.base_url());
    let preo = fake.client();

    let webhook = create(&preo, "org_1", &url).await?;
    update(&preo, &webhook).await?;
    for _ in 0..250 {
        fake.seed(Webhook::example());
    }
    let count = list(&preo, "org_1").await?;
    check(count == 251, "the list isn't complete")?;

    let verifier = webhook.verifier()?;
    let keyring = verifier.keyring().clone(); // shares the keys with the receiver
    let app = App {
        receiver: Receiver::new(preo::Source::new(verifier)),
        is_down: Arc::default(),
    };
    let router = Router::new()
        .route("/hooks/preo", post(receive))
        .with_state(app.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    println!("A receiver listens on {url}.");

    let emit = || {
        fake.emit("purchase.action", json!({ "purchase": "p_1" }))
            .to(&webhook.id)
    };
    check(
        emit().await[0].response_status == Some(204),
        "a delivery was refused",
    )?;
    app.is_down.store(true, Ordering::Relaxed);
    emit().await;
    app.is_down.store(false, Ordering::Relaxed);
    let stored = retry_failed(&preo, &fake, &webhook).await?;

    check(
        emit().altered().await[0].response_status == Some(401),
        "a forgery was accepted",
    )?;
    println!("With one byte changed, it is refused.");

    let rotated = rotate(&preo, &webhook).await?;
    let day = Duration::from_secs(24 * 60 * 60);
    keyring.replace([rotated.signing_key("new")?], Retire::after(day))?;
    check(
        emit().await[0].response_status == Some(204),
        "the new secret isn't accepted",
    )?;
    stored.verify(&keyring)?;
    println!("For a day, the old secret is accepted too.");

    delete(&preo, &webhook).await
}

#[derive(Clone)]
struct App {
    receiver: Receiver<preo::Source>,
    is_down: Arc<AtomicBool>,
}

impl FromRef<App> for Receiver<preo::Source> {
    fn from_ref(app: &App) -> Self {
        app.receiver.clone()
    }
}

async fn receive(State(app): State<App>, delivery: Delivery<preo::Source>) -> Outcome {
    delivery
        .handle(async |event| {
            if app.is_down.load(Ordering::Relaxed) {
                return Err("the database is down".into());
            }
            println!(
                "Handled {}, signed with the key {}.",
                event["data"],
                event.key_name()
            );
            Ok(())
        })
        .await
}

async fn create(preo: &PreoClient, organization: &str, url: &str) -> Result<Webhook> {
    let webhook = WebhookCreate::builder()
        .organization_id(organization)
        .name("Quickstart")
        .url(url)
        .events([WebhookEvent::PurchaseAction])
        .timeout_seconds(5)
        .build();
    let webhook = preo.create_webhook(webhook).send().await?;
    println!(
        "Created {}. Its secret prints as {:?}.",
        webhook.id, webhook.secret
    );
    Ok(webhook)
}

async fn update(preo: &PreoClient, webhook: &Webhook) -> Result {
    let update = WebhookUpdate::new().name("Renamed").edition_id(None);
    let updated = preo.update_webhook(&webhook.id, update).send().await?;
    check(updated.name == "Renamed", "the name didn't change")?;
    println!("Renamed it to {:?}.", updated.name);
    Ok(())
}

async fn list(preo: &PreoClient, organization: &str) -> Result<usize> {
    let mut webhooks = preo
        .list_webhooks()
        .organization_id(organization)
        .is_active(true)
        .ordering([WebhookOrdering::NameDesc, WebhookOrdering::Created])
        .page_size(100)
        .stream();
    let mut count = 0;
    while webhooks.try_next().await?.is_some() {
        count += 1;
    }
    println!("Listed {count} active webhooks, from pages of 100.");
    Ok(count)
}

async fn retry_failed(
    preo: &PreoClient,
    fake: &PreoFake,
    webhook: &Webhook,
) -> Result<WebhookDelivery> {
    let failed = preo
        .list_webhook_deliveries(&webhook.id)
        .status(DeliveryStatus::Failed)
        .stream()
        .try_next()
        .await?
        .ok_or("the log has no failed delivery")?;
    let status = failed.response_status_code.unwrap_or_default();
    println!("{} failed with status {status}.", failed.id);

    let retrieve = preo.retrieve_webhook_delivery(&webhook.id, &failed.id);
    let stored = retrieve.clone().send().await?;
    stored.verify(webhook.signing_key("current")?)?;
    println!("Its stored signature is valid.");

    preo.retry_webhook_delivery(&webhook.id, &failed.id)
        .send()
        .await?;
    fake.wait_idle().await;
    let status = retrieve.send().await?.status;
    check(status == Some(DeliveryStatus::Success), "the retry failed")?;
    println!("The retry succeeded.");
    Ok(stored)
}

async fn rotate(preo: &PreoClient, webhook: &Webhook) -> Result<Webhook> {
    let rotated = preo.rotate_webhook_secret(&webhook.id).send().await?;
    check(rotated.secret != webhook.secret, "the secret didn't change")?;
    println!("Rotated the secret.");
    Ok(rotated)
}

async fn delete(preo: &PreoClient, webhook: &Webhook) -> Result {
    preo.delete_webhook(&webhook.id).send().await?;
    let found = preo.retrieve_webhook(&webhook.id).send().await;
    check(
        found.is_err_and(|error| error.is_not_found()),
        "the webhook still exists",
    )?;
    println!("Deleted it.");
    Ok(())
}

fn check(holds: bool, otherwise: &str) -> Result {
    if holds { Ok(()) } else { Err(otherwise.into()) }
}
