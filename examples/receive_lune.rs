//! Receives Lune's batches: verified, in order for each account, every event handled once.
//!
//! `cargo run --example receive_lune --all-features`

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::json;
use tokio::net::TcpListener;
use webhook_sdk::lune::{
    Batch, BatchProcessor, Event, EventData, LuneClient, WebhookCreate, WebhookUrl,
};
use webhook_sdk::signature::Verifier;
use webhook_sdk::testing::{LuneFake, LuneFakeDelivery};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

struct Receiver {
    verifier: Verifier,
    processor: BatchProcessor,
    database_is_away: AtomicBool,
    handled: Mutex<Vec<String>>,
}

/// 401 and 500 make Lune send the batch again; only a 2xx acknowledges it.
async fn receive(
    State(receiver): State<Arc<Receiver>>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let delivery = match receiver.verifier.verify(&headers, &body) {
        Ok(delivery) => delivery,
        Err(error) => {
            println!("  receiver: refused, {error}");
            return StatusCode::UNAUTHORIZED;
        }
    };
    let batch = match Batch::decode(delivery.payload()) {
        Ok(batch) => batch,
        Err(error) => {
            println!("  receiver: genuine, but {error}");
            return StatusCode::BAD_REQUEST;
        }
    };
    println!("  receiver: a genuine batch of {}", batch.len());
    let outcome = receiver
        .processor
        .process(batch, |event| receiver.handle(event))
        .await;
    println!(
        "  receiver: {} handled, {} skipped as seen; answered {}",
        outcome.handled(),
        outcome.skipped(),
        outcome.status().as_u16(),
    );
    outcome.status()
}

impl Receiver {
    async fn handle(&self, event: Event) -> std::result::Result<(), &'static str> {
        let event_type = event.event_type().map(|kind| kind.as_str()).unwrap_or("?");
        let line = match event.data() {
            EventData::Order(order) => format!("{event_type} {}", order.id),
            EventData::Allocation(change) => format!("{event_type} {}", change.allocation.id),
            // Lune adds types; those we don't know are none of our business.
            _ => return Ok(()),
        };
        if event_type == "order.placed" && self.database_is_away.swap(false, Ordering::Relaxed) {
            println!("  receiver: {line} failed, the database is away");
            return Err("the database is away");
        }
        println!("  receiver: {line}");
        let mut handled = self.handled.lock().unwrap_or_else(PoisonError::into_inner);
        handled.push(line);
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = format!("http://{}", listener.local_addr()?);

    let fake = LuneFake::start().await;
    fake.route("hooks.example.com", &address);
    let lune = LuneClient::builder(fake.key())
        .base_url(fake.base_url())
        .build()?;
    let url = WebhookUrl::try_from("https://hooks.example.com/lune")?;
    let webhook = lune
        .create_webhook(WebhookCreate::builder().url(url).build())
        .send()
        .await?;
    println!("1. created a webhook; its secret goes straight into the verifier");

    let receiver = Arc::new(Receiver {
        verifier: webhook.verifier()?,
        processor: BatchProcessor::default(),
        database_is_away: AtomicBool::new(true),
        handled: Mutex::new(Vec::new()),
    });
    let app = Router::new()
        .route("/lune", post(receive))
        .with_state(Arc::clone(&receiver));
    tokio::spawn(async move { axum::serve(listener, app).await });

    let order = json!({ "order": { "id": "or_1" } });
    fake.emit("acc_1", "order.received", order.clone());
    fake.emit("acc_1", "order.placed", order.clone());
    fake.emit("acc_1", "order.paid", order.clone());
    let allocation = json!({ "allocation": { "id": "al_1" } });
    fake.emit("acc_2", "allocation.new", allocation);

    println!("2. the second event of acc_1 fails; acc_2 isn't held up");
    let sent = fake.deliver_due().await;
    expect(&sent, &[("acc_1", false), ("acc_2", true)])?;

    println!("3. Lune sends acc_1's batch again; what was handled is skipped");
    let sent = fake.deliver_due().await;
    expect(&sent, &[("acc_1", true)])?;

    println!("4. an acknowledgement is lost, so the same event comes twice");
    fake.emit("acc_1", "order.completed", order);
    fake.lose_acknowledgements(1);
    let sent = fake.deliver_due().await;
    expect(&sent, &[("acc_1", false)])?;
    let sent = fake.deliver_due().await;
    expect(&sent, &[("acc_1", true)])?;

    println!("5. somebody else sends a batch");
    let forged = reqwest::Client::new()
        .post(format!("{address}/lune"))
        .header("lune-hmac", "timestamp=1,organisation=o,v1=00")
        .body(r#"{"events":[]}"#)
        .send()
        .await?;
    if forged.status() != StatusCode::UNAUTHORIZED {
        return Err("a forgery was accepted".into());
    }

    let handled = receiver.handled.lock().map_err(|_| "a handler panicked")?;
    let once = [
        "order.received or_1",
        "allocation.new al_1",
        "order.placed or_1",
        "order.paid or_1",
        "order.completed or_1",
    ];
    if *handled != once || !fake.pending(&webhook.id).is_empty() {
        return Err(format!("not each event once and in order: {handled:?}").into());
    }
    println!("receive_lune: ok");
    Ok(())
}

/// Compares the batches that were sent with the account of each and whether it was acknowledged.
fn expect(sent: &[LuneFakeDelivery], expected: &[(&str, bool)]) -> Result<()> {
    let sent: Vec<_> = sent
        .iter()
        .map(|batch| (batch.account_ids.join(" "), batch.acknowledged))
        .collect();
    let same = sent
        .iter()
        .map(|(account, acknowledged)| (account.as_str(), *acknowledged))
        .eq(expected.iter().copied());
    if same {
        Ok(())
    } else {
        Err(format!("expected {expected:?}, got {sent:?}").into())
    }
}
