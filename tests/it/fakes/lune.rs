//! LuneFake over plain HTTP, as a client that isn't ours would meet it.

use std::time::Duration;

use chrono::DateTime;
use futures_util::FutureExt;
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::{Value, json};
use webhook_sdk::testing::{
    Fault, LuneFake, LuneFakeDelivery, LuneFakeEvent, LuneOperation, LuneWebhookSeed,
};
use wiremock::matchers::{any, body_partial_json};
use wiremock::{Mock, MockServer, ResponseTemplate};

const URL: &str = "https://hooks.example.com/lune";

fn call(fake: &LuneFake, method: Method, path: &str) -> RequestBuilder {
    let url = format!("{}/v1{path}", fake.base_url());
    Client::new().request(method, url).bearer_auth(fake.key())
}

async fn get(fake: &LuneFake, path: &str) -> Value {
    let answer = call(fake, Method::GET, path).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    answer.json().await.unwrap()
}

async fn send(fake: &LuneFake, method: Method, path: &str, body: Value) -> Response {
    call(fake, method, path).json(&body).send().await.unwrap()
}

async fn create(fake: &LuneFake, body: Value) -> Value {
    let answer = send(fake, Method::POST, "/webhooks", body).await;
    assert_eq!(answer.status(), 200);
    answer.json().await.unwrap()
}

/// Status and code of an answer of the documented shape.
async fn code(answer: Response) -> (u16, String) {
    let status = answer.status().as_u16();
    assert_eq!(answer.headers()["content-type"], "application/json");
    let body: Value = answer.json().await.unwrap();
    assert_eq!(body["errors"], json!([body["error"]]));
    assert!(body["error"]["message"].is_string());
    (
        status,
        body["error"]["error_code"].as_str().unwrap().to_owned(),
    )
}

/// Status and body of a plain-text answer.
async fn text(answer: Response) -> (u16, String) {
    let status = answer.status().as_u16();
    assert_eq!(
        answer.headers()["content-type"],
        "text/plain; charset=utf-8"
    );
    (status, answer.text().await.unwrap())
}

/// A receiver that answers the n-th request with the n-th status, and 204 after the last.
async fn receiver(statuses: &[u16]) -> MockServer {
    let server = MockServer::start().await;
    for status in statuses {
        Mock::given(any())
            .respond_with(ResponseTemplate::new(*status))
            .up_to_n_times(1)
            .mount(&server)
            .await;
    }
    accept(&server).await;
    server
}

async fn accept(server: &MockServer) {
    Mock::given(any())
        .respond_with(ResponseTemplate::new(204))
        .mount(server)
        .await;
}

fn ids(events: &[LuneFakeEvent]) -> Vec<&str> {
    events.iter().map(|event| &*event.event_id).collect()
}

fn batches(deliveries: &[LuneFakeDelivery]) -> Vec<Vec<&str>> {
    deliveries
        .iter()
        .map(|sent| sent.event_ids.iter().map(String::as_str).collect())
        .collect()
}

#[tokio::test]
async fn a_webhook_shows_its_secret_once_and_four_characters_later() {
    let fake = LuneFake::start().await;
    let created = create(&fake, json!({ "url": URL })).await;
    let secret = created["secret"].as_str().unwrap();
    let id = created["id"].as_str().unwrap();
    assert_eq!(id.len(), 32);
    assert_eq!(fake.webhook(id).unwrap().secret, secret);
    assert_eq!(
        created,
        json!({
            "id": id, "url": URL, "enabled": true, "account_type": "live", "account_ids": [],
            "created_at": "2026-01-01T00:00:00.001Z", "secret": secret,
        })
    );

    let mut shown = created.clone();
    shown["secret"] = json!(&secret[secret.len() - 4..]);
    assert_eq!(get(&fake, &format!("/webhooks/{id}")).await, shown);
    assert_eq!(get(&fake, "/webhooks").await, json!([shown]));
}

#[tokio::test]
async fn an_update_needs_both_fields_and_keeps_the_accounts() {
    let fake = LuneFake::start().await;
    let created = create(&fake, json!({ "url": URL, "account_ids": ["acc_1"] })).await;
    let path = format!("/webhooks/{}", created["id"].as_str().unwrap());
    for body in [json!({ "url": URL }), json!({ "enabled": true }), json!({})] {
        let answer = send(&fake, Method::PUT, &path, body).await;
        assert_eq!(code(answer).await, (400, "validation_error".to_owned()));
    }
    let body = json!({ "url": "https://ex.com/2", "enabled": false });
    let answer = send(&fake, Method::PUT, &path, body).await;
    assert_eq!(answer.status(), 200);
    let changed: Value = answer.json().await.unwrap();
    assert_eq!(changed["account_ids"], json!(["acc_1"]));
    assert_eq!(
        (&changed["url"], &changed["enabled"]),
        (&json!("https://ex.com/2"), &json!(false))
    );
    assert_eq!(changed["secret"].as_str().unwrap().len(), 4);

    let body = json!({ "url": URL, "enabled": true, "account_ids": ["acc_2", "acc_3"] });
    let answer = send(&fake, Method::PUT, &path, body).await;
    let changed: Value = answer.json().await.unwrap();
    assert_eq!(changed["account_ids"], json!(["acc_2", "acc_3"]));
}

#[tokio::test]
async fn a_rotation_is_a_put_and_shows_the_new_secret() {
    let fake = LuneFake::start().await;
    let hook = fake.insert(LuneWebhookSeed::new(URL).secret("old-secret"));
    let path = format!("/webhooks/{}/rotate-secret", hook.id);
    let answer = call(&fake, Method::PUT, &path).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let rotated: Value = answer.json().await.unwrap();
    let now = fake.webhook(&hook.id).unwrap();
    assert_eq!(rotated["secret"], json!(now.secret));
    assert!(now.secret.len() > 4 && now.secret != "old-secret" && now.old_secrets.is_empty());
}

#[tokio::test]
async fn a_deleted_webhook_is_gone() {
    let fake = LuneFake::start().await;
    let path = format!("/webhooks/{}", fake.insert(LuneWebhookSeed::new(URL)).id);
    let deleted = call(&fake, Method::DELETE, &path).send().await.unwrap();
    assert_eq!(deleted.status(), 204);
    assert_eq!(deleted.text().await.unwrap(), "");
    for method in [Method::GET, Method::DELETE] {
        let answer = call(&fake, method, &path).send().await.unwrap();
        assert_eq!(text(answer).await, (404, "Not Found".to_owned()));
    }
    assert!(fake.webhooks().is_empty());
}

#[tokio::test]
async fn a_list_is_filtered_by_any_of_the_accounts() {
    let fake = LuneFake::start().await;
    let of = |accounts: &[&str]| {
        let seed = LuneWebhookSeed::new(URL).account_ids(accounts.iter().copied());
        fake.insert(seed).id
    };
    let (all, first, second) = (of(&[]), of(&["a 1", "a2"]), of(&["a2"]));
    for (query, expected) in [
        ("", vec![&all, &first, &second]),
        ("?account_id=a+1", vec![&all, &first]),
        ("?account_id=a2", vec![&all, &first, &second]),
        ("?account_id=a+1&account_id=a3", vec![&all, &first]),
        ("?account_id=a3", vec![&all]),
        ("?other=a3", vec![&all, &first, &second]),
    ] {
        let list = get(&fake, &format!("/webhooks{query}")).await;
        let ids: Vec<_> = list
            .as_array()
            .unwrap()
            .iter()
            .map(|hook| &hook["id"])
            .collect();
        assert_eq!(ids, expected, "{query}");
    }
}

#[tokio::test]
async fn what_the_published_page_refuses_is_refused() {
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
        let answer = send(&fake, Method::POST, "/webhooks", body.clone()).await;
        let expected = (400, "validation_error".to_owned());
        assert_eq!(code(answer).await, expected, "{body}");
    }
    assert!(fake.webhooks().is_empty());
    create(
        &fake,
        json!({ "url": "https://hooks.foo.technology:8443/x", "account_ids": ["acc_1"] }),
    )
    .await;
}

#[tokio::test]
async fn a_body_that_is_no_json_or_too_large_is_refused() {
    let fake = LuneFake::start().await;
    let post = || call(&fake, Method::POST, "/webhooks");
    let answer = post().body("{}").send().await.unwrap();
    assert_eq!(
        text(answer).await,
        (415, "Unsupported Media Type".to_owned())
    );

    let json = |body: String| {
        post()
            .header("content-type", "application/json")
            .body(body)
            .send()
    };
    let answer = json("{".to_owned()).await.unwrap();
    assert_eq!(code(answer).await.0, 400);
    let answer = json(" ".repeat(100_001)).await.unwrap();
    assert_eq!(text(answer).await, (413, "Payload Too Large".to_owned()));
}

#[tokio::test]
async fn the_key_the_account_and_the_version_are_checked() {
    let fake = LuneFake::builder()
        .key("right")
        .accounts(["acc_1"])
        .start()
        .await;
    let url = format!("{}/v1/webhooks", fake.base_url());
    for key in ["wrong", "rightly", ""] {
        let answer = Client::new()
            .get(&url)
            .bearer_auth(key)
            .send()
            .await
            .unwrap();
        assert_eq!(code(answer).await, (401, "unauthorised".to_owned()));
    }
    let answer = Client::new().get(&url).send().await.unwrap();
    assert_eq!(code(answer).await, (401, "unauthorised".to_owned()));

    let with = |name: &str, value: &str| {
        call(&fake, Method::GET, "/webhooks")
            .header(name, value)
            .send()
    };
    let answer = with("lune-account", "acc_2").await.unwrap();
    assert_eq!(
        code(answer).await,
        (401, "invalid_selected_account_id".to_owned())
    );
    assert_eq!(with("lune-account", "acc_1").await.unwrap().status(), 200);
    let answer = with("lune-version", "latest").await.unwrap();
    assert_eq!(code(answer).await, (400, "api_version_invalid".to_owned()));
    let answer = with("lune-version", "2023-02-01").await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["lune-version"]),
        (200, &"2023-02-01".parse().unwrap())
    );
}

#[tokio::test]
async fn every_answer_names_the_request_and_the_version() {
    let fake = LuneFake::start().await;
    let mut names = Vec::new();
    for path in ["/webhooks", "/webhooks/x", "/elsewhere"] {
        let answer = call(&fake, Method::GET, path).send().await.unwrap();
        assert_eq!(answer.headers()["lune-version"], "2024-08-08");
        names.push(answer.headers()["cf-ray"].clone());
    }
    names.dedup();
    assert_eq!(names.len(), 3);
}

#[tokio::test]
async fn there_can_be_a_limit_of_webhooks_and_a_test_mode() {
    let fake = LuneFake::builder()
        .max_webhooks(1)
        .test_mode(true)
        .start()
        .await;
    let created = create(&fake, json!({ "url": URL })).await;
    assert_eq!(created["account_type"], "test");
    let answer = send(&fake, Method::POST, "/webhooks", json!({ "url": URL })).await;
    assert_eq!(
        code(answer).await,
        (400, "webhook_limit_reached".to_owned())
    );
}

#[tokio::test]
async fn requests_beyond_the_rate_get_a_429_in_plain_text() {
    let fake = LuneFake::start().await;
    fake.limit_rate(2);
    let mut statuses = Vec::new();
    for _ in 0..6 {
        let answer = call(&fake, Method::GET, "/webhooks").send().await.unwrap();
        if answer.status() == 429 {
            assert!(!answer.headers().contains_key("retry-after"));
            assert!(answer.headers().contains_key("cf-ray"));
            assert_eq!(text(answer).await, (429, "Too Many Requests".to_owned()));
            statuses.push(429);
        } else {
            statuses.push(answer.status().as_u16());
        }
    }
    assert_eq!(statuses, [200, 200, 429, 200, 200, 429]);
    fake.unlimit_rate();
    get(&fake, "/webhooks").await;

    fake.inject(Fault::rate_limited(Duration::from_millis(1500)));
    let answer = call(&fake, Method::GET, "/webhooks").send().await.unwrap();
    assert_eq!(answer.headers()["retry-after"], "2");
    assert_eq!(text(answer).await, (429, "Too Many Requests".to_owned()));
}

#[tokio::test]
async fn a_fault_meets_its_operation_alone() {
    let fake = LuneFake::start().await;
    fake.inject_on(LuneOperation::CreateWebhook, Fault::bad_gateway());
    get(&fake, "/webhooks").await;
    let answer = send(&fake, Method::POST, "/webhooks", json!({ "url": URL })).await;
    assert_eq!(answer.status(), 502);
    assert_eq!(fake.pending_faults(), 0);
    assert_eq!(fake.requests().len(), 2);
}

#[tokio::test]
async fn a_path_that_leads_nowhere_is_a_404() {
    let fake = LuneFake::start().await;
    fake.insert(LuneWebhookSeed::new(URL).id("a b"));
    for (method, path) in [
        (Method::PATCH, "/webhooks/a%20b"),
        (Method::POST, "/webhooks/a%20b/rotate-secret"),
        (Method::GET, "/webhooks/"),
        (Method::PUT, "/webhooks//rotate-secret"),
        (Method::GET, "/webhooks/a%20b/deliveries"),
        (Method::GET, ""),
    ] {
        let answer = call(&fake, method, path).send().await.unwrap();
        assert_eq!(text(answer).await, (404, "Not Found".to_owned()), "{path}");
    }
    assert_eq!(get(&fake, "/webhooks/a%20b").await["id"], "a b");
}

#[tokio::test]
async fn a_batch_is_signed_over_its_timestamp_and_body() {
    let fake = LuneFake::builder().organisation("org1").start().await;
    let receiver = receiver(&[]).await;
    fake.insert(LuneWebhookSeed::new(receiver.uri()).secret("secret-xxxx"));
    fake.sign_at(DateTime::from_timestamp(1_631_550_089, 0));
    fake.emit_raw("acc_1", &json!({ "a": 1 }));
    fake.deliver_due().await;

    let request = receiver.received_requests().await.unwrap().remove(0);
    assert_eq!(request.method, Method::POST);
    assert_eq!(request.headers["content-type"], "application/json");
    assert_eq!(request.body, br#"{"events":[{"a":1}]}"#);
    // printf '1631550089.{"events":[{"a":1}]}' | openssl dgst -sha256 -hmac secret-xxxx
    assert_eq!(
        request.headers["lune-hmac"],
        "timestamp=1631550089,organisation=org1,v1=395bb3636a9074ec54c4bfc0ff269ab49c8918d875fc20f8c0ef5acf154d70d2"
    );
}

#[tokio::test]
async fn a_signature_can_be_base64_and_one_of_several() {
    let fake = LuneFake::builder()
        .organisation("org1")
        .base64_signatures(true)
        .keep_old_secrets(true)
        .start()
        .await;
    let receiver = receiver(&[]).await;
    let hook = fake.insert(LuneWebhookSeed::new(receiver.uri()).secret("secret-xxxx"));
    let path = format!("/webhooks/{}/rotate-secret", hook.id);
    call(&fake, Method::PUT, &path).send().await.unwrap();
    fake.sign_at(DateTime::from_timestamp(1_631_550_089, 0));
    fake.emit_raw("acc_1", &json!({ "a": 1 }));
    let sent = fake.deliver_due().await.remove(0);

    let old = "timestamp=1631550089,organisation=org1,v1=OVuzY2qQdOxUxL/A/yaatJyJGNh1/CD4wO9azxVNcNI=,v1=";
    let new = sent.signature.strip_prefix(old).unwrap();
    assert_eq!(new.len(), 44);
    let request = receiver.received_requests().await.unwrap().remove(0);
    assert_eq!(request.headers["lune-hmac"], sent.signature.as_str());
    assert_eq!(request.body, sent.body.as_bytes());
}

#[tokio::test]
async fn an_event_has_what_is_published_and_grows_in_sequence() {
    let fake = LuneFake::start().await;
    let hook = fake.insert(LuneWebhookSeed::new("http://127.0.0.1:9/"));
    fake.emit("acc_1", "order.paid", json!({ "order": { "id": "or_1" } }));
    fake.emit("acc_2", "made.up", json!(null));
    let events: Vec<Value> = fake
        .pending(&hook.id)
        .iter()
        .map(|event| serde_json::from_str(&event.json).unwrap())
        .collect();
    assert_eq!(
        events[0],
        json!({
            "api_version": "v1", "event_id": events[0]["event_id"], "event_type": "order.paid",
            "sequence": "2026-01-01T00:00:00.002Z", "account_id": "acc_1",
            "data": { "order": { "id": "or_1" } },
        })
    );
    assert_eq!(events[0]["event_id"].as_str().unwrap().len(), 32);
    assert_ne!(events[0]["event_id"], events[1]["event_id"]);
    assert!(events[0]["sequence"].as_str() < events[1]["sequence"].as_str());
}

#[tokio::test]
async fn nothing_is_sent_before_it_is_asked_for_and_nothing_twice_once_acknowledged() {
    let fake = LuneFake::start().await;
    let receiver = receiver(&[]).await;
    let hook = fake.insert(LuneWebhookSeed::new(receiver.uri()));
    assert!(fake.deliver_due().await.is_empty());
    let event = fake.emit("acc_1", "order.paid", json!({}));
    assert!(receiver.received_requests().await.unwrap().is_empty());
    assert_eq!(ids(&fake.pending(&hook.id)), [event.event_id.as_str()]);

    let sent = fake.deliver_due().await;
    assert_eq!(batches(&sent), [[event.event_id.as_str()]]);
    assert!(sent[0].acknowledged);
    assert!(fake.deliver_due().await.is_empty());
    assert!(fake.pending(&hook.id).is_empty());
    assert_eq!(fake.deliveries(), sent);
}

#[tokio::test]
async fn only_a_2xx_acknowledges() {
    let refusals = [300, 302, 400, 401, 410, 500];
    let fake = LuneFake::start().await;
    let receiver = receiver(&refusals).await;
    let hook = fake.insert(LuneWebhookSeed::new(receiver.uri()));
    fake.emit("acc_1", "order.paid", json!({}));
    for status in &refusals {
        let sent = fake.deliver_due().await;
        assert_eq!(sent[0].response_status_code, Some(*status));
        assert!(!sent[0].acknowledged);
        assert_eq!(fake.pending(&hook.id).len(), 1);
    }
    assert!(fake.deliver_due().await[0].acknowledged);
}

#[tokio::test]
async fn batches_are_full_in_order_and_sent_until_one_fails() {
    let fake = LuneFake::builder().batch_limit(2).start().await;
    let receiver = receiver(&[204, 500]).await;
    let hook = fake.insert(LuneWebhookSeed::new(receiver.uri()));
    let events: Vec<_> = (0..5)
        .map(|_| fake.emit("acc_1", "order.paid", json!({})))
        .collect();
    let id = ids(&events);

    assert_eq!(batches(&fake.deliver_due().await), [&id[..2], &id[2..4]]);
    assert_eq!(ids(&fake.pending(&hook.id)), id[2..]);
    assert_eq!(batches(&fake.deliver_due().await), [&id[2..4], &id[4..]]);
    assert!(fake.pending(&hook.id).is_empty());
}

#[tokio::test]
async fn an_account_that_is_held_up_holds_up_no_other() {
    let fake = LuneFake::builder().batch_limit(1).start().await;
    let receiver = MockServer::start().await;
    let failing = Mock::given(body_partial_json(
        json!({ "events": [{ "account_id": "acc_1" }] }),
    ));
    let failing = failing
        .respond_with(ResponseTemplate::new(500))
        .mount_as_scoped(&receiver)
        .await;
    accept(&receiver).await;
    let hook = fake.insert(LuneWebhookSeed::new(receiver.uri()));
    let first = [
        fake.emit("acc_1", "a", json!({})),
        fake.emit("acc_1", "b", json!({})),
    ];
    let second = [
        fake.emit("acc_2", "a", json!({})),
        fake.emit("acc_2", "b", json!({})),
    ];

    let sent = fake.deliver_due().await;
    let (one, two) = (ids(&first), ids(&second));
    assert_eq!(batches(&sent), [[one[0]], [two[0]], [two[1]]]);
    assert_eq!(ids(&fake.pending(&hook.id)), one);

    drop(failing);
    assert_eq!(batches(&fake.deliver_due().await), [[one[0]], [one[1]]]);
}

#[tokio::test]
async fn mixed_batches_hold_up_every_account_in_them() {
    let fake = LuneFake::builder()
        .mix_accounts(true)
        .batch_limit(2)
        .start()
        .await;
    let receiver = receiver(&[500]).await;
    fake.insert(LuneWebhookSeed::new(receiver.uri()));
    let events: Vec<_> = ["acc_1", "acc_2", "acc_1", "acc_3"]
        .map(|account| fake.emit(account, "a", json!({})))
        .into();
    let id = ids(&events);
    let sent = fake.deliver_due().await;
    assert_eq!(batches(&sent), [vec![id[0], id[1]], vec![id[3]]]);
    assert_eq!(sent[0].account_ids, ["acc_1", "acc_2"]);
    assert_eq!(
        batches(&fake.deliver_due().await),
        [vec![id[0], id[1]], vec![id[2]]]
    );
}

#[tokio::test]
async fn a_lost_acknowledgement_sends_the_batch_again() {
    let fake = LuneFake::start().await;
    let receiver = receiver(&[]).await;
    fake.insert(LuneWebhookSeed::new(receiver.uri()));
    fake.emit("acc_1", "order.paid", json!({}));
    fake.lose_acknowledgements(2);
    let mut bodies = Vec::new();
    for acknowledged in [false, false, true] {
        let sent = fake.deliver_due().await.remove(0);
        assert_eq!(
            (sent.response_status_code, sent.acknowledged),
            (Some(204), acknowledged)
        );
        bodies.push(sent.body);
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1);
}

#[tokio::test]
async fn a_receiver_that_takes_too_long_has_not_acknowledged() {
    let fake = LuneFake::builder()
        .timeout(Duration::from_millis(50))
        .start()
        .await;
    let server = MockServer::start().await;
    let slow = ResponseTemplate::new(204).set_delay(Duration::from_secs(60));
    Mock::given(any())
        .respond_with(slow)
        .up_to_n_times(1)
        .mount(&server)
        .await;
    fake.insert(LuneWebhookSeed::new(server.uri()));
    fake.emit("acc_1", "order.paid", json!({}));
    let sent = fake.deliver_due().await.remove(0);
    assert_eq!(
        (sent.response_status_code, sent.acknowledged),
        (None, false)
    );
}

#[tokio::test]
async fn events_go_to_the_webhooks_that_they_concern() {
    let fake = LuneFake::start().await;
    let seed = || LuneWebhookSeed::new("http://127.0.0.1:9/");
    let all = fake.insert(seed());
    let one = fake.insert(seed().account_ids(["acc_1"]));
    let off = fake.insert(seed().enabled(false));
    fake.emit("acc_1", "a", json!({}));
    fake.emit("acc_2", "a", json!({}));
    let waiting = |id: &str| fake.pending(id).len();
    assert_eq!(
        (waiting(&all.id), waiting(&one.id), waiting(&off.id)),
        (2, 1, 0)
    );
}

#[tokio::test]
async fn a_disabled_webhook_keeps_what_waits_for_it() {
    let fake = LuneFake::start().await;
    let receiver = receiver(&[]).await;
    let hook = fake.insert(LuneWebhookSeed::new(URL));
    fake.route("HOOKS.example.com", &receiver.uri());
    fake.emit("acc_1", "a", json!({}));
    let path = format!("/webhooks/{}", hook.id);
    send(
        &fake,
        Method::PUT,
        &path,
        json!({ "url": URL, "enabled": false }),
    )
    .await;
    assert!(fake.deliver_due().await.is_empty());
    send(
        &fake,
        Method::PUT,
        &path,
        json!({ "url": URL, "enabled": true }),
    )
    .await;
    assert!(fake.deliver_due().await[0].acknowledged);
}

#[tokio::test]
async fn a_route_keeps_path_query_and_credentials() {
    let fake = LuneFake::start().await;
    let receiver = receiver(&[]).await;
    let url = "https://user:pw@hooks.example.com:8443/a/b?c=d";
    create(&fake, json!({ "url": url })).await;
    fake.route("hooks.example.com", &receiver.uri());
    fake.emit("acc_1", "a", json!({}));
    assert!(fake.deliver_due().await[0].acknowledged);
    let request = receiver.received_requests().await.unwrap().remove(0);
    assert_eq!(
        (request.url.path(), request.url.query()),
        ("/a/b", Some("c=d"))
    );
    assert_eq!(request.headers["authorization"], "Basic dXNlcjpwdw==");
}

#[tokio::test]
async fn nothing_leaves_the_machine() {
    let fake = LuneFake::start().await;
    fake.insert(LuneWebhookSeed::new(URL));
    fake.insert(LuneWebhookSeed::new("not a url"));
    fake.emit("acc_1", "a", json!({}));
    for sent in fake.deliver_due().await {
        assert_eq!(
            (sent.response_status_code, sent.acknowledged),
            (None, false)
        );
    }
}

#[tokio::test]
async fn a_call_that_was_dropped_leaves_one_request_at_a_time() {
    let fake = LuneFake::start().await;
    let server = MockServer::start().await;
    let slow = ResponseTemplate::new(204).set_delay(Duration::from_millis(200));
    Mock::given(any()).respond_with(slow).mount(&server).await;
    fake.insert(LuneWebhookSeed::new(server.uri()));
    fake.emit("acc_1", "a", json!({}));
    assert!(fake.deliver_due().now_or_never().is_none());

    assert!(fake.deliver_due().await.is_empty());
    assert_eq!(server.received_requests().await.unwrap().len(), 1);
    assert!(fake.deliveries()[0].acknowledged);
}

#[tokio::test]
async fn the_clock_moves_when_told_to() {
    let fake = LuneFake::start().await;
    let before = fake.now();
    fake.advance(Duration::from_secs(60));
    assert_eq!((fake.now() - before).num_seconds(), 60);
}

#[tokio::test]
async fn nothing_of_a_fake_shows_a_key_a_secret_a_url_or_a_payload() {
    let fake = LuneFake::builder().key("k-3f1c").start().await;
    let seed = LuneWebhookSeed::new("http://127.0.0.1:9/path-9d2e").secret("secret-77aa");
    let shown = [
        format!("{:?}", LuneFake::builder().key("k-3f1c")),
        format!("{seed:?}"),
        format!("{:?}", fake.insert(seed)),
        format!("{:?}", fake.emit("acc_1", "a", json!("data-5b5b"))),
        format!("{:?}", fake.deliver_due().await),
        format!("{fake:?}"),
    ];
    let signature = &fake.deliveries()[0].signature;
    for text in shown {
        for secret in [
            "k-3f1c",
            "path-9d2e",
            "secret-77aa",
            "data-5b5b",
            &signature[..],
        ] {
            assert!(!text.contains(secret), "{text}");
        }
    }
}
