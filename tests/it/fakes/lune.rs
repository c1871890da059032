//! LuneFake over plain HTTP, and the order of its deliveries.

use std::time::Duration;

use chrono::DateTime;
use data_encoding::HEXLOWER;
use futures_util::FutureExt;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};
use sha2::Sha256;
use webhook_sdk::lune::{AccountType, WebhookWithSecret};
use webhook_sdk::testing::{FakeDelivery, FakeDeliveryStatus as Status, Fault, LuneFake};
use wiremock::matchers::{any, body_partial_json};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::support::{http, lune_webhook, received, receiver};

const URL: &str = "https://hooks.example.com/lune";

fn call(fake: &LuneFake, method: Method, path: &str) -> RequestBuilder {
    let url = format!("{}/v1{path}", fake.base_url());
    let client = http();
    client.request(method, url).bearer_auth(fake.credentials())
}

async fn send(fake: &LuneFake, method: Method, path: &str, body: &Value) -> Response {
    call(fake, method, path).json(body).send().await.unwrap()
}

async fn json(response: Response) -> Value {
    assert_eq!(response.status(), 200);
    response.json().await.unwrap()
}

async fn get(fake: &LuneFake, path: &str) -> Value {
    json(call(fake, Method::GET, path).send().await.unwrap()).await
}

async fn create(fake: &LuneFake, body: Value) -> Value {
    json(send(fake, Method::POST, "/webhooks", &body).await).await
}

/// Status and code of a response of the documented shape.
async fn code(response: Response) -> (u16, String) {
    let status = response.status().as_u16();
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["errors"], json!([body["error"]]));
    assert!(body["error"]["message"].is_string());
    let code = body["error"]["error_code"].as_str().unwrap();
    (status, code.to_owned())
}

/// Status and body of a plain-text response.
async fn text(response: Response) -> (u16, String) {
    let status = response.status().as_u16();
    let content_type = response.headers()["content-type"].clone();
    assert_eq!(content_type, "text/plain; charset=utf-8");
    (status, response.text().await.unwrap())
}

fn of_accounts(accounts: &[&str]) -> WebhookWithSecret {
    let mut webhook = lune_webhook(URL);
    webhook.account_ids = accounts.iter().map(|id| (*id).to_owned()).collect();
    webhook
}

fn waiting(fake: &LuneFake, webhook: &WebhookWithSecret) -> Vec<FakeDelivery> {
    let mut deliveries = fake.deliveries(&webhook.id);
    deliveries.retain(|delivery| delivery.status != Status::Delivered);
    deliveries
}

fn ids(deliveries: &[FakeDelivery]) -> Vec<&str> {
    deliveries.iter().map(|sent| sent.id.as_str()).collect()
}

/// The event ids of each request to a receiver.
async fn batches(receiver: &MockServer) -> Vec<Vec<String>> {
    let id = |event: &Value| event["event_id"].as_str().unwrap().to_owned();
    let events = |body: Value| body["events"].as_array().unwrap().iter().map(id).collect();
    let requests = received(receiver).await;
    let bodies = requests.iter().map(|sent| sent.body_json::<Value>());
    bodies.map(|body| events(body.unwrap())).collect()
}

async fn queue(fake: &LuneFake, account: &str) -> String {
    let emission = fake.emit("order.paid", json!({})).account_id(account);
    emission.queued().await.remove(0).id
}

#[tokio::test]
async fn webhook_has_its_secret_once_and_then_its_suffix() {
    let fake = LuneFake::start().await;
    let created = create(&fake, json!({ "url": URL })).await;
    let (id, secret) = (&created["id"], &created["secret"]);
    let (id, secret) = (id.as_str().unwrap(), secret.as_str().unwrap());
    assert_eq!((id.len(), secret.len()), (32, 64));
    let expected = json!({
        "id": id, "url": URL, "enabled": true, "account_type": "live", "account_ids": [],
        "created_at": "2027-01-01T00:00:00.001Z", "secret": secret,
    });
    assert_eq!(created, expected);
    let mut shown = created.clone();
    shown["secret"] = json!(&secret[secret.len() - 4..]);
    assert_eq!(get(&fake, &format!("/webhooks/{id}")).await, shown);
    assert_eq!(get(&fake, "/webhooks").await, json!([shown]));

    let path = format!("/webhooks/{id}/rotate-secret");
    let rotated = json(call(&fake, Method::PUT, &path).send().await.unwrap()).await;
    let now = fake.webhook(id).unwrap().secret;
    assert_eq!(rotated["secret"], now.expose());
    assert_ne!(now.expose(), secret);
}

#[tokio::test]
async fn an_update_needs_both_fields_and_keeps_the_accounts() {
    let fake = LuneFake::start().await;
    let created = create(&fake, json!({ "url": URL, "account_ids": ["acc_1"] })).await;
    let path = format!("/webhooks/{}", created["id"].as_str().unwrap());
    let put = async |body: Value| send(&fake, Method::PUT, &path, &body).await;
    for body in [
        json!({ "url": URL }),
        json!({ "enabled": true }),
        json!({ "url": URL, "enabled": "yes" }),
        json!({}),
    ] {
        assert_eq!(
            code(put(body).await).await,
            (400, "validation_error".to_owned())
        );
    }
    let body = json!({ "url": "https://ex.com/2", "enabled": false });
    let changed = json(put(body).await).await;
    let mut expected = created.clone();
    expected["url"] = json!("https://ex.com/2");
    expected["enabled"] = json!(false);
    expected["secret"] = changed["secret"].clone();
    assert_eq!(changed, expected);
    assert_eq!(changed["secret"].as_str().unwrap().len(), 4);

    let body = json!({ "url": URL, "enabled": true, "account_ids": ["acc_2", "acc_3"] });
    let changed = json(put(body).await).await;
    assert_eq!(changed["account_ids"], json!(["acc_2", "acc_3"]));
}

#[tokio::test]
async fn a_list_is_filtered_by_any_of_the_accounts() {
    let fake = LuneFake::start().await;
    let seed = |accounts: &[&str]| fake.seed(of_accounts(accounts)).id;
    let (all, first, second) = (seed(&[]), seed(&["a 1", "a2"]), seed(&["a2"]));
    for (query, expected) in [
        ("", vec![&all, &first, &second]),
        ("?account_id=a+1", vec![&all, &first]),
        ("?account_id=a2", vec![&all, &first, &second]),
        ("?account_id=a+1&account_id=a3", vec![&all, &first]),
        ("?account_id=a3", vec![&all]),
        ("?other=a3", vec![&all, &first, &second]),
    ] {
        let list = get(&fake, &format!("/webhooks{query}")).await;
        let rows = list.as_array().unwrap().iter();
        let ids: Vec<_> = rows.map(|row| &row["id"]).collect();
        assert_eq!(ids, expected, "{query}");
    }
}

#[tokio::test]
async fn requests_against_the_documentation_are_rejected() {
    let fake = LuneFake::builder().accounts(["acc_1"]).start().await;
    for body in [
        json!({}),
        json!([]),
        json!({ "url": null }),
        json!({ "url": "http://example.com" }),
        json!({ "url": "https://localhost/x" }),
        json!({ "url": "https://127.0.0.1/x" }),
        json!({ "url": "https://example.com/a,b" }),
        json!({ "url": "https://foo.technology/x" }),
        json!({ "url": URL, "account_ids": [] }),
        json!({ "url": URL, "account_ids": null }),
        json!({ "url": URL, "account_ids": "acc_1" }),
        json!({ "url": URL, "account_ids": [1] }),
        json!({ "url": URL, "account_ids": ["acc_1", "acc_2"] }),
    ] {
        let response = send(&fake, Method::POST, "/webhooks", &body).await;
        assert_eq!(
            code(response).await,
            (400, "validation_error".to_owned()),
            "{body}"
        );
    }
    let url = "https://hooks.foo.technology:8443/x";
    create(&fake, json!({ "url": url, "account_ids": ["acc_1"] })).await;
    assert_eq!(fake.webhooks().len(), 1);
}

#[tokio::test]
async fn body_that_is_not_json_or_too_large_is_rejected() {
    let fake = LuneFake::start().await;
    let post = || call(&fake, Method::POST, "/webhooks");
    let response = post().body("{}").send().await.unwrap();
    assert_eq!(
        text(response).await,
        (415, "Unsupported Media Type".to_owned())
    );
    let json = |body: String| {
        let request = post().header("content-type", "application/json");
        request.body(body).send()
    };
    assert_eq!(code(json("{".to_owned()).await.unwrap()).await.0, 400);
    let response = json(" ".repeat(100_001)).await.unwrap();
    assert_eq!(text(response).await, (413, "Payload Too Large".to_owned()));
}

#[tokio::test]
async fn the_key_the_account_and_the_version_are_checked() {
    let fake = LuneFake::builder().credentials("right").accounts(["acc_1"]);
    let fake = fake.start().await;
    let url = format!("{}/v1/webhooks", fake.base_url());
    let client = http();
    for key in [Some("wrong"), Some("rightly"), Some(""), None] {
        let request = client.get(&url);
        let request = match key {
            Some(key) => request.bearer_auth(key),
            None => request,
        };
        let response = request.send().await.unwrap();
        assert_eq!(code(response).await, (401, "unauthorised".to_owned()));
    }
    let with = async |name: &str, value: &str| {
        let request = call(&fake, Method::GET, "/webhooks").header(name, value);
        request.send().await.unwrap()
    };
    let response = with("lune-account", "acc_2").await;
    assert_eq!(
        code(response).await,
        (401, "invalid_selected_account_id".to_owned())
    );
    assert_eq!(with("lune-account", "acc_1").await.status(), 200);
    let response = with("lune-version", "latest").await;
    assert_eq!(
        code(response).await,
        (400, "api_version_invalid".to_owned())
    );
    let response = with("lune-version", "2023-02-01").await;
    assert_eq!(response.headers()["lune-version"], "2023-02-01");
}

#[tokio::test]
async fn every_response_has_a_request_id_and_version() {
    let fake = LuneFake::start().await;
    let mut names = Vec::new();
    for path in ["/webhooks", "/webhooks/x", "/elsewhere"] {
        let response = call(&fake, Method::GET, path).send().await.unwrap();
        assert_eq!(response.headers()["lune-version"], "2024-08-08");
        names.push(response.headers()["cf-ray"].clone());
    }
    names.dedup();
    assert_eq!(names.len(), 3);
}

#[tokio::test]
async fn test_mode_can_be_set() {
    let fake = LuneFake::builder()
        .account_type(AccountType::Test)
        .start()
        .await;
    let created = create(&fake, json!({ "url": URL })).await;
    assert_eq!(created["account_type"], "test");
}

#[tokio::test]
async fn plain_text_429_has_retry_after_only_if_set() {
    let fake = LuneFake::start().await;
    fake.limit_rate(0, None);
    let list = || call(&fake, Method::GET, "/webhooks").send();
    let response = list().await.unwrap();
    assert!(!response.headers().contains_key("retry-after"));
    assert_eq!(text(response).await, (429, "Too Many Requests".to_owned()));
    fake.clear_faults();
    fake.fail_next(1, Fault::rate_limited(Duration::from_millis(1500)));
    let response = list().await.unwrap();
    assert_eq!(response.headers()["retry-after"], "2");
}

#[tokio::test]
async fn unknown_paths_get_404_and_unknown_methods_405() {
    let fake = LuneFake::start().await;
    let mut webhook = lune_webhook(URL);
    webhook.id = "a b".to_owned();
    fake.seed(webhook);
    for (method, path, status) in [
        (Method::PATCH, "/webhooks/a%20b", 405),
        (Method::POST, "/webhooks/a%20b/rotate-secret", 405),
        (Method::GET, "/webhooks/", 404),
        (Method::PUT, "/webhooks//rotate-secret", 404),
        (Method::GET, "/webhooks/a%20b/deliveries", 404),
        (Method::GET, "/webhooks/c", 404),
        (Method::GET, "", 404),
    ] {
        let response = call(&fake, method, path).send().await.unwrap();
        assert_eq!(response.headers().contains_key("allow"), status == 405);
        assert_eq!(text(response).await.0, status, "{path}");
    }
    assert_eq!(get(&fake, "/webhooks/a%20b").await["id"], "a b");
    let deleted = call(&fake, Method::DELETE, "/webhooks/a%20b").send().await;
    assert_eq!(deleted.unwrap().status(), 204);
    assert!(fake.webhooks().is_empty());
}

/// The digest is that of an independent implementation.
#[tokio::test]
async fn a_batch_is_signed_over_its_timestamp_and_body() {
    let digest = |secret: &str, signed: &str| {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(signed.as_bytes());
        mac.finalize().into_bytes()
    };
    let fake = LuneFake::builder().organisation("org1").start().await;
    let receiver = receiver(&[]).await;
    let webhook = fake.seed(lune_webhook(receiver.uri()));
    let path = format!("/webhooks/{}/rotate-secret", webhook.id);
    call(&fake, Method::PUT, &path).send().await.unwrap();
    fake.emit("odd", json!({ "a": 1 })).raw().await;

    let request = received(&receiver).await.remove(0);
    assert_eq!(request.body, br#"{"events":[{"a":1}]}"#);
    let header = request.headers["lune-hmac"].to_str().unwrap();
    let (timestamp, rest) = header.split_once(',').unwrap();
    let timestamp = timestamp.strip_prefix("timestamp=").unwrap();
    let signed = format!(r#"{timestamp}.{{"events":[{{"a":1}}]}}"#);
    let secret = fake.webhook(&webhook.id).unwrap().secret;
    let digest = HEXLOWER.encode(&digest(secret.expose(), &signed));
    assert_eq!(rest, format!("organisation=org1,v1={digest}"));
    let sent = DateTime::from_timestamp(timestamp.parse().unwrap(), 0).unwrap();
    assert!((chrono::Utc::now() - sent).num_seconds().abs() < 120);
}

#[tokio::test]
async fn event_has_the_published_fields_and_an_increasing_sequence() {
    let fake = LuneFake::start().await;
    let webhook = fake.seed(lune_webhook("http://127.0.0.1:9/"));
    let order = json!({ "order": { "id": "or_1" } });
    fake.emit("order.paid", order).queued().await;
    fake.emit("made.up", json!(null))
        .account_id("acc_2")
        .queued()
        .await;
    let deliveries = fake.deliveries(&webhook.id);
    let events = deliveries
        .iter()
        .map(|sent| serde_json::from_str(&sent.payload));
    let events: Vec<Value> = events.collect::<Result<_, _>>().unwrap();
    let expected = json!({
        "api_version": "v1", "event_id": deliveries[0].id, "event_type": "order.paid",
        "sequence": "2027-01-01T00:00:00.001Z", "account_id": "acc_1",
        "data": { "order": { "id": "or_1" } },
    });
    assert_eq!(events[0], expected);
    assert_eq!(
        (deliveries[0].id.len(), &events[1]["account_id"]),
        (32, &json!("acc_2"))
    );
    assert_ne!(deliveries[0].id, deliveries[1].id);
    assert!(events[0]["sequence"].as_str() < events[1]["sequence"].as_str());
}

#[tokio::test]
async fn batches_are_full_in_order_and_sent_until_one_fails() {
    let fake = LuneFake::builder().batch_limit(2).start().await;
    let receiver = receiver(&[204, 500]).await;
    let webhook = fake.seed(lune_webhook(receiver.uri()));
    let mut id = Vec::new();
    for _ in 0..5 {
        id.push(queue(&fake, "acc_1").await);
    }
    fake.deliver_due().await;
    assert_eq!(ids(&waiting(&fake, &webhook)), id[2..]);
    fake.deliver_due().await;
    assert!(waiting(&fake, &webhook).is_empty());
    let expected = [&id[..2], &id[2..4], &id[2..4], &id[4..]];
    assert_eq!(batches(&receiver).await, expected);
}

#[tokio::test]
async fn emit_sends_queued_events_in_the_same_batch() {
    let fake = LuneFake::start().await;
    let receiver = receiver(&[]).await;
    fake.seed(lune_webhook(receiver.uri()));
    let first = queue(&fake, "acc_1").await;
    let second = fake.emit("order.paid", json!({})).await.remove(0);
    assert_eq!(second.status, Status::Delivered);
    assert_eq!(batches(&receiver).await, [[first, second.id]]);
}

#[tokio::test]
async fn blocked_account_does_not_block_others() {
    let fake = LuneFake::builder().batch_limit(1).start().await;
    let server = MockServer::start().await;
    let blocked = json!({ "events": [{ "account_id": "acc_1" }] });
    let failing = Mock::given(body_partial_json(blocked));
    let failing = failing.respond_with(ResponseTemplate::new(500));
    let failing = failing.mount_as_scoped(&server).await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(204))
        .mount(&server)
        .await;
    let webhook = fake.seed(lune_webhook(server.uri()));
    let first = [queue(&fake, "acc_1").await, queue(&fake, "acc_1").await];
    let second = [queue(&fake, "acc_2").await, queue(&fake, "acc_2").await];

    fake.deliver_due().await;
    assert_eq!(ids(&waiting(&fake, &webhook)), first);
    drop(failing);
    fake.deliver_due().await;
    let [a, b] = &first;
    let [c, d] = &second;
    let sent: Vec<_> = batches(&server).await.concat();
    assert_eq!(sent, [a, c, d, a, b].map(String::clone));
}

#[tokio::test]
async fn mixed_batches_block_every_account_in_them() {
    let fake = LuneFake::builder().mix_accounts(true).batch_limit(2);
    let fake = fake.start().await;
    let receiver = receiver(&[500]).await;
    fake.seed(lune_webhook(receiver.uri()));
    let mut id = Vec::new();
    for account in ["acc_1", "acc_2", "acc_1", "acc_3"] {
        id.push(queue(&fake, account).await);
    }
    fake.deliver_due().await;
    fake.deliver_due().await;
    let expected = [&id[..2], &id[3..], &id[..2], &id[2..3]];
    assert_eq!(batches(&receiver).await, expected);
}

#[tokio::test]
async fn slow_receiver_does_not_acknowledge() {
    let fake = LuneFake::builder()
        .timeout(Duration::from_millis(50))
        .start()
        .await;
    let server = MockServer::start().await;
    let slow = ResponseTemplate::new(204).set_delay(Duration::from_secs(60));
    Mock::given(any()).respond_with(slow).mount(&server).await;
    fake.seed(lune_webhook(server.uri()));
    let sent = fake.emit("order.paid", json!({})).await.remove(0);
    assert_eq!((sent.response_status, sent.status), (None, Status::Failed));
}

#[tokio::test]
async fn events_are_delivered_to_matching_webhooks() {
    let fake = LuneFake::start().await;
    let all = fake.seed(of_accounts(&[]));
    let one = fake.seed(of_accounts(&["acc_1"]));
    let mut off = lune_webhook(URL);
    off.enabled = false;
    let off = fake.seed(off);
    for account in ["acc_1", "acc_2"] {
        fake.emit("a", json!({})).account_id(account).queued().await;
    }
    let count = |webhook| waiting(&fake, webhook).len();
    assert_eq!((count(&all), count(&one), count(&off)), (2, 1, 0));
}

#[tokio::test]
async fn disabled_webhook_keeps_its_queued_events() {
    let fake = LuneFake::start().await;
    let receiver = receiver(&[]).await;
    fake.route("hooks.example.com", &receiver.uri());
    let webhook = fake.seed(lune_webhook(URL));
    queue(&fake, "acc_1").await;
    let path = format!("/webhooks/{}", webhook.id);
    for (enabled, sent) in [(false, 0), (true, 1)] {
        let body = json!({ "url": URL, "enabled": enabled });
        send(&fake, Method::PUT, &path, &body).await;
        assert_eq!(fake.deliver_due().await.len(), sent);
    }
}

#[tokio::test]
async fn a_dropped_call_leaves_one_request_at_a_time() {
    let fake = LuneFake::start().await;
    let server = MockServer::start().await;
    let slow = ResponseTemplate::new(204).set_delay(Duration::from_millis(200));
    Mock::given(any()).respond_with(slow).mount(&server).await;
    fake.seed(lune_webhook(server.uri()));
    queue(&fake, "acc_1").await;
    assert!(fake.deliver_due().now_or_never().is_none());
    assert!(fake.deliver_due().await.is_empty());
    assert_eq!(received(&server).await.len(), 1);
}
