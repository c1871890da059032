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
    assert!(matches!(first, Ensured::Created(_)));
    let again = ensure(&preo.client(), [WebhookEvent::ConsentGiven]).await?;
    assert!(matches!(again, Ensured::Unchanged(_)));
    let changed = ensure(&preo.client(), [WebhookEvent::PurchaseAction]).await?;
    assert!(matches!(&changed, Ensured::Updated { changed, .. } if changed == &["events"]));

    // Deliveries can be verified from the start.
    println!("{:?}", first.webhook().verifier()?);
    Ok(())
}

async fn ensure(
    preo: &PreoClient,
    events: impl IntoIterator<Item = WebhookEvent>,
) -> Result<Ensured<Webhook>, webhook_sdk::Error> {
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
    Ok(ensured)
}
