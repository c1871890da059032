//! Lists filtered webhooks, prefetching two pages.
//!
//! `cargo run --example list_webhooks --all-features`

use webhook_sdk::preo::{Webhook, WebhookOrdering};
use webhook_sdk::testing::PreoFake;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let fake = PreoFake::start().await;
    for n in 1..=25 {
        let name = format!("Webhook {n}");
        fake.seed(Webhook::example().name(name));
    }
    let preo = fake.client();

    let mut webhooks = preo
        .list_webhooks()
        .is_active(true)
        .ordering([WebhookOrdering::ModifiedDesc, WebhookOrdering::Name])
        .page_size(10)
        .stream()
        .prefetch(2);
    let mut count = 0;
    while let Some(webhook) = webhooks.try_next().await? {
        println!("{}  {}  {:?}", webhook.id, webhook.name, webhook.url);
        count += 1;
    }
    assert_eq!(count, 25);
    assert_eq!(fake.requests().len(), 3); // one for each page
    Ok(())
}
