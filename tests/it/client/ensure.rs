//! `ensure_webhook`: create, update, or leave alone.

use serde_json::{Value, json};
use webhook_sdk::preo::{PreoClient, Webhook, WebhookCreate, WebhookEvent};
use webhook_sdk::testing::PreoFake;
use webhook_sdk::{Ensured, Error, Patch};
use wiremock::matchers::{any, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::log::listen;
use crate::support::{SECRET, preo, preo_and_server, webhook};

fn desired() -> WebhookCreate {
    WebhookCreate::builder()
        .organization_id("org_1")
        .name("Orders")
        .url("https://example.com/hook")
        .events([WebhookEvent::ConsentGiven, WebhookEvent::PurchaseAction])
        .build()
}

async fn ensure(preo: &PreoClient, desired: WebhookCreate) -> Result<Ensured<Webhook>, Error> {
    preo.ensure_webhook(desired).send().await
}

/// `webhook("wh_1")`, as desired, changed by `edit`.
fn stored(id: &str, edit: impl FnOnce(&mut Value)) -> Value {
    let mut stored = webhook(id);
    stored["events"] = json!(["purchase.action", "consent.given"]);
    edit(&mut stored);
    stored
}

async fn list(server: &MockServer, webhooks: &[Value], times: u64) {
    let page = json!({ "count": webhooks.len(), "next": null, "results": webhooks });
    Mock::given(method("GET"))
        .and(path("/v1/webhooks"))
        .respond_with(ResponseTemplate::new(200).set_body_json(page))
        .up_to_n_times(times)
        .mount(server)
        .await;
}

async fn answer(server: &MockServer, verb: &str, at: &str, body: &Value) {
    Mock::given(method(verb))
        .and(path(at))
        .respond_with(ResponseTemplate::new(200).set_body_json(body))
        .mount(server)
        .await;
}

async fn calls(server: &MockServer) -> Vec<String> {
    let requests = server.received_requests().await.unwrap();
    let line = |request: &wiremock::Request| format!("{} {}", request.method, request.url.path());
    requests.iter().map(line).collect()
}

#[tokio::test]
async fn a_missing_webhook_is_created_once() {
    let fake = PreoFake::start().await;
    let preo = fake.client();
    let created = ensure(&preo, desired()).await.unwrap();
    let Ensured::Created(created) = created else {
        panic!("{created:?}");
    };
    assert!(created.secret.is_some());
    let again = ensure(&preo, desired()).await.unwrap();
    assert!(matches!(again, Ensured::Unchanged(_)), "{again:?}");
    assert_eq!(again.webhook().secret, created.secret);
    assert_eq!(preo.list_webhooks().all().await.unwrap().len(), 1);
}

#[tokio::test]
async fn only_what_differs_is_updated() {
    let (preo, server) = preo_and_server().await;
    let stored = stored("wh_1", |stored| stored["name"] = json!("Old"));
    list(&server, std::slice::from_ref(&stored), 1).await;
    answer(&server, "GET", "/v1/webhooks/wh_1", &stored).await;
    answer(&server, "PATCH", "/v1/webhooks/wh_1", &webhook("wh_1")).await;

    let mut desired = desired();
    desired.edition_id = Patch::from(&"ed_1".to_owned());
    desired.is_active = Some(true);
    let ensured = ensure(&preo, desired).await.unwrap();
    let Ensured::Updated { webhook, changed } = ensured else {
        panic!("{ensured:?}");
    };
    assert_eq!(changed, ["name", "edition_id"]);
    assert_eq!(webhook.secret.as_ref().unwrap().expose(), SECRET);
    let requests = server.received_requests().await.unwrap();
    let sent: Value = requests.last().unwrap().body_json().unwrap();
    assert_eq!(sent, json!({ "name": "Orders", "edition_id": "ed_1" }));
}

#[tokio::test]
async fn an_inactive_webhook_is_activated_unless_it_should_be_inactive() {
    for (desired_state, stored_state, sent) in [
        (None, json!(false), Some(true)),
        (Some(true), json!(false), Some(true)),
        (Some(false), json!(true), Some(false)),
        (Some(false), json!(false), None),
        (None, Value::Null, None),
    ] {
        let (preo, server) = preo_and_server().await;
        let stored = stored("wh_1", |stored| stored["is_active"] = stored_state);
        list(&server, std::slice::from_ref(&stored), 1).await;
        answer(&server, "GET", "/v1/webhooks/wh_1", &stored).await;
        answer(&server, "PATCH", "/v1/webhooks/wh_1", &webhook("wh_1")).await;
        let mut desired = desired();
        desired.is_active = desired_state;
        match (ensure(&preo, desired).await.unwrap(), sent) {
            (Ensured::Unchanged(_), None) => {}
            (Ensured::Updated { changed, .. }, Some(state)) => {
                assert_eq!(changed, ["is_active"]);
                let requests = server.received_requests().await.unwrap();
                let body: Value = requests.last().unwrap().body_json().unwrap();
                assert_eq!(body, json!({ "is_active": state }));
            }
            (ensured, _) => panic!("{ensured:?}"),
        }
    }
}

#[tokio::test]
async fn equivalent_url_and_another_order_are_unchanged() {
    for url in ["https://example.com/hook", "HTTPS://Example.COM:443/hook"] {
        let (preo, server) = preo_and_server().await;
        let stored = stored("wh_1", |stored| stored["url"] = json!(url));
        list(&server, std::slice::from_ref(&stored), 1).await;
        answer(&server, "GET", "/v1/webhooks/wh_1", &stored).await;
        let ensured = ensure(&preo, desired()).await.unwrap();
        assert!(matches!(ensured, Ensured::Unchanged(_)), "{ensured:?}");
        let expected = ["GET /v1/webhooks", "GET /v1/webhooks/wh_1"];
        assert_eq!(calls(&server).await, expected);
    }
}

#[tokio::test]
async fn webhook_of_another_organization_or_url_is_not_used() {
    let (preo, server) = preo_and_server().await;
    let others = [
        stored("wh_1", |stored| stored["organization_id"] = json!("org_2")),
        stored("wh_2", |stored| {
            stored["url"] = json!("https://example.com/hook/")
        }),
        stored("wh_3", |stored| {
            stored["url"] = json!("https://example.com/hook?a=1")
        }),
    ];
    list(&server, &others, 2).await;
    answer(&server, "POST", "/v1/webhooks", &webhook("wh_4")).await;
    let ensured = ensure(&preo, desired()).await.unwrap();
    assert!(matches!(ensured, Ensured::Created(_)), "{ensured:?}");
}

#[tokio::test]
async fn several_webhooks_with_the_url_are_an_error_that_lists_them() {
    let (preo, server) = preo_and_server().await;
    let both = [stored("wh_1", |_| ()), stored("wh_2", |_| ())];
    list(&server, &both, 1).await;
    let (log, guard) = listen();
    let error = ensure(&preo, desired()).await.unwrap_err();
    drop(guard);
    assert!(error.is_conflict());
    assert_eq!(log.text().matches("call failed").count(), 1);
    assert_eq!(
        error.to_string(),
        "ensure_webhook: 2 webhooks have this URL: wh_1, wh_2; delete all but one"
    );
    assert_eq!(calls(&server).await, ["GET /v1/webhooks"]);
}

#[tokio::test]
async fn later_of_two_concurrent_creates_deletes_its_own() {
    let (preo, server) = preo_and_server().await;
    let earlier = stored("wh_9", |_| ());
    let own = stored("wh_1", |own| own["created"] = json!("2026-01-02T03:04:06Z"));
    list(&server, &[], 1).await;
    list(&server, &[own.clone(), earlier.clone()], 1).await;
    answer(&server, "POST", "/v1/webhooks", &own).await;
    answer(&server, "DELETE", "/v1/webhooks/wh_1", &json!({})).await;
    answer(&server, "GET", "/v1/webhooks/wh_9", &earlier).await;

    let ensured = ensure(&preo, desired()).await.unwrap();
    assert!(matches!(ensured, Ensured::Unchanged(_)), "{ensured:?}");
    assert_eq!(ensured.webhook().id, "wh_9");
    assert_eq!(
        calls(&server).await,
        [
            "GET /v1/webhooks",
            "POST /v1/webhooks",
            "GET /v1/webhooks",
            "DELETE /v1/webhooks/wh_1",
            "GET /v1/webhooks/wh_9",
        ]
    );
}

#[tokio::test]
async fn earlier_of_two_concurrent_creates_keeps_its_own() {
    let (preo, server) = preo_and_server().await;
    let later = stored("wh_0", |own| own["created"] = json!("2026-01-02T03:04:06Z"));
    let own = stored("wh_1", |_| ());
    list(&server, &[], 1).await;
    list(&server, &[later, own.clone()], 1).await;
    answer(&server, "POST", "/v1/webhooks", &own).await;
    let ensured = ensure(&preo, desired()).await.unwrap();
    assert!(matches!(ensured, Ensured::Created(_)), "{ensured:?}");
    assert_eq!(ensured.webhook().id, "wh_1");
}

#[tokio::test]
async fn concurrent_calls_end_with_one_webhook() {
    let fake = PreoFake::start().await;
    let preo = fake.client();
    let ensure = || ensure(&preo, desired());
    let results = tokio::join!(ensure(), ensure(), ensure(), ensure());
    let ids = [results.0, results.1, results.2, results.3]
        .map(|result| result.map(|ensured| ensured.into_webhook().id));
    let left = preo.list_webhooks().all().await.unwrap();
    assert_eq!(left.len(), 1, "{ids:?}");
    assert!(ids.iter().flatten().any(|id| *id == left[0].id));
}

#[tokio::test]
async fn a_created_secret_is_not_lost_when_duplicates_cannot_be_checked() {
    let (_, server) = preo_and_server().await;
    let preo = preo(&server.uri()).build().unwrap();
    list(&server, &[], 1).await;
    answer(&server, "POST", "/v1/webhooks", &webhook("wh_1")).await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(403))
        .mount(&server)
        .await;
    let ensured = ensure(&preo, desired()).await.unwrap();
    assert_eq!(ensured.into_webhook().secret.unwrap().expose(), SECRET);
}

#[tokio::test]
async fn a_mistyped_event_is_logged() {
    let (preo, server) = preo_and_server().await;
    list(&server, &[], 2).await;
    answer(&server, "POST", "/v1/webhooks", &webhook("wh_1")).await;
    let mut desired = desired();
    desired.events = ["consent.givn".into(), WebhookEvent::ConsentGiven].into();
    let (log, guard) = listen();
    ensure(&preo, desired).await.unwrap();
    drop(guard);
    let log = log.text();
    let warnings: Vec<_> = log
        .lines()
        .filter(|line| line.contains("unknown value"))
        .collect();
    assert_eq!(warnings.len(), 1, "{log}");
    for field in [
        "WARN",
        "operation=\"create_webhook\"",
        "field=\"events\"",
        "value=\"consent.givn\"",
    ] {
        assert!(warnings[0].contains(field), "{}", warnings[0]);
    }
}
