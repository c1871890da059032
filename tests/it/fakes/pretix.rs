//! What the fake does beyond answering as recorded: deliveries, retries, faults and time.

use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use webhook_sdk::testing::{
    Fault, PretixFake, PretixFakeDeliveryStatus as Status, PretixOperation, PretixWebhookSeed,
};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

const CHANGED: &str = "pretix.event.changed";

fn request(pretix: &PretixFake, method: Method, path: &str) -> RequestBuilder {
    let organizer = pretix.organizer();
    let url = format!(
        "{}/api/v1/organizers/{organizer}/webhooks/{path}",
        pretix.base_url()
    );
    let client = Client::builder().no_proxy().build().unwrap();
    let token = format!("Token {}", pretix.token());
    client.request(method, url).header("authorization", token)
}

async fn answer(request: RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    (status, response.json().await.unwrap_or_default())
}

async fn receiver(status: u16) -> MockServer {
    let server = MockServer::start().await;
    let answer = ResponseTemplate::new(status);
    Mock::given(any()).respond_with(answer).mount(&server).await;
    server
}

async fn received(receiver: &MockServer) -> Vec<Value> {
    let requests = receiver.received_requests().await.unwrap();
    let bodies = requests
        .iter()
        .map(|request| serde_json::from_slice(&request.body));
    bodies.collect::<Result<_, _>>().unwrap()
}

#[tokio::test]
async fn every_action_type_of_pretix_is_accepted_and_a_plugins_if_it_is_added() {
    let names: Vec<&str> = include_str!("../../data/pretix/action_types.txt")
        .lines()
        .collect();
    assert_eq!(names.len(), 47);
    let pretix = PretixFake::builder()
        .action_types(["made.up.*"])
        .start()
        .await;
    let body =
        json!({"target_url": "https://a.example/", "limit_events": [], "action_types": names});
    let (status, webhook) = answer(request(&pretix, Method::POST, "").json(&body)).await;
    assert_eq!(status, 201, "{webhook}");

    let mut more = body.clone();
    more["action_types"] = json!(["made.up.*"]);
    let (status, _) = answer(request(&pretix, Method::POST, "").json(&more)).await;
    assert_eq!(status, 201);
    let (status, _) =
        answer(request(&PretixFake::start().await, Method::POST, "").json(&more)).await;
    assert_eq!(status, 400, "another fake has other plugins");
}

#[tokio::test]
async fn a_delivery_looks_like_the_recorded_one() {
    let receiver = receiver(200).await;
    let pretix = PretixFake::start().await;
    let target = format!(
        "http://user:pa%20ss@{}/auth?x=1&y=%C3%BC#gone",
        receiver.address()
    );
    pretix.insert(PretixWebhookSeed::new(target).action_types([CHANGED]));
    let data = json!({"event": "democon", "notification_id": 89});
    pretix.emit(CHANGED, data).await;

    let recorded = include_str!("../../data/pretix/delivery-with-credentials.http");
    let recorded = recorded.replace("\r\n", "\n");
    let (head, body) = recorded.split_once("\n\n").unwrap();
    let mut lines = head.lines();
    let sent = &receiver.received_requests().await.unwrap()[0];
    let line = format!(
        "{} {}?{} HTTP/1.1",
        sent.method,
        sent.url.path(),
        sent.url.query().unwrap()
    );
    assert_eq!(line, lines.next().unwrap());
    for line in lines {
        let (name, value) = line.split_once(": ").unwrap();
        // The connection is kept in HTTP/1.1 without a word, and each receiver has its own address.
        if !["Host", "Connection"].contains(&name) {
            assert_eq!(sent.headers[name], value, "{name}");
        }
    }
    assert_eq!(std::str::from_utf8(&sent.body).unwrap(), body.trim_end());
}

#[tokio::test]
async fn every_recorded_delivery_can_be_emitted() {
    for line in include_str!("../../data/pretix/deliveries.jsonl").lines() {
        let recorded: Value = serde_json::from_str(line).unwrap();
        let action = recorded["action"].as_str().unwrap();
        let receiver = receiver(200).await;
        let pretix = PretixFake::start().await;
        let names = include_str!("../../data/pretix/action_types.txt").lines();
        pretix.insert(PretixWebhookSeed::new(receiver.uri()).action_types(names));
        let deliveries = pretix.emit(action, recorded.clone()).await;
        assert_eq!(deliveries.len(), 1, "{line}");
        assert_eq!(received(&receiver).await, [recorded]);
        // Apart from the order of the fields, it is the same text.
        assert_eq!(
            deliveries[0].body.len(),
            line.len(),
            "{}",
            deliveries[0].body
        );
    }
}

#[tokio::test]
async fn what_is_not_ascii_is_escaped() {
    let pretix = PretixFake::start().await;
    pretix.insert(PretixWebhookSeed::new("http://receiver.invalid/").action_types([CHANGED]));
    let deliveries = pretix
        .emit(CHANGED, json!({"x": ["ü\"\u{1f389}", 1]}))
        .await;
    assert_eq!(
        deliveries[0].body,
        "{\"notification_id\": 1, \"organizer\": \"bigevents\", \
         \"x\": [\"\\u00fc\\\"\\ud83c\\udf89\", 1], \"action\": \"pretix.event.changed\"}"
    );
}

#[tokio::test]
async fn a_notification_reaches_who_is_subscribed_enabled_and_concerned() {
    let receiver = receiver(204).await;
    let pretix = PretixFake::builder()
        .other_organizer("otherorg", "t", ["othercon"])
        .start()
        .await;
    let seed = |types: &[&str]| PretixWebhookSeed::new(receiver.uri()).action_types(types.to_vec());
    let all = pretix.insert(seed(&["pretix.event.order.changed.*"])).id;
    let democon = pretix
        .insert(seed(&["pretix.event.order.changed.*"]).limit_events(["democon"]))
        .id;
    let other = pretix
        .insert(seed(&["pretix.event.order.changed.*"]).limit_events(["secondcon"]))
        .id;
    pretix.insert(seed(&["pretix.event.order.changed.*"]).enabled(false));
    pretix.insert(seed(&["pretix.event.order.paid"]));
    let elsewhere = pretix
        .insert(
            seed(&["pretix.event.order.changed.*", "pretix.giftcards.created"])
                .organizer("otherorg"),
        )
        .id;
    let none = pretix
        .insert(seed(&["pretix.giftcards.created", CHANGED]).limit_events(<[&str; 0]>::default()))
        .id;

    let hit = |action: &'static str, data: Value| {
        let pretix = &pretix;
        async move {
            let deliveries = pretix.emit(action, data).await;
            deliveries
                .iter()
                .map(|delivery| delivery.webhook_id)
                .collect::<Vec<_>>()
        }
    };
    let price = "pretix.event.order.changed.price";
    let order = json!({"event": "democon", "code": "ABC23"});
    assert_eq!(hit(price, order).await, [all, democon]);
    assert_eq!(
        hit(price, json!({"event": "secondcon"})).await,
        [all, other]
    );
    assert_eq!(
        hit(price, json!({"event": null})).await,
        [all, democon, other]
    );
    assert_eq!(
        hit(price, json!({"organizer": "otherorg", "event": "x"})).await,
        [elsewhere]
    );
    let card = json!({"issuer_slug": "bigevents", "issuer_id": 1, "giftcard": 1});
    assert_eq!(hit("pretix.giftcards.created", card.clone()).await, [none]);
    assert_eq!(hit(CHANGED, json!({"event": "democon"})).await, [0; 0]);
    assert_eq!(hit("made.up", json!({})).await, [0; 0]);
    assert_eq!(hit(price, json!("no object")).await, [all, democon, other]);

    let bodies = received(&receiver).await;
    assert_eq!(bodies[0]["organizer"], "bigevents");
    assert_eq!(bodies[0]["action"], price);
    assert_eq!(bodies[0]["notification_id"], bodies[1]["notification_id"]);
    assert_ne!(bodies[0]["notification_id"], bodies[2]["notification_id"]);
    let card_body = bodies
        .iter()
        .find(|body| body.get("giftcard").is_some())
        .unwrap();
    assert!(card_body.get("organizer").is_none());
}

#[tokio::test]
async fn deleting_an_event_leaves_a_webhook_limited_to_nothing() {
    let pretix = PretixFake::start().await;
    let id = pretix
        .insert(PretixWebhookSeed::new("https://a.example/").limit_events(["democon"]))
        .id;
    pretix.delete_event("democon");
    let webhook = pretix.webhook(id).unwrap();
    assert!(!webhook.all_events && webhook.limit_events.is_empty());
    let body = json!({"all_events": false, "limit_events": ["democon"]});
    let update = request(&pretix, Method::PATCH, &format!("{id}/")).json(&body);
    assert_eq!(answer(update).await.0, 400);
}

#[tokio::test]
async fn a_failed_delivery_comes_again_eleven_times_at_its_times() {
    let receiver = receiver(500).await;
    let pretix = PretixFake::start().await;
    let id = pretix
        .insert(PretixWebhookSeed::new(receiver.uri()).action_types([CHANGED]))
        .id;
    let first = pretix
        .emit(CHANGED, json!({"event": "democon"}))
        .await
        .remove(0);
    assert_eq!(first.status, Status::Failed);
    assert_eq!(first.response_status_code, Some(500));
    let seconds = [
        5, 30, 60, 300, 1200, 3600, 14400, 21600, 43200, 43200, 86400,
    ];
    for (attempts, seconds) in (1_u32..).zip(seconds) {
        let delay = Duration::from_secs(seconds);
        let due = pretix.deliveries(id)[0].next_retry_at.unwrap();
        assert_eq!(
            due - pretix.now(),
            chrono::TimeDelta::from_std(delay).unwrap()
        );
        pretix.advance(delay - Duration::from_millis(1));
        assert!(pretix.run_due_retries().await.is_empty());
        pretix.advance(Duration::from_millis(1));
        let again = pretix.run_due_retries().await.remove(0);
        assert_eq!(again.attempts, attempts + 1);
    }
    let last = pretix.deliveries(id).remove(0);
    assert_eq!((last.status, last.next_retry_at), (Status::Dropped, None));
    let bodies = received(&receiver).await;
    assert_eq!(bodies.len(), 12);
    assert!(
        bodies
            .iter()
            .all(|body| body["notification_id"] == first.notification_id)
    );
    assert!(
        pretix.webhook(id).unwrap().enabled,
        "failing disables nothing"
    );
}

#[tokio::test]
async fn a_410_disables_the_webhook_and_is_final() {
    let receiver = receiver(410).await;
    let pretix = PretixFake::start().await;
    let id = pretix
        .insert(PretixWebhookSeed::new(receiver.uri()).action_types([CHANGED]))
        .id;
    let delivery = pretix.emit(CHANGED, json!({})).await.remove(0);
    assert_eq!(delivery.status, Status::Dropped);
    assert_eq!(delivery.next_retry_at, None);
    assert!(!pretix.webhook(id).unwrap().enabled);
    assert!(pretix.emit(CHANGED, json!({})).await.is_empty());
    pretix.advance(Duration::from_secs(1_000_000));
    assert!(pretix.run_due_retries().await.is_empty());
}

#[tokio::test]
async fn a_retry_goes_to_the_target_of_now_and_not_to_a_disabled_webhook() {
    let (failing, accepting) = (receiver(301).await, receiver(201).await);
    let pretix = PretixFake::start().await;
    let seed = PretixWebhookSeed::new(failing.uri()).action_types([CHANGED]);
    let moved = pretix.insert(seed.clone()).id;
    let disabled = pretix.insert(seed).id;
    pretix.emit(CHANGED, json!({})).await;
    let target = json!({"target_url": accepting.uri()});
    let update = request(&pretix, Method::PATCH, &format!("{moved}/")).json(&target);
    assert_eq!(answer(update).await.0, 200);
    answer(request(&pretix, Method::DELETE, &format!("{disabled}/"))).await;

    pretix.advance(PretixFake::RETRY_DELAYS[0]);
    let again = pretix.run_due_retries().await;
    let status: Vec<_> = again.iter().map(|delivery| delivery.status).collect();
    assert_eq!(status, [Status::Delivered, Status::Dropped]);
    assert_eq!(received(&accepting).await.len(), 1);
    assert_eq!(
        received(&failing).await.len(),
        2,
        "a redirect isn't followed"
    );
}

#[tokio::test]
async fn a_receiver_that_is_silent_or_far_away_gets_no_status() {
    let slow = MockServer::start().await;
    let answer = ResponseTemplate::new(200).set_delay(Duration::from_secs(60));
    Mock::given(any()).respond_with(answer).mount(&slow).await;
    let pretix = PretixFake::builder()
        .timeout(Duration::from_millis(50))
        .start()
        .await;
    for target in [
        slow.uri(),
        "http://192.0.2.1/".to_owned(),
        "ftp://127.0.0.1/".to_owned(),
    ] {
        pretix.insert(PretixWebhookSeed::new(target).action_types([CHANGED]));
    }
    for delivery in pretix.emit(CHANGED, json!({})).await {
        assert_eq!(delivery.response_status_code, None);
        assert_eq!(delivery.status, Status::Failed);
    }
}

#[tokio::test]
async fn an_answer_is_repeated_under_its_key_for_a_day() {
    let pretix = PretixFake::start().await;
    let body = json!({"target_url": "https://a.example/", "limit_events": [], "action_types": []});
    let create = |key: &str| {
        let create = request(&pretix, Method::POST, "").json(&body);
        answer(create.header("x-idempotency-key", key))
    };
    let first = create("k").await;
    assert_eq!(first, create("k").await);
    assert_ne!(first, create("l").await);
    pretix.advance(Duration::from_secs(24 * 60 * 60));
    assert_ne!(first, create("k").await);
    assert_eq!(pretix.webhooks().len(), 3);
}

#[tokio::test]
async fn an_answer_that_passes_is_not_kept_and_one_that_is_lost_is() {
    let pretix = PretixFake::start().await;
    let send = |body: Value| {
        let create = request(&pretix, Method::POST, "").json(&body);
        create.header("x-idempotency-key", "k").send()
    };
    let body = json!({"target_url": "https://a.example/", "limit_events": [], "action_types": []});
    let mut breaking = body.clone();
    breaking["action_types"] = json!(5);
    assert_eq!(send(breaking).await.unwrap().status(), 500);

    pretix.inject(PretixFake::key_in_use(Duration::from_secs(5)));
    let busy = send(body.clone()).await.unwrap();
    assert_eq!(busy.status(), 409);
    assert_eq!(busy.headers()["retry-after"], "5");

    let lost = Fault::closed_connection().after_operation();
    pretix.inject_on(PretixOperation::CreateWebhook, lost);
    assert!(send(body.clone()).await.is_err());
    assert_eq!(send(body).await.unwrap().status(), 201);
    assert_eq!(pretix.webhooks().len(), 1);
}

#[tokio::test]
async fn the_word_before_the_token_can_be_another() {
    let pretix = PretixFake::builder()
        .auth_scheme("Device")
        .token("gate")
        .start()
        .await;
    let status = |authorization: &'static str| {
        let request = request(&pretix, Method::GET, "");
        let request = request.header("authorization", "");
        let mut request = request.build().unwrap();
        let value = authorization.parse().unwrap();
        request.headers_mut().insert("authorization", value);
        async move { Client::new().execute(request).await.unwrap().status() }
    };
    assert_eq!(status("Device gate").await, StatusCode::OK);
    assert_eq!(status("Token gate").await, StatusCode::UNAUTHORIZED);
    assert_eq!(status("Bearer gate").await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn limits_faults_and_the_record_are_those_of_every_fake() {
    let pretix = PretixFake::start().await;
    assert_eq!(pretix.seed_webhooks(3), [1, 2, 3]);
    pretix.limit_rate(1, Duration::from_secs(2));
    assert_eq!(
        answer(request(&pretix, Method::GET, "")).await.1["count"],
        3
    );
    assert_eq!(answer(request(&pretix, Method::GET, "3/")).await.0, 429);
    pretix.unlimit_rate();
    pretix.inject_on(PretixOperation::DeleteWebhook, Fault::bad_gateway());
    assert_eq!(pretix.pending_faults(), 1);
    pretix.clear_faults();
    assert_eq!(answer(request(&pretix, Method::DELETE, "3/")).await.0, 204);
    let lines: Vec<String> = pretix
        .requests()
        .iter()
        .map(|request| format!("{} {}", request.method(), request.path_and_query()))
        .collect();
    assert_eq!(
        lines,
        [
            "GET /api/v1/organizers/bigevents/webhooks/",
            "GET /api/v1/organizers/bigevents/webhooks/3/",
            "DELETE /api/v1/organizers/bigevents/webhooks/3/",
        ]
    );
    pretix.forget_requests().await;
    assert!(pretix.requests().is_empty());
}

#[tokio::test]
async fn hostile_requests_are_answered_and_the_server_goes_on() {
    let pretix = PretixFake::start().await;
    pretix.seed_webhooks(1);
    let bodies: [Vec<u8>; 6] = [
        b"\xff\xfe\x00".to_vec(),
        "[".repeat(200_000).into_bytes(),
        b"{\"comment\": \"\\ud800\"}".to_vec(),
        b"{\"comment\": 1e999}".to_vec(),
        json!({"target_url": "http://[::1"})
            .to_string()
            .into_bytes(),
        json!({"target_url": "http://a:b:c@d.e/"})
            .to_string()
            .into_bytes(),
    ];
    for body in bodies {
        for (method, path) in [(Method::POST, ""), (Method::PATCH, "1/")] {
            let request = request(&pretix, method, path).body(body.clone());
            let request = request.header("content-type", "application/json");
            assert_eq!(request.send().await.unwrap().status(), 400);
        }
    }
    for id in [
        "9223372036854775808/",
        "-/",
        "+/",
        "%F0%9F%8E%89/",
        "%2E%2E/",
        "1_0/",
    ] {
        let status = request(&pretix, Method::GET, id)
            .send()
            .await
            .unwrap()
            .status();
        assert_eq!(status, 404, "{id}");
    }
    assert_eq!(
        answer(request(&pretix, Method::GET, "?page_size=1&page=1"))
            .await
            .0,
        200
    );
}

#[test]
fn nothing_secret_is_shown() {
    let seed = PretixWebhookSeed::new("https://user:swordfish@a.example/");
    let builder = PretixFake::builder().token("swordfish");
    assert!(!format!("{seed:?} {builder:?}").contains("swordfish"));
}
