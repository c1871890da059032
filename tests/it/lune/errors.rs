//! What a failed call to Lune tells, and when a call is held back or repeated.

use std::num::NonZeroU32;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use webhook_sdk::Error;
use webhook_sdk::lune::{ErrorCode, LuneClient, WebhookCreate, WebhookUpdate, WebhookUrl};
use wiremock::matchers::{any, method};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::lune::support::{ID, SECRET, answer, error, lune_and_server, webhook};

fn url() -> WebhookUrl {
    WebhookUrl::try_from("https://example.com/hook").unwrap()
}

async fn failure(response: ResponseTemplate) -> Error {
    let (lune, server) = lune_and_server().await;
    Mock::given(any())
        .respond_with(response)
        .mount(&server)
        .await;
    let create = lune.create_webhook(WebhookCreate::builder().url(url()).build());
    create.send().await.unwrap_err()
}

async fn json_failure(status: u16, body: Value) -> Error {
    failure(ResponseTemplate::new(status).set_body_json(body)).await
}

#[tokio::test]
async fn code_and_message_are_read_from_the_documented_format() {
    let body = error("webhook_limit_reached", "Too many webhooks");
    let error = json_failure(400, body).await;
    assert!(error.is_validation());
    assert_eq!(error.code(), Some("webhook_limit_reached"));
    assert_eq!(
        error.code().map(ErrorCode::from),
        Some(ErrorCode::WebhookLimitReached)
    );
    assert_eq!(error.detail(), Some("Too many webhooks"));
    assert!(error.field_errors().is_empty());
    assert!(!format!("{error} {error:?}").contains("Too many"));
}

#[tokio::test]
async fn unknown_code_is_kept() {
    let error = json_failure(409, error("made_up_later", "…")).await;
    let code = error.code().map(ErrorCode::from).unwrap();
    assert!(code.is_unknown());
    assert_eq!(code.as_str(), "made_up_later");
}

#[tokio::test]
async fn published_and_malformed_error_bodies_are_read() {
    let one = json!({ "error_code": "id_invalid", "message": "m" });
    let cases = [
        (json!({ "error": one }), Some("id_invalid"), Some("m")),
        (json!({ "errors": [one] }), Some("id_invalid"), Some("m")),
        (
            json!({ "error": one, "errors": null }),
            Some("id_invalid"),
            Some("m"),
        ),
        (
            json!({ "error": "Unauthorized", "errors": [one] }),
            Some("id_invalid"),
            Some("m"),
        ),
        (
            json!({ "error": { "error_code": "id_invalid" } }),
            Some("id_invalid"),
            None,
        ),
        (
            json!({ "error": { "error_code": 7, "message": "m" } }),
            None,
            None,
        ),
        (json!({ "error": {}, "errors": [] }), None, None),
        (json!({ "errors": "none" }), None, None),
        (json!([one]), None, None),
        (json!({ "detail": "Not found." }), None, Some("Not found.")),
    ];
    for (body, code, detail) in cases {
        let error = json_failure(403, body.clone()).await;
        assert_eq!(error.code(), code, "{body}");
        assert_eq!(error.detail(), detail, "{body}");
        assert!(error.is_forbidden());
    }
}

#[tokio::test]
async fn plain_text_body_has_a_status_and_no_code() {
    for (status, text) in [
        (401, "Unauthorized"),
        (404, "Not Found"),
        (413, "Payload Too Large"),
        (415, ""),
        (429, "Too Many Requests"),
        (500, "<html>Internal Server Error</html>"),
        (503, "Service Unavailable"),
    ] {
        let error = failure(ResponseTemplate::new(status).set_body_string(text)).await;
        assert_eq!(error.status().unwrap().as_u16(), status);
        assert_eq!((error.code(), error.detail()), (None, None));
        assert_eq!(error.body(), Some(text.as_bytes()));
        assert_eq!(error.is_rate_limited(), status == 429);
        assert_eq!(error.is_not_found(), status == 404);
    }
}

#[tokio::test]
async fn an_error_names_the_request() {
    let response = ResponseTemplate::new(404).insert_header("CF-Ray", "7d7a-LHR");
    assert_eq!(failure(response).await.request_id(), Some("7d7a-LHR"));
}

#[tokio::test]
async fn an_empty_list_of_accounts_is_refused_before_sending() {
    let (lune, server) = lune_and_server().await;
    let none = [] as [&str; 0];
    let create = WebhookCreate::builder()
        .url(url())
        .account_ids(none)
        .build();
    let update = WebhookUpdate::builder()
        .url(url())
        .enabled(true)
        .account_ids(none)
        .build();
    for error in [
        lune.create_webhook(create).send().await.unwrap_err(),
        lune.update_webhook(ID, update).send().await.unwrap_err(),
    ] {
        assert!(error.is_validation());
        assert_eq!((error.status(), error.attempts()), (None, 0));
        let fields = error.field_errors();
        assert_eq!(fields[0].field, "account_ids");
        assert!(fields[0].message.contains("at least 1"));
    }
    assert!(server.received_requests().await.unwrap().is_empty());
}

#[test]
fn invalid_url_is_a_validation_error_of_its_field() {
    let error = Error::from(WebhookUrl::try_from("http://example.com").unwrap_err());
    assert!(error.is_validation());
    assert_eq!(error.to_string(), "url must begin with https://");
    assert_eq!(error.field_errors()[0].field, "url");
}

#[tokio::test]
async fn rotation_is_retried_and_create_is_not() {
    let (lune, server) = lune_and_server().await;
    let busy = ResponseTemplate::new(503);
    Mock::given(method("PUT"))
        .respond_with(busy.clone())
        .up_to_n_times(1)
        .mount(&server)
        .await;
    Mock::given(method("POST"))
        .respond_with(busy)
        .mount(&server)
        .await;
    answer(&server, 200, webhook(SECRET)).await;

    let rotated = lune.rotate_webhook_secret(ID).send().await.unwrap();
    assert_eq!(rotated.secret.expose(), SECRET);
    assert_eq!(server.received_requests().await.unwrap().len(), 2);

    let create = lune.create_webhook(WebhookCreate::builder().url(url()).build());
    assert_eq!(create.send().await.unwrap_err().attempts(), 1);
}

const CALLS: usize = 60;

/// The errors of so many calls at once, each with 2 s to be sent and answered, and how many were.
async fn hurried(rate: impl FnOnce(Builder) -> Builder) -> (Vec<Error>, usize) {
    let server = MockServer::start().await;
    answer(&server, 200, json!([])).await;
    let builder = LuneClient::builder("key")
        .base_url(server.uri())
        .deadline(Duration::from_secs(2));
    let lune = rate(builder).build().unwrap();
    let calls = (0..CALLS).map(|_| lune.list_webhooks().send());
    let errors = join_all(calls).await.into_iter().filter_map(Result::err);
    let errors = errors.collect();
    (errors, server.received_requests().await.unwrap().len())
}

type Builder = webhook_sdk::ClientBuilder<LuneClient>;

#[tokio::test]
async fn calls_above_the_rate_limit_wait_up_to_their_deadline() {
    let (errors, sent) = hurried(|builder| builder).await;
    let held_back = errors.iter().filter(|error| error.attempts() == 0);
    assert!(held_back.clone().count() > 0);
    assert!(held_back.clone().all(Error::is_timeout));
    assert!(sent <= CALLS - held_back.count() && sent < 45, "{sent}");
}

#[tokio::test]
async fn rate_limit_can_be_lowered_or_removed() {
    let slow = NonZeroU32::new(1).unwrap();
    let (_, sent) = hurried(|builder| builder.requests_per_second(slow)).await;
    assert!(sent < 15, "{sent}");

    let (errors, sent) = hurried(|builder| builder.requests_per_second(None)).await;
    assert!(errors.is_empty(), "{errors:?}");
    assert_eq!(sent, CALLS);
}

#[tokio::test]
async fn message_has_the_code_and_refers_only_to_existing_details() {
    for (status, code, shown) in [
        (
            400,
            "webhook_limit_reached",
            "create_webhook: 400 Bad Request: webhook_limit_reached; see `Error::detail`",
        ),
        (
            401,
            "account_suspended",
            "create_webhook: 401 Unauthorized: account_suspended; Lune rejects the API key",
        ),
    ] {
        let error = json_failure(status, error(code, "Payload text")).await;
        assert_eq!(error.to_string(), shown);
    }
    for (status, shown) in [
        (400, "create_webhook: 400 Bad Request"),
        (404, "create_webhook: 404 Not Found"),
    ] {
        let error = failure(ResponseTemplate::new(status)).await;
        assert_eq!(error.to_string(), shown);
    }
    let long = json_failure(400, error("Not a code: payload", "m")).await;
    assert!(!long.to_string().contains("payload"), "{long}");
}

#[tokio::test]
async fn rejection_with_a_selected_account_mentions_the_account() {
    let server = MockServer::start().await;
    for status in [401, 403] {
        server.reset().await;
        let response = Mock::given(any()).respond_with(ResponseTemplate::new(status));
        response.mount(&server).await;
        let lune = crate::lune::support::lune(&server.uri()).account("acc_1");
        let error = lune.build().unwrap().list_webhooks().send().await;
        let error = error.unwrap_err();
        assert!(error.to_string().contains("`account`"), "{error}");
        assert_eq!(error.is_forbidden(), status == 403);
    }
}
