//! Receives pretix's notifications with axum: authenticated, fetched, and handled once.
//!
//! `cargo run --example receive_pretix_axum --features axum,testing`

use axum::Router;
use axum::routing::post;
use serde::Deserialize;
use serde_json::json;
use tokio::net::TcpListener;
use webhook_sdk::Secret;
use webhook_sdk::pretix::{
    ActionType, BasicAuth, Credentials, EventScope, PretixClient, Source, TargetUrl, WebhookCreate,
};
use webhook_sdk::receiver::{Delivery, Outcome, Receiver};
use webhook_sdk::testing::{Fault, PretixFake};

#[derive(Deserialize)]
struct Order {
    code: String,
    status: String,
}

fn endpoint(pretix: PretixClient, credentials: &Credentials) -> Router {
    let source = Source::new(BasicAuth::new("2026", credentials));
    let receive = |delivery: Delivery<Source>| receive(pretix, delivery);
    Router::new()
        .route("/hooks/pretix", post(receive))
        .with_state(Receiver::new(source))
}

/// A notification isn't proof and only contains ids, so the order is fetched from pretix's API.
async fn receive(pretix: PretixClient, delivery: Delivery<Source>) -> Outcome {
    delivery
        .handle(async |notification| {
            let order: Order = pretix.fetch(&notification).send().await?;
            println!("order {} is {}", order.code, order.status);
            Ok(())
        })
        .await
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/hooks/pretix", listener.local_addr()?);
    let credentials = Credentials::new("pretix", Secret::from("a long random password"))?;

    let fake = PretixFake::start().await;
    let pretix = fake.client();
    let router = endpoint(pretix.clone(), &credentials);
    tokio::spawn(async move { axum::serve(listener, router).await });
    let webhook = WebhookCreate::builder()
        .target_url(TargetUrl::new(&url, &credentials)?)
        .events(EventScope::All)
        .action_types([ActionType::OrderPaid])
        .build();
    pretix.create_webhook(webhook).send().await?;

    let client = reqwest::Client::builder().no_proxy().build()?;
    let forged = client.post(&url).basic_auth("pretix", Some("guessed"));
    let refused = forged.send().await?.status();

    // The fake has no orders, so its response to the next request is given here.
    let order = json!({ "code": "ABC23", "status": "p" });
    fake.fail_next(1, Fault::status(200).json(&order));
    let ids = json!({ "event": "democon", "code": "ABC23" });
    let sent = fake.emit("pretix.event.order.paid", ids).await;
    if refused != 401 || sent[0].response_status != Some(204) || fake.pending_faults() > 0 {
        return Err("an unexpected response".into());
    }
    Ok(())
}
