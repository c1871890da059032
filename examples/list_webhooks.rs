//! Lists webhooks by filter, two pages ahead of the reader.
//!
//! `cargo run --example list_webhooks --all-features`, with `PREO_TOKEN` (and `PREO_BASE_URL`) for
//! a real server.

use std::env;

use webhook_sdk::preo::{PreoClient, WebhookOrdering};
use webhook_sdk::testing::PreoFake;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let fake = PreoFake::start().await;
    fake.seed_webhooks(25);
    let preo = match env::var("PREO_TOKEN") {
        Ok(token) => match env::var("PREO_BASE_URL") {
            Ok(base_url) => PreoClient::builder(token).base_url(base_url).build()?,
            Err(_) => PreoClient::builder(token).build()?,
        },
        Err(_) => PreoClient::builder(fake.token())
            .base_url(fake.base_url())
            .build()?,
    };

    let mut webhooks = preo
        .list_webhooks()
        .is_active(true)
        .ordering([WebhookOrdering::ModifiedDesc, WebhookOrdering::Name])
        .page_size(10_u64)
        .stream()
        .prefetch(2);
    while let Some(webhook) = webhooks.try_next().await? {
        println!("{}  {}  {}", webhook.id, webhook.name, webhook.url);
    }
    Ok(())
}
