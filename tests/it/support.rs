//! What several tests need: a client for a mock server, and servers that misbehave below HTTP.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use webhook_sdk::preo::PreoClient;
use webhook_sdk::{ClientBuilder, RetryPolicy};
use wiremock::MockServer;

pub(crate) const TOKEN: &str = "preo-token-5ebe2294";

/// A client that retries as by default, without its waits.
pub(crate) fn preo(base_url: &str) -> ClientBuilder<PreoClient> {
    let wait = Duration::from_millis(1);
    PreoClient::builder(TOKEN)
        .base_url(base_url)
        .retry(RetryPolicy::new().min_backoff(wait).max_backoff(wait))
}

pub(crate) async fn preo_and_server() -> (PreoClient, MockServer) {
    let server = MockServer::start().await;
    (preo(&server.uri()).build().unwrap(), server)
}

/// Answers the n-th connection with the n-th of `answers`, then closes it; ends after the last.
///
/// The task's result is what was received, a request each.
pub(crate) async fn raw_server<const N: usize>(
    answers: [Vec<u8>; N],
) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    let task = tokio::spawn(async move {
        let mut requests = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 64 * 1024];
            let length = stream.read(&mut request).await.unwrap();
            request.truncate(length);
            requests.push(String::from_utf8(request).unwrap());
            stream.write_all(&answer).await.unwrap();
            stream.shutdown().await.ok();
        }
        requests
    });
    (base_url, task)
}

/// A webhook as the server sends it.
pub(crate) fn webhook(id: &str) -> serde_json::Value {
    serde_json::json!({
        "id": id,
        "organization_id": "org_1",
        "name": "Orders",
        "url": "https://example.com/hook",
        "edition_id": null,
        "events": ["consent.given", "consent.revived"],
        "is_active": true,
        "timeout_seconds": 10,
        "created": "2026-01-02T03:04:05Z",
        "modified": "2026-01-02T03:04:05.678901+02:00",
        "secret": SECRET,
        "added_later": { "by": "the server" },
    })
}

pub(crate) const SECRET: &str =
    "whsec-3c469e9d6c5875d37a43f353d4f88e61fcf812c66eee3457465a40b0da4153e0";

#[cfg(feature = "preo")]
pub(crate) fn create() -> webhook_sdk::preo::WebhookCreate {
    webhook_sdk::preo::WebhookCreate::builder()
        .organization_id("org_1")
        .name("Orders")
        .url("https://example.com/hook")
        .events(["consent.given"])
        .build()
}
