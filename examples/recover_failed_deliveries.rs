//! Runs the deliveries that failed while a receiver was down through that receiver.
//!
//! `cargo run --example recover_failed_deliveries --all-features`

use serde_json::{Value, json};
use webhook_sdk::preo::{self, Webhook};
use webhook_sdk::receiver::Receiver;
use webhook_sdk::testing::PreoFake;
use wiremock::MockServer;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let down = MockServer::start().await;
    let fake = PreoFake::start().await;
    let preo = fake.client();
    let id = fake.seed(Webhook::example().url(down.uri())).id;
    let outage = fake.now();
    for user in 1..=3 {
        fake.emit("consent.given", json!({ "user": user })).await;
    }
    fake.emit("consent.given", json!({ "user": 4 }))
        .forged()
        .await;

    let webhook = preo.retrieve_webhook(&id).send().await?;
    let receiver = Receiver::new(preo::Source::<Value>::new(webhook.verifier()?));
    let mut counts = Vec::new();
    for run in 1..=2 {
        let recover = preo.recover(&id).since(outage);
        let report = recover
            .through(&receiver, async |event| {
                println!("consent of user {}", event["data"]["user"]);
            })
            .await?;
        println!(
            "run {run}: {} seen, {} already handled, {} recovered, {} refused, {} failed",
            report.seen, report.already_handled, report.recovered, report.refused, report.failed
        );
        counts.push((report.already_handled, report.recovered, report.refused));
    }
    assert_eq!(counts, [(0, 3, 1), (3, 0, 1)]);
    Ok(())
}
