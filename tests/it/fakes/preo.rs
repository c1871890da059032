//! PreoFake over plain HTTP: what it answers, and what the published page says of it.

use std::time::Duration;

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use http::HeaderName;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use webhook_sdk::Secret;
use webhook_sdk::preo::Webhook;
use webhook_sdk::signature::Scheme;
use webhook_sdk::testing::{FakeDelivery, FakeDeliveryStatus as Status, PreoFake};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::support::{http, preo_webhook, received, receiver};

const EVENT: &str = "purchase.action";

/// A request for `path` under `/v1/webhooks`.
fn request(preo: &PreoFake, method: Method, path: &str) -> RequestBuilder {
    let url = format!("{}/v1/webhooks{path}", preo.base_url());
    let client = http();
    client.request(method, url).bearer_auth(preo.credentials())
}

async fn answer(request: RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    (status, response.json().await.unwrap_or_default())
}

async fn get(preo: &PreoFake, path: &str) -> (u16, Value) {
    answer(request(preo, Method::GET, path)).await
}

async fn post(preo: &PreoFake, path: &str) -> (u16, Value) {
    answer(request(preo, Method::POST, path)).await
}

async fn create(preo: &PreoFake, body: &Value) -> (u16, Value) {
    answer(request(preo, Method::POST, "").json(body)).await
}

async fn update(preo: &PreoFake, id: &str, body: &Value) -> (u16, Value) {
    answer(request(preo, Method::PATCH, &format!("/{id}")).json(body)).await
}

/// The ids of a list.
async fn ids(preo: &PreoFake, path: &str) -> Vec<String> {
    let (status, body) = get(preo, path).await;
    assert_eq!(status, 200, "{path}: {body}");
    let rows = body["results"].as_array().unwrap().iter();
    rows.map(|row| row["id"].as_str().unwrap().to_owned())
        .collect()
}

fn valid_body() -> Value {
    json!({
        "organization_id": "org_1",
        "name": "Shop",
        "url": "https://shop.example/preo",
        "events": ["purchase.action", "consent.given"],
    })
}

/// An endpoint with this id.
fn named(id: &str, url: &str) -> Webhook {
    let mut webhook = preo_webhook(url);
    webhook.id = id.to_owned();
    webhook
}

fn seed_many(preo: &PreoFake, count: usize) -> Vec<String> {
    (0..count)
        .map(|_| preo.seed(preo_webhook("https://receiver.invalid/")).id)
        .collect()
}

#[tokio::test]
async fn create_returns_201_with_the_complete_endpoint() {
    let preo = PreoFake::start().await;
    let (status, created) = create(&preo, &valid_body()).await;
    let secret = created["secret"].as_str().unwrap();
    assert_eq!((status, secret.len()), (201, 64));
    let expected = json!({
        "id": "wh_1",
        "organization_id": "org_1",
        "name": "Shop",
        "url": "https://shop.example/preo",
        "edition_id": null,
        "events": ["purchase.action", "consent.given"],
        "is_active": true,
        "timeout_seconds": 10,
        "created": "2027-01-01T00:00:00.001Z",
        "modified": "2027-01-01T00:00:00.001Z",
        "secret": secret,
    });
    assert_eq!(created, expected);
    assert_eq!(get(&preo, "/wh_1").await, (200, created.clone()));

    let mut listed = created;
    listed.as_object_mut().unwrap().remove("secret");
    let page = json!({ "count": 1, "next": null, "previous": null, "results": [listed] });
    assert_eq!(get(&preo, "").await, (200, page));
}

#[tokio::test]
async fn create_takes_every_documented_field_and_ignores_others() {
    let preo = PreoFake::start().await;
    let mut body = valid_body();
    for (field, value) in [
        ("edition_id", json!("ed_1")),
        ("is_active", json!(false)),
        ("timeout_seconds", json!(0)),
        ("name", json!("")),
        ("id", json!("mine")),
        ("secret", json!("mine")),
        ("colour", json!("blue")),
    ] {
        body[field] = value;
    }
    let (status, created) = create(&preo, &body).await;
    assert_eq!(status, 201);
    for field in ["edition_id", "is_active", "timeout_seconds", "name"] {
        assert_eq!(created[field], body[field], "{field}");
    }
    assert_eq!(created["id"], "wh_1");
    assert_ne!(created["secret"], "mine");
    assert_eq!(created.get("colour"), None);
}

#[tokio::test]
async fn update_changes_only_the_given_fields_and_the_modification_time() {
    let preo = PreoFake::start().await;
    let (_, before) = create(&preo, &valid_body()).await;
    let changes = json!({
        "name": "Kiosk",
        "url": "http://localhost:8080/x?y=z",
        "edition_id": "ed_2",
        "events": [],
        "is_active": false,
        "timeout_seconds": 2_147_483_647,
        "organization_id": "org_2",
    });
    let (status, after) = update(&preo, "wh_1", &changes).await;
    let mut expected = before;
    for (field, value) in changes.as_object().unwrap() {
        expected[field] = value.clone();
    }
    expected["organization_id"] = json!("org_1");
    expected["modified"] = json!("2027-01-01T00:00:00.002Z");
    assert_eq!((status, &after), (200, &expected));

    let (_, absent) = update(&preo, "wh_1", &json!({})).await;
    assert_eq!(absent["edition_id"], "ed_2");
    let (_, null) = update(&preo, "wh_1", &json!({ "edition_id": null })).await;
    assert_eq!(null["edition_id"], json!(null));
}

#[tokio::test]
async fn delete_returns_204_once_and_removes_everything() {
    let preo = PreoFake::start().await;
    create(&preo, &valid_body()).await;
    for expected in [204, 404] {
        let delete = request(&preo, Method::DELETE, "/wh_1");
        assert_eq!(answer(delete).await.0, expected);
    }
    assert!(preo.webhooks().is_empty());
}

#[tokio::test]
async fn rotation_replaces_the_secret_and_nothing_else() {
    let preo = PreoFake::start().await;
    let (_, before) = create(&preo, &valid_body()).await;
    let (status, rotated) = post(&preo, "/wh_1/rotate-secret").await;
    assert_eq!(status, 200);
    assert_ne!(rotated["secret"], before["secret"]);
    assert_eq!(rotated["secret"].as_str().unwrap().len(), 64);
    let mut expected = before;
    expected["secret"] = rotated["secret"].clone();
    expected["modified"] = json!("2027-01-01T00:00:00.002Z");
    assert_eq!(rotated, expected);
}

#[tokio::test]
async fn unknown_ids_get_404_from_every_operation() {
    let preo = PreoFake::start().await;
    let id = preo.seed(preo_webhook("https://x.example/")).id;
    let not_found = (404, json!({ "detail": "Not found." }));
    for path in ["/nobody", "/nobody/deliveries", "/nobody/deliveries/x"] {
        assert_eq!(get(&preo, path).await, not_found, "{path}");
    }
    assert_eq!(get(&preo, &format!("/{id}/deliveries/x")).await, not_found);
    for path in ["/nobody/rotate-secret", "/nobody/deliveries/x/retry"] {
        assert_eq!(post(&preo, path).await, not_found, "{path}");
    }
    assert_eq!(update(&preo, "nobody", &json!({})).await, not_found);
    let delete = request(&preo, Method::DELETE, "/nobody");
    assert_eq!(answer(delete).await, not_found);
}

#[tokio::test]
async fn unknown_methods_get_405_and_unknown_paths_404_with_html() {
    let preo = PreoFake::start().await;
    for (method, path, allow) in [
        (Method::PUT, "", "GET, POST"),
        (Method::PUT, "/x", "GET, DELETE, PATCH"),
        (Method::GET, "/x/rotate-secret", "POST"),
        (Method::POST, "/x/deliveries", "GET"),
        (Method::DELETE, "/x/deliveries/y", "GET"),
        (Method::GET, "/x/deliveries/y/retry", "POST"),
    ] {
        let response = request(&preo, method.clone(), path).send().await.unwrap();
        assert_eq!(response.status(), 405, "{method} {path}");
        assert_eq!(response.headers()["allow"], allow);
    }
    for path in [
        "/",
        "/x/",
        "/x/secret",
        "//deliveries",
        "/x/deliveries/y/retry/z",
    ] {
        let response = request(&preo, Method::GET, path).send().await.unwrap();
        assert_eq!(response.status(), 404, "{path}");
        assert_eq!(
            response.headers()["content-type"],
            "text/html; charset=utf-8"
        );
    }
}

#[tokio::test]
async fn token_is_compared_exactly_and_its_scheme_case_insensitively() {
    let preo = PreoFake::builder().credentials("t_1").start().await;
    for (value, accepted) in [
        (Some("Bearer t_1"), true),
        (Some("bearer t_1"), true),
        (Some("Token t_1"), false),
        (Some("Bearer"), false),
        (Some("Bearert_1"), false),
        (Some("Bearer t_12"), false),
        (Some("Bearer T_1"), false),
        (None, false),
    ] {
        let url = format!("{}/v1/webhooks", preo.base_url());
        let mut request = http().get(url);
        if let Some(value) = value {
            request = request.header("authorization", value);
        }
        let response = request.send().await.unwrap();
        let status = if accepted { 200 } else { 401 };
        assert_eq!(response.status(), status, "{value:?}");
        let authenticate = response.headers().contains_key("www-authenticate");
        assert_eq!(authenticate, !accepted);
    }
}

#[tokio::test]
async fn invalid_fields_are_named() {
    let preo = PreoFake::start().await;
    create(&preo, &valid_body()).await;
    for (field, value) in [
        ("name", json!(null)),
        ("name", json!(5)),
        ("name", json!("x".repeat(121))),
        ("url", json!("nowhere")),
        ("url", json!("")),
        ("url", json!("https://a b.example/")),
        ("url", json!("http://[::1/")),
        ("edition_id", json!(["x"])),
        ("is_active", json!("true")),
        ("is_active", json!(null)),
        ("timeout_seconds", json!(-1)),
        ("timeout_seconds", json!(i64::MIN)),
        ("timeout_seconds", json!(2_147_483_648_u64)),
        ("timeout_seconds", json!(u64::MAX)),
        ("timeout_seconds", json!("5")),
        ("timeout_seconds", json!(1.5)),
        ("events", json!("consent.given")),
    ] {
        let (status, errors) = update(&preo, "wh_1", &json!({ field: value })).await;
        let names: Vec<_> = errors
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        assert_eq!((status, names), (400, vec![field]), "{value}");
        assert!(errors[field][0].is_string());
    }
    for field in ["events", "name", "organization_id", "url"] {
        let mut body = valid_body();
        body.as_object_mut().unwrap().remove(field);
        let (status, errors) = create(&preo, &body).await;
        assert_eq!((status, errors[field].is_array()), (400, true), "{field}");
    }
    let both = json!({ "events": ["consent.given", "moon.landing"], "url": "nowhere" });
    let (_, errors) = update(&preo, "wh_1", &both).await;
    let expected = json!({
        "events": { "1": ["\"moon.landing\" is not a valid choice."] },
        "url": ["Enter a valid URL."],
    });
    assert_eq!(errors, expected);
    let text = "ü".repeat(120);
    let (status, _) = update(&preo, "wh_1", &json!({ "name": text })).await;
    assert_eq!(status, 200, "a length counts characters");
}

#[tokio::test]
async fn server_survives_hostile_bodies() {
    let preo = PreoFake::start().await;
    create(&preo, &valid_body()).await;
    let post = |body: Vec<u8>| request(&preo, Method::POST, "").body(body);
    for body in [
        b"\xff\xfe\x00".to_vec(),
        b"{\"name\": \"\xc3\x28\"}".to_vec(),
        "[".repeat(200_000).into_bytes(),
        b"{\"name\": NaN}".to_vec(),
        b"{\"timeout_seconds\": 1e999}".to_vec(),
        b"{\"name\": \"\\ud800\"}".to_vec(),
        b"null".to_vec(),
        b"[]".to_vec(),
    ] {
        let request = post(body).header("content-type", "application/json");
        assert_eq!(answer(request).await.0, 400);
    }
    let other = post(b"a=b".to_vec()).header("content-type", "text/plain");
    let detail = "Unsupported media type \"text/plain\" in request.";
    assert_eq!(answer(other).await, (415, json!({ "detail": detail })));
    assert_eq!(get(&preo, "").await.1["count"], 1);
}

#[tokio::test]
async fn pages_have_100_items_by_default_and_link_to_each_other() {
    let preo = PreoFake::start().await;
    let all = seed_many(&preo, 101);
    assert_eq!(ids(&preo, "").await, all[..100]);
    assert_eq!(ids(&preo, "?page=2").await, all[100..]);
    assert_eq!(ids(&preo, "?page_size=101").await, all);
    assert_eq!(ids(&preo, "?page_size=40&page=3").await, all[80..]);

    let at = |query: &str| json!(format!("{}/v1/webhooks{query}", preo.base_url()));
    let (_, first) = get(&preo, "?page_size=50&x=%26+a&x=b&organization_id=org_1").await;
    let next = at("?page_size=50&x=%26+a&x=b&organization_id=org_1&page=2");
    assert_eq!((&first["next"], &first["previous"]), (&next, &json!(null)));
    let (_, third) = get(&preo, "?page_size=50&page=3").await;
    let previous = at("?page_size=50&page=2");
    assert_eq!(
        (&third["next"], &third["previous"]),
        (&json!(null), &previous)
    );
    let (_, second) = get(&preo, "?page=2").await;
    assert_eq!(
        (&second["count"], &second["previous"]),
        (&json!(101), &at("?page=1"))
    );

    for page in ["0", "-1", "3", "x", "1.0", "%00", "99999999999999999999999"] {
        let answer = get(&preo, &format!("?page={page}")).await;
        assert_eq!(
            answer,
            (404, json!({ "detail": "Invalid page." })),
            "{page}"
        );
    }
    for size in ["0", "-5", "x", "1e3"] {
        let (status, errors) = get(&preo, &format!("?page_size={size}")).await;
        assert_eq!(
            (status, errors["page_size"].is_array()),
            (400, true),
            "{size}"
        );
    }
    let bounded = PreoFake::builder().max_page_size(2).start().await;
    seed_many(&bounded, 3);
    assert_eq!(ids(&bounded, "?page_size=1000").await.len(), 2);
}

#[tokio::test]
async fn following_links_lists_10_000_endpoints_once() {
    let preo = PreoFake::start().await;
    let all = seed_many(&preo, 10_000);
    let mut met = Vec::new();
    let mut path = String::new();
    loop {
        let (_, page) = get(&preo, &path).await;
        let rows = page["results"].as_array().unwrap().iter();
        met.extend(rows.map(|row| row["id"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(next) => path = next.rsplit_once("webhooks").unwrap().1.to_owned(),
            None => break,
        }
    }
    assert!(met == all, "{} of {} met", met.len(), all.len());
    assert_eq!(preo.requests().len(), 100);
}

/// Three endpoints in each of two organizations, every second one inactive.
async fn varied() -> PreoFake {
    let preo = PreoFake::start().await;
    for (id, organization, edition, active, name) in [
        ("a", "org_1", Some("ed_1"), true, "beta"),
        ("b", "org_1", Some("ed_2"), false, "alpha"),
        ("c", "org_1", None, true, "beta"),
        ("d", "org 2&", Some("ed_1"), false, "alpha"),
        ("e", "org 2&", Some("ed_2"), true, "gamma"),
        ("f", "org 2&", None, false, "beta"),
    ] {
        let mut webhook = named(id, "https://x.example/");
        webhook.organization_id = Some(organization.to_owned());
        webhook.edition_id = edition.map(str::to_owned);
        webhook.is_active = Some(active);
        webhook.name = name.to_owned();
        let seconds = i64::from(id.as_bytes()[0]);
        webhook.created = DateTime::from_timestamp(seconds, 0).unwrap();
        webhook.modified = webhook.created;
        preo.seed(webhook);
    }
    preo
}

#[tokio::test]
async fn filters_and_orderings_are_applied() {
    let preo = varied().await;
    update(&preo, "b", &json!({})).await;
    for (query, expected) in [
        ("", "abcdef"),
        ("?organization_id=org_1", "abc"),
        ("?organization_id=org+2%26", "def"),
        ("?organization_id=org", ""),
        ("?organization_id=&edition_id=", "abcdef"),
        ("?edition_id=ed_1", "ad"),
        ("?is_active=true", "ace"),
        ("?is_active=false", "bdf"),
        ("?is_active=true&is_active=false", "bdf"),
        ("?colour=blue", "abcdef"),
        ("?organization_id=org_1&edition_id=ed_1&is_active=true", "a"),
        ("?ordering=created", "abcdef"),
        ("?ordering=-created", "fedcba"),
        ("?ordering=modified", "acdefb"),
        ("?ordering=-modified", "bfedca"),
        ("?ordering=name", "bdacfe"),
        ("?ordering=-name", "eacfbd"),
        ("?ordering=name,-created", "dbfcae"),
        ("?ordering=-name%2C-created", "efcadb"),
        ("?ordering=name&ordering=-created", "fedcba"),
        (
            "?ordering=name,-created&is_active=false&page_size=2&page=2",
            "f",
        ),
        ("?%ff=%ff&edition_id=%ff", ""),
    ] {
        assert_eq!(ids(&preo, query).await.concat(), expected, "{query}");
    }
    for (query, key) in [
        ("name,url", "url"),
        ("--name", "--name"),
        ("Name", "Name"),
        ("", ""),
        (",,,", ""),
    ] {
        let answer = get(&preo, &format!("?ordering={query}")).await;
        let message = format!("Select a valid choice. {key} is not one of the available choices.");
        assert_eq!(answer, (400, json!({ "ordering": [message] })));
    }
    assert_eq!(get(&preo, "?is_active=maybe").await.0, 400);
}

#[tokio::test]
async fn seed_is_returned_unchanged() {
    let preo = PreoFake::start().await;
    let mut webhook = named("a/b ü?", "https://x.example/");
    webhook.organization_id = None;
    webhook.events = ["consent.given".into(), "moon.landing".into()].into();
    assert_eq!(preo.seed(webhook.clone()), webhook);
    let (status, served) = get(&preo, "/a%2Fb%20%C3%BC%3F").await;
    let mut expected = serde_json::to_value(&webhook).unwrap();
    expected["organization_id"] = json!(null);
    expected["edition_id"] = json!(null);
    assert_eq!((status, served), (200, expected));
}

/// The digest is that of an independent implementation.
#[tokio::test]
async fn a_delivery_has_the_hex_digest_of_its_body() {
    let receiver = receiver(&[]).await;
    let preo = PreoFake::start().await;
    preo.seed(preo_webhook(receiver.uri()));
    preo.emit(EVENT, json!({ "b": "ü", "a": 1.5 })).await;

    let sent = received(&receiver).await.remove(0);
    let mut mac = Hmac::<Sha256>::new_from_slice(b"s3cret").unwrap();
    mac.update(&sent.body);
    let digest = mac.finalize().into_bytes();
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(sent.headers["x-preo-signature"], digest.as_str());
    let agent = sent.headers["user-agent"].to_str().unwrap();
    assert!(agent.starts_with("webhook-sdk-preo-fake/"));
    let expected = json!({
        "id": "dl_1",
        "event": EVENT,
        "created": "2027-01-01T00:00:00.001Z",
        "data": { "b": "ü", "a": 1.5 },
    });
    assert_eq!(sent.body_json::<Value>().unwrap(), expected);

    let path = "/wh_1/deliveries/dl_1";
    let expected = json!({
        "id": "dl_1",
        "status": "success",
        "event": EVENT,
        "attempts": 1,
        "response_status_code": 204,
        "last_attempt_at": "2027-01-01T00:00:00.002Z",
        "next_retry_at": null,
        "created": "2027-01-01T00:00:00.001Z",
        "endpoint_id": "wh_1",
        "payload": String::from_utf8(sent.body.clone()).unwrap(),
        "signature": digest,
    });
    assert_eq!(get(&preo, path).await, (200, expected));
}

#[tokio::test]
async fn the_scheme_and_an_empty_secret_are_configuration() {
    let receiver = receiver(&[]).await;
    let scheme = Scheme::builder("x-signature").build().unwrap();
    let preo = PreoFake::builder().scheme(scheme).start().await;
    preo.seed(preo_webhook(receiver.uri()));
    let mut unsigned = preo_webhook(receiver.uri());
    unsigned.secret = Some(Secret::from(""));
    preo.seed(unsigned);
    preo.emit(EVENT, json!({})).await;

    let sent = received(&receiver).await;
    let signed = |name: &str| {
        sent.iter()
            .filter(|sent| sent.headers.contains_key(name))
            .count()
    };
    assert_eq!((signed("x-signature"), signed("x-preo-signature")), (1, 0));
}

#[tokio::test]
async fn only_active_subscribed_endpoints_get_an_event() {
    let preo = PreoFake::start().await;
    let seed = |id: &str, change: fn(&mut Webhook)| {
        let mut webhook = named(id, "https://receiver.invalid/");
        change(&mut webhook);
        preo.seed(webhook);
    };
    seed("any", |_| {});
    seed("off", |webhook| webhook.is_active = Some(false));
    seed("unsubscribed", |webhook| {
        webhook.events = ["consent.given".into()].into()
    });
    seed("1-1", |webhook| {
        webhook.edition_id = Some("ed_1".to_owned())
    });
    seed("2-1", |webhook| {
        webhook.edition_id = Some("ed_1".to_owned());
        webhook.organization_id = Some("org_2".to_owned());
    });
    seed("1-2", |webhook| {
        webhook.edition_id = Some("ed_2".to_owned())
    });
    let emit = || preo.emit(EVENT, json!({}));
    let to = |deliveries: Vec<FakeDelivery>| {
        let ids: Vec<_> = deliveries.into_iter().map(|sent| sent.webhook_id).collect();
        ids.join(" ")
    };
    assert_eq!(to(emit().await), "any 1-1 2-1 1-2");
    assert_eq!(to(emit().organization_id("org_1").await), "any 1-1 1-2");
    assert_eq!(to(emit().edition_id("ed_1").await), "any 1-1 2-1");
    assert_eq!(
        to(emit().organization_id("org_1").edition_id("ed_2").await),
        "any 1-2"
    );
    assert_eq!(to(emit().to("off").await), "off");
}

#[tokio::test]
async fn a_receiver_slower_than_the_timeout_fails_without_a_status() {
    let slow = MockServer::start().await;
    let response = ResponseTemplate::new(200).set_delay(Duration::from_secs(600));
    Mock::given(wiremock::matchers::any())
        .respond_with(response)
        .mount(&slow)
        .await;
    let preo = PreoFake::builder()
        .timeout(Duration::from_millis(50))
        .start()
        .await;
    for timeout in [0, 1] {
        let mut webhook = preo_webhook(slow.uri());
        webhook.timeout_seconds = Some(timeout);
        preo.seed(webhook);
    }
    let deliveries = preo.emit(EVENT, json!({})).await;
    let outcome = |sent: &FakeDelivery| (sent.status, sent.response_status);
    let outcomes: Vec<_> = deliveries.iter().map(outcome).collect();
    assert_eq!(outcomes, [(Status::Failed, None); 2]);
}

#[tokio::test]
async fn a_delivery_is_exhausted_after_its_last_attempt() {
    let receiver = receiver(&[500, 500, 500]).await;
    let preo = PreoFake::builder()
        .max_attempts(3)
        .retry_delay(Duration::ZERO)
        .start()
        .await;
    preo.seed(named("hook", &receiver.uri()));
    preo.emit(EVENT, json!({})).await;
    let mut seen = Vec::new();
    while let Some(delivery) = preo.deliver_due().await.pop() {
        seen.push((delivery.attempts, delivery.status));
    }
    assert_eq!(seen, [(2, Status::Failed), (3, Status::Dropped)]);
    let path = "/hook/deliveries/dl_1";
    assert_eq!(get(&preo, path).await.1["status"], "exhausted");
    post(&preo, &format!("{path}/retry")).await;
    preo.wait_idle().await;
    assert_eq!(get(&preo, path).await.1["status"], "success");
}

#[tokio::test]
async fn attempts_are_a_minute_apart_and_use_the_current_secret() {
    let receiver = receiver(&[503]).await;
    let preo = PreoFake::start().await;
    preo.seed(named("hook", &receiver.uri()));
    let failed = preo.emit(EVENT, json!({})).await.remove(0);
    let wait = failed.next_attempt_at.unwrap() - failed.last_attempt_at.unwrap();
    assert_eq!(wait.num_seconds(), 60);
    let (_, stored) = get(&preo, "/hook/deliveries/dl_1").await;
    let due: DateTime<Utc> = stored["next_retry_at"].as_str().unwrap().parse().unwrap();
    assert_eq!(
        (&stored["status"], Some(due)),
        (&json!("failed"), failed.next_attempt_at)
    );

    post(&preo, "/hook/rotate-secret").await;
    preo.advance(Duration::from_secs(60));
    preo.deliver_due().await;
    let sent = received(&receiver).await;
    let header = HeaderName::from_static("x-preo-signature");
    assert_eq!(sent[0].body, sent[1].body);
    assert_ne!(sent[0].headers[&header], sent[1].headers[&header]);
    let (_, stored) = get(&preo, "/hook/deliveries/dl_1").await;
    assert_eq!(
        stored["signature"],
        sent[1].headers[&header].to_str().unwrap()
    );
}

#[tokio::test]
async fn retry_operation_responds_at_once_and_redelivers() {
    let receiver = receiver(&[500]).await;
    let preo = PreoFake::start().await;
    preo.seed(named("hook", &receiver.uri()));
    preo.emit(EVENT, json!({})).await;
    let path = "/hook/deliveries/dl_1";
    let (_, failed) = get(&preo, path).await;

    let retry = format!("{path}/retry");
    let (status, retrying) = post(&preo, &retry).await;
    let mut expected = failed;
    expected["status"] = json!("retrying");
    expected["next_retry_at"] = json!(null);
    assert_eq!((status, retrying), (200, expected));
    preo.wait_idle().await;
    let (_, done) = get(&preo, path).await;
    assert_eq!(
        (&done["status"], &done["attempts"]),
        (&json!("success"), &json!(2))
    );

    let detail = "Only a failed delivery can be retried.";
    assert_eq!(
        post(&preo, &retry).await,
        (400, json!({ "detail": detail }))
    );
    assert_eq!(received(&receiver).await.len(), 2);
}

/// Reads one request and returns the connection that waits for its response.
async fn held(listener: &TcpListener) -> TcpStream {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut request = Vec::new();
    while !request.ends_with(b"}") {
        assert_ne!(stream.read_buf(&mut request).await.unwrap(), 0);
    }
    stream
}

#[tokio::test]
async fn a_delivery_in_flight_is_not_sent_twice() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let preo = PreoFake::start().await;
    preo.seed(named("hook", &url));
    let path = "/hook/deliveries/dl_1";
    let retry = format!("{path}/retry");

    let first = async {
        let mut stream = held(&listener).await;
        let pending = get(&preo, path).await;
        assert_eq!(post(&preo, &retry).await, pending);
        stream.write_all(b"HTTP/1.1 500 No\r\n\r\n").await.unwrap();
        pending.1
    };
    let emit = async { preo.emit(EVENT, json!({})).await };
    let (pending, delivered) = tokio::join!(first, emit);
    assert_eq!(
        (&pending["status"], &pending["attempts"]),
        (&json!("pending"), &json!(0))
    );
    assert_eq!(delivered[0].status, Status::Failed);

    post(&preo, &retry).await;
    let mut stream = held(&listener).await;
    let (status, twice) = post(&preo, &retry).await;
    assert_eq!((status, &twice["status"]), (200, &json!("retrying")));
    stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
    preo.wait_idle().await;
    let delivery = &preo.deliveries("hook")[0];
    assert_eq!((delivery.attempts, delivery.status), (2, Status::Delivered));
}

#[tokio::test]
async fn attempt_for_a_deleted_endpoint_ends_without_error() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let preo = PreoFake::start().await;
    preo.seed(named("hook", &url));
    let delete = async {
        let mut stream = held(&listener).await;
        answer(request(&preo, Method::DELETE, "/hook")).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
    };
    let emit = async { preo.emit(EVENT, json!({})).await };
    let ((), deliveries) = tokio::join!(delete, emit);
    assert!(deliveries.is_empty() && preo.deliveries("hook").is_empty());
}

#[tokio::test]
async fn deliveries_are_listed_filtered_and_ordered() {
    let receiver = receiver(&[204, 503]).await;
    let preo = PreoFake::builder()
        .retry_delay(Duration::ZERO)
        .start()
        .await;
    preo.seed(named("hook", &receiver.uri()));
    preo.seed(named("other", &receiver.uri()));
    for _ in 0..3 {
        preo.emit(EVENT, json!({})).to("hook").await;
    }
    let (one, two, three) = ("dl_1", "dl_2", "dl_3");
    let list = async |query: &str| ids(&preo, &format!("/hook/deliveries{query}")).await;
    assert_eq!(list("").await, [one, two, three]);
    assert_eq!(list("?status=success").await, [one, three]);
    assert_eq!(list("?status=failed").await, [two]);
    assert_eq!(list("?status=unheard-of").await, [""; 0]);
    assert_eq!(list("?ordering=-created").await, [three, two, one]);
    assert_eq!(list("?ordering=name").await, [one, two, three]);
    assert_eq!(list("?page_size=2&page=2").await, [three]);
    assert_eq!(
        list("?is_active=false&organization_id=x").await,
        [one, two, three]
    );
    assert_eq!(get(&preo, "/hook/deliveries?ordering=event").await.0, 400);
    assert_eq!(get(&preo, "/hook/deliveries?page=2").await.0, 404);
    assert_eq!(get(&preo, &format!("/other/deliveries/{one}")).await.0, 404);
    preo.deliver_due().await;
    assert_eq!(list("?ordering=modified").await, [one, three, two]);

    let (_, page) = get(&preo, "/hook/deliveries?page_size=1").await;
    let next = format!(
        "{}/v1/webhooks/hook/deliveries?page_size=1&page=2",
        preo.base_url()
    );
    assert_eq!((&page["count"], &page["next"]), (&json!(3), &json!(next)));
    let row = page["results"][0].as_object().unwrap();
    for hidden in ["payload", "signature", "endpoint_id"] {
        assert!(!row.contains_key(hidden));
    }
}
