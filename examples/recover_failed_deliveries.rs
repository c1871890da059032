//! Finds the deliveries that failed while a receiver was down, and retries the genuine ones.
//!
//! `cargo run --example recover_failed_deliveries --all-features`

use serde_json::json;
use webhook_sdk::preo::{DeliveryStatus, Webhook};
use webhook_sdk::signature::Keyring;
use webhook_sdk::testing::PreoFake;
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let receiver = MockServer::start().await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(503))
        .up_to_n_times(3)
        .mount(&receiver)
        .await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(204))
        .mount(&receiver)
        .await;
    let fake = PreoFake::start().await;
    let preo = fake.client();
    let id = fake.seed(Webhook::example().url(receiver.uri())).id;
    for user in 1..=3 {
        fake.emit("consent.given", json!({ "user": user })).await;
    }

    let webhook = preo.retrieve_webhook(&id).send().await?;
    let keyring = Keyring::new(webhook.signing_key("current")?);
    // Read the whole list first: a retried delivery leaves it, which moves the pages.
    let mut lost = Vec::new();
    for status in [DeliveryStatus::Failed, DeliveryStatus::Exhausted] {
        let mut deliveries = preo.list_webhook_deliveries(&id).status(status).stream();
        while let Some(delivery) = deliveries.try_next().await? {
            lost.push(delivery);
        }
    }
    for entry in lost {
        let stored = preo
            .retrieve_webhook_delivery(&id, &entry.id)
            .send()
            .await?;
        if let Err(refusal) = stored.verify(&keyring) {
            println!("{}: left alone, {refusal}", entry.id);
            continue;
        }
        preo.retry_webhook_delivery(&id, &entry.id).send().await?;
        println!(
            "{}: retried after {:?}",
            entry.id, entry.response_status_code
        );
    }
    fake.wait_idle().await;
    for delivery in fake.deliveries(&id) {
        println!("{}: {:?}", delivery.id, delivery.status);
    }
    Ok(())
}
