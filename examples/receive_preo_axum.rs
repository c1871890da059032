//! Receives Preo's deliveries with axum: verified, decoded, and handled once.
//!
//! `cargo run --example receive_preo_axum --features axum,testing`

use axum::Router;
use axum::routing::post;
use serde::Deserialize;
use serde_json::json;
use tokio::net::TcpListener;
use webhook_sdk::preo::Webhook;
use webhook_sdk::receiver::{BoxError, Delivery, Event, Outcome, Receiver};
use webhook_sdk::signature::KeyError;
use webhook_sdk::testing::PreoFake;
use webhook_sdk::{Secret, preo};

type Source = preo::Source<Purchase>;

#[derive(Deserialize)]
struct Purchase {
    id: String,
    data: serde_json::Value,
}

fn endpoint(secret: &Secret) -> Result<Router, KeyError> {
    let source = preo::Source::new(preo::verifier(secret)?)
        .identified_by::<Purchase>(|purchase| Some(purchase.id.clone()));
    Ok(Router::new()
        .route("/hooks/preo", post(receive))
        .with_state(Receiver::new(source)))
}

async fn receive(delivery: Delivery<Source>) -> Outcome {
    delivery.handle(handle_event).await
}

async fn handle_event(purchase: Event<Purchase>) -> Result<(), BoxError> {
    println!("handled {}: {}", purchase.id, purchase.data);
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/hooks/preo", listener.local_addr()?);

    let fake = PreoFake::start().await;
    let webhook = fake.seed(Webhook::example().url(url).events(["purchase.action"]));
    let secret = webhook.secret.ok_or("the webhook has no secret")?;
    let router = endpoint(&secret)?;
    tokio::spawn(async move { axum::serve(listener, router).await });

    let deliveries = fake.emit("purchase.action", json!({"tickets": 2})).await;
    if deliveries[0].response_status != Some(204) {
        return Err("the delivery wasn't accepted".into());
    }
    Ok(())
}
