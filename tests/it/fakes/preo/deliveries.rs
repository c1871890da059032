use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use webhook_sdk::testing::{PreoFake, PreoFakeDeliveryStatus as Status, PreoWebhookSeed};
use wiremock::{MockServer, ResponseTemplate};

use super::{Caller, accepting, failing, receiver, seed};

fn hex_hmac(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body);
    let digest = mac.finalize().into_bytes();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn endpoints(deliveries: &[webhook_sdk::testing::PreoFakeDelivery]) -> Vec<&str> {
    deliveries
        .iter()
        .map(|delivery| delivery.endpoint_id.as_str())
        .collect()
}

#[tokio::test]
async fn an_event_arrives_as_a_signed_post() {
    let receiver = accepting().await;
    let preo = PreoFake::start().await;
    let hook = preo.insert(seed(&receiver));

    preo.emit("purchase.action", json!({"purchase": "p_1"}))
        .await;

    let received = receiver.received_requests().await.unwrap();
    assert_eq!(received.len(), 1);
    assert_eq!(received[0].method, "POST");
    assert_eq!(received[0].headers["content-type"], "application/json");
    let agent = received[0].headers["user-agent"].to_str().unwrap();
    assert!(agent.starts_with("webhook-sdk-preo-fake/"));
    assert_eq!(
        received[0].headers["x-preo-signature"].to_str().unwrap(),
        hex_hmac(&hook.secret, &received[0].body)
    );
    assert_eq!(
        received[0].body_json::<Value>().unwrap(),
        json!({
            "id": "delivery-000001",
            "event": "purchase.action",
            "created": "2026-01-01T00:00:00.002000Z",
            "data": {"purchase": "p_1"},
        })
    );
}

/// The digest was computed with Python's `hmac` module over the expected body.
#[tokio::test]
async fn the_signature_of_a_known_body_is_the_known_digest() {
    let receiver = accepting().await;
    let preo = PreoFake::start().await;
    preo.insert(seed(&receiver).secret("whsec_test"));

    preo.emit("purchase.action", json!({"name": "Zoë"})).await;

    let received = receiver.received_requests().await.unwrap();
    assert_eq!(
        String::from_utf8_lossy(&received[0].body),
        "{\"id\":\"delivery-000001\",\"event\":\"purchase.action\",\
         \"created\":\"2026-01-01T00:00:00.002000Z\",\"data\":{\"name\":\"Zoë\"}}"
    );
    assert_eq!(
        received[0].headers["x-preo-signature"],
        "fce2fe13c2f870db2ace224bda4ec80b78096df041e2dc8be9156d6b15f57319"
    );
}

#[tokio::test]
async fn the_stored_delivery_holds_what_was_sent() {
    let receiver = accepting().await;
    let preo = PreoFake::start().await;
    let hook = preo.insert(seed(&receiver));
    preo.emit("purchase.action", json!({"b": "ü", "a": 1.5}))
        .await;
    let received = receiver.received_requests().await.unwrap();

    let path = format!("/{}/deliveries/delivery-000001", hook.id);
    let (status, delivery) = Caller::of(&preo).get(&path).await;

    assert_eq!(status, 200);
    assert_eq!(
        delivery,
        json!({
            "id": "delivery-000001",
            "status": "success",
            "event": "purchase.action",
            "attempts": 1,
            "response_status_code": 204,
            "last_attempt_at": "2026-01-01T00:00:00.003000Z",
            "next_retry_at": null,
            "created": "2026-01-01T00:00:00.002000Z",
            "endpoint_id": hook.id,
            "payload": String::from_utf8(received[0].body.clone()).unwrap(),
            "signature": received[0].headers["x-preo-signature"].to_str().unwrap(),
        })
    );
}

#[tokio::test]
async fn only_active_subscribed_endpoints_get_an_event() {
    let receiver = accepting().await;
    let preo = PreoFake::start().await;
    preo.insert(seed(&receiver).id("yes"));
    preo.insert(seed(&receiver).id("inactive").is_active(false));
    preo.insert(seed(&receiver).id("other").events(["consent.given"]));
    preo.insert(seed(&receiver).id("none").events([""; 0]));
    preo.insert(PreoWebhookSeed::new(receiver.uri()).id("all"));

    let deliveries = preo.emit("purchase.action", json!(null)).await;

    assert_eq!(endpoints(&deliveries), ["yes", "all"]);
    assert_eq!(receiver.received_requests().await.unwrap().len(), 2);
}

#[tokio::test]
async fn an_event_can_be_limited_to_an_organization_and_an_edition() {
    let receiver = accepting().await;
    let preo = PreoFake::start().await;
    preo.insert(seed(&receiver).id("1-1").edition_id("ed_1"));
    preo.insert(seed(&receiver).id("1-2").edition_id("ed_2"));
    preo.insert(seed(&receiver).id("1-any"));
    preo.insert(
        seed(&receiver)
            .id("2-1")
            .organization_id("org_2")
            .edition_id("ed_1"),
    );
    let emit = || preo.emit("purchase.action", json!({}));

    let organization = emit().organization_id("org_1").await;
    let edition = emit().edition_id("ed_1").await;
    let both = emit().organization_id("org_1").edition_id("ed_2").await;

    assert_eq!(endpoints(&organization), ["1-1", "1-2", "1-any"]);
    assert_eq!(endpoints(&edition), ["1-1", "1-any", "2-1"]);
    assert_eq!(endpoints(&both), ["1-2", "1-any"]);
}

#[tokio::test]
async fn delivering_to_one_endpoint_ignores_its_subscriptions() {
    let receiver = accepting().await;
    let preo = PreoFake::start().await;
    preo.insert(seed(&receiver).id("one").is_active(false));
    preo.insert(seed(&receiver).id("two"));

    let delivery = preo.deliver("one", "moon.landing", json!({})).await;

    assert_eq!(delivery.unwrap().status, Status::Success);
    assert_eq!(receiver.received_requests().await.unwrap().len(), 1);
    assert!(preo.deliveries("two").is_empty());
    assert_eq!(preo.deliver("three", "moon.landing", json!({})).await, None);
}

#[tokio::test]
async fn every_2xx_is_success_and_nothing_else() {
    for (status, expected) in [
        (200, Status::Success),
        (204, Status::Success),
        (299, Status::Success),
        (304, Status::Failed),
        (400, Status::Failed),
        (410, Status::Failed),
        (500, Status::Failed),
    ] {
        let receiver = receiver(ResponseTemplate::new(status)).await;
        let preo = PreoFake::start().await;
        let hook = preo.insert(seed(&receiver));

        let delivery = preo
            .deliver(&hook.id, "purchase.action", json!({}))
            .await
            .unwrap();

        assert_eq!(delivery.status, expected, "{status}");
        assert_eq!(delivery.response_status_code, Some(status));
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = accepting().await;
    let moved = ResponseTemplate::new(307).insert_header("location", elsewhere.uri().as_str());
    let receiver = receiver(moved).await;
    let preo = PreoFake::start().await;
    preo.insert(seed(&receiver));

    let deliveries = preo.emit("purchase.action", json!({})).await;

    assert_eq!(deliveries[0].status, Status::Failed);
    assert_eq!(deliveries[0].response_status_code, Some(307));
    assert!(elsewhere.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_receiver_that_is_not_there_fails_without_a_status() {
    let gone = MockServer::builder().start().await;
    let url = gone.uri();
    drop(gone);
    let preo = PreoFake::builder()
        .default_timeout(Duration::from_secs(5))
        .start()
        .await;
    let dead = preo.insert(PreoWebhookSeed::new(url).timeout_seconds(0));
    let unparsable = preo.insert(PreoWebhookSeed::new("::"));

    for id in [dead.id, unparsable.id] {
        let delivery = preo.deliver(&id, "consent.given", json!({})).await.unwrap();
        assert_eq!(delivery.status, Status::Failed);
        assert_eq!(delivery.response_status_code, None);
        assert_eq!(delivery.attempts, 1);
        assert!(delivery.last_attempt_at.is_some());
    }
}

#[tokio::test]
async fn a_receiver_slower_than_the_timeout_fails_without_a_status() {
    let slow = ResponseTemplate::new(200).set_delay(Duration::from_secs(600));
    let receiver = receiver(slow).await;
    let preo = PreoFake::builder()
        .default_timeout(Duration::from_millis(50))
        .start()
        .await;
    preo.insert(seed(&receiver).timeout_seconds(0));
    preo.insert(seed(&receiver).timeout_seconds(1));

    let deliveries = preo.emit("purchase.action", json!({})).await;

    assert_eq!(deliveries.len(), 2);
    for delivery in deliveries {
        assert_eq!(delivery.status, Status::Failed);
        assert_eq!(delivery.response_status_code, None);
    }
}

/// 0.0.0.0 is no loopback address, but connecting to it stays on the machine.
#[tokio::test]
async fn only_loopback_addresses_are_delivered_to_unless_told_otherwise() {
    let receiver = accepting().await;
    let url = format!("http://0.0.0.0:{}/", receiver.address().port());
    let careful = PreoFake::start().await;
    let free = PreoFake::builder().deliver_anywhere(true).start().await;
    careful.insert(PreoWebhookSeed::new(&url));
    free.insert(PreoWebhookSeed::new(&url));

    let refused = careful.emit("consent.given", json!({})).await.remove(0);
    assert_eq!(refused.status, Status::Failed);
    assert_eq!(refused.response_status_code, None);
    assert!(receiver.received_requests().await.unwrap().is_empty());

    let sent = free.emit("consent.given", json!({})).await.remove(0);
    assert_eq!(sent.status, Status::Success);
}

#[tokio::test]
async fn seeded_endpoints_are_out_of_reach() {
    let preo = PreoFake::start().await;
    preo.seed_webhooks(3);

    let deliveries = preo.emit("consent.given", json!({})).await;

    assert_eq!(deliveries.len(), 3);
    for delivery in deliveries {
        assert_eq!(delivery.status, Status::Failed);
        assert_eq!(delivery.response_status_code, None);
    }
}

#[tokio::test]
async fn localhost_is_part_of_the_machine() {
    let receiver = accepting().await;
    let preo = PreoFake::start().await;
    let port = receiver.address().port();
    preo.insert(PreoWebhookSeed::new(format!("http://localhost:{port}/")));

    let deliveries = preo.emit("consent.given", json!({})).await;

    assert_eq!(deliveries[0].status, Status::Success);
}

#[tokio::test]
async fn the_builder_names_the_signature_header() {
    let receiver = accepting().await;
    let header = reqwest::header::HeaderName::from_static("x-signature");
    let preo = PreoFake::builder().signature_header(header).start().await;
    preo.insert(seed(&receiver));

    preo.emit("purchase.action", json!({})).await;

    let received = receiver.received_requests().await.unwrap();
    assert!(received[0].headers.contains_key("x-signature"));
    assert!(!received[0].headers.contains_key("x-preo-signature"));
    assert_eq!(preo.signature_header(), "x-signature");
}

#[tokio::test]
async fn without_a_secret_deliveries_are_unsigned() {
    let receiver = accepting().await;
    let preo = PreoFake::start().await;
    preo.insert(seed(&receiver).secret(""));

    let deliveries = preo.emit("purchase.action", json!({})).await;

    let received = receiver.received_requests().await.unwrap();
    assert!(!received[0].headers.contains_key("x-preo-signature"));
    assert_eq!(deliveries[0].signature, "");
}

#[tokio::test]
async fn hundreds_of_receivers_are_all_reached() {
    let receiver = accepting().await;
    let preo = PreoFake::start().await;
    for _ in 0..300 {
        preo.insert(seed(&receiver));
    }

    let deliveries = preo.emit("purchase.action", json!({})).await;

    assert_eq!(deliveries.len(), 300);
    assert!(
        deliveries
            .iter()
            .all(|delivery| delivery.status == Status::Success)
    );
    assert_eq!(receiver.received_requests().await.unwrap().len(), 300);
}

#[tokio::test]
async fn deliveries_are_listed_filtered_and_ordered() {
    let preo = PreoFake::start().await;
    let caller = Caller::of(&preo);
    let (good, bad) = (accepting().await, failing().await);
    preo.insert(seed(&good).id("hook"));
    preo.deliver("hook", "consent.given", json!({})).await;
    caller.update("hook", &json!({"url": bad.uri()})).await;
    preo.deliver("hook", "consent.given", json!({})).await;
    caller.update("hook", &json!({"url": good.uri()})).await;
    preo.deliver("hook", "moon.landing", json!({})).await;

    let (one, two, three) = ("delivery-000001", "delivery-000002", "delivery-000003");
    let list = async |query: &str| {
        let path = format!("/hook/deliveries{query}");
        caller.list(&path, "id").await
    };
    assert_eq!(list("").await, [one, two, three]);
    assert_eq!(list("?status=success").await, [one, three]);
    assert_eq!(list("?status=failed").await, [two]);
    assert_eq!(list("?status=exhausted").await, [""; 0]);
    assert_eq!(list("?status=unheard-of").await, [""; 0]);
    assert_eq!(list("?ordering=-created").await, [three, two, one]);
    assert_eq!(list("?ordering=name").await, [one, two, three]);
    assert_eq!(list("?page_size=2&page=2").await, [three]);
    assert_eq!(
        list("?is_active=false&organization_id=x").await,
        [one, two, three]
    );

    let (_, page) = caller.get("/hook/deliveries?page_size=1").await;
    assert_eq!(page["count"], 3);
    let next = format!(
        "{}/v1/webhooks/hook/deliveries?page=2&page_size=1",
        preo.base_url()
    );
    assert_eq!(page["next"], json!(next));
    assert_eq!(
        page["results"],
        json!([{
            "id": one,
            "status": "success",
            "event": "consent.given",
            "attempts": 1,
            "response_status_code": 204,
            "last_attempt_at": "2026-01-01T00:00:00.003000Z",
            "next_retry_at": null,
            "created": "2026-01-01T00:00:00.002000Z",
        }])
    );
    assert_eq!(caller.get("/hook/deliveries?ordering=event").await.0, 400);
    assert_eq!(caller.get("/hook/deliveries?page=2").await.0, 404);
}

#[tokio::test]
async fn a_delivery_belongs_to_its_endpoint_and_goes_with_it() {
    let receiver = accepting().await;
    let preo = PreoFake::start().await;
    let caller = Caller::of(&preo);
    preo.insert(seed(&receiver).id("one"));
    preo.insert(seed(&receiver).id("two"));
    preo.deliver("one", "consent.given", json!({})).await;

    assert_eq!(caller.get("/one/deliveries/delivery-000001").await.0, 200);
    assert_eq!(caller.get("/two/deliveries/delivery-000001").await.0, 404);
    caller.delete("one").await;
    assert_eq!(caller.get("/one/deliveries/delivery-000001").await.0, 404);
    assert!(preo.deliveries("one").is_empty());
}
