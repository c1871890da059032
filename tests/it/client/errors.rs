//! What a caller learns when a call fails.

mod bodies;
mod kinds;
#[cfg(all(feature = "native-tls", feature = "rustls"))]
mod tls;

use std::error::Error as _;
use std::time::Duration;

use webhook_sdk::preo::{PreoClient, WebhookCreate, WebhookUpdate};
use webhook_sdk::{Auth, Error, RetryPolicy};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::{TOKEN, create, preo, preo_and_server, raw_server, webhook};

async fn failure(response: ResponseTemplate) -> Error {
    let server = MockServer::start().await;
    Mock::given(any())
        .respond_with(response)
        .mount(&server)
        .await;
    let preo = preo(&server.uri())
        .retry(RetryPolicy::never())
        .build()
        .unwrap();
    preo.retrieve_webhook("wh_1").send().await.unwrap_err()
}

fn json(status: u16, body: &str) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_raw(body, "application/json")
}

fn fields(error: &Error) -> Vec<(String, String)> {
    error
        .field_errors()
        .iter()
        .map(|error| (error.field.clone(), error.message.clone()))
        .collect()
}

fn with_timeout(seconds: u64) -> WebhookCreate {
    let mut body = create();
    body.timeout_seconds = Some(seconds);
    body
}

#[tokio::test]
async fn field_errors_are_read_from_every_format() {
    let cases: [(&str, &[(&str, &str)]); 7] = [
        (
            r#"{"name":["Required.","Blank."]}"#,
            &[("name", "Required."), ("name", "Blank.")],
        ),
        (
            r#"{"events":{"0":["No choice."]}}"#,
            &[("events.0", "No choice.")],
        ),
        (r#"{"events":[{},{"x":["No."]}]}"#, &[("events.1.x", "No.")]),
        (
            r#"{"non_field_errors":["Both."]}"#,
            &[("non_field_errors", "Both.")],
        ),
        (r#"{"name":"Plain."}"#, &[("name", "Plain.")]),
        (r#"{"detail":"JSON parse error"}"#, &[]),
        (r#"["A list."]"#, &[("non_field_errors", "A list.")]),
    ];
    for (body, expected) in cases {
        let error = failure(json(400, body)).await;
        assert!(error.is_validation() && !error.is_retryable());
        let fields = fields(&error);
        let fields: Vec<_> = fields
            .iter()
            .map(|(f, m)| (f.as_str(), m.as_str()))
            .collect();
        assert_eq!(fields, expected);
        assert_eq!(error.body().unwrap(), body.as_bytes());
    }
}

#[tokio::test]
async fn every_error_body_keeps_the_status() {
    let bodies: [&[u8]; 6] = [
        b"<html><body><h1>502 Bad Gateway</h1></body></html>",
        b"",
        b"{\"detail\": \"cut o",
        b"\xff\xfe\x00 not UTF-8",
        b"null",
        b"{\"detail\": {\"not\": \"text\"}}",
    ];
    for status in [400, 401, 403, 404, 405, 418, 500, 503] {
        for body in bodies {
            let response = ResponseTemplate::new(status).set_body_raw(body, "text/html");
            let error = failure(response).await;
            assert_eq!(error.status().unwrap().as_u16(), status);
            assert_eq!(error.body().unwrap(), body);
            let nested = body.starts_with(b"{\"detail\": {");
            assert_eq!(error.detail(), nested.then_some("text"));
            assert!(error.field_errors().is_empty() || status == 400);
        }
    }
}

#[tokio::test]
async fn each_status_has_its_predicate() {
    type Predicate = fn(&Error) -> bool;
    let cases: [(u16, Predicate); 6] = [
        (400, Error::is_validation),
        (401, Error::is_unauthorized),
        (403, Error::is_forbidden),
        (404, Error::is_not_found),
        (429, Error::is_rate_limited),
        (503, Error::is_retryable),
    ];
    for (status, predicate) in cases {
        let error = failure(json(status, r#"{"detail":"Sorry."}"#)).await;
        assert!(predicate(&error), "{error:?}");
        assert_eq!(error.detail(), Some("Sorry."));
        assert_eq!(error.operation(), Some("retrieve_webhook"));
        assert_eq!(error.attempts(), 1);
        assert!(!error.is_timeout() && !error.is_connect() && !error.is_configuration());
    }
}

#[tokio::test]
async fn the_request_id_of_the_server_is_kept() {
    let error = failure(json(500, "{}").insert_header("x-request-id", "req-7")).await;
    assert_eq!(error.request_id(), Some("req-7"));
    let (preo, server) = preo_and_server().await;
    let response = ResponseTemplate::new(200).set_body_json(webhook("wh_1"));
    let response = response.insert_header("x-request-id", "req-8");
    Mock::given(any())
        .respond_with(response)
        .mount(&server)
        .await;
    let response = preo.retrieve_webhook("wh_1").send_with_response().await;
    assert_eq!(response.unwrap().request_id(), Some("req-8"));
}

#[tokio::test]
async fn undecodable_success_reports_the_path_and_no_value() {
    let secret = "payload-byte-9f86d081";
    let bodies = [
        (format!(r#"{{"id": "{secret}"}}"#), "missing field `"),
        (
            format!(r#"{{"id": "{secret}", "created": "{secret}"}}"#),
            "created: ",
        ),
        (
            format!(r#"{{"id": "{secret}"#),
            "unexpected end of JSON at line 1",
        ),
        (
            format!("<html>{secret}</html>"),
            "invalid JSON at line 1 column 1",
        ),
        (String::new(), "empty"),
    ];
    for (body, expected) in bodies {
        let error = failure(json(200, &body)).await;
        assert!(error.is_decode() && !error.is_retryable());
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(error.body().unwrap(), body.as_bytes());
        assert_nothing_is_shown(&error, secret);
    }
}

#[tokio::test]
async fn no_error_shows_a_body_a_query_or_the_token() {
    let secret = "payload-byte-9f86d081";
    for status in [302, 400, 401, 404, 429, 500] {
        let error = failure(json(status, &format!(r#"{{"name":["{secret}"]}}"#))).await;
        assert_nothing_is_shown(&error, secret);
    }
    let nowhere = preo("http://127.0.0.1:1")
        .retry(RetryPolicy::never())
        .build()
        .unwrap();
    let error = nowhere
        .list_webhooks()
        .organization_id(secret)
        .send()
        .await
        .unwrap_err();
    assert!(error.is_connect() && error.is_retryable());
    assert_nothing_is_shown(&error, secret);
}

/// Neither the error nor any of its causes.
fn assert_nothing_is_shown(error: &Error, secret: &str) {
    let mut shown = format!("{error} {error:?} {error:#} {error:#?}");
    let mut cause = error.source();
    while let Some(error) = cause {
        shown.push_str(&format!("{error} {error:?}"));
        cause = error.source();
    }
    assert!(!shown.contains(secret) && !shown.contains(TOKEN), "{shown}");
}

#[tokio::test]
async fn response_over_the_limit_is_an_error() {
    let server = MockServer::start().await;
    let big = ResponseTemplate::new(200).set_body_bytes(vec![b' '; 4097]);
    Mock::given(any()).respond_with(big).mount(&server).await;
    let preo = preo(&server.uri())
        .max_response_bytes(4096)
        .build()
        .unwrap();
    let error = preo.retrieve_webhook("wh_1").send().await.unwrap_err();
    assert!(error.is_decode(), "{error:?}");
    assert!(error.to_string().contains("exceeds 4096 bytes"), "{error}");
    assert_eq!(server.received_requests().await.unwrap().len(), 1);
}

#[tokio::test]
async fn error_with_a_truncated_or_oversized_body_keeps_its_status() {
    let cut = b"HTTP/1.1 404 Not Found\r\ncontent-length: 900\r\n\r\n{\"detail\":".to_vec();
    let mut long = b"HTTP/1.1 403 Forbidden\r\ncontent-length: 9000\r\n\r\n".to_vec();
    long.extend_from_slice(&[b'x'; 9000]);
    let (base_url, _server) = raw_server([cut, long]).await;
    let preo = preo(&base_url).max_response_bytes(4096).build().unwrap();
    let error = preo.retrieve_webhook("wh_1").send().await.unwrap_err();
    assert!(error.is_not_found() && !error.is_decode(), "{error:?}");
    let error = preo.retrieve_webhook("wh_1").send().await.unwrap_err();
    assert!(
        error.is_forbidden() && error.body() == Some(b""),
        "{error:?}"
    );
}

#[tokio::test]
async fn connection_closed_without_a_response_is_not_a_decode_error() {
    let (base_url, _server) = raw_server([Vec::new()]).await;
    let preo = preo(&base_url).retry(RetryPolicy::never()).build().unwrap();
    let error = preo.retrieve_webhook("wh_1").send().await.unwrap_err();
    assert!(
        error.is_retryable() && !error.is_decode() && error.status().is_none(),
        "{error:?}"
    );
}

#[tokio::test]
async fn endless_response_is_cut_off_at_the_limit() {
    let mut endless = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    for _ in 0..64 {
        endless.extend_from_slice(b"1000\r\n");
        endless.extend_from_slice(&[b' '; 0x1000]);
        endless.extend_from_slice(b"\r\n");
    }
    let (base_url, _server) = raw_server([endless]).await;
    let preo = preo(&base_url)
        .max_response_bytes(64 * 1024)
        .build()
        .unwrap();
    let error = preo.retrieve_webhook("wh_1").send().await.unwrap_err();
    assert!(
        error.to_string().contains("exceeds 65536 bytes"),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_redirect_is_never_followed() {
    for status in [301, 302, 303, 307, 308] {
        let elsewhere = MockServer::start().await;
        Mock::given(any())
            .respond_with(ResponseTemplate::new(200).set_body_json(webhook("wh_1")))
            .expect(0)
            .mount(&elsewhere)
            .await;
        let response = ResponseTemplate::new(status)
            .insert_header("location", format!("{}/v1/webhooks/", elsewhere.uri()));
        let error = failure(response).await;
        assert_eq!(error.status().unwrap().as_u16(), status);
        assert!(error.to_string().contains("redirect"), "{error}");
    }
}

#[tokio::test]
async fn invalid_requests_are_rejected_before_sending() {
    let (preo, server) = preo_and_server().await;
    let long = "é".repeat(121);
    let errors = [
        (
            preo.list_webhooks().page_size(0).send().await.err(),
            "page_size must be at least 1",
        ),
        (
            preo.list_webhooks().page(0).send().await.err(),
            "page must be at least 1",
        ),
        (
            preo.update_webhook("w", WebhookUpdate::new().name(&*long))
                .send()
                .await
                .err(),
            "name must have at most 120 characters",
        ),
        (
            preo.create_webhook(with_timeout(2_147_483_648))
                .send()
                .await
                .err(),
            "timeout_seconds must be at most 2147483647",
        ),
        (
            preo.create_webhook(with_timeout(u64::MAX))
                .send()
                .await
                .err(),
            "timeout_seconds must be at most 2147483647",
        ),
        (
            preo.retrieve_webhook("").send().await.err(),
            "id must not be empty, `.`, or `..`",
        ),
        (
            preo.delete_webhook("..").send().await.err(),
            "id must not be empty, `.`, or `..`",
        ),
        (
            preo.delete_webhook(".").send().await.err(),
            "id must not be empty, `.`, or `..`",
        ),
        (
            preo.retrieve_webhook_delivery("wh_1", "..")
                .send()
                .await
                .err(),
            "delivery_id must not be empty, `.`, or `..`",
        ),
    ];
    for (error, expected) in errors {
        let error = error.unwrap();
        assert!(error.is_validation(), "{error:?}");
        assert!(
            error.to_string().contains(expected),
            "{error} lacks {expected}"
        );
        assert_eq!(error.attempts(), 0);
    }
    assert!(server.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn ids_cannot_lead_to_another_resource() {
    let (preo, server) = preo_and_server().await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(204))
        .mount(&server)
        .await;
    for id in [
        "..\\organizations\\5",
        "a\\..\\b",
        "a/../b",
        "%2e%2e",
        "a?b#c",
        "\t..",
        "é;=@:",
        "a b",
    ] {
        preo.delete_webhook(id).send().await.unwrap();
        let path = server
            .received_requests()
            .await
            .unwrap()
            .pop()
            .unwrap()
            .url
            .path()
            .to_owned();
        let segment = path.strip_prefix("/v1/webhooks/").unwrap();
        assert!(!segment.contains(['/', '\\']), "{id:?} became {path}");
        let decoded = percent_encoding::percent_decode_str(segment)
            .decode_utf8()
            .unwrap();
        assert_eq!(decoded, id);
    }
}

#[tokio::test]
async fn undecodable_response_counts_as_an_attempt() {
    let error = failure(json(201, "{")).await;
    assert_eq!(
        (error.attempts(), error.operation()),
        (1, Some("retrieve_webhook"))
    );
    let (preo, _server) = preo_and_server().await;
    let error = preo
        .retrieve_webhook("x".repeat(100_000))
        .send()
        .await
        .unwrap_err();
    assert_eq!(
        (error.attempts(), error.operation()),
        (0, Some("retrieve_webhook"))
    );
}

#[tokio::test]
async fn errors_of_a_hostile_server_are_bounded() {
    let long = "k".repeat(300);
    let many = vec!["x"; 5_000];
    let body = serde_json::json!({ (long): many.clone(), "short": many }).to_string();
    assert!(body.len() < 64 * 1024);
    let error = failure(json(400, &body)).await;
    let errors = error.field_errors();
    assert_eq!(errors.len(), 1_000);
    assert!(errors.iter().all(|error| error.field == "short"));
}

#[tokio::test]
async fn a_server_on_loopback_is_reached_without_a_proxy() {
    let server = MockServer::start().await;
    let response = ResponseTemplate::new(200).set_body_json(webhook("wh_1"));
    Mock::given(any())
        .respond_with(response)
        .mount(&server)
        .await;
    let proxy = reqwest::Proxy::all("http://127.0.0.1:9").unwrap();
    let through_a_proxy = reqwest::Client::builder().proxy(proxy);
    let preo = preo(&server.uri()).http(through_a_proxy).build().unwrap();
    preo.retrieve_webhook("wh_1").send().await.unwrap();
}

#[tokio::test]
async fn a_length_is_counted_in_characters() {
    let (preo, server) = preo_and_server().await;
    let response = ResponseTemplate::new(200).set_body_json(webhook("wh_1"));
    Mock::given(any())
        .respond_with(response)
        .expect(1)
        .mount(&server)
        .await;
    let update = WebhookUpdate::new().name("é".repeat(120));
    preo.update_webhook("wh_1", update).send().await.unwrap();
}

#[test]
fn invalid_configuration_is_rejected_with_a_fix() {
    let builder = || PreoClient::builder("token");
    let cases = [
        (PreoClient::builder("").build(), "the token is empty"),
        (PreoClient::builder(" \n").build(), "the token is empty"),
        (
            PreoClient::builder("a\nb").build(),
            "the token contains a character",
        ),
        (
            PreoClient::builder(Auth::scheme("two words", "t")).build(),
            "the authentication scheme must be one word",
        ),
        (
            PreoClient::builder(Auth::scheme("", "t")).build(),
            "the authentication scheme must be one word",
        ),
        (
            PreoClient::builder(Auth::header("bad name", "t")).build(),
            "isn't a header name",
        ),
        (builder().base_url("").build(), "isn't an absolute URL"),
        (
            builder().base_url("https://api.preo.dev/v1").build(),
            "leave out `/v1`",
        ),
        (
            builder().base_url("api.preo.dev").build(),
            "isn't an absolute URL",
        ),
        (
            builder().base_url("ftp://api.preo.dev").build(),
            "neither http nor https",
        ),
        (
            builder().base_url("http://api.preo.dev").build(),
            "plain http",
        ),
        (
            builder().base_url("http://127.0.0.1.example.com").build(),
            "plain http",
        ),
        (
            builder().base_url("https://u:p@api.preo.dev").build(),
            "credentials",
        ),
        (
            builder().base_url("https://api.preo.dev?x=1").build(),
            "query or a fragment",
        ),
        (
            builder().base_url("https://api.preo.dev#x").build(),
            "query or a fragment",
        ),
        (
            builder().timeout(Duration::ZERO).build(),
            "`timeout` is zero",
        ),
        (
            builder().deadline(Duration::ZERO).build(),
            "`deadline` is zero",
        ),
        (
            builder().max_response_bytes(0).build(),
            "`max_response_bytes` is zero",
        ),
        (builder().user_agent("a\nb").build(), "the user agent"),
    ];
    for (result, expected) in cases {
        let error = result.unwrap_err();
        assert!(error.is_configuration() && !error.is_validation());
        assert!(
            error.to_string().contains(expected),
            "{error} lacks {expected}"
        );
    }
}

#[test]
fn plain_http_is_allowed_on_loopback_and_if_enabled() {
    for host in ["localhost:80", "127.0.0.1", "127.8.8.8:1", "[::1]:8080"] {
        PreoClient::builder("token")
            .base_url(format!("http://{host}"))
            .build()
            .unwrap();
    }
    let anywhere = PreoClient::builder("token").base_url("http://preo.internal");
    anywhere.danger_allow_plain_http().build().unwrap();
}

#[test]
fn an_error_is_small_and_can_cross_threads() {
    fn crosses<T: Send + Sync + 'static>() {}
    crosses::<Error>();
    assert_eq!(size_of::<Error>(), size_of::<usize>());
    assert_eq!(size_of::<Result<(), Error>>(), size_of::<usize>());
}

#[test]
fn client_never_shows_its_token() {
    let auth = Auth::header("x-api-key", TOKEN);
    let builder = PreoClient::builder(TOKEN).base_url(format!("https://user:{TOKEN}@host"));
    let shown = format!("{auth:?} {builder:?} {:?}", builder_client());
    assert!(!shown.contains(TOKEN), "{shown}");
    let swapped = PreoClient::builder(Auth::header(format!("{TOKEN} "), "x-api-key"));
    assert!(!format!("{:?}", swapped.build().unwrap_err()).contains(TOKEN));
}

#[test]
fn a_token_with_whitespace_around_it_is_rejected_by_every_service() {
    for untrimmed in ["t0ken-7c1e\n", " t0ken-7c1e", "\tt0ken-7c1e\r\n"] {
        let errors = [
            PreoClient::builder(untrimmed).build().err(),
            PreoClient::builder(Auth::header("x-api-key", untrimmed))
                .build()
                .err(),
            #[cfg(feature = "lune")]
            webhook_sdk::lune::LuneClient::builder(untrimmed)
                .build()
                .err(),
            #[cfg(feature = "pretix")]
            webhook_sdk::pretix::PretixClient::builder(untrimmed, "shop")
                .build()
                .err(),
        ];
        for error in errors {
            let error = error.unwrap();
            assert!(error.is_configuration());
            let shown = format!("{error} {error:?}");
            assert!(shown.contains("begins or ends with whitespace"), "{shown}");
            assert!(!shown.contains("t0ken"), "{shown}");
        }
    }
}

#[test]
fn token_that_is_not_visible_ascii_is_rejected() {
    for token in ["t0ken\u{e9}", "t0ken\u{1f600}", "t0\nken", "t0\0ken"] {
        let error = PreoClient::builder(token).build().err().unwrap();
        assert!(error.is_configuration(), "{error}");
        assert!(error.to_string().contains("isn't allowed in a header"));
        assert!(!format!("{error:?}").contains("t0"));
    }
}

fn builder_client() -> PreoClient {
    PreoClient::builder(TOKEN).build().unwrap()
}
