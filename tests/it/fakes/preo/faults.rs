use std::time::Duration;

use reqwest::header::{HeaderName, HeaderValue};
use reqwest::{Method, StatusCode};
use serde_json::json;
use webhook_sdk::testing::{Fault, PreoFake, PreoOperation};

use super::{Caller, answer, valid_body};

async fn statuses(caller: &Caller, count: usize) -> Vec<u16> {
    let mut statuses = Vec::new();
    for _ in 0..count {
        let response = caller.request(Method::GET, "").send().await.unwrap();
        statuses.push(response.status().as_u16());
    }
    statuses
}

#[tokio::test]
async fn a_fault_hits_as_many_requests_as_it_is_told() {
    let preo = PreoFake::start().await;
    let unavailable = Fault::status(StatusCode::SERVICE_UNAVAILABLE);
    preo.inject(unavailable.times(2));
    preo.inject(Fault::status(StatusCode::IM_A_TEAPOT));
    preo.inject(Fault::status(StatusCode::GONE).times(0));
    assert_eq!(preo.pending_faults(), 3);

    let seen = statuses(&Caller::of(&preo), 4).await;

    assert_eq!(seen, [503, 503, 418, 200]);
    assert_eq!(preo.pending_faults(), 0);
}

#[tokio::test]
async fn a_fault_can_be_limited_to_one_operation() {
    let preo = PreoFake::start().await;
    let caller = Caller::of(&preo);
    let id = preo.seed_webhooks(1).remove(0);
    let one = format!("/{id}");
    let delivery = format!("/{id}/deliveries/x");
    let calls = [
        (PreoOperation::ListWebhooks, Method::GET, String::new()),
        (PreoOperation::CreateWebhook, Method::POST, String::new()),
        (PreoOperation::RetrieveWebhook, Method::GET, one.clone()),
        (PreoOperation::UpdateWebhook, Method::PATCH, one.clone()),
        (PreoOperation::DeleteWebhook, Method::DELETE, one.clone()),
        (
            PreoOperation::RotateWebhookSecret,
            Method::POST,
            format!("{one}/rotate-secret"),
        ),
        (
            PreoOperation::ListWebhookDeliveries,
            Method::GET,
            format!("{one}/deliveries"),
        ),
        (
            PreoOperation::RetrieveWebhookDelivery,
            Method::GET,
            delivery.clone(),
        ),
        (
            PreoOperation::RetryWebhookDelivery,
            Method::POST,
            format!("{delivery}/retry"),
        ),
    ];

    for (operation, method, path) in &calls {
        preo.inject_on(*operation, Fault::status(StatusCode::IM_A_TEAPOT));
        for (other, method, path) in calls.iter().filter(|call| call.0 != *operation) {
            if *other != PreoOperation::DeleteWebhook {
                let request = caller.request(method.clone(), path);
                assert_ne!(request.send().await.unwrap().status(), 418, "{other:?}");
            }
        }
        let request = caller.request(method.clone(), path);
        assert_eq!(request.send().await.unwrap().status(), 418, "{operation:?}");
    }
}

#[tokio::test]
async fn a_fault_answers_with_its_body_and_headers() {
    let preo = PreoFake::start().await;
    let fault = Fault::status(StatusCode::FORBIDDEN)
        .json(&json!({"detail": "no"}))
        .header(
            HeaderName::from_static("x-request-id"),
            HeaderValue::from_static("r_1"),
        );
    preo.inject(fault);

    let request = Caller::of(&preo).request(Method::GET, "");
    let response = request.send().await.unwrap();

    assert_eq!(response.status(), 403);
    assert_eq!(response.headers()["x-request-id"], "r_1");
    assert_eq!(response.headers()["content-type"], "application/json");
    assert_eq!(response.text().await.unwrap(), r#"{"detail":"no"}"#);
}

#[tokio::test]
async fn too_many_requests_come_with_the_time_to_wait() {
    let preo = PreoFake::start().await;
    preo.inject(Fault::rate_limited(Duration::from_millis(1_001)));

    let request = Caller::of(&preo).request(Method::GET, "");
    let response = request.send().await.unwrap();

    assert_eq!(response.status(), 429);
    assert_eq!(response.headers()["retry-after"], "2");
    let detail = "Request was throttled. Expected available in 2 seconds.";
    let body: serde_json::Value = response.json().await.unwrap();
    assert_eq!(body, json!({"detail": detail}));
}

#[tokio::test]
async fn a_bad_gateway_is_html() {
    let preo = PreoFake::start().await;
    preo.inject(Fault::bad_gateway());

    let request = Caller::of(&preo).request(Method::GET, "");
    let response = request.send().await.unwrap();

    assert_eq!(response.status(), 502);
    let content_type = &response.headers()["content-type"];
    assert_eq!(content_type, "text/html; charset=utf-8");
    assert!(response.text().await.unwrap().starts_with("<html>"));
}

#[tokio::test]
async fn a_fault_with_a_status_comes_before_the_operation_or_after_it() {
    let preo = PreoFake::start().await;
    let caller = Caller::of(&preo);
    let fault = || Fault::status(StatusCode::BAD_GATEWAY).json(&json!({}));

    preo.inject(fault());
    let before = caller.create(&valid_body()).await;
    assert_eq!((before.0, preo.webhooks().len()), (502, 0));

    preo.inject(fault().after_operation());
    let after = caller.create(&valid_body()).await;
    assert_eq!((after.0, preo.webhooks().len()), (502, 1));
}

#[tokio::test]
async fn a_connection_closes_before_the_operation_or_after_it() {
    let preo = PreoFake::start().await;
    let caller = Caller::of(&preo);
    let create = || caller.request(Method::POST, "").json(&valid_body());

    preo.inject(Fault::closed_connection());
    assert!(create().send().await.is_err());
    assert_eq!(preo.webhooks().len(), 0);

    preo.inject(Fault::closed_connection().after_operation());
    assert!(create().send().await.is_err());
    assert_eq!(preo.webhooks().len(), 1);

    assert_eq!(create().send().await.unwrap().status(), 201);
    let recorded: Vec<_> = preo.requests().iter().map(|seen| seen.status()).collect();
    assert_eq!(recorded, [None, None, Some(StatusCode::CREATED)]);
}

#[tokio::test]
async fn faults_keep_their_order_whatever_they_do() {
    let preo = PreoFake::start().await;
    let caller = Caller::of(&preo);
    preo.inject(Fault::status(StatusCode::GONE));
    preo.inject(Fault::closed_connection());

    assert_eq!(statuses(&caller, 1).await, [410]);
    assert!(caller.request(Method::GET, "").send().await.is_err());
    assert_eq!(statuses(&caller, 1).await, [200]);
}

#[tokio::test]
async fn a_truncated_body_is_the_first_half_of_the_right_one() {
    let preo = PreoFake::start().await;
    let caller = Caller::of(&preo);
    let get = async || {
        let request = caller.request(Method::GET, "");
        request.send().await.unwrap().text().await.unwrap()
    };
    let whole = get().await;
    preo.inject(Fault::truncated_body());

    assert_eq!(get().await, whole[..whole.len() / 2]);
}

#[tokio::test]
async fn a_slow_answer_outlasts_an_impatient_client() {
    let preo = PreoFake::start().await;
    preo.inject(Fault::slow(Duration::from_secs(600)));

    let request = Caller::of(&preo).request(Method::GET, "");
    let error = request.timeout(Duration::from_millis(50)).send().await;

    assert!(error.unwrap_err().is_timeout());
}

#[tokio::test]
async fn an_altered_answer_is_the_right_one_with_changes() {
    let preo = PreoFake::start().await;
    let html = HeaderValue::from_static("text/html");
    preo.inject(Fault::altered().body(html, "<p>hello</p>"));

    let request = Caller::of(&preo).request(Method::POST, "");
    let response = request.json(&valid_body()).send().await.unwrap();

    assert_eq!(response.status(), 201);
    assert_eq!(response.headers()["content-type"], "text/html");
    assert_eq!(response.text().await.unwrap(), "<p>hello</p>");
    assert_eq!(preo.webhooks().len(), 1);
}

#[tokio::test]
async fn cleared_faults_hit_nobody() {
    let preo = PreoFake::start().await;
    preo.inject(Fault::bad_gateway().times(100));
    preo.clear_faults();

    assert_eq!(preo.pending_faults(), 0);
    assert_eq!(statuses(&Caller::of(&preo), 1).await, [200]);
}

#[tokio::test]
async fn a_rate_limit_refuses_one_request_after_so_many() {
    let preo = PreoFake::start().await;
    let caller = Caller::of(&preo);
    preo.limit_rate(2, Duration::from_secs(1));

    assert_eq!(
        statuses(&caller, 7).await,
        [200, 200, 429, 200, 200, 429, 200]
    );
    statuses(&caller, 1).await;
    let response = caller.request(Method::GET, "").send().await.unwrap();
    assert_eq!(response.headers()["retry-after"], "1");
    preo.unlimit_rate();
    assert_eq!(statuses(&caller, 4).await, [200; 4]);
    preo.limit_rate(0, Duration::ZERO);
    assert_eq!(statuses(&caller, 2).await, [429; 2]);
}

#[tokio::test]
async fn requests_are_recorded_with_their_exact_query() {
    let preo = PreoFake::start().await;
    let caller = Caller::of(&preo);
    caller.get("?ordering=-name,created&x=%C3%BC+%2F").await;
    caller.create(&json!({"name": 1})).await;

    let requests = preo.requests();

    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0].method(), Method::GET);
    assert_eq!(requests[0].path(), "/v1/webhooks");
    assert_eq!(
        requests[0].query(),
        Some("ordering=-name,created&x=%C3%BC+%2F")
    );
    assert_eq!(requests[0].status(), Some(StatusCode::OK));
    assert_eq!(requests[1].path_and_query(), "/v1/webhooks");
    assert_eq!(requests[1].query(), None);
    assert_eq!(requests[1].request().body, br#"{"name":1}"#);
    assert_eq!(requests[1].status(), Some(StatusCode::BAD_REQUEST));
}

#[tokio::test]
async fn recorded_requests_can_be_forgotten() {
    let preo = PreoFake::start().await;
    let caller = Caller::of(&preo);
    preo.seed_webhooks(1);
    statuses(&caller, 3).await;

    preo.forget_requests().await;

    assert!(preo.requests().is_empty());
    assert_eq!(answer(caller.request(Method::GET, "")).await.1["count"], 1);
    preo.inject(Fault::closed_connection());
    assert!(caller.request(Method::GET, "").send().await.is_err());
    assert_eq!(preo.requests().len(), 2);
}

#[tokio::test]
async fn recording_can_be_off() {
    let preo = PreoFake::builder().record_requests(false).start().await;

    statuses(&Caller::of(&preo), 3).await;

    assert!(preo.requests().is_empty());
}
