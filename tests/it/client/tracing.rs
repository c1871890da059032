//! The span and the events of a call.

use serde_json::json;
use webhook_sdk::Rotation;
use webhook_sdk::preo::WebhookUpdate;
use webhook_sdk::signature::{Key, Keyring};
use wiremock::matchers::any;
use wiremock::{Mock, ResponseTemplate};

use crate::log::listen;
use crate::support::{SECRET, TOKEN, preo_and_server, webhook};

#[tokio::test]
async fn span_has_the_operation_the_status_and_the_attempts() {
    let (preo, server) = preo_and_server().await;
    let busy = ResponseTemplate::new(503);
    Mock::given(any())
        .respond_with(busy)
        .up_to_n_times(1)
        .mount(&server)
        .await;
    let response = ResponseTemplate::new(200).set_body_json(webhook("wh_1"));
    let response = response.insert_header("x-request-id", "req-7");
    Mock::given(any())
        .respond_with(response)
        .mount(&server)
        .await;

    let (log, guard) = listen();
    preo.retrieve_webhook("wh_1").send().await.unwrap();
    drop(guard);

    let log = log.text();
    let span = log
        .lines()
        .find(|line| line.contains("webhook_sdk.call") && line.contains("close"));
    let span = span.unwrap();
    for field in [
        "operation=\"retrieve_webhook\"",
        "method=GET",
        "host=\"127.0.0.1\"",
        "path=\"/v1/webhooks/wh_1\"",
        "status=200",
        "attempts=2",
        "request_id=\"req-7\"",
        "elapsed_ms=",
    ] {
        assert!(span.contains(field), "{span} lacks {field}");
    }
}

#[tokio::test]
async fn each_retry_and_the_failure_of_the_call_are_logged_once() {
    let (preo, server) = preo_and_server().await;
    let busy = ResponseTemplate::new(503).insert_header("x-request-id", "req-8");
    Mock::given(any()).respond_with(busy).mount(&server).await;

    let (log, guard) = listen();
    preo.retrieve_webhook("wh_1").send().await.unwrap_err();
    drop(guard);

    let log = log.text();
    let events = |message: &str| -> Vec<String> {
        let lines = log.lines().filter(|line| line.contains(message));
        lines.map(str::to_owned).collect()
    };
    let retries = events("request failed, will retry");
    assert_eq!(retries.len(), 2, "{log}");
    for (attempt, line) in ["attempt=1", "attempt=2"].iter().zip(&retries) {
        for field in [
            "WARN",
            " webhook_sdk: ",
            "operation=\"retrieve_webhook\"",
            attempt,
            "reason=Server",
            "status=503",
            "request_id=\"req-8\"",
            "wait_ms=",
        ] {
            assert!(line.contains(field), "{line} lacks {field}");
        }
    }
    let failures = events("call failed");
    assert_eq!(failures.len(), 1, "{log}");
    for field in ["attempts=3", "reason=Server", "status=503"] {
        assert!(failures[0].contains(field), "{} lacks {field}", failures[0]);
    }
}

#[tokio::test]
async fn every_call_that_fails_is_logged_once() {
    let (preo, server) = preo_and_server().await;
    let response = ResponseTemplate::new(200).set_body_string("secret-in-the-body");
    Mock::given(any())
        .respond_with(response)
        .mount(&server)
        .await;

    let (log, guard) = listen();
    preo.retrieve_webhook("wh_1").send().await.unwrap_err();
    preo.retrieve_webhook("").send().await.unwrap_err();
    let keyring = Keyring::new(Key::from_bytes("main", &[7; 32]).unwrap());
    let rotation = Rotation::new(&keyring, "unknown", "new");
    let rotate = preo.rotate_webhook_secret("wh_1").rotate(rotation);
    rotate.await.unwrap_err();
    drop(guard);

    let log = log.text();
    let failed = |reason: &str| {
        let lines = log.lines().filter(|line| line.contains("call failed"));
        lines.filter(|line| line.contains(reason)).count()
    };
    assert_eq!(failed(""), 3, "{log}");
    assert_eq!(failed("reason=Decode"), 1);
    assert_eq!(failed("attempts=0 reason=Validation"), 1);
    assert_eq!(failed("attempts=0 reason=Configuration"), 1);
}

#[tokio::test]
async fn a_list_that_changed_is_logged() {
    let (preo, server) = preo_and_server().await;
    let page = json!({ "count": 9, "next": "more", "results": [webhook("wh_1")] });
    let response = ResponseTemplate::new(200).set_body_json(page);
    Mock::given(any())
        .respond_with(response)
        .mount(&server)
        .await;

    let (log, guard) = listen();
    preo.list_webhooks().all().await.unwrap_err();
    drop(guard);
    let log = log.text();
    let failures = log.lines().filter(|line| line.contains("call failed"));
    let failures: Vec<_> = failures.collect();
    assert_eq!(failures.len(), 1, "{log}");
    assert!(failures[0].contains("operation=\"list_webhooks\""));
}

#[tokio::test]
async fn logs_have_no_token_secret_body_or_query() {
    let (preo, server) = preo_and_server().await;
    let response = ResponseTemplate::new(200).set_body_json(webhook("wh_1"));
    Mock::given(any())
        .respond_with(response)
        .mount(&server)
        .await;

    let (log, guard) = listen();
    let update = WebhookUpdate::new().name("name-in-the-body");
    preo.update_webhook("wh_1", update).send().await.unwrap();
    preo.list_webhooks()
        .organization_id("org-in-the-query")
        .send()
        .await
        .unwrap_err();
    drop(guard);

    let log = log.text();
    assert!(log.contains("operation=\"list_webhooks\""));
    let ours: Vec<_> = log
        .lines()
        .filter(|line| line.contains("webhook_sdk"))
        .collect();
    for hidden in [TOKEN, SECRET, "name-in-the-body", "org-in-the-query"] {
        assert!(
            !ours.iter().any(|line| line.contains(hidden)),
            "{hidden} shows"
        );
    }
    for hidden in [TOKEN, SECRET, "name-in-the-body"] {
        assert!(
            !log.contains(hidden),
            "{hidden} shows in a log line of a dependency"
        );
    }
}
