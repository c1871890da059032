//! Tests of an application that registers a webhook and counts purchases.
//!
//! `cargo test --example testing_with_fakes --all-features`

use webhook_sdk::Error;
use webhook_sdk::preo::{PreoClient, WebhookCreate, WebhookEvent};

/// The application: one webhook for its own URL, created if it doesn't exist.
pub async fn register(preo: &PreoClient, url: &str) -> Result<String, Error> {
    for webhook in preo.list_webhooks().all().await? {
        if webhook.url == url {
            return Ok(webhook.id);
        }
    }
    let body = WebhookCreate::builder()
        .organization_id("org_1")
        .name("Purchases")
        .url(url)
        .events([WebhookEvent::PurchaseAction])
        .build();
    Ok(preo.create_webhook(body).send().await?.id)
}

fn main() {
    println!("run the tests: cargo test --example testing_with_fakes --all-features");
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use webhook_sdk::preo::Webhook;
    use webhook_sdk::testing::{FakeDeliveryStatus, Fault, PreoFake};
    use wiremock::matchers::method;
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use super::register;

    const URL: &str = "https://example.com/preo";

    #[tokio::test]
    async fn a_second_registration_creates_nothing() {
        let preo = PreoFake::start().await;
        let first = register(&preo.client(), URL).await.unwrap();
        assert_eq!(register(&preo.client(), URL).await.unwrap(), first);
        assert_eq!(preo.webhooks().len(), 1);
    }

    #[tokio::test]
    async fn other_webhooks_are_left_alone() {
        let preo = PreoFake::start().await;
        let other = preo.seed(Webhook::example().url("https://example.com/other"));
        register(&preo.client(), URL).await.unwrap();
        assert_eq!(preo.webhook(&other.id), Some(other));
    }

    #[tokio::test]
    async fn an_outage_of_two_requests_is_survived() {
        let preo = PreoFake::start().await;
        preo.fail_next(2, Fault::status(503));
        register(&preo.client(), URL).await.unwrap();
        assert_eq!(preo.requests().len(), 4);
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

        preo.advance(std::time::Duration::from_secs(60));
        let again = preo.deliver_due().await;
        assert_eq!(again[0].status, FakeDeliveryStatus::Delivered);
    }
}
