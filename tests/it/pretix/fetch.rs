//! Fetching what a notification is about.

use serde::Deserialize;
use serde_json::{Value, json};
use webhook_sdk::Error;
use webhook_sdk::pretix::Notification;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::log::listen;
use crate::pretix::support::{TOKEN, pretix};

fn notification(body: Value) -> Notification {
    Notification::from_slice(body.to_string().as_bytes()).unwrap()
}

fn order(organizer: &str) -> Notification {
    notification(json!({
        "notification_id": 1, "organizer": organizer, "event": "democon", "code": "XUBZQ",
        "action": "pretix.event.order.paid",
    }))
}

/// What fetching an order does when the server sends these responses.
async fn fetch(responses: Vec<ResponseTemplate>) -> (Result<Value, Error>, MockServer) {
    let server = MockServer::start().await;
    for response in responses {
        Mock::given(any())
            .respond_with(response)
            .up_to_n_times(1)
            .mount(&server)
            .await;
    }
    let pretix = pretix(&format!("{}/tickets", server.uri()))
        .build()
        .unwrap();
    (pretix.fetch(&order("bigevents")).send().await, server)
}

#[tokio::test]
async fn the_object_is_fetched_below_the_base_path_with_the_token() {
    let response =
        ResponseTemplate::new(200).set_body_json(json!({ "code": "XUBZQ", "status": "p" }));
    let (order, server) = fetch(vec![response]).await;
    assert_eq!(order.unwrap()["status"], "p");
    let requests = server.received_requests().await.unwrap();
    assert_eq!(
        requests[0].url.path(),
        "/tickets/api/v1/organizers/bigevents/events/democon/orders/XUBZQ/"
    );
    assert_eq!(
        requests[0].headers["authorization"],
        format!("Token {TOKEN}")
    );
    assert_eq!(requests[0].headers["accept"], "application/json");
}

#[tokio::test]
async fn object_is_decoded_into_a_custom_type() {
    #[derive(Deserialize)]
    struct Order {
        code: String,
    }
    let server = MockServer::start().await;
    let response = ResponseTemplate::new(200).set_body_json(json!({ "code": "XUBZQ", "more": 1 }));
    Mock::given(any())
        .respond_with(response)
        .mount(&server)
        .await;
    let pretix = pretix(&server.uri()).build().unwrap();
    let order: Order = pretix.fetch(&order("bigevents")).send().await.unwrap();
    assert_eq!(order.code, "XUBZQ");
}

#[tokio::test]
async fn transient_failure_is_retried() {
    let ok = ResponseTemplate::new(200).set_body_json(json!({}));
    let (order, server) = fetch(vec![ResponseTemplate::new(503), ok]).await;
    order.unwrap();
    assert_eq!(server.received_requests().await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_missing_object_and_a_deleted_event_are_explained() {
    for (status, explanation) in [
        (404, "fetch: 404 Not Found; the object was deleted"),
        (
            403,
            "fetch: 403 Forbidden; the event was deleted, or the token may not read the object",
        ),
    ] {
        let (order, _server) = fetch(vec![ResponseTemplate::new(status)]).await;
        let error = order.unwrap_err();
        assert_eq!(error.to_string(), explanation);
        assert_eq!(error.status().unwrap(), status);
        assert_eq!(
            (error.is_not_found(), error.is_forbidden()),
            (status == 404, status == 403)
        );
    }
}

#[tokio::test]
async fn a_notification_without_an_object_or_of_another_organizer_sends_nothing() {
    let server = MockServer::start().await;
    let pretix = pretix(&server.uri()).build().unwrap();
    let deleted = notification(json!({
        "notification_id": 1, "organizer": "bigevents", "event": null,
        "action": "pretix.event.deleted",
    }));
    for (notification, reason) in [
        (deleted, "names no object"),
        (order("otherorg"), "another organizer"),
        (order("bigevents/events"), "another organizer"),
    ] {
        let (log, guard) = listen();
        let error = pretix
            .fetch(&notification)
            .send::<Value>()
            .await
            .unwrap_err();
        drop(guard);
        assert_eq!(log.text().matches("call failed").count(), 1);
        assert!(error.is_validation() && error.attempts() == 0, "{error:?}");
        assert_eq!(error.operation(), Some("fetch"));
        assert!(error.to_string().contains(reason), "{error}");
    }
    assert!(server.received_requests().await.unwrap().is_empty());
}
