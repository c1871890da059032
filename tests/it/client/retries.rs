//! When a request goes out again, and when it must not.

use std::time::Duration;

use webhook_sdk::RetryPolicy;
use webhook_sdk::preo::{WebhookCreate, WebhookUpdate};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::{preo, preo_and_server, raw_server, webhook};

/// Answers `failures` times with `response`, then as a healthy server.
async fn failing(server: &MockServer, failures: u64, response: ResponseTemplate) {
    Mock::given(any())
        .respond_with(response)
        .up_to_n_times(failures)
        .mount(server)
        .await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(200).set_body_json(webhook("wh_1")))
        .mount(server)
        .await;
}

async fn sent(server: &MockServer) -> usize {
    server.received_requests().await.unwrap().len()
}

fn create() -> WebhookCreate {
    WebhookCreate::new(
        "org_1",
        "Orders",
        "https://example.com/hook",
        ["consent.given"],
    )
}

fn http(body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

#[tokio::test]
async fn a_call_that_may_be_repeated_outlives_two_failures() {
    for status in [408, 429, 500, 502, 503, 504] {
        let (preo, server) = preo_and_server().await;
        failing(&server, 2, ResponseTemplate::new(status)).await;
        preo.retrieve_webhook().id("wh_1").send().await.unwrap();
        assert_eq!(sent(&server).await, 3, "{status}");
    }
}

#[tokio::test]
async fn the_third_failure_is_the_callers() {
    let (preo, server) = preo_and_server().await;
    failing(&server, 3, ResponseTemplate::new(503)).await;
    let error = preo.retrieve_webhook().id("wh_1").send().await.unwrap_err();
    assert_eq!(
        (error.status().unwrap().as_u16(), error.attempts()),
        (503, 3)
    );
}

#[tokio::test]
async fn patch_and_delete_are_repeated() {
    let (preo, server) = preo_and_server().await;
    failing(&server, 1, ResponseTemplate::new(502)).await;
    preo.update_webhook()
        .id("wh_1")
        .body(WebhookUpdate::new().name("n"))
        .send()
        .await
        .unwrap();
    let (preo, server) = preo_and_server().await;
    failing(&server, 1, ResponseTemplate::new(502)).await;
    preo.delete_webhook().id("wh_1").send().await.unwrap();
    assert_eq!(sent(&server).await, 2);
}

#[tokio::test]
async fn what_will_not_change_is_not_repeated() {
    for status in [400, 401, 403, 404, 409, 410, 422, 501] {
        let (preo, server) = preo_and_server().await;
        failing(&server, 1, ResponseTemplate::new(status)).await;
        preo.retrieve_webhook().id("wh_1").send().await.unwrap_err();
        assert_eq!(sent(&server).await, 1, "{status}");
    }
}

#[tokio::test]
async fn a_post_that_may_have_had_an_effect_is_sent_once() {
    for status in [408, 500, 502, 503, 504] {
        let (preo, server) = preo_and_server().await;
        failing(
            &server,
            1,
            ResponseTemplate::new(status).insert_header("retry-after", "0"),
        )
        .await;
        let error = preo
            .create_webhook()
            .body(create())
            .send()
            .await
            .unwrap_err();
        assert!(error.is_retryable());
        assert_eq!(sent(&server).await, 1, "{status}");
    }
}

#[tokio::test]
async fn a_post_that_was_turned_away_is_repeated() {
    let (preo, server) = preo_and_server().await;
    failing(&server, 2, ResponseTemplate::new(429)).await;
    preo.create_webhook().body(create()).send().await.unwrap();
    let bodies: Vec<_> = server
        .received_requests()
        .await
        .unwrap()
        .into_iter()
        .map(|request| request.body)
        .collect();
    assert_eq!(bodies.len(), 3);
    assert!(
        bodies
            .windows(2)
            .all(|pair| pair[0] == pair[1] && !pair[0].is_empty())
    );
}

#[tokio::test]
async fn a_server_that_is_not_there_is_asked_again_even_by_a_post() {
    let preo = preo("http://127.0.0.1:1").build().unwrap();
    let error = preo
        .create_webhook()
        .body(create())
        .send()
        .await
        .unwrap_err();
    assert!(error.is_connect());
    assert_eq!(error.attempts(), 3);
}

#[tokio::test]
async fn never_means_once() {
    let server = MockServer::start().await;
    failing(&server, 1, ResponseTemplate::new(429)).await;
    let preo = preo(&server.uri())
        .retry(RetryPolicy::never())
        .build()
        .unwrap();
    preo.retrieve_webhook().id("wh_1").send().await.unwrap_err();
    assert_eq!(sent(&server).await, 1);
}

#[tokio::test]
async fn a_retry_after_past_the_bound_is_handed_to_the_caller() {
    let date = httpdate(Duration::from_secs(7200));
    for (value, least, most) in [
        ("61", 61, 61),
        ("86400", 86400, 86400),
        ("99999999999999999999999", u64::MAX, u64::MAX),
        (&*date, 7190, 7200),
    ] {
        let (preo, server) = preo_and_server().await;
        failing(
            &server,
            1,
            ResponseTemplate::new(503).insert_header("retry-after", value),
        )
        .await;
        let error = preo.retrieve_webhook().id("wh_1").send().await.unwrap_err();
        let wait = error.retry_after().unwrap().as_secs();
        assert!((least..=most).contains(&wait), "{value} became {wait}");
        assert_eq!(sent(&server).await, 1);
    }
}

#[tokio::test]
async fn a_retry_after_that_says_nothing_is_passed_over() {
    for value in ["", "-1", "soon", "1e3", "Sun, 06 Nov 1994 08:49:37 GMT"] {
        let (preo, server) = preo_and_server().await;
        failing(
            &server,
            1,
            ResponseTemplate::new(503).insert_header("retry-after", value),
        )
        .await;
        preo.retrieve_webhook().id("wh_1").send().await.unwrap();
        assert_eq!(sent(&server).await, 2, "{value}");
    }
}

#[tokio::test]
async fn a_wait_longer_than_the_deadline_is_not_begun() {
    let server = MockServer::start().await;
    failing(
        &server,
        1,
        ResponseTemplate::new(429).insert_header("retry-after", "50"),
    )
    .await;
    let preo = preo(&server.uri())
        .deadline(Duration::from_secs(40))
        .build()
        .unwrap();
    let error = preo.retrieve_webhook().id("wh_1").send().await.unwrap_err();
    assert!(error.is_rate_limited());
    assert_eq!(error.retry_after(), Some(Duration::from_secs(50)));
}

#[tokio::test]
async fn a_conflict_that_names_a_wait_is_repeated() {
    let (preo, server) = preo_and_server().await;
    failing(
        &server,
        1,
        ResponseTemplate::new(409).insert_header("retry-after", "0"),
    )
    .await;
    preo.retrieve_webhook().id("wh_1").send().await.unwrap();
    assert_eq!(sent(&server).await, 2);
}

#[tokio::test]
async fn a_slow_answer_runs_into_the_time_out_of_each_attempt() {
    let server = MockServer::start().await;
    let slow = ResponseTemplate::new(200).set_delay(Duration::from_secs(600));
    failing(&server, 2, slow).await;
    let preo = preo(&server.uri())
        .timeout(Duration::from_millis(50))
        .build()
        .unwrap();
    preo.retrieve_webhook().id("wh_1").send().await.unwrap();
    assert_eq!(sent(&server).await, 3);
}

#[tokio::test]
async fn a_post_is_not_repeated_after_a_time_out() {
    let server = MockServer::start().await;
    failing(
        &server,
        1,
        ResponseTemplate::new(200).set_delay(Duration::from_secs(600)),
    )
    .await;
    let preo = preo(&server.uri())
        .timeout(Duration::from_millis(50))
        .build()
        .unwrap();
    let error = preo
        .create_webhook()
        .body(create())
        .send()
        .await
        .unwrap_err();
    assert!(error.is_timeout() && error.is_retryable(), "{error:?}");
    assert_eq!((error.attempts(), sent(&server).await), (1, 1));
}

#[tokio::test]
async fn the_deadline_ends_a_call_in_the_middle_of_an_attempt() {
    let server = MockServer::start().await;
    failing(
        &server,
        9,
        ResponseTemplate::new(200).set_delay(Duration::from_secs(600)),
    )
    .await;
    let preo = preo(&server.uri())
        .deadline(Duration::from_millis(50))
        .build()
        .unwrap();
    let error = preo.retrieve_webhook().id("wh_1").send().await.unwrap_err();
    assert!(error.is_timeout(), "{error:?}");
    assert_eq!(error.attempts(), 1);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_fetched_again() {
    let whole = webhook("wh_1").to_string();
    let mut cut = http(&whole);
    cut.truncate(cut.len() - 10);
    let (base_url, server) = raw_server([cut, http(&whole)]).await;
    let preo = preo(&base_url).build().unwrap();
    preo.retrieve_webhook().id("wh_1").send().await.unwrap();
    assert_eq!(server.await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_connection_closed_without_an_answer_is_no_reason_to_post_twice() {
    let (base_url, server) = raw_server([Vec::new()]).await;
    let preo = preo(&base_url).build().unwrap();
    let error = preo
        .create_webhook()
        .body(create())
        .send()
        .await
        .unwrap_err();
    assert!(error.is_retryable() && !error.is_connect(), "{error:?}");
    assert_eq!((error.attempts(), server.await.unwrap().len()), (1, 1));
}

/// The date `ahead` of now, as an HTTP header has it.
fn httpdate(ahead: Duration) -> String {
    let date = chrono::Utc::now() + ahead;
    date.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}
