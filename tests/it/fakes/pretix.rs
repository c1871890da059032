//! What PretixFake does beyond answering as recorded: deliveries, retries, keys and plugins.

use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use webhook_sdk::pretix::{ActionType, Webhook};
use webhook_sdk::testing::{FakeDeliveryStatus as Status, Fault, Pretix, PretixFake};
use wiremock::MockServer;

use super::support::{http, pretix_webhook, received, receiver};

const CHANGED: &str = "pretix.event.changed";

fn request(pretix: &PretixFake, method: Method, path: &str) -> RequestBuilder {
    let (base_url, organizer) = (pretix.base_url(), pretix.organizer());
    let url = format!("{base_url}/api/v1/organizers/{organizer}/webhooks/{path}");
    let client = http();
    let token = format!("Token {}", pretix.credentials());
    client.request(method, url).header("authorization", token)
}

async fn answer(request: RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    (status, response.json().await.unwrap_or_default())
}

async fn create(pretix: &PretixFake, body: &Value) -> (u16, Value) {
    answer(request(pretix, Method::POST, "").json(body)).await
}

async fn update(pretix: &PretixFake, id: i64, body: &Value) -> (u16, Value) {
    answer(request(pretix, Method::PATCH, &format!("{id}/")).json(body)).await
}

fn body(action_types: &[&str]) -> Value {
    json!({ "target_url": "https://a.example/", "limit_events": [], "action_types": action_types })
}

async fn notifications(receiver: &MockServer) -> Vec<Value> {
    let requests = received(receiver).await;
    let bodies = requests.iter().map(|request| request.body_json());
    bodies.collect::<Result<_, _>>().unwrap()
}

fn of_types(url: impl Into<String>, action_types: &[&str]) -> Webhook {
    let mut webhook = pretix_webhook(url);
    webhook.action_types = action_types.iter().map(|name| (*name).into()).collect();
    webhook
}

fn limited(mut webhook: Webhook, events: &[&str]) -> Webhook {
    webhook.all_events = false;
    webhook.limit_events = events.iter().map(|slug| (*slug).to_owned()).collect();
    webhook
}

#[tokio::test]
async fn action_types_of_pretix_and_added_plugins_are_accepted() {
    let names = include_str!("../../data/pretix/action_types.txt");
    let names: Vec<&str> = names.lines().collect();
    assert_eq!(names.len(), 47);
    let plugin = PretixFake::builder().action_types(["made.up.*"]);
    let plugin = plugin.start().await;
    assert_eq!(create(&plugin, &body(&names)).await.0, 201);
    assert_eq!(create(&plugin, &body(&["made.up.*"])).await.0, 201);
    let other = PretixFake::start().await;
    let (status, errors) = create(&other, &body(&["made.up.*"])).await;
    let message = "Invalid action type \"made.up.*\".";
    assert_eq!(
        (status, errors),
        (400, json!({ "action_types": [message] }))
    );
    assert_eq!(
        plugin.emit("made.up.thing", json!({})).queued().await.len(),
        1
    );
}

#[tokio::test]
async fn removed_plugin_action_type_only_allows_deletion() {
    let pretix = PretixFake::start().await;
    let id = pretix
        .seed(of_types("https://a.example/", &["gone.plugin.event"]))
        .id;
    let message = "Invalid action type \"gone.plugin.event\".";
    let refused = (400, json!({ "action_types": [message] }));
    for body in [
        json!({ "comment": "x" }),
        json!({ "enabled": false }),
        json!({ "action_types": [CHANGED] }),
    ] {
        assert_eq!(update(&pretix, id, &body).await, refused);
    }
    let put = request(&pretix, Method::PUT, &format!("{id}/")).json(&body(&[CHANGED]));
    assert_eq!(answer(put).await, refused);
    let delete = request(&pretix, Method::DELETE, &format!("{id}/"));
    assert_eq!(answer(delete).await.0, 204);
    assert_eq!(
        update(&pretix, id, &json!({ "enabled": true })).await,
        refused
    );
}

#[tokio::test]
async fn duplicate_action_types_stay_on_create_and_go_on_update() {
    let pretix = PretixFake::start().await;
    let (paid, placed) = ("pretix.event.order.paid", "pretix.event.order.placed");
    let (status, created) = create(&pretix, &body(&[paid, paid])).await;
    assert_eq!(
        (status, &created["action_types"]),
        (201, &json!([paid, paid]))
    );
    for (sent, stored) in [
        (json!([paid]), json!([paid, paid])),
        (json!([placed, placed]), json!([placed])),
        (json!([placed, paid, paid]), json!([paid, placed])),
    ] {
        let (_, updated) = update(&pretix, 1, &json!({ "action_types": sent })).await;
        assert_eq!(updated["action_types"], stored, "{sent}");
    }
}

#[tokio::test]
async fn urls_are_validated_like_django() {
    let pretix = PretixFake::start().await;
    for (url, accepted) in [
        ("http://localhost:99999/x", true),
        ("ftp://a.example/", true),
        ("https://user:pw@a.example/", true),
        ("https://[::1]:8080/", true),
        ("https://a.xn--p1ai/", true),
        ("http://intranet/", false),
        ("http://[::1", false),
        ("http://a:b:c@d.e/", false),
        ("https://-a.example/", false),
        ("https://a_b.example/", false),
        ("https://a.b1/", false),
        ("http://256.0.0.1/", false),
        ("http://[::g]/", false),
        ("mailto:a@b.example", false),
    ] {
        let mut body = body(&[CHANGED]);
        body["target_url"] = json!(url);
        let (status, answer) = create(&pretix, &body).await;
        assert_eq!(status == 201, accepted, "{url}: {answer}");
    }
}

#[tokio::test]
async fn delivery_matches_the_recorded_headers_and_content() {
    let receiver = receiver(&[200]).await;
    let pretix = PretixFake::start().await;
    let address = receiver.address();
    let target = format!("http://user:pa%20ss@{address}/auth?x=1&y=%C3%BC#gone");
    pretix.seed(pretix_webhook(target));
    let data = json!({ "event": "democon", "notification_id": 89 });
    pretix.emit(CHANGED, data).await;

    let recorded = include_str!("../../data/pretix/delivery-with-credentials.http");
    let recorded = recorded.replace("\r\n", "\n");
    let (head, body) = recorded.split_once("\n\n").unwrap();
    let mut lines = head.lines();
    let sent = received(&receiver).await.remove(0);
    let target = format!("{}?{}", sent.url.path(), sent.url.query().unwrap());
    assert_eq!(
        format!("{} {target} HTTP/1.1", sent.method),
        lines.next().unwrap()
    );
    for line in lines {
        let (name, value) = line.split_once(": ").unwrap();
        // In HTTP/1.1 a connection is kept by default, and each body and receiver is another.
        if !["Host", "Connection", "Content-Length"].contains(&name) {
            assert_eq!(sent.headers[name], value, "{name}");
        }
    }
    let recorded: Value = serde_json::from_str(body).unwrap();
    assert_eq!(sent.body_json::<Value>().unwrap(), recorded);
}

#[tokio::test]
async fn every_recorded_delivery_can_be_emitted() {
    let names = include_str!("../../data/pretix/action_types.txt");
    let names: Vec<&str> = names.lines().collect();
    let receiver = receiver(&[]).await;
    let pretix = PretixFake::start().await;
    pretix.seed(of_types(receiver.uri(), &names));
    let lines = include_str!("../../data/pretix/deliveries.jsonl").lines();
    let recorded = lines.map(serde_json::from_str::<Value>);
    let recorded: Vec<_> = recorded.collect::<Result<_, _>>().unwrap();
    for data in &recorded {
        let action = data["action"].as_str().unwrap();
        let deliveries = pretix.emit(action, data.clone()).await;
        assert_eq!(deliveries.len(), 1, "{action}");
    }
    assert_eq!(notifications(&receiver).await, recorded);
}

#[tokio::test]
async fn notification_reaches_only_enabled_subscribed_and_matching_webhooks() {
    let receiver = receiver(&[]).await;
    let pretix = PretixFake::start().await;
    let (order, card) = ("pretix.event.order.changed.*", "pretix.giftcards.created");
    let gone = "pretix.event.deleted";
    let hook = |types: &[&str]| of_types(receiver.uri(), types);
    pretix.seed(hook(&[order]));
    pretix.seed(limited(hook(&[order, gone]), &["democon"]));
    pretix.seed(limited(hook(&[order, gone]), &["secondcon"]));
    let mut disabled = hook(&[order]);
    disabled.enabled = false;
    pretix.seed(disabled);
    pretix.seed(hook(&["pretix.event.order.paid"]));
    pretix.seed(limited(hook(&[card, CHANGED]), &[]));

    let price = "pretix.event.order.changed.price";
    let gift = json!({ "issuer_slug": "bigevents", "issuer_id": 1, "giftcard": 1 });
    for (action, data, expected) in [
        (price, json!({ "event": "democon", "code": "ABC23" }), "1 2"),
        (price, json!({ "event": "secondcon" }), "1 3"),
        (price, json!({ "event": null }), "1 2 3"),
        (price, json!("no object"), "1 2 3"),
        (price, json!({ "organizer": "otherorg", "event": "x" }), ""),
        (gone, json!({ "event": "democon" }), "2 3"),
        (gone, json!({ "event": null }), "2 3"),
        ("pretix.giftcards.created", gift, "6"),
        (CHANGED, json!({ "event": "democon" }), ""),
        ("made.up", json!({}), ""),
    ] {
        let deliveries = pretix.emit(action, data.clone()).await;
        let ids: Vec<_> = deliveries
            .iter()
            .map(|sent| sent.webhook_id.as_str())
            .collect();
        assert_eq!(ids.join(" "), expected, "{action} {data}");
    }
    let sent = notifications(&receiver).await;
    assert_eq!(
        (&sent[0]["organizer"], &sent[0]["action"]),
        (&json!("bigevents"), &json!(price))
    );
    assert_eq!(sent[0]["notification_id"], sent[1]["notification_id"]);
    assert_ne!(sent[0]["notification_id"], sent[2]["notification_id"]);
    let cards = sent.iter().find(|sent| sent.get("giftcard").is_some());
    assert!(cards.unwrap().get("organizer").is_none());
}

#[tokio::test]
async fn deleting_the_only_event_of_a_webhook_empties_its_scope() {
    let pretix = PretixFake::start().await;
    let id = pretix
        .seed(limited(pretix_webhook("https://a.example/"), &["democon"]))
        .id;
    pretix.delete_event("democon");
    let webhook = pretix.webhook(id).unwrap();
    assert!(!webhook.all_events && webhook.limit_events.is_empty());
    let body = json!({ "limit_events": ["democon"] });
    assert_eq!(update(&pretix, id, &body).await.0, 400);
}

#[tokio::test]
async fn failed_delivery_is_retried_eleven_times_on_schedule() {
    let receiver = receiver(&[500; 12]).await;
    let pretix = PretixFake::start().await;
    let id = pretix.seed(pretix_webhook(receiver.uri())).id;
    let first = pretix
        .emit(CHANGED, json!({ "event": "democon" }))
        .await
        .remove(0);
    assert_eq!(
        (first.status, first.response_status),
        (Status::Failed, Some(500))
    );
    let seconds = [
        5, 30, 60, 300, 1200, 3600, 14400, 21600, 43200, 43200, 86400,
    ];
    for (attempts, seconds) in (1_u32..).zip(seconds) {
        let delay = Duration::from_secs(seconds);
        assert_eq!(Pretix::RETRY_DELAYS[attempts as usize - 1], delay);
        pretix.advance(delay - Duration::from_millis(1));
        assert!(pretix.deliver_due().await.is_empty());
        pretix.advance(Duration::from_millis(1));
        assert_eq!(pretix.deliver_due().await[0].attempts, attempts + 1);
    }
    let last = pretix.deliveries(id).remove(0);
    assert_eq!((last.status, last.next_attempt_at), (Status::Dropped, None));
    let sent = notifications(&receiver).await;
    assert_eq!(sent.len(), 12);
    let mut ids = sent.iter().map(|sent| sent["notification_id"].to_string());
    assert!(ids.all(|id| id == first.id));
    assert!(
        pretix.webhook(id).unwrap().enabled,
        "failing disables nothing"
    );
}

#[tokio::test]
async fn a_410_disables_the_webhook_and_is_final() {
    let receiver = receiver(&[410]).await;
    let pretix = PretixFake::start().await;
    let id = pretix.seed(pretix_webhook(receiver.uri())).id;
    let delivery = pretix.emit(CHANGED, json!({})).await.remove(0);
    assert_eq!(
        (delivery.status, delivery.next_attempt_at),
        (Status::Dropped, None)
    );
    assert!(!pretix.webhook(id).unwrap().enabled);
    pretix.advance(Duration::from_secs(1_000_000));
    assert!(pretix.deliver_due().await.is_empty());
}

#[tokio::test]
async fn retry_uses_the_current_target_and_skips_disabled_webhooks() {
    let (failing, accepting) = (receiver(&[301; 2]).await, receiver(&[201]).await);
    let pretix = PretixFake::start().await;
    let moved = pretix.seed(pretix_webhook(failing.uri())).id;
    let disabled = pretix.seed(pretix_webhook(failing.uri())).id;
    pretix.emit(CHANGED, json!({})).await;
    update(&pretix, moved, &json!({ "target_url": accepting.uri() })).await;
    answer(request(&pretix, Method::DELETE, &format!("{disabled}/"))).await;

    pretix.advance(Pretix::RETRY_DELAYS[0]);
    pretix.deliver_due().await;
    assert_eq!(pretix.deliveries(moved)[0].status, Status::Delivered);
    assert_eq!(pretix.deliveries(disabled)[0].status, Status::Dropped);
    assert_eq!(received(&accepting).await.len(), 1);
    assert_eq!(received(&failing).await.len(), 2);
}

#[tokio::test]
async fn idempotent_response_is_repeated_for_a_day() {
    let pretix = PretixFake::start().await;
    let send = async |key: &str| {
        let create = request(&pretix, Method::POST, "").json(&body(&[]));
        answer(create.header("x-idempotency-key", key)).await
    };
    let first = send("k").await;
    assert_eq!(first, send("k").await);
    assert_ne!(first, send("l").await);
    pretix.advance(Duration::from_secs(24 * 60 * 60));
    assert_ne!(first, send("k").await);
    assert_eq!(pretix.webhooks().len(), 3);
}

#[tokio::test]
async fn a_lost_response_is_repeated() {
    let pretix = PretixFake::start().await;
    let send = |body: Value| {
        let create = request(&pretix, Method::POST, "").json(&body);
        create.header("x-idempotency-key", "k").send()
    };
    pretix.fail_next(1, PretixFake::key_in_use(Duration::from_secs(5)));
    let busy = send(body(&[])).await.unwrap();
    assert_eq!(busy.status(), 409);
    assert_eq!(busy.headers()["retry-after"], "5");

    pretix.fail_next(1, Fault::closed_connection().after_operation());
    assert!(send(body(&[])).await.is_err());
    assert_eq!(send(body(&[])).await.unwrap().status(), 201);
    assert_eq!(pretix.webhooks().len(), 1);
}

#[tokio::test]
async fn server_survives_hostile_requests() {
    let pretix = PretixFake::start().await;
    pretix.seed(pretix_webhook("https://a.example/"));
    for body in [
        b"\xff\xfe\x00".to_vec(),
        "[".repeat(200_000).into_bytes(),
        b"{\"comment\": \"\\ud800\"}".to_vec(),
        b"{\"comment\": 1e999}".to_vec(),
    ] {
        for (method, path) in [(Method::POST, ""), (Method::PATCH, "1/")] {
            let request = request(&pretix, method, path).body(body.clone());
            let request = request.header("content-type", "application/json");
            assert_eq!(answer(request).await.0, 400);
        }
    }
    for id in [
        "9223372036854775808/",
        "-/",
        "+/",
        "%F0%9F%8E%89/",
        "%2E%2E/",
    ] {
        assert_eq!(
            answer(request(&pretix, Method::GET, id)).await.0,
            404,
            "{id}"
        );
    }
    assert_eq!(answer(request(&pretix, Method::GET, "1/")).await.0, 200);
    let known = ActionType::from(CHANGED);
    assert_eq!(pretix.webhook(1).unwrap().action_types, [known]);
}
