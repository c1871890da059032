//! Runs the fake of one service until standard input ends, for a client in any language.
//!
//! `cargo run --example serve_fake --all-features -- preo`
//!
//! Prints one line of JSON with the base URL and the credentials. The fake has one webhook, with a
//! delivery where the service's API shows deliveries.

use std::error::Error;
use std::io::{copy, sink, stdin};

use serde_json::{Value, json};
use webhook_sdk::lune::WebhookWithSecret;
use webhook_sdk::preo::Webhook;
use webhook_sdk::pretix;
use webhook_sdk::testing::{Fake, FakeService, LuneFake, PreoFake, PretixFake};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let name = std::env::args().nth(1).unwrap_or_default();
    match name.as_str() {
        "preo" => {
            let fake = PreoFake::start().await;
            let webhook = Webhook::example().url("https://example.invalid/");
            let webhook = fake.seed(webhook);
            fake.emit("consent.given", json!({})).await;
            serve(&fake, json!(webhook.id)).await
        }
        "lune" => {
            let fake = LuneFake::start().await;
            let webhook = fake.seed(WebhookWithSecret::example());
            serve(&fake, json!(webhook.id)).await
        }
        "pretix" => {
            let fake = PretixFake::start().await;
            let webhook = fake.seed(pretix::Webhook::example());
            serve(&fake, json!(webhook.id)).await
        }
        _ => Err("name a service: preo, lune, or pretix".into()),
    }
}

async fn serve<S: FakeService>(fake: &Fake<S>, webhook_id: Value) -> Result<(), Box<dyn Error>> {
    let line = json!({
        "base_url": fake.base_url(),
        "credentials": fake.credentials(),
        "webhook_id": webhook_id,
    });
    println!("{line}");
    tokio::task::spawn_blocking(|| copy(&mut stdin(), &mut sink())).await??;
    Ok(())
}
