//! Tests of an application that registers a webhook for purchases.
//!
//! `cargo test --example testing_with_fakes --all-features`

use webhook_sdk::preo::{PreoClient, Webhook, WebhookCreate, WebhookEvent};
use webhook_sdk::{Ensured, Error};

/// The application: one webhook for its own URL, created or updated at each start.
pub async fn register(preo: &PreoClient, url: &str) -> Result<Ensured<Webhook>, Error> {
    let desired = WebhookCreate::builder()
        .organization_id("org_1")
        .name("Purchases")
        .url(url)
        .events([WebhookEvent::PurchaseAction])
        .build();
    preo.ensure_webhook(desired).send().await
}

fn main() {
    println!("run the tests: cargo test --example testing_with_fakes --all-features");
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;
    use webhook_sdk::Ensured;
    use webhook_sdk::preo::Webhook;
    use webhook_sdk::testing::{FakeDeliveryStatus, Fault, PreoFake};
    use wiremock::matchers::method;
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use super::register;

    const URL: &str = "https://example.com/preo";

    #[tokio::test]
    async fn a_second_start_changes_nothing() {
        let preo = PreoFake::start().await;
        let first = register(&preo.client(), URL).await.unwrap();
        let second = register(&preo.client(), URL).await.unwrap();
        assert!(matches!(second, Ensured::Unchanged(_)));
        assert_eq!(second.into_webhook(), first.into_webhook());
        assert_eq!(preo.webhooks().len(), 1);
    }

    #[tokio::test]
    async fn other_webhooks_stay_as_they_are() {
        let preo = PreoFake::start().await;
        let other = preo.seed(Webhook::example().url("https://example.com/other"));
        register(&preo.client(), URL).await.unwrap();
        assert_eq!(preo.webhook(&other.id), Some(other));
    }

    #[tokio::test]
    async fn a_short_outage_is_survived() {
        let preo = PreoFake::start().await;
        preo.fail_next(2, Fault::status(503));
        register(&preo.client(), URL).await.unwrap();
        assert_eq!(preo.webhooks().len(), 1);
    }

    #[tokio::test]
    async fn a_failed_delivery_comes_again_a_minute_later() {
        let receiver = MockServer::start().await;
        let failure = Mock::given(method("POST")).respond_with(ResponseTemplate::new(500));
        failure.up_to_n_times(1).mount(&receiver).await;
        let success = Mock::given(method("POST")).respond_with(ResponseTemplate::new(204));
        success.mount(&receiver).await;

        let preo = PreoFake::start().await;
        register(&preo.client(), &receiver.uri()).await.unwrap();
        let failed = preo.emit("purchase.action", json!({ "id": "p_1" })).await;
        assert_eq!(failed[0].response_status, Some(500));

        preo.advance(Duration::from_secs(59));
        assert!(preo.deliver_due().await.is_empty());
        preo.advance(Duration::from_secs(1));
        let again = preo.deliver_due().await;
        assert_eq!(again[0].status, FakeDeliveryStatus::Delivered);
    }
}
