//! What goes over the wire for each operation, and what comes back.

use std::time::Duration;

use serde_json::json;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use webhook_sdk::preo::{
    DeliveryStatus, PreoClient, WebhookCreate, WebhookEvent, WebhookOrdering, WebhookUpdate,
};
use webhook_sdk::{Auth, Patch};
use wiremock::matchers::{any, body_json, header, method, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::support::{SECRET, TOKEN, preo, preo_and_server, raw_server, webhook};

async fn answer(server: &MockServer, status: u16, body: serde_json::Value) {
    Mock::given(any())
        .respond_with(ResponseTemplate::new(status).set_body_json(body))
        .mount(server)
        .await;
}

async fn only_request(server: &MockServer) -> Request {
    let mut requests = server.received_requests().await.unwrap();
    assert_eq!(requests.len(), 1);
    requests.remove(0)
}

/// Method, path, and query as sent.
fn line(request: &Request) -> String {
    let query = request
        .url
        .query()
        .map(|query| format!("?{query}"))
        .unwrap_or_default();
    format!("{} {}{query}", request.method, request.url.path())
}

fn delivery() -> serde_json::Value {
    json!({
        "id": "dl_1", "endpoint_id": "wh_1", "event": "consent.given", "payload": "{\"a\":1}",
        "signature": "00", "status": "retrying", "attempts": 2, "response_status_code": 503,
        "last_attempt_at": "2026-01-02T03:04:05Z", "next_retry_at": null,
        "created": "2026-01-02T03:04:05Z",
    })
}

#[tokio::test]
async fn every_request_has_the_token_and_user_agent() {
    let (preo, server) = preo_and_server().await;
    answer(&server, 200, webhook("wh_1")).await;
    preo.retrieve_webhook("wh_1").send().await.unwrap();

    let request = only_request(&server).await;
    assert_eq!(line(&request), "GET /v1/webhooks/wh_1");
    assert_eq!(request.headers["authorization"], format!("Bearer {TOKEN}"));
    assert_eq!(
        request.headers["user-agent"],
        concat!("webhook-sdk/", env!("CARGO_PKG_VERSION"))
    );
    assert_eq!(request.headers["accept"], "application/json");
    assert!(!request.headers.contains_key("api-version"));
}

#[tokio::test]
async fn unknown_values_in_a_response_are_kept() {
    let (preo, server) = preo_and_server().await;
    answer(&server, 200, webhook("wh_1")).await;
    let webhook = preo.retrieve_webhook("wh_1").send().await.unwrap();

    assert_eq!(webhook.organization_id.as_deref(), Some("org_1"));
    assert_eq!(webhook.edition_id, None);
    assert_eq!(
        webhook.events,
        [
            WebhookEvent::ConsentGiven,
            WebhookEvent::from("consent.revived")
        ]
    );
    assert!(webhook.events[1].is_unknown());
    assert_eq!(webhook.timeout_seconds, Some(10));
    assert_eq!(
        webhook.modified.to_rfc3339(),
        "2026-01-02T01:04:05.678901+00:00"
    );
    assert_eq!(webhook.secret.as_ref().unwrap().expose(), SECRET);
    assert!(!format!("{webhook:?}").contains(SECRET));
}

#[tokio::test]
async fn response_can_omit_every_optional_field() {
    let (preo, server) = preo_and_server().await;
    let body = json!({
        "id": "wh_1", "name": "n", "url": "u", "events": [],
        "created": "2026-01-02T03:04:05Z", "modified": "2026-01-02T03:04:05Z",
    });
    answer(&server, 200, body).await;
    let webhook = preo.retrieve_webhook("wh_1").send().await.unwrap();
    assert!(
        webhook.secret.is_none() && webhook.is_active.is_none() && webhook.edition_id.is_none()
    );
}

#[tokio::test]
async fn length_limits_of_requests_are_not_enforced_on_responses() {
    let (preo, server) = preo_and_server().await;
    let mut body = webhook("wh_1");
    body["name"] = json!("n".repeat(500));
    body["timeout_seconds"] = json!(9_000_000_000_u64);
    answer(&server, 200, body).await;
    let webhook = preo.retrieve_webhook("wh_1").send().await.unwrap();
    assert_eq!(webhook.name.len(), 500);
    assert_eq!(webhook.timeout_seconds, Some(9_000_000_000));
}

#[tokio::test]
async fn create_sends_the_set_fields_and_accepts_any_2xx() {
    for status in [200, 201, 202] {
        let (preo, server) = preo_and_server().await;
        Mock::given(method("POST"))
            .and(path("/v1/webhooks"))
            .and(header("content-type", "application/json"))
            .and(body_json(json!({
                "organization_id": "org_1", "name": "Orders", "url": "https://example.com/hook",
                "events": ["consent.given", "made.up"], "is_active": false,
            })))
            .respond_with(ResponseTemplate::new(status).set_body_json(webhook("wh_1")))
            .expect(1)
            .mount(&server)
            .await;
        let body = WebhookCreate::builder()
            .organization_id("org_1")
            .name("Orders")
            .url("https://example.com/hook")
            .events([WebhookEvent::ConsentGiven, WebhookEvent::from("made.up")])
            .is_active(false)
            .build();
        let response = preo.create_webhook(body).send_with_response().await;
        let response = response.unwrap();
        assert_eq!(response.status(), status);
        assert_eq!(response.value().id, "wh_1");
    }
}

#[tokio::test]
async fn update_distinguishes_absent_null_and_a_value() {
    let cases = [
        (WebhookUpdate::new(), json!({})),
        (WebhookUpdate::new().edition_id(Patch::Absent), json!({})),
        (
            WebhookUpdate::new().edition_id(None),
            json!({ "edition_id": null }),
        ),
        (
            WebhookUpdate::new().edition_id("ed_1"),
            json!({ "edition_id": "ed_1" }),
        ),
        (
            WebhookUpdate::new().events([] as [WebhookEvent; 0]),
            json!({ "events": [] }),
        ),
        (
            WebhookUpdate::new()
                .name("n")
                .timeout_seconds(0)
                .is_active(true),
            json!({ "name": "n", "timeout_seconds": 0, "is_active": true }),
        ),
    ];
    for (update, sent) in cases {
        let (preo, server) = preo_and_server().await;
        answer(&server, 200, webhook("wh_1")).await;
        preo.update_webhook("wh_1", update).send().await.unwrap();
        let request = only_request(&server).await;
        assert_eq!(line(&request), "PATCH /v1/webhooks/wh_1");
        assert_eq!(request.body_json::<serde_json::Value>().unwrap(), sent);
    }
}

#[tokio::test]
async fn delete_accepts_any_2xx_with_or_without_a_body() {
    for response in [
        ResponseTemplate::new(204),
        ResponseTemplate::new(200).set_body_string("gone"),
        ResponseTemplate::new(202),
    ] {
        let (preo, server) = preo_and_server().await;
        Mock::given(method("DELETE"))
            .and(path("/v1/webhooks/wh_1"))
            .respond_with(response)
            .expect(1)
            .mount(&server)
            .await;
        preo.delete_webhook("wh_1").send().await.unwrap();
    }
}

#[tokio::test]
async fn rotate_posts_without_a_body_and_returns_the_new_secret() {
    let (preo, server) = preo_and_server().await;
    answer(&server, 200, webhook("wh_1")).await;
    let rotated = preo.rotate_webhook_secret("wh_1").send().await.unwrap();
    assert_eq!(rotated.secret.as_ref().unwrap().expose(), SECRET);
    let request = only_request(&server).await;
    assert_eq!(line(&request), "POST /v1/webhooks/wh_1/rotate-secret");
    assert!(request.body.is_empty());
}

#[tokio::test]
async fn post_without_a_body_has_a_content_length() {
    let ok = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}";
    let (base_url, server) = raw_server([ok.to_vec(), ok.to_vec(), ok.to_vec()]).await;
    let preo = preo(&base_url).build().unwrap();
    let rotation = preo.rotate_webhook_secret("wh_1").send().await;
    let retry = preo.retry_webhook_delivery("wh_1", "dl_1");
    let retry = retry.send().await;
    let retrieval = preo.retrieve_webhook("wh_1").send().await;
    assert!(rotation.is_err() && retry.is_err() && retrieval.is_err());

    let requests = server.await.unwrap();
    let lengths = |request: &String| request.matches("content-length: 0\r\n").count();
    let sent: Vec<_> = requests.iter().map(lengths).collect();
    assert_eq!(sent, [1, 1, 0], "{requests:?}");
}

#[tokio::test]
async fn a_list_sends_its_filters_exactly() {
    let (preo, server) = preo_and_server().await;
    answer(&server, 200, json!({ "count": 0, "results": [] })).await;
    let page = preo
        .list_webhooks()
        .edition_id("ed 1&x")
        .is_active(false)
        .ordering([WebhookOrdering::NameDesc, WebhookOrdering::Created])
        .organization_id("org_1")
        .page(3)
        .page_size(50)
        .send()
        .await
        .unwrap();
    assert!(page.results.is_empty() && page.next.is_none());
    assert_eq!(
        line(&only_request(&server).await),
        "GET /v1/webhooks?edition_id=ed+1%26x&is_active=false&ordering=-name%2Ccreated\
         &organization_id=org_1&page=3&page_size=50"
    );
}

#[tokio::test]
async fn none_and_an_empty_list_omit_the_parameter() {
    let (preo, server) = preo_and_server().await;
    answer(&server, 200, json!({ "count": 0, "results": [] })).await;
    let list = preo.list_webhooks().page_size(None).is_active(None);
    let list = list.edition_id(None::<&str>).organization_id(Some("org_1"));
    let list = list.ordering([] as [WebhookOrdering; 0]);
    list.send().await.unwrap();
    let sent = line(&only_request(&server).await);
    assert_eq!(sent, "GET /v1/webhooks?organization_id=org_1");
}

#[tokio::test]
async fn a_list_without_filters_sends_none() {
    let (preo, server) = preo_and_server().await;
    answer(
        &server,
        200,
        json!({ "count": 0, "results": [], "next": null }),
    )
    .await;
    preo.list_webhooks().send().await.unwrap();
    assert_eq!(line(&only_request(&server).await), "GET /v1/webhooks");
}

#[tokio::test]
async fn deliveries_are_listed_by_status() {
    let (preo, server) = preo_and_server().await;
    let mut entry = delivery();
    entry["status"] = json!("paused");
    answer(&server, 200, json!({ "count": 1, "results": [entry] })).await;
    let page = preo
        .list_webhook_deliveries("wh_1")
        .status(DeliveryStatus::Failed)
        .send()
        .await
        .unwrap();
    assert_eq!(page.results[0].status, Some(DeliveryStatus::from("paused")));
    assert_eq!(
        line(&only_request(&server).await),
        "GET /v1/webhooks/wh_1/deliveries?status=failed"
    );
}

#[tokio::test]
async fn a_delivery_is_retrieved_and_its_payload_is_not_shown() {
    let (preo, server) = preo_and_server().await;
    answer(&server, 200, delivery()).await;
    let delivery = preo
        .retrieve_webhook_delivery("wh_1", "dl/1 ü")
        .send()
        .await
        .unwrap();
    assert_eq!(delivery.payload.as_str(), r#"{"a":1}"#);
    assert_eq!(
        delivery.payload.json::<serde_json::Value>().unwrap()["a"],
        1
    );
    assert_eq!(delivery.status, Some(DeliveryStatus::Retrying));
    assert!(!format!("{delivery:?}").contains(r#""a""#));
    assert_eq!(
        line(&only_request(&server).await),
        "GET /v1/webhooks/wh_1/deliveries/dl%2F1%20%C3%BC"
    );
}

#[tokio::test]
async fn a_retry_posts_to_the_delivery() {
    let (preo, server) = preo_and_server().await;
    answer(&server, 200, delivery()).await;
    preo.retry_webhook_delivery("wh_1", "dl_1")
        .send()
        .await
        .unwrap();
    assert_eq!(
        line(&only_request(&server).await),
        "POST /v1/webhooks/wh_1/deliveries/dl_1/retry"
    );
}

#[tokio::test]
async fn a_base_url_keeps_its_path() {
    let server = MockServer::start().await;
    answer(&server, 200, webhook("wh_1")).await;
    for base in [
        format!("{}/proxy/preo", server.uri()),
        format!("{}/proxy/preo/", server.uri()),
    ] {
        let preo = preo(&base).build().unwrap();
        preo.retrieve_webhook("wh_1").send().await.unwrap();
    }
    for request in server.received_requests().await.unwrap() {
        assert_eq!(line(&request), "GET /proxy/preo/v1/webhooks/wh_1");
    }
}

#[tokio::test]
async fn another_scheme_or_header_carries_the_token() {
    let cases = [
        (Auth::scheme("Token", "t1"), "authorization", "Token t1"),
        (Auth::header("X-Api-Key", "t2"), "x-api-key", "t2"),
    ];
    for (auth, name, value) in cases {
        let server = MockServer::start().await;
        answer(&server, 200, webhook("wh_1")).await;
        let preo = PreoClient::builder(auth)
            .base_url(server.uri())
            .user_agent("shop/1.0")
            .build()
            .unwrap();
        preo.retrieve_webhook("wh_1").send().await.unwrap();
        let request = only_request(&server).await;
        assert_eq!(request.headers[name], value);
        assert!(
            request.headers["user-agent"]
                .to_str()
                .unwrap()
                .starts_with("shop/1.0 webhook-sdk/")
        );
    }
}

#[tokio::test]
async fn dropping_a_call_cancels_the_request() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let preo = preo(&format!("http://{}", listener.local_addr().unwrap()));
    let preo = preo.build().unwrap();
    let (asked, waiting) = oneshot::channel();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut bytes = [0; 4096];
        assert!(stream.read(&mut bytes).await.unwrap() > 0);
        asked.send(()).unwrap();
        stream.read(&mut bytes).await.unwrap_or(0)
    });
    tokio::select! {
        _ = preo.retrieve_webhook("wh_1").send() => panic!("nothing was answered"),
        arrived = waiting => arrived.unwrap(),
    }
    let more = tokio::time::timeout(Duration::from_secs(20), server).await;
    assert_eq!(more.unwrap().unwrap(), 0, "the connection is closed");
}
