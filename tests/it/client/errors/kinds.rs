//! What happened, and whether the service may have done what was asked.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use webhook_sdk::preo::PreoClient;
use webhook_sdk::{Error, ErrorKind, RetryPolicy, Rotation, Secret};
use wiremock::matchers::{any, method};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::{create, failure, json};
use crate::support::{preo, preo_and_server, raw_server, webhook};

fn once(base_url: &str) -> PreoClient {
    preo(base_url).retry(RetryPolicy::never()).build().unwrap()
}

/// The errors of reading and of creating at a server that answers with these bytes.
async fn raw_failures(answer: &[u8]) -> [Error; 2] {
    let (base_url, _server) = raw_server([answer.to_vec(), answer.to_vec()]).await;
    let preo = once(&base_url);
    let read = preo.retrieve_webhook("wh_1").send().await.unwrap_err();
    let created = preo.create_webhook(create()).send().await;
    [read, created.unwrap_err()]
}

/// Sends these bytes to every connection and leaves it open.
async fn stalling_server(answer: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut open = Vec::new();
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 4096]).await.unwrap();
            stream.write_all(answer).await.unwrap();
            open.push(stream);
        }
    });
    base_url
}

#[tokio::test]
async fn each_status_has_its_kind() {
    let cases = [
        (300, ErrorKind::Status),
        (301, ErrorKind::Redirect),
        (304, ErrorKind::Status),
        (308, ErrorKind::Redirect),
        (400, ErrorKind::Validation),
        (401, ErrorKind::Unauthorized),
        (403, ErrorKind::Forbidden),
        (404, ErrorKind::NotFound),
        (405, ErrorKind::Status),
        (408, ErrorKind::Status),
        (409, ErrorKind::Conflict),
        (410, ErrorKind::Status),
        (422, ErrorKind::Validation),
        (429, ErrorKind::RateLimited),
        (500, ErrorKind::Server),
        (599, ErrorKind::Server),
    ];
    for (status, kind) in cases {
        let error = failure(ResponseTemplate::new(status)).await;
        assert_eq!(error.kind(), kind, "{status}");
        assert_eq!(error.status().unwrap(), status);
        let predicates = [
            error.is_configuration(),
            error.is_timeout(),
            error.is_connect(),
            error.is_decode(),
            error.is_list_changed(),
            error.is_validation(),
            error.is_unauthorized(),
            error.is_forbidden(),
            error.is_not_found(),
            error.is_conflict(),
            error.is_rate_limited(),
        ];
        let named =
            kind != ErrorKind::Redirect && kind != ErrorKind::Status && kind != ErrorKind::Server;
        let true_ones = predicates.into_iter().filter(|is| *is).count();
        assert_eq!(true_ones, usize::from(named), "{status}");
    }
}

#[tokio::test]
async fn not_modified_is_not_called_a_redirect() {
    let error = failure(ResponseTemplate::new(304)).await;
    assert_eq!(error.to_string(), "retrieve_webhook: 304 Not Modified");
}

#[tokio::test]
async fn bytes_that_are_not_http_differ_from_a_closed_connection() {
    for garbage in [
        &b"SSH-2.0-OpenSSH_9.6\r\n"[..],
        b"\x15\x03\x01\x00\x02\x02\x46",
        b"HTTP/1.1 200 OK\r\nno colon here\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nnot hexadecimal\r\n",
    ] {
        for error in raw_failures(garbage).await {
            assert_eq!(error.kind(), ErrorKind::Protocol, "{error:?}");
            assert!(error.to_string().contains("isn't valid HTTP"));
            assert!(error.is_retryable() && !error.is_decode());
        }
    }
    for cut in [
        &b""[..],
        b"HTTP/1.1 200 OK\r\ncontent-le",
        b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{",
    ] {
        for error in raw_failures(cut).await {
            assert_eq!(error.kind(), ErrorKind::Disconnected, "{error:?}");
            assert!(error.is_retryable() && !error.is_decode());
        }
    }
}

#[tokio::test]
async fn failed_tls_handshake_differs_from_a_failed_connection() {
    let (base_url, _server) = raw_server([b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()]).await;
    let preo = once(&base_url.replace("http://", "https://"));
    let error = preo.retrieve_webhook("wh_1").send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls, "{error:?}");
    assert!(error.is_connect() && error.is_tls() && !error.is_retryable());
    assert!(error.to_string().contains("TLS handshake failed"));

    let nowhere = once("http://127.0.0.1:1");
    let error = nowhere.delete_webhook("wh_1").send().await;
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect, "{error:?}");
    assert!(!error.is_tls() && error.is_retryable() && !error.may_have_been_applied());
}

#[tokio::test]
async fn body_that_stalls_is_a_timeout_with_its_status() {
    let ok = b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{\"id\":";
    let base_url = stalling_server(ok).await;
    let attempt = preo(&base_url).timeout(Duration::from_secs(2));
    let attempt = attempt.retry(RetryPolicy::never()).build().unwrap();
    let call = preo(&base_url).deadline(Duration::from_secs(2));
    for (preo, kind) in [
        (attempt, ErrorKind::Timeout),
        (call.build().unwrap(), ErrorKind::Deadline),
    ] {
        let error = preo.delete_webhook("wh_1").send().await.unwrap_err();
        assert_eq!(error.kind(), kind);
        assert!(error.is_timeout() && error.is_retryable() && !error.is_decode());
        assert_eq!(error.status().unwrap(), 200);
        assert!(error.may_have_been_applied());
    }
}

#[tokio::test]
async fn error_whose_body_stalls_past_the_deadline_keeps_its_kind() {
    let forbidden = b"HTTP/1.1 403 Forbidden\r\ncontent-length: 900\r\n\r\n{\"detail\":";
    let preo = preo(&stalling_server(forbidden).await).deadline(Duration::from_secs(2));
    let preo = preo.build().unwrap();
    let error = preo.delete_webhook("wh_1").send().await.unwrap_err();
    assert!(error.is_forbidden() && !error.may_have_been_applied());
}

#[tokio::test]
async fn status_of_an_earlier_attempt_survives_the_deadline() {
    let (preo, server) = {
        let server = MockServer::start().await;
        let preo = preo(&server.uri()).deadline(Duration::from_secs(2));
        (preo.build().unwrap(), server)
    };
    let busy = ResponseTemplate::new(503).insert_header("x-request-id", "req-9");
    let busy = Mock::given(any()).respond_with(busy).up_to_n_times(1);
    busy.mount(&server).await;
    let slow = ResponseTemplate::new(200).set_delay(Duration::from_secs(60));
    Mock::given(any()).respond_with(slow).mount(&server).await;
    let error = preo.delete_webhook("wh_1").send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Deadline);
    assert_eq!(
        (error.status().unwrap().as_u16(), error.attempts()),
        (503, 2)
    );
    assert_eq!(error.request_id(), Some("req-9"));
}

#[tokio::test]
async fn rejected_write_was_not_applied() {
    for (status, applied) in [
        (301, false),
        (303, true),
        (304, true),
        (400, false),
        (401, false),
        (403, false),
        (404, false),
        (408, true),
        (409, false),
        (413, false),
        (429, false),
        (500, true),
        (503, true),
    ] {
        let (server, response) = (MockServer::start().await, ResponseTemplate::new(status));
        Mock::given(any())
            .respond_with(response)
            .mount(&server)
            .await;
        let preo = once(&server.uri());
        let error = preo.create_webhook(create()).send().await;
        let error = error.unwrap_err();
        assert_eq!(error.may_have_been_applied(), applied, "{status}");
        let error = preo.retrieve_webhook("wh_1").send().await.unwrap_err();
        assert!(!error.may_have_been_applied(), "a read changes nothing");
    }
    for error in raw_failures(b"HTTP/1.1 201 Created\r\ncontent-length: 1\r\n\r\n{").await {
        assert!(error.is_decode());
        assert_eq!(
            error.may_have_been_applied(),
            error.operation() == Some("create_webhook")
        );
    }
}

#[tokio::test]
async fn rejection_after_an_attempt_without_response_may_have_been_applied() {
    for (first, applied) in [(503, true), (429, false)] {
        let (preo, server) = preo_and_server().await;
        let first = ResponseTemplate::new(first);
        let first = Mock::given(any()).respond_with(first).up_to_n_times(1);
        first.mount(&server).await;
        let gone = ResponseTemplate::new(404);
        Mock::given(any()).respond_with(gone).mount(&server).await;
        let error = preo.delete_webhook("wh_1").send().await.unwrap_err();
        assert!(error.is_not_found() && error.attempts() == 2);
        assert_eq!(error.may_have_been_applied(), applied);
    }
}

#[tokio::test]
async fn rejection_before_sending_names_the_operation_and_field() {
    let (preo, _server) = preo_and_server().await;
    for (error, operation, field) in [
        (
            preo.list_webhooks().page_size(0_u64).send().await.err(),
            "list_webhooks",
            "page_size",
        ),
        (
            preo.delete_webhook("").send().await.err(),
            "delete_webhook",
            "id",
        ),
    ] {
        let error = error.unwrap();
        assert_eq!(error.kind(), ErrorKind::Validation);
        assert_eq!(error.operation(), Some(operation));
        assert_eq!(error.field_errors()[0].field, field);
        assert!(!error.may_have_been_applied() && error.status().is_none());
    }
}

#[tokio::test]
async fn rotation_whose_response_lacks_a_secret_was_sent() {
    use webhook_sdk::signature::{Key, Keyring};

    let (preo, server) = preo_and_server().await;
    for secret in [None, Some("")] {
        let mut answer = webhook("wh_1");
        answer["secret"] = secret.into();
        let response = ResponseTemplate::new(200).set_body_json(answer);
        server.reset().await;
        let rotate = Mock::given(method("POST")).respond_with(response);
        rotate.mount(&server).await;
        let old = Key::new("old", &Secret::from("an old secret of some length")).unwrap();
        let keyring = Keyring::new(old);
        let rotation = Rotation::new(&keyring, "old", "new");
        let rotate = preo.rotate_webhook_secret("wh_1").rotate(rotation);
        let error = rotate.await.unwrap_err();
        assert!(!error.is_configuration());
        assert_eq!(error.kind(), ErrorKind::Secret);
        assert_eq!(error.operation(), Some("rotate_webhook_secret"));
        assert!(error.may_have_been_applied() && error.attempts() == 1);
    }
    let error = failure(json(200, "{}")).await;
    assert!(!error.is_configuration());
}
