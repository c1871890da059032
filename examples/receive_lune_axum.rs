//! Receives Lune's batches with axum: verified, in order, and handled once.
//!
//! `cargo run --example receive_lune_axum --features axum,lune,testing`

use axum::Router;
use axum::routing::post;
use serde_json::json;
use tokio::net::TcpListener;
use webhook_sdk::Secret;
use webhook_sdk::lune::{self, EventData, WebhookWithSecret};
use webhook_sdk::receiver::{BoxError, Delivery, Event, Outcome, Receiver};
use webhook_sdk::signature::KeyError;
use webhook_sdk::testing::LuneFake;

fn endpoint(secret: &Secret) -> Result<Router, KeyError> {
    let source = lune::Source::new(lune::verifier(secret)?);
    Ok(Router::new()
        .route("/hooks/lune", post(receive))
        .with_state(Receiver::new(source)))
}

async fn receive(delivery: Delivery<lune::Source>) -> Outcome {
    delivery.handle(handle_event).await
}

async fn handle_event(event: Event<lune::Event>) -> Result<(), BoxError> {
    match event.data() {
        EventData::Order(order) => println!("order {}", order.id),
        EventData::Allocation(change) => println!("allocation {}", change.allocation.id),
        _ => println!("something that isn't for us"),
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let fake = LuneFake::start().await;
    fake.route(
        "hooks.example.com",
        &format!("http://{}", listener.local_addr()?),
    );
    let url = "https://hooks.example.com/hooks/lune";
    let webhook = fake.seed(WebhookWithSecret::example().url(url));
    let router = endpoint(&webhook.secret)?;
    tokio::spawn(async move { axum::serve(listener, router).await });

    let order = json!({ "order": { "id": "or_1" } });
    fake.emit("order.placed", order.clone()).queued().await;
    let sent = fake.emit("order.paid", order).await;
    if sent[0].response_status != Some(204) {
        return Err("the batch wasn't acknowledged".into());
    }
    Ok(())
}
