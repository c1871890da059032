//! What the tests of the fakes share.

use std::sync::OnceLock;

use webhook_sdk::pretix::TargetUrl;
use webhook_sdk::{Secret, lune, preo, pretix};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

/// A client for plain HTTP, made once because reading the certificates takes long.
///
/// It keeps no connection, since each test has a runtime of its own.
pub(crate) fn http() -> reqwest::Client {
    static CLIENT: OnceLock<reqwest::Client> = OnceLock::new();
    let client = CLIENT.get_or_init(|| {
        let client = reqwest::Client::builder().no_proxy();
        client.pool_max_idle_per_host(0).build().unwrap()
    });
    client.clone()
}

/// A receiver that answers the n-th request with the n-th status, and 204 after the last.
pub(crate) async fn receiver(statuses: &[u16]) -> MockServer {
    let server = MockServer::start().await;
    for status in statuses {
        Mock::given(any())
            .respond_with(ResponseTemplate::new(*status))
            .up_to_n_times(1)
            .mount(&server)
            .await;
    }
    Mock::given(any())
        .respond_with(ResponseTemplate::new(204))
        .mount(&server)
        .await;
    server
}

pub(crate) async fn received(receiver: &MockServer) -> Vec<Request> {
    receiver.received_requests().await.unwrap()
}

/// An active endpoint that is subscribed to `purchase.action`.
pub(crate) fn preo_webhook(url: impl Into<String>) -> preo::Webhook {
    preo::Webhook::example()
        .edition_id(None)
        .events(["purchase.action"])
        .is_active(true)
        .secret(Secret::from("s3cret"))
        .url(url.into().as_str())
}

/// An enabled webhook for the events of all accounts.
pub(crate) fn lune_webhook(url: impl Into<String>) -> lune::WebhookWithSecret {
    lune::WebhookWithSecret::example()
        .account_ids([""; 0])
        .enabled(true)
        .secret(Secret::from("s3cret"))
        .url(url.into())
}

/// An enabled webhook for `pretix.event.changed` in all events.
pub(crate) fn pretix_webhook(url: impl Into<String>) -> pretix::Webhook {
    let target: TargetUrl = serde_json::from_value(url.into().into()).unwrap();
    pretix::Webhook::example()
        .id(1)
        .enabled(true)
        .all_events(true)
        .limit_events([""; 0])
        .action_types(["pretix.event.changed"])
        .comment(None)
        .target_url(target)
}
