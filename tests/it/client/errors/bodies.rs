//! What is read from a response that isn't as hoped, and what of it is shown.

use allocation_counter::measure;
use webhook_sdk::preo::{WebhookPage, WebhookUpdate};
use webhook_sdk::{Error, ErrorKind, RetryPolicy};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer};

use super::{assert_nothing_is_shown, create, failure, fields, json};
use crate::support::{TOKEN, preo, raw_server, webhook};

async fn create_failure(status: u16, body: &str) -> Error {
    let server = MockServer::start().await;
    let response = Mock::given(any()).respond_with(json(status, body));
    response.mount(&server).await;
    let preo = preo(&server.uri()).build().unwrap();
    let create = preo.create_webhook(create());
    create.send().await.unwrap_err()
}

/// The error of a webhook in which `pointer` is replaced by `value`.
async fn misread(pointer: &str, value: serde_json::Value) -> String {
    let mut webhook = webhook("wh_1");
    *webhook.pointer_mut(pointer).unwrap() = value;
    let error = failure(json(200, &webhook.to_string())).await;
    assert_eq!(error.kind(), ErrorKind::Decode);
    error.to_string()
}

#[tokio::test]
async fn decode_error_names_the_path() {
    let secret = "payload-9f86d081, expected a payload-9f86d081";
    let cases = [
        ("/events/1", 5.into(), "events[1]: expected "),
        ("/events", secret.into(), "events: expected a sequence"),
        ("/is_active", secret.into(), "is_active: expected a boolean"),
        (
            "/name",
            serde_json::json!([secret]),
            "name: expected a string",
        ),
        (
            "/name",
            serde_json::Value::Null,
            "name: expected a string, found null",
        ),
        (
            "/timeout_seconds",
            (-1).into(),
            "timeout_seconds: expected u64",
        ),
        ("/created", secret.into(), "created: "),
    ];
    for (pointer, value, expected) in cases {
        let shown = misread(pointer, value).await;
        let start = format!("retrieve_webhook: unexpected response body: {expected}");
        assert!(shown.starts_with(&start), "{shown}");
        assert!(!shown.contains("9f86d081"), "{shown}");
    }
}

#[tokio::test]
async fn decode_error_in_a_page_names_the_item() {
    let server = MockServer::start().await;
    let mut second = webhook("wh_2");
    second.as_object_mut().unwrap().remove("url");
    let page = serde_json::json!({ "count": 2, "results": [webhook("wh_1"), second] });
    let response = Mock::given(any()).respond_with(json(200, &page.to_string()));
    response.mount(&server).await;
    let preo = preo(&server.uri()).build().unwrap();
    let error = preo.list_webhooks().send().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "list_webhooks: unexpected response body: results[1]: missing field `url`"
    );
}

#[tokio::test]
async fn text_after_the_value_and_deep_nesting_are_decode_errors() {
    let followed = format!("{} trailing", webhook("wh_1"));
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for body in [followed, deep] {
        let error = failure(json(200, &body)).await;
        assert_eq!(error.kind(), ErrorKind::Decode);
        assert!(!error.to_string().contains("trailing t"), "{error}");
    }
}

#[tokio::test]
async fn validation_error_names_its_fields_and_not_their_messages() {
    let body = r#"{"url":["Enter a valid URL, not https://u:pw-9f86d081@h"],"events":{"0":["x"]}}"#;
    let error = create_failure(400, body).await;
    assert_eq!(
        error.to_string(),
        "create_webhook: 400 Bad Request: invalid fields: events.0, url"
    );
    assert_nothing_is_shown(&error, "9f86d081");
    assert_eq!(error.field_errors().len(), 2);

    let error = create_failure(422, r#"{"name":["Blank."]}"#).await;
    assert!(
        error.to_string().ends_with("invalid fields: name"),
        "{error}"
    );
    let error = create_failure(409, r#"{"url":["In use."]}"#).await;
    assert!(error.is_conflict() && error.to_string().ends_with("invalid fields: url"));
    let error = create_failure(400, r#"{"detail":"JSON parse error"}"#).await;
    assert_eq!(
        error.to_string(),
        "create_webhook: 400 Bad Request; see `Error::detail`"
    );
    let error = create_failure(400, "").await;
    assert_eq!(error.to_string(), "create_webhook: 400 Bad Request");
}

#[tokio::test]
async fn field_names_are_shown_within_limits() {
    let many: serde_json::Map<_, _> = (0..500)
        .map(|n| (format!("field_{n:03}"), serde_json::json!(["x"])))
        .collect();
    let error = create_failure(400, &serde_json::json!(many).to_string()).await;
    let shown = error.to_string();
    assert!(shown.contains("field_000") && shown.ends_with("and others; see `field_errors`"));
    assert!(shown.len() < 300, "{shown}");
    for key in [
        "https://u:p@h/9f86d081",
        "Bearer 9f86d081",
        "9F86D081-Key",
        &"9f86d081".repeat(20),
        &TOKEN.replace('-', "_").replace('_', "-"),
    ] {
        let body = serde_json::json!({ key: ["x"] }).to_string();
        let error = create_failure(400, &body).await;
        assert_eq!(
            error.to_string(),
            "create_webhook: 400 Bad Request: invalid fields; see `field_errors`"
        );
    }
}

#[tokio::test]
async fn detail_is_read_in_any_format() {
    type Case = (
        &'static str,
        Option<&'static str>,
        &'static [(&'static str, &'static str)],
    );
    let cases: [Case; 7] = [
        (r#"{"detail":"One."}"#, Some("One."), &[]),
        (r#"{"detail":["One.","Two."]}"#, Some("One. Two."), &[]),
        (r#"{"detail":{"a":["b"]}}"#, Some("b"), &[("a", "b")]),
        (
            r#"{"detail":{"a":{"b":["c","d"]}},"e":["f"]}"#,
            Some("c d"),
            &[("a.b", "c"), ("a.b", "d"), ("e", "f")],
        ),
        (r#"{"detail":[{"a":["b"]}]}"#, Some("b"), &[]),
        (r#"{"detail":null}"#, None, &[]),
        (r#""One.""#, Some("One."), &[]),
    ];
    for (body, detail, expected) in cases {
        let error = failure(json(400, body)).await;
        assert_eq!(error.detail(), detail, "{body}");
        let fields = fields(&error);
        let fields: Vec<_> = fields.iter().map(|(f, m)| (&**f, &**m)).collect();
        assert_eq!(fields, expected, "{body}");
    }
}

#[tokio::test]
async fn error_body_is_parsed_up_to_64_kib() {
    let message = |length: usize| format!(r#"{{"name":["{}"]}}"#, "x".repeat(length - 13));
    let error = failure(json(400, &message(64 * 1024))).await;
    assert_eq!(error.field_errors().len(), 1);
    let error = failure(json(400, &message(64 * 1024 + 1))).await;
    assert!(error.is_validation() && error.field_errors().is_empty());
    assert_eq!(error.body(), Some(&b""[..]));
}

#[test]
fn error_body_of_16_mib_takes_little_memory() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut body = b"[[],".to_vec();
    body.extend(b"[],".repeat(5 * 1024 * 1024));
    body.extend(b"[]]");
    let length = body.len();
    let (base_url, server) = runtime.block_on(async {
        let mut answer =
            format!("HTTP/1.1 400 Bad Request\r\ncontent-length: {length}\r\n\r\n").into_bytes();
        answer.append(&mut body);
        raw_server([answer]).await
    });
    let preo = preo(&base_url).retry(RetryPolicy::never()).build().unwrap();
    let memory = measure(|| {
        let error = runtime.block_on(preo.retrieve_webhook("wh_1").send());
        let error = error.unwrap_err();
        assert!(error.is_validation() && error.detail().is_none());
        assert!(error.code().is_none() && error.field_errors().is_empty());
    });
    assert!(memory.bytes_max < 2 * 1024 * 1024, "{}", memory.bytes_max);
    server.abort();
}

#[tokio::test]
async fn large_body_that_cannot_be_decoded_is_not_kept() {
    let body = format!("{{\"detail\": \"{}\"}}", "x".repeat(1024 * 1024));
    let error = failure(json(200, &body)).await;
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert_eq!((error.body(), error.detail()), (Some(&b""[..]), None));
}

#[tokio::test]
async fn request_id_is_bounded_visible_and_never_the_token() {
    let long = "x".repeat(128);
    for (id, expected) in [
        ("req-7", Some("req-7")),
        (&*long, Some(&*long)),
        (&*format!("{long}x"), None),
        ("two words", None),
        ("tab\there", None),
        ("é", None),
        ("", None),
        (TOKEN, None),
        (&*format!("Bearer:{TOKEN}"), None),
        (&*format!("id-{TOKEN}-id"), None),
    ] {
        let response = json(500, "{}").insert_header("x-request-id", id);
        assert_eq!(failure(response).await.request_id(), expected, "{id}");
        let response = json(200, "{}").insert_header("x-request-id", id);
        let error = failure(response).await;
        assert!(error.is_decode());
        assert_eq!(error.request_id(), expected, "{id}");
        assert_nothing_is_shown(&error, TOKEN);
    }
}

#[tokio::test]
async fn header_that_echoes_the_token_is_hidden() {
    let server = MockServer::start().await;
    let response = json(200, &webhook("wh_1").to_string())
        .insert_header("x-echo", format!("Bearer {TOKEN}"))
        .insert_header("x-plain", "shown");
    let response = Mock::given(any()).respond_with(response);
    response.mount(&server).await;
    let preo = preo(&server.uri()).build().unwrap();
    let call = preo.retrieve_webhook("wh_1").send_with_response();
    let shown = format!("{:?}", call.await.unwrap().headers());
    assert!(shown.contains("shown") && !shown.contains(TOKEN), "{shown}");
}

#[tokio::test]
async fn url_of_a_webhook_is_redacted_in_every_debug() {
    let url = "https://user:pw-9f86d081@example.com/9f86d081?token=9f86d081";
    let mut answer = webhook("wh_1");
    answer["url"] = url.into();
    let page = serde_json::json!({ "count": 1, "results": [answer] });
    let server = MockServer::start().await;
    let response = Mock::given(any()).respond_with(json(200, &answer.to_string()));
    response.mount(&server).await;
    let preo = preo(&server.uri()).build().unwrap();
    let mut create = create();
    create.url = url.into();
    let update = WebhookUpdate::new().url(url);
    let shown = format!("{create:?} {update:?}");
    let calls = format!(
        "{:?} {:?}",
        preo.create_webhook(create),
        preo.update_webhook("wh_1", update)
    );
    let webhook = preo.retrieve_webhook("wh_1").send().await.unwrap();
    assert_eq!(webhook.url, url);
    let page: WebhookPage = serde_json::from_value(page).unwrap();
    let shown = format!("{shown} {calls} {webhook:?} {page:?}");
    assert!(shown.contains("https://***@example.com/***"), "{shown}");
    assert!(!shown.contains("9f86d081"), "{shown}");
}
