//! Rotates a secret under a running verifier: old and new are accepted for a day.
//!
//! `cargo run --example rotate_secret --all-features`

use std::time::Duration;

use webhook_sdk::preo::{self, PreoClient};
use webhook_sdk::signature::{Keyring, Retire, Verifier};
use webhook_sdk::testing::{PreoFake, PreoWebhookSeed};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let fake = PreoFake::start().await;
    let id = fake.insert(PreoWebhookSeed::new("http://127.0.0.1:9/")).id;
    let preo = PreoClient::builder(fake.token())
        .base_url(fake.base_url())
        .build()?;

    let before = preo.retrieve_webhook(&id).send().await?;
    let keyring = Keyring::new(before.signing_key("2026-10")?);
    let running = Verifier::new(preo::scheme(), keyring.clone());

    let after = preo.rotate_webhook_secret(&id).send().await?;
    keyring.add(after.signing_key("2026-11")?)?;
    keyring.retire("2026-10", Retire::after(Duration::from_secs(24 * 3600)))?;

    println!(
        "the running verifier now accepts {:?}",
        running.keyring().names()
    );
    Ok(())
}
