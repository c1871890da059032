//! Declares a webhook in code, and creates or updates it at each start.
//!
//! `cargo run --example ensure_webhook --all-features`

use webhook_sdk::Ensured;
use webhook_sdk::preo::{PreoClient, Webhook, WebhookCreate, WebhookEvent};
use webhook_sdk::testing::PreoFake;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let preo = PreoFake::start().await;

    let first = ensure(&preo.client(), [WebhookEvent::ConsentGiven]).await?;
    ensure(&preo.client(), [WebhookEvent::ConsentGiven]).await?;
    ensure(&preo.client(), [WebhookEvent::PurchaseAction]).await?;

    // Deliveries can be verified from the start.
    let verifier = first.verifier()?;
    println!("{verifier:?}");
    Ok(())
}

async fn ensure(
    preo: &PreoClient,
    events: impl IntoIterator<Item = WebhookEvent>,
) -> Result<Webhook, webhook_sdk::Error> {
    let desired = WebhookCreate::builder()
        .organization_id("org_1")
        .name("Consents")
        .url("https://example.com/hooks")
        .events(events)
        .build();
    let ensured = preo.ensure_webhook(desired).send().await?;
    match &ensured {
        Ensured::Created(webhook) => println!("created {}", webhook.id),
        Ensured::Updated { webhook, changed } => {
            println!("updated {:?} of {}", changed, webhook.id)
        }
        Ensured::Unchanged(webhook) => println!("{} is up to date", webhook.id),
    }
    Ok(ensured.into_webhook())
}
