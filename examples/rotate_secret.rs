//! Rotates the secret of a webhook while its deliveries are verified.
//!
//! `cargo run --example rotate_secret --all-features`

use std::time::Duration;

use webhook_sdk::Rotation;
use webhook_sdk::preo::{self, Webhook};
use webhook_sdk::signature::{Keyring, Verifier};
use webhook_sdk::testing::PreoFake;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let fake = PreoFake::start().await;
    let preo = fake.client();
    let id = fake.seed(Webhook::example()).id;

    let webhook = preo.retrieve_webhook(&id).send().await?;
    let keyring = Keyring::new(webhook.signing_key("2026-10")?);
    let verifier = Verifier::new(preo::scheme(), keyring.clone()); // shares the keys

    let day = Duration::from_secs(24 * 60 * 60);
    let rotation = Rotation::new(&keyring, "2026-10", "2026-11").grace(day);
    preo.rotate_webhook_secret(&id).rotate(rotation).await?;

    // Both are accepted for a day.
    assert_eq!(verifier.keyring().names(), ["2026-11", "2026-10"]);
    Ok(())
}
