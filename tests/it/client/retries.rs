//! Which requests are retried, when, and how often.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::task::JoinSet;
use webhook_sdk::RetryPolicy;
use webhook_sdk::preo::{PreoClient, WebhookUpdate};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::{create, preo, preo_and_server, raw_server, webhook};

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

/// Asks to wait before the next request.
fn asking(status: u16, wait: &str) -> ResponseTemplate {
    ResponseTemplate::new(status).insert_header("retry-after", wait)
}

fn slow() -> ResponseTemplate {
    ResponseTemplate::new(200).set_delay(Duration::from_secs(600))
}

async fn sent(server: &MockServer) -> usize {
    server.received_requests().await.unwrap().len()
}

fn http(body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

#[tokio::test]
async fn idempotent_request_survives_two_failures() {
    for status in [408, 429, 500, 502, 503, 504] {
        let (preo, server) = preo_and_server().await;
        failing(&server, 2, ResponseTemplate::new(status)).await;
        preo.retrieve_webhook("wh_1").send().await.unwrap();
        assert_eq!(sent(&server).await, 3, "{status}");
    }
}

#[tokio::test]
async fn third_failure_is_returned() {
    let (preo, server) = preo_and_server().await;
    failing(&server, 3, ResponseTemplate::new(503)).await;
    let error = preo.retrieve_webhook("wh_1").send().await.unwrap_err();
    assert_eq!(
        (error.status().unwrap().as_u16(), error.attempts()),
        (503, 3)
    );
}

#[tokio::test]
async fn patch_and_delete_are_retried() {
    let (preo, server) = preo_and_server().await;
    failing(&server, 1, ResponseTemplate::new(502)).await;
    preo.update_webhook("wh_1", WebhookUpdate::new().name("n"))
        .send()
        .await
        .unwrap();
    let (preo, server) = preo_and_server().await;
    failing(&server, 1, ResponseTemplate::new(502)).await;
    preo.delete_webhook("wh_1").send().await.unwrap();
    assert_eq!(sent(&server).await, 2);
}

#[tokio::test]
async fn permanent_failures_are_not_retried() {
    for status in [400, 401, 403, 404, 409, 410, 422, 501, 505] {
        let (preo, server) = preo_and_server().await;
        failing(&server, 1, ResponseTemplate::new(status)).await;
        let error = preo.retrieve_webhook("wh_1").send().await.unwrap_err();
        assert!(!error.is_retryable(), "{status}");
        assert_eq!(sent(&server).await, 1, "{status}");
    }
}

#[tokio::test]
async fn post_that_may_have_been_applied_is_not_retried() {
    for status in [408, 500, 502, 503, 504] {
        let (preo, server) = preo_and_server().await;
        failing(&server, 1, asking(status, "0")).await;
        let error = preo.create_webhook(create()).send().await.unwrap_err();
        assert!(error.is_retryable());
        assert_eq!(sent(&server).await, 1, "{status}");
    }
}

#[tokio::test]
async fn throttled_post_is_retried_with_the_same_body() {
    let (preo, server) = preo_and_server().await;
    failing(&server, 2, ResponseTemplate::new(429)).await;
    preo.create_webhook(create()).send().await.unwrap();
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
async fn refused_connection_is_retried_even_for_a_post() {
    let preo = preo("http://127.0.0.1:1").build().unwrap();
    let error = preo.create_webhook(create()).send().await.unwrap_err();
    assert!(error.is_connect());
    assert_eq!(error.attempts(), 3);
}

#[tokio::test]
async fn never_sends_one_request() {
    let server = MockServer::start().await;
    let throttled = asking(429, "0");
    failing(&server, 1, throttled).await;
    let preo = preo(&server.uri())
        .retry(RetryPolicy::never())
        .build()
        .unwrap();
    preo.retrieve_webhook("wh_1").send().await.unwrap_err();
    assert_eq!(sent(&server).await, 1);
}

#[tokio::test]
async fn retry_after_above_the_bound_fails_the_call() {
    let date = httpdate(Duration::from_secs(7200));
    for (value, least, most) in [
        ("61", 61, 61),
        ("86400", 86400, 86400),
        ("99999999999999999999999", u64::MAX, u64::MAX),
        (&*date, 7190, 7200),
    ] {
        let (preo, server) = preo_and_server().await;
        failing(&server, 1, asking(503, value)).await;
        let error = preo.retrieve_webhook("wh_1").send().await.unwrap_err();
        let wait = error.retry_after().unwrap().as_secs();
        assert!((least..=most).contains(&wait), "{value} became {wait}");
        assert_eq!(sent(&server).await, 1);
    }
}

#[tokio::test]
async fn invalid_retry_after_is_ignored() {
    for value in ["", "-1", "soon", "1e3", "Sun, 06 Nov 1994 08:49:37 GMT"] {
        let (preo, server) = preo_and_server().await;
        failing(&server, 1, asking(503, value)).await;
        preo.retrieve_webhook("wh_1").send().await.unwrap();
        assert_eq!(sent(&server).await, 2, "{value}");
    }
}

#[tokio::test]
async fn wait_beyond_the_deadline_is_not_started() {
    let server = MockServer::start().await;
    failing(&server, 1, asking(429, "50")).await;
    let preo = preo(&server.uri())
        .deadline(Duration::from_secs(40))
        .build()
        .unwrap();
    let error = preo.retrieve_webhook("wh_1").send().await.unwrap_err();
    assert!(error.is_rate_limited());
    assert_eq!(error.retry_after(), Some(Duration::from_secs(50)));
}

/// Runs `future` on a paused clock that moves 10 ms for each real millisecond, and stores its time.
///
/// The clock doesn't skip ahead of network traffic, because tokio never does so during blocking work.
async fn accelerated<T>(clock: Arc<AtomicU64>, future: impl Future<Output = T>) -> T {
    tokio::time::pause();
    let tick = async {
        loop {
            let pause = || std::thread::sleep(Duration::from_millis(1));
            tokio::task::spawn_blocking(pause).await.unwrap();
            tokio::time::advance(Duration::from_millis(10)).await;
            clock.fetch_add(10, Ordering::SeqCst);
        }
    };
    tokio::select! {
        biased;
        result = future => result,
        () = tick => unreachable!(),
    }
}

#[tokio::test]
async fn forty_calls_all_succeed_with_a_limit_of_five_per_second() {
    let server = MockServer::start().await;
    let clock = Arc::new(AtomicU64::new(0));
    let now = Arc::clone(&clock);
    let admitted: Mutex<Vec<u64>> = Mutex::default();
    let arrivals: Arc<Mutex<Vec<u64>>> = Arc::default();
    let arrived = Arc::clone(&arrivals);
    let limited = move |_: &wiremock::Request| {
        let now = now.load(Ordering::SeqCst);
        arrived.lock().unwrap().push(now);
        let mut admitted = admitted.lock().unwrap();
        if admitted.iter().filter(|at| *at + 1_000 > now).count() == 5 {
            return asking(429, "1");
        }
        admitted.push(now);
        ResponseTemplate::new(200).set_body_json(webhook("wh_1"))
    };
    Mock::given(any())
        .respond_with(limited)
        .mount(&server)
        .await;
    let preo = PreoClient::builder("token").base_url(server.uri());
    let preo = preo.deadline(Duration::from_secs(120)).build().unwrap();
    let calls: JoinSet<_> = (0..40)
        .map(|_| {
            let preo = preo.clone();
            async move { preo.retrieve_webhook("wh_1").send().await }
        })
        .collect();
    let results = accelerated(clock, calls.join_all()).await;

    for result in results {
        result.unwrap();
    }
    let retried: BTreeSet<_> = arrivals.lock().unwrap()[40..].iter().copied().collect();
    assert!(retried.len() > 8, "callers return together: {retried:?}");
}

#[tokio::test]
async fn throttling_does_not_use_up_the_retries() {
    let server = MockServer::start().await;
    let throttled = asking(429, "0");
    failing(&server, 20, throttled).await;
    let preo = preo(&server.uri()).build().unwrap();
    preo.retrieve_webhook("wh_1").send().await.unwrap();
    assert_eq!(sent(&server).await, 21);
}

#[tokio::test]
async fn throttling_without_a_retry_after_counts_as_a_retry() {
    let (preo, server) = preo_and_server().await;
    failing(&server, 3, ResponseTemplate::new(429)).await;
    let error = preo.retrieve_webhook("wh_1").send().await.unwrap_err();
    assert!(error.is_rate_limited());
    assert_eq!(error.attempts(), 3);
}

#[tokio::test]
async fn conflict_with_retry_after_is_retried() {
    let (preo, server) = preo_and_server().await;
    failing(&server, 1, asking(409, "0")).await;
    preo.retrieve_webhook("wh_1").send().await.unwrap();
    assert_eq!(sent(&server).await, 2);
}

#[tokio::test]
async fn timed_out_attempt_is_retried() {
    let server = MockServer::start().await;
    failing(&server, 2, slow()).await;
    let preo = preo(&server.uri()).timeout(Duration::from_millis(50));
    let preo = preo.build().unwrap();
    preo.retrieve_webhook("wh_1").send().await.unwrap();
    assert_eq!(sent(&server).await, 3);
}

#[tokio::test]
async fn timed_out_post_is_not_retried() {
    let server = MockServer::start().await;
    failing(&server, 1, slow()).await;
    let preo = preo(&server.uri()).timeout(Duration::from_millis(50));
    let preo = preo.build().unwrap();
    let error = preo.create_webhook(create()).send().await.unwrap_err();
    assert!(error.is_timeout() && error.is_retryable(), "{error:?}");
    assert_eq!((error.attempts(), sent(&server).await), (1, 1));
}

#[tokio::test]
async fn deadline_ends_a_running_attempt() {
    let server = MockServer::start().await;
    failing(&server, 9, slow()).await;
    let preo = preo(&server.uri()).deadline(Duration::from_millis(50));
    let preo = preo.build().unwrap();
    let error = preo.retrieve_webhook("wh_1").send().await.unwrap_err();
    assert!(error.is_timeout(), "{error:?}");
    assert_eq!(error.attempts(), 1);
}

#[tokio::test]
async fn truncated_body_is_retried() {
    let whole = webhook("wh_1").to_string();
    let mut cut = http(&whole);
    cut.truncate(cut.len() - 10);
    let (base_url, server) = raw_server([cut, http(&whole)]).await;
    let preo = preo(&base_url).build().unwrap();
    preo.retrieve_webhook("wh_1").send().await.unwrap();
    assert_eq!(server.await.unwrap().len(), 2);
}

#[tokio::test]
async fn post_is_not_retried_after_a_closed_connection() {
    let (base_url, server) = raw_server([Vec::new()]).await;
    let preo = preo(&base_url).build().unwrap();
    let error = preo.create_webhook(create()).send().await.unwrap_err();
    assert!(error.is_retryable() && !error.is_connect(), "{error:?}");
    assert_eq!((error.attempts(), server.await.unwrap().len()), (1, 1));
}

/// The date `ahead` in the future, in the format of an HTTP header.
fn httpdate(ahead: Duration) -> String {
    let date = chrono::Utc::now() + ahead;
    date.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

#[tokio::test]
async fn throttled_retries_are_at_least_100_ms_apart() {
    let server = MockServer::start().await;
    let throttled = asking(429, "0");
    failing(&server, u64::MAX, throttled).await;
    let preo = preo(&server.uri())
        .retry(RetryPolicy::new().min_backoff(Duration::ZERO))
        .deadline(Duration::from_secs(1))
        .build()
        .unwrap();
    let error = preo.retrieve_webhook("wh_1").send().await.unwrap_err();
    assert!(error.is_rate_limited() || error.is_timeout(), "{error:?}");
    assert!(sent(&server).await <= 11, "{error:?}");
}
