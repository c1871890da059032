//! Every operation of all services, answered in every way.

use std::time::Duration;

use serde_json::{Value, json};
use webhook_sdk::pretix::{Credentials, EventScope, PretixClient, TargetUrl};
use webhook_sdk::{Error, RetryPolicy, Secret, lune, preo, pretix};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::{PASSWORD, PAYLOAD, SECRET, Shown, TOKEN, URL_PATH};
use crate::log;

/// A URL that is a secret: it has a password, a secret path and a token.
fn url() -> String {
    let (password, path) = (PASSWORD.in_url(), URL_PATH.in_url());
    format!("https://user:{password}@example.com/{path}?token={path}")
}

/// Fits every response type of a service, so that one response does for every operation.
fn preo_response() -> Value {
    let row = json!({
        "id": "wh_1",
        "organization_id": "org_1",
        "name": "Orders",
        "url": url(),
        "edition_id": null,
        "events": ["consent.given"],
        "is_active": true,
        "timeout_seconds": 10,
        "secret": SECRET.0,
        "created": "2026-01-02T03:04:05Z",
        "modified": "2026-01-02T03:04:05Z",
        "endpoint_id": "wh_1",
        "event": "consent.given",
        "payload": json!({ "email": PAYLOAD.0 }).to_string(),
        "signature": PAYLOAD.0,
        "status": "failed",
        "unknown_field": SECRET.0,
    });
    with_results(row)
}

fn lune_response() -> Value {
    json!({
        "id": "wh_1",
        "url": url(),
        "enabled": true,
        "account_type": "live",
        "account_ids": ["acc_1"],
        "created_at": "2026-01-02T03:04:05Z",
        "secret": SECRET.0,
    })
}

fn pretix_response() -> Value {
    let row = json!({
        "id": 1,
        "enabled": true,
        "target_url": url(),
        "all_events": true,
        "limit_events": [],
        "action_types": ["pretix.event.order.paid"],
        "comment": null,
        "unknown_field": SECRET.0,
    });
    with_results(row)
}

fn with_results(row: Value) -> Value {
    let mut response = row.clone();
    response["count"] = json!(1);
    response["results"] = json!([row]);
    response
}

/// The response, and what a faulty or hostile server makes of it.
fn responses(healthy: Value) -> Vec<(String, ResponseTemplate)> {
    let mut all = vec![
        (
            "healthy".to_owned(),
            ResponseTemplate::new(200).set_body_json(&healthy),
        ),
        (
            "a list".to_owned(),
            ResponseTemplate::new(200).set_body_json([&healthy]),
        ),
        ("no content".to_owned(), ResponseTemplate::new(204)),
        (
            "text".to_owned(),
            ResponseTemplate::new(200).set_body_string(SECRET.0),
        ),
        (
            "a string".to_owned(),
            ResponseTemplate::new(200).set_body_json(SECRET.0),
        ),
    ];
    // A secret where another type belongs, in each field in turn. Some fields take any text.
    for field in healthy.as_object().unwrap().keys() {
        for wrong in [
            json!(SECRET.0),
            json!({ SECRET.0: PAYLOAD.0 }),
            json!([PAYLOAD.0]),
        ] {
            let mut body = healthy.clone();
            body[field] = wrong.clone();
            let row = body.get_mut("results").and_then(|rows| rows.get_mut(0));
            if let Some(Value::Object(row)) = row {
                row.insert(field.clone(), wrong);
            }
            all.push((
                format!("{WRONG} {field}"),
                ResponseTemplate::new(200).set_body_json(body),
            ));
        }
    }
    // Cut off in the middle of a secret.
    let text = healthy.to_string();
    let end = text.find(SECRET.0).unwrap_or(text.len() / 2) + 30;
    all.push((
        "cut off".to_owned(),
        ResponseTemplate::new(200).set_body_string(&text[..end]),
    ));
    for status in [301, 304, 400, 401, 403, 404, 409, 422, 429, 500, 502, 503] {
        // A server that echoes what it got, where no message is expected.
        let body = json!({
            "detail": "no",
            "error": { "error_code": "invalid", "message": "no", "token": TOKEN.0 },
            "request": { "authorization": format!("Bearer {}", TOKEN.0), "body": SECRET.0 },
        });
        let response = ResponseTemplate::new(status)
            .insert_header("x-request-id", TOKEN.0)
            .insert_header("cf-ray", TOKEN.0)
            .insert_header("location", url().as_str())
            .insert_header("www-authenticate", TOKEN.0);
        all.push((status.to_string(), response.clone().set_body_json(body)));
        all.push((format!("{status} page"), response.set_body_string(url())));
    }
    all
}

const WRONG: &str = "wrong";

fn retry() -> RetryPolicy {
    let wait = Duration::from_millis(1);
    RetryPolicy::new()
        .max_retries(1)
        .min_backoff(wait)
        .max_backoff(wait)
}

/// Shows each request builder and the end of its call.
macro_rules! show {
    ($shown:ident, $response:expr; $($operation:expr),+ $(,)?) => {$({
        let place = format!("{} ({})", stringify!($operation), $response);
        let operation = $operation;
        $shown.debug(&place, &operation);
        let result: Result<_, Error> = operation.send_with_response().await;
        if result.is_err() || !$response.starts_with(WRONG) {
            $shown.result(&place, &result);
        }
        if let Err(error) = &result {
            $shown.debug(&place, &error.request_id());
        }
    })+};
}

/// Answers every request with each response in turn, while everything is logged.
async fn with_each_response<F>(healthy: Value, mut run: impl FnMut(String, String) -> F) -> Shown
where
    F: Future<Output = Shown>,
{
    let (log, _guard) = log::listen();
    let mut shown = Shown::default();
    let server = MockServer::start().await;
    for (name, response) in responses(healthy) {
        server.reset().await;
        Mock::given(any())
            .respond_with(response)
            .mount(&server)
            .await;
        shown.0.extend(run(server.uri(), name).await.0);
    }
    shown.0.extend(
        run("http://127.0.0.1:1".to_owned(), "no server".to_owned())
            .await
            .0,
    );
    let log = log.text();
    assert!(log.contains("webhook_sdk.call"), "nothing was logged");
    shown.add("log", log);
    shown
}

#[tokio::test]
async fn preo_calls_show_no_token_secret_url_or_payload() {
    let shown = with_each_response(
        preo_response(),
        async |base_url: String, response: String| {
            let mut shown = Shown::default();
            let builder = preo::PreoClient::builder(TOKEN.0)
                .base_url(&base_url)
                .retry(retry());
            shown.debug("builder", &builder);
            let preo = builder.build().unwrap();
            shown.debug("client", &preo);
            let new = preo::WebhookCreate::builder()
                .organization_id("org_1")
                .name("Orders")
                .url(url())
                .events(["consent.given"])
                .build();
            let change = preo::WebhookUpdate::new().url(url());
            shown.debug("bodies", &(&new, &change));
            show!(shown, response;
                preo.list_webhooks(),
                preo.create_webhook(new),
                preo.retrieve_webhook("wh_1"),
                preo.update_webhook("wh_1", change),
                preo.delete_webhook("wh_1"),
                preo.rotate_webhook_secret("wh_1"),
                preo.list_webhook_deliveries("wh_1"),
                preo.retrieve_webhook_delivery("wh_1", "d_1"),
                preo.retry_webhook_delivery("wh_1", "d_1"),
            );
            if let Err(error) = preo.list_webhooks().all().await {
                shown.error(format!("all ({response})"), &error);
            }
            shown
        },
    );
    shown.await.assert_clean();
}

#[tokio::test]
async fn lune_calls_show_no_key_secret_or_url() {
    let shown = with_each_response(
        lune_response(),
        async |base_url: String, response: String| {
            let mut shown = Shown::default();
            let builder = lune::LuneClient::builder(TOKEN.0)
                .base_url(&base_url)
                .requests_per_second(None)
                .retry(retry());
            shown.debug("builder", &builder);
            let lune = builder.build().unwrap();
            shown.debug("client", &lune);
            let target: lune::WebhookUrl = format!("https://example.com/h?token={}", URL_PATH.0)
                .parse()
                .unwrap();
            let new = lune::WebhookCreate::builder().url(target.clone()).build();
            let change = lune::WebhookUpdate::builder()
                .url(target)
                .enabled(true)
                .build();
            shown.debug("bodies", &(&new, &change));
            show!(shown, response;
                lune.list_webhooks(),
                lune.create_webhook(new),
                lune.retrieve_webhook("wh_1"),
                lune.update_webhook("wh_1", change),
                lune.delete_webhook("wh_1"),
                lune.rotate_webhook_secret("wh_1"),
            );
            shown
        },
    );
    shown.await.assert_clean();
}

#[tokio::test]
async fn pretix_calls_show_no_token_password_or_url() {
    let shown = with_each_response(
        pretix_response(),
        async |base_url: String, response: String| {
            let mut shown = Shown::default();
            let builder = PretixClient::builder(TOKEN.0, "organizer")
                .base_url(&base_url)
                .retry(retry());
            shown.debug("builder", &builder);
            let pretix = builder.build().unwrap();
            shown.debug("client", &pretix);
            let credentials = Credentials::new("user", Secret::from(PASSWORD.0)).unwrap();
            let path = format!("https://example.com/{}", URL_PATH.in_url());
            let target = TargetUrl::new(&path, &credentials).unwrap();
            let new = pretix::WebhookCreate::builder()
                .target_url(target.clone())
                .events(EventScope::All)
                .action_types(["pretix.event.order.paid"])
                .build();
            let change = pretix::WebhookUpdate::new().target_url(target.clone());
            let replacement = pretix::WebhookReplace::builder()
                .target_url(target)
                .events(EventScope::All)
                .action_types(["pretix.event.order.paid"])
                .enabled(true)
                .comment("comment")
                .build();
            shown.debug("bodies", &(&credentials, &new, &change, &replacement));
            show!(shown, response;
                pretix.list_webhooks(),
                pretix.create_webhook(new),
                pretix.retrieve_webhook(1),
                pretix.update_webhook(1, change),
                pretix.replace_webhook(1, replacement),
                pretix.delete_webhook(1),
            );
            if let Err(error) = pretix.list_webhooks().all().await {
                shown.error(format!("all ({response})"), &error);
            }
            shown
        },
    );
    shown.await.assert_clean();
}
