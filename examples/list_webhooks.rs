//! Lists filtered webhooks, prefetching two pages.
//!
//! `cargo run --example list_webhooks --all-features`, with `PREO_TOKEN` (and `PREO_BASE_URL`) for
//! a real server.

use std::env;

use webhook_sdk::preo::{PreoClient, Webhook, WebhookOrdering};
use webhook_sdk::testing::PreoFake;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let fake = PreoFake::start().await;
    for n in 1..=25 {
        let name = format!("Webhook {n}");
        fake.seed(Webhook::example().name(name));
    }
    let preo = match env::var("PREO_TOKEN") {
        Ok(token) => match env::var("PREO_BASE_URL") {
            Ok(base_url) => PreoClient::builder(token).base_url(base_url).build()?,
            Err(_) => PreoClient::builder(token).build()?,
        },
        Err(_) => fake.client(),
    };

    let mut webhooks = preo
        .list_webhooks()
        .is_active(true)
        .ordering([WebhookOrdering::ModifiedDesc, WebhookOrdering::Name])
        .page_size(10_u64)
        .stream()
        .prefetch(2);
    while let Some(webhook) = webhooks.try_next().await? {
        println!("{}  {}  {:?}", webhook.id, webhook.name, webhook.url);
    }
    Ok(())
}
