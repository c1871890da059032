use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use webhook_sdk::testing::{PreoFake, PreoFakeDeliveryStatus as Status, PreoWebhookSeed};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::{Caller, accepting, failing, seed};

const MINUTE: Duration = Duration::from_secs(60);

/// Fails `times` times and then accepts.
async fn failing_at_first(times: u64) -> MockServer {
    let server = MockServer::start().await;
    let failure = Mock::given(any()).respond_with(ResponseTemplate::new(500));
    failure.up_to_n_times(times).mount(&server).await;
    let success = Mock::given(any()).respond_with(ResponseTemplate::new(200));
    success.mount(&server).await;
    server
}

async fn signatures(receiver: &MockServer) -> Vec<String> {
    let received = receiver.received_requests().await.unwrap();
    let signature = |request: &wiremock::Request| {
        let value = request.headers["x-preo-signature"].to_str().unwrap();
        value.to_owned()
    };
    received.iter().map(signature).collect()
}

#[tokio::test]
async fn a_failed_delivery_is_due_a_minute_later() {
    let receiver = failing().await;
    let preo = PreoFake::start().await;
    preo.insert(seed(&receiver));

    let failed = preo.emit("purchase.action", json!({})).await.remove(0);

    assert_eq!(failed.status, Status::Failed);
    assert_eq!(failed.attempts, 1);
    assert_eq!(failed.response_status_code, Some(503));
    let wait = failed.next_retry_at.unwrap() - failed.last_attempt_at.unwrap();
    assert_eq!(wait.to_std().unwrap(), MINUTE);
}

#[tokio::test]
async fn retries_run_when_told_and_due_and_not_before() {
    let receiver = failing_at_first(1).await;
    let preo = PreoFake::start().await;
    preo.insert(seed(&receiver));
    preo.emit("purchase.action", json!({})).await;

    assert!(preo.run_due_retries().await.is_empty());
    preo.advance(MINUTE);
    let retried = preo.run_due_retries().await;
    preo.advance(MINUTE);
    let again = preo.run_due_retries().await;

    assert_eq!(retried.len(), 1);
    assert_eq!(retried[0].status, Status::Success);
    assert_eq!(retried[0].attempts, 2);
    assert_eq!(retried[0].response_status_code, Some(200));
    assert_eq!(retried[0].next_retry_at, None);
    assert!(again.is_empty());
    let received = receiver.received_requests().await.unwrap();
    assert_eq!(received.len(), 2);
    assert_eq!(received[0].body, received[1].body);
}

#[tokio::test]
async fn after_the_last_attempt_a_delivery_is_exhausted() {
    let receiver = failing().await;
    let preo = PreoFake::builder()
        .max_attempts(3)
        .retry_delay(Duration::ZERO)
        .start()
        .await;
    let hook = preo.insert(seed(&receiver));
    preo.emit("purchase.action", json!({})).await;

    let mut statuses = Vec::new();
    while let Some(delivery) = preo.run_due_retries().await.pop() {
        statuses.push((delivery.attempts, delivery.status));
    }

    assert_eq!(statuses, [(2, Status::Failed), (3, Status::Exhausted)]);
    assert_eq!(preo.deliveries(&hook.id)[0].next_retry_at, None);
    assert_eq!(receiver.received_requests().await.unwrap().len(), 3);
}

#[tokio::test]
async fn an_inactive_endpoint_gets_no_automatic_retry() {
    let receiver = failing().await;
    let preo = PreoFake::builder()
        .retry_delay(Duration::ZERO)
        .start()
        .await;
    let hook = preo.insert(seed(&receiver));
    preo.emit("purchase.action", json!({})).await;
    let off = json!({"is_active": false});
    Caller::of(&preo).update(&hook.id, &off).await;

    assert!(preo.run_due_retries().await.is_empty());
    assert_eq!(receiver.received_requests().await.unwrap().len(), 1);
}

#[tokio::test]
async fn the_retry_operation_answers_retrying_and_delivers_again() {
    let receiver = failing_at_first(1).await;
    let preo = PreoFake::start().await;
    let caller = Caller::of(&preo);
    preo.insert(seed(&receiver).id("hook"));
    preo.emit("purchase.action", json!({})).await;
    let path = "/hook/deliveries/delivery-000001";
    let (_, failed) = caller.get(path).await;

    let (status, retrying) = caller.post(&format!("{path}/retry")).await;
    preo.settled().await;
    let (_, done) = caller.get(path).await;

    let mut expected = failed;
    expected["status"] = json!("retrying");
    expected["next_retry_at"] = json!(null);
    assert_eq!((status, retrying), (200, expected));
    assert_eq!(done["status"], "success");
    assert_eq!(done["attempts"], 2);
    assert_eq!(done["response_status_code"], 200);
    let received = receiver.received_requests().await.unwrap();
    assert_eq!(received.len(), 2);
    assert_eq!(received[0].body, received[1].body);
}

#[tokio::test]
async fn an_exhausted_delivery_can_be_retried_by_hand() {
    let receiver = failing_at_first(2).await;
    let preo = PreoFake::builder().max_attempts(1).start().await;
    let caller = Caller::of(&preo);
    preo.insert(seed(&receiver).id("hook"));
    let delivery = preo.emit("purchase.action", json!({})).await.remove(0);
    assert_eq!(delivery.status, Status::Exhausted);

    let retry = "/hook/deliveries/delivery-000001/retry";
    let mut statuses = Vec::new();
    for _ in 0..2 {
        caller.post(retry).await;
        preo.settled().await;
        statuses.push(preo.deliveries("hook")[0].status);
    }

    assert_eq!(statuses, [Status::Exhausted, Status::Success]);
}

#[tokio::test]
async fn a_delivery_that_succeeded_is_not_retried() {
    let receiver = accepting().await;
    let preo = PreoFake::start().await;
    preo.insert(seed(&receiver).id("hook"));
    preo.emit("purchase.action", json!({})).await;

    let retry = Caller::of(&preo)
        .post("/hook/deliveries/delivery-000001/retry")
        .await;
    preo.settled().await;

    let detail = "Only a failed delivery can be retried.";
    assert_eq!(retry, (400, json!({"detail": detail})));
    assert_eq!(receiver.received_requests().await.unwrap().len(), 1);
}

/// Reads one request and gives the connection that waits for its answer.
async fn held(listener: &TcpListener) -> TcpStream {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut request = Vec::new();
    while !request.ends_with(b"}}") {
        let read = stream.read_buf(&mut request).await.unwrap();
        assert_ne!(read, 0);
    }
    stream
}

#[tokio::test]
async fn a_delivery_under_way_is_not_sent_twice() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let preo = PreoFake::start().await;
    let caller = Caller::of(&preo);
    preo.insert(PreoWebhookSeed::new(url).id("hook").timeout_seconds(600));
    let path = "/hook/deliveries/delivery-000001";
    let retry = format!("{path}/retry");

    let first = async {
        let mut stream = held(&listener).await;
        let pending = caller.get(path).await.1;
        let (status, retried) = caller.post(&retry).await;
        assert_eq!((status, &retried), (200, &pending));
        stream.write_all(b"HTTP/1.1 500 No\r\n\r\n").await.unwrap();
        pending
    };
    let emit = async { preo.emit("consent.given", json!({})).await };
    let (pending, delivered) = tokio::join!(first, emit);
    caller.post(&retry).await;
    let mut stream = held(&listener).await;
    let (status, twice) = caller.post(&retry).await;
    stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
    preo.settled().await;

    assert_eq!(pending["status"], "pending");
    assert_eq!(pending["attempts"], 0);
    assert_eq!(delivered[0].status, Status::Failed);
    assert_eq!((status, &twice["status"]), (200, &json!("retrying")));
    let delivery = &preo.deliveries("hook")[0];
    assert_eq!((delivery.attempts, delivery.status), (2, Status::Success));
}

#[tokio::test]
async fn an_attempt_on_an_endpoint_deleted_meanwhile_ends_quietly() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let preo = PreoFake::start().await;
    let caller = Caller::of(&preo);
    preo.insert(PreoWebhookSeed::new(url).id("hook").timeout_seconds(600));

    let delete = async {
        let mut stream = held(&listener).await;
        caller.delete("hook").await;
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
    };
    let deliver = preo.deliver("hook", "consent.given", json!({}));
    let ((), delivery) = tokio::join!(delete, deliver);

    assert_eq!(delivery, None);
    assert_eq!(caller.get("").await.1["count"], 0);
}

#[tokio::test]
async fn attempts_after_a_rotation_are_signed_with_the_new_secret() {
    let receiver = failing_at_first(1).await;
    let preo = PreoFake::builder()
        .retry_delay(Duration::ZERO)
        .start()
        .await;
    preo.insert(seed(&receiver).id("hook").secret("old"));
    preo.emit("purchase.action", json!({})).await;
    Caller::of(&preo).post("/hook/rotate-secret").await;

    let retried = preo.run_due_retries().await;

    let sent = signatures(&receiver).await;
    assert_eq!(sent.len(), 2);
    assert_ne!(sent[0], sent[1]);
    assert_eq!(retried[0].signature, sent[1]);
}

#[tokio::test]
async fn deliveries_are_ordered_by_their_last_attempt() {
    let receiver = failing_at_first(1).await;
    let preo = PreoFake::builder()
        .retry_delay(Duration::ZERO)
        .start()
        .await;
    preo.insert(seed(&receiver).id("hook"));
    preo.emit("purchase.action", json!({})).await;
    preo.emit("purchase.action", json!({})).await;
    preo.run_due_retries().await;

    let path = "/hook/deliveries?ordering=modified";
    let ids = Caller::of(&preo).list(path, "id").await;

    assert_eq!(ids, ["delivery-000002", "delivery-000001"]);
}

#[tokio::test]
async fn settling_with_nothing_under_way_returns_at_once() {
    PreoFake::start().await.settled().await;
}
