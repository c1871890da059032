//! Rotates a secret of a running verifier: both secrets are accepted for a day.
//!
//! `cargo run --example rotate_secret --all-features`

use std::time::Duration;

use webhook_sdk::preo::{self, Webhook};
use webhook_sdk::signature::{Keyring, Retire, Verifier};
use webhook_sdk::testing::PreoFake;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let fake = PreoFake::start().await;
    let preo = fake.client();
    let id = fake.seed(Webhook::example()).id;

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
