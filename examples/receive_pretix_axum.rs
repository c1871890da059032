//! Receives pretix's notifications with axum: authenticated and handled once.
//!
//! `cargo run --example receive_pretix_axum --features axum,pretix`

use axum::Router;
use axum::routing::post;
use tokio::net::TcpListener;
use webhook_sdk::Secret;
use webhook_sdk::pretix::{BasicAuth, Credentials, Notification, Source, TargetUrl};
use webhook_sdk::receiver::{Delivery, Event, Outcome, Receiver};

fn endpoint(credentials: &Credentials) -> Router {
    let deliveries = Source::new(BasicAuth::new("2026", credentials));
    Router::new()
        .route("/hooks/pretix", post(receive))
        .with_state(Receiver::new(deliveries))
}

async fn receive(delivery: Delivery<Source>) -> Outcome {
    delivery.handle(refetch).await
}

/// A notification isn't proof and only contains ids: fetch the object from pretix's API.
async fn refetch(notification: Event<Notification>) {
    let Some(path) = notification.refetch_path() else {
        return;
    };
    println!("{} happened: fetch {path}", notification.action());
}

/// Recorded from pretix 2026.8.0.
const NOTIFICATION: &str = r#"{"notification_id": 6, "organizer": "bigevents", "event": "democon", "action": "pretix.event.live.activated"}"#;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let credentials = Credentials::new("pretix", Secret::from("a long random password"))?;
    let target = TargetUrl::new("https://shop.example/hooks/pretix", &credentials)?;
    println!("the target URL to give to pretix: {target}");

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/hooks/pretix", listener.local_addr()?);
    let router = endpoint(&credentials);
    tokio::spawn(async move { axum::serve(listener, router).await });

    let client = reqwest::Client::builder().no_proxy().build()?;
    let request = || {
        let request = client.post(&url).header("content-type", "application/json");
        request.body(NOTIFICATION)
    };
    let refused = request()
        .basic_auth("pretix", Some("guessed"))
        .send()
        .await?;
    let password = credentials.password().expose();
    let accepted = request()
        .basic_auth("pretix", Some(password))
        .send()
        .await?;
    if (refused.status().as_u16(), accepted.status().as_u16()) != (401, 204) {
        return Err("an unexpected response".into());
    }
    println!("receive_pretix_axum: ok");
    Ok(())
}
