//! What several tests of Lune need.

use std::time::Duration;

use serde_json::{Value, json};
use webhook_sdk::lune::LuneClient;
use webhook_sdk::{ClientBuilder, RetryPolicy};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

pub(crate) const KEY: &str = "lune-key-7d793037a0760186";
pub(crate) const SECRET: &str = "secret-0beec7b5ea3f0fdbc95d0dd47f3c5bc275da8a33-tail";
pub(crate) const ID: &str = "kjmkOq7zXd139gAE9WALWQ8ZGVD7ExNz";

/// A client without a pace that retries as by default, without its waits.
pub(crate) fn lune(base_url: &str) -> ClientBuilder<LuneClient> {
    lune_as(KEY, base_url)
}

pub(crate) fn lune_as(key: &str, base_url: &str) -> ClientBuilder<LuneClient> {
    let wait = Duration::from_millis(1);
    LuneClient::builder(key)
        .base_url(base_url)
        .requests_per_second(None)
        .retry(RetryPolicy::new().min_backoff(wait).max_backoff(wait))
}

pub(crate) async fn lune_and_server() -> (LuneClient, MockServer) {
    let server = MockServer::start().await;
    let lune = lune(&server.uri()).build().unwrap();
    (lune, server)
}

/// Lets a server answer every request like this.
pub(crate) async fn answer(server: &MockServer, status: u16, body: Value) {
    let response = ResponseTemplate::new(status).set_body_json(body);
    Mock::given(any())
        .respond_with(response)
        .mount(server)
        .await;
}

pub(crate) async fn only_request(server: &MockServer) -> Request {
    let mut requests = server.received_requests().await.unwrap();
    assert_eq!(requests.len(), 1);
    requests.remove(0)
}

/// Method, path and query as sent.
pub(crate) fn line(request: &Request) -> String {
    let query = request.url.query();
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    format!("{} {}{query}", request.method, request.url.path())
}

/// The published sample of a create answer, with this secret.
pub(crate) fn webhook(secret: &str) -> Value {
    json!({
        "id": ID,
        "url": "https://lune.co/webhook-receiver",
        "enabled": true,
        "account_type": "live",
        "account_ids": [],
        "created_at": "2000-04-12T23:20:50.52Z",
        "secret": secret,
    })
}

/// The published shape of an error.
pub(crate) fn error(code: &str, message: &str) -> Value {
    let error = json!({ "error_code": code, "message": message });
    json!({ "error": error, "errors": [error] })
}
