//! Every operation of all services, answered in every way.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use webhook_sdk::pretix::{Credentials, EventScope, Notification, PretixClient, TargetUrl};
use webhook_sdk::receiver::{BoxError, Receiver, SqliteInbox};
use webhook_sdk::signature::{Key, Keyring, Signer};
use webhook_sdk::{Auth, Error, RetryPolicy, Rotation, Secret, lune, preo, pretix};
use wiremock::matchers::{any, method, path_regex};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::{PASSWORD, PAYLOAD, SECRET, Shown, TOKEN, URL_PATH};
use crate::inventory::{self, listed, operations};
use crate::log;

/// A URL that is a secret: it has a password, a secret path and a token.
fn url() -> String {
    let (password, path) = (PASSWORD.in_url(), URL_PATH.in_url());
    format!("https://user:{password}@example.com/{path}?token={path}")
}

/// Fits every response type of a service, so that one response does for every operation.
pub(super) fn preo_response() -> Value {
    let row = json!({
        "id": "wh_1",
        "organization_id": "org_1",
        "name": "Orders",
        "url": url(),
        "edition_id": null,
        "events": ["consent.given"],
        "is_active": true,
        "timeout_seconds": 10,
        "secret": SECRET.0,
        "created": "2026-01-02T03:04:05Z",
        "modified": "2026-01-02T03:04:05Z",
        "endpoint_id": "wh_1",
        "event": "consent.given",
        "payload": json!({ "email": PAYLOAD.0 }).to_string(),
        "signature": PAYLOAD.0,
        "status": "failed",
        "unknown_field": SECRET.0,
    });
    with_results(row)
}

/// Lune refuses credentials in a URL.
fn lune_url() -> String {
    format!("https://example.com/h?token={}", URL_PATH.0)
}

fn pretix_url() -> TargetUrl {
    let credentials = Credentials::new("user", Secret::from(PASSWORD.0)).unwrap();
    let path = format!("https://example.com/{}", URL_PATH.in_url());
    TargetUrl::new(&path, &credentials).unwrap()
}

fn lune_response() -> Value {
    json!({
        "id": "wh_1",
        "url": lune_url(),
        "enabled": true,
        "account_type": "live",
        "account_ids": ["acc_1"],
        "created_at": "2026-01-02T03:04:05Z",
        "secret": SECRET.0,
    })
}

fn pretix_response() -> Value {
    let row = json!({
        "id": 1,
        "enabled": true,
        "target_url": pretix_url().expose(),
        "code": PAYLOAD.0,
        "all_events": true,
        "limit_events": [],
        "action_types": ["pretix.event.order.paid"],
        "comment": null,
        "unknown_field": SECRET.0,
    });
    with_results(row)
}

fn with_results(row: Value) -> Value {
    let mut response = row.clone();
    response["count"] = json!(1);
    response["results"] = json!([row]);
    response
}

/// A name, and the mocks that answer.
type Scenario = (String, Vec<Mock>);

/// The response, and what a faulty or hostile server makes of it.
fn responses(healthy: &Value) -> Vec<Scenario> {
    let mut all = vec![
        (
            "healthy".to_owned(),
            ResponseTemplate::new(200).set_body_json(healthy),
        ),
        (
            "a list".to_owned(),
            ResponseTemplate::new(200).set_body_json([healthy]),
        ),
        ("no content".to_owned(), ResponseTemplate::new(204)),
        (
            "text".to_owned(),
            ResponseTemplate::new(200).set_body_string(SECRET.0),
        ),
        (
            "a string".to_owned(),
            ResponseTemplate::new(200).set_body_json(SECRET.0),
        ),
    ];
    // A secret where another type belongs, in each field in turn. Some fields take any text.
    for field in healthy.as_object().unwrap().keys() {
        for wrong in [
            json!(SECRET.0),
            json!({ SECRET.0: PAYLOAD.0 }),
            json!([PAYLOAD.0]),
        ] {
            let mut body = healthy.clone();
            body[field] = wrong.clone();
            let row = body.get_mut("results").and_then(|rows| rows.get_mut(0));
            if let Some(Value::Object(row)) = row {
                row.insert(field.clone(), wrong);
            }
            all.push((
                format!("{WRONG} {field}"),
                ResponseTemplate::new(200).set_body_json(body),
            ));
        }
    }
    // Cut off in the middle of a secret.
    let text = healthy.to_string();
    let end = text.find(SECRET.0).unwrap_or(text.len() / 2) + 30;
    all.push((
        "cut off".to_owned(),
        ResponseTemplate::new(200).set_body_string(&text[..end]),
    ));
    for status in [301, 304, 400, 401, 403, 404, 409, 422, 429, 500, 502, 503] {
        // A server that echoes what it got, where no message is expected.
        let body = json!({
            "detail": "no",
            "error": { "error_code": "invalid", "message": "no", "token": TOKEN.0 },
            "request": { "authorization": format!("Bearer {}", TOKEN.0), "body": SECRET.0 },
        });
        let response = ResponseTemplate::new(status)
            .insert_header("x-request-id", TOKEN.0)
            .insert_header("cf-ray", TOKEN.0)
            .insert_header("location", url().as_str())
            .insert_header("www-authenticate", TOKEN.0);
        all.push((status.to_string(), response.clone().set_body_json(body)));
        all.push((format!("{status} page"), response.set_body_string(url())));
    }
    let mock = |response| vec![Mock::given(any()).respond_with(response)];
    all.into_iter()
        .map(|(name, response)| (name, mock(response)))
        .collect()
}

/// The lists in order, the last one again and again; everything else is healthy.
fn lists(healthy: &Value, lists: &[Value]) -> Vec<Mock> {
    let list = |value: &Value, times| {
        let mock = Mock::given(method("GET")).and(path_regex("/(webhooks|deliveries)/?$"));
        let response = ResponseTemplate::new(if value.is_null() { 503 } else { 200 });
        let mock = mock.respond_with(response.set_body_json(value));
        mock.up_to_n_times(times)
    };
    let (last, first) = lists.split_last().unwrap();
    let mut mocks: Vec<_> = first.iter().map(|value| list(value, 1)).collect();
    mocks.push(list(last, u64::MAX));
    let other = ResponseTemplate::new(200).set_body_json(healthy);
    mocks.push(Mock::given(any()).respond_with(other));
    mocks
}

/// What `ensure_webhook` can find. `list` makes the response of some rows.
fn findings(healthy: &Value, list: fn(Vec<Value>) -> Value) -> Vec<Scenario> {
    let mut row = healthy.clone();
    row.as_object_mut().unwrap().remove("results");
    let mut other = row.clone();
    other["id"] = if row["id"].is_string() {
        json!("wh_0")
    } else {
        json!(0)
    };
    other["created"] = json!("2025-01-02T03:04:05Z");
    other["created_at"] = json!("2025-01-02T03:04:05Z");
    let none = list(vec![]);
    let one = list(vec![row.clone()]);
    let two = list(vec![row, other.clone()]);
    [
        ("none, then one", vec![none.clone(), one.clone()]),
        (
            "none, then an earlier one",
            vec![none.clone(), list(vec![other]), two.clone()],
        ),
        ("none, then an error", vec![none, Value::Null]),
        ("one", vec![one]),
        ("two", vec![two]),
    ]
    .map(|(name, found)| (name.to_owned(), lists(healthy, &found)))
    .into()
}

const WRONG: &str = "wrong";

fn retry() -> RetryPolicy {
    let wait = Duration::from_millis(1);
    RetryPolicy::new()
        .max_retries(1)
        .min_backoff(wait)
        .max_backoff(wait)
}

/// Shows each request builder and the end of its call.
macro_rules! show {
    ($shown:ident, $response:expr; $($operation:expr),+ $(,)?) => {$({
        let place = format!("{} ({})", stringify!($operation), $response);
        let operation = $operation;
        $shown.debug(&place, &operation);
        let result: Result<_, Error> = operation.send_with_response().await;
        if result.is_err() || !$response.starts_with(WRONG) {
            $shown.result(&place, &result);
        }
        if let Err(error) = &result {
            $shown.debug(&place, &error.request_id());
        }
    })+};
}

/// Shows what calls that consist of several return.
macro_rules! show_results {
    ($shown:ident, $response:expr; $($result:expr),+ $(,)?) => {$({
        let result = $result;
        if result.is_err() || !$response.starts_with(WRONG) {
            $shown.result(format!("{} ({})", stringify!($result), $response), &result);
        }
    })+};
}

/// Answers every request as each scenario has it, while everything is logged.
async fn in_each_scenario<F>(
    scenarios: Vec<Scenario>,
    mut run: impl FnMut(String, String) -> F,
) -> Shown
where
    F: Future<Output = Shown>,
{
    let (log, _guard) = log::listen();
    let mut shown = Shown::default();
    let server = MockServer::start().await;
    for (name, mocks) in scenarios {
        server.reset().await;
        for mock in mocks {
            mock.mount(&server).await;
        }
        shown.extend(run(server.uri(), name).await);
    }
    shown.extend(run("http://127.0.0.1:1".to_owned(), "no server".to_owned()).await);
    shown.add("log", log.text());
    shown
}

/// Fails if an operation of the document, or a public method of the client or of its operations,
/// wasn't called.
fn assert_all_called(shown: &Shown, service: &str, client: &str, document: &str) {
    let (_, log) = shown.pieces.last().unwrap();
    let spans = log.split("webhook_sdk.call{operation=\"").skip(1);
    let called = spans.map(|span| span.split('"').next().unwrap().to_owned());
    let mut expected = operations(document);
    if service == "pretix" {
        expected.insert("fetch".to_owned());
    }
    assert_eq!(called.collect::<BTreeSet<_>>(), expected);

    let places: Vec<_> = shown.pieces.iter().map(|(place, _)| place).collect();
    for prefix in ["pub fn", "pub async fn"] {
        let path = format!("{prefix} webhook_sdk::{service}::{client}::");
        for method in listed(&path, "(") {
            let call = format!("{service}.{method}(");
            let is_called = places.iter().any(|place| place.starts_with(&call));
            assert!(is_called || method == "builder", "{call}");
        }
    }
    let path = format!("pub async fn webhook_sdk::{service}::operation::");
    for method in listed(&path, "(") {
        let (_, name) = method.rsplit_once("::").unwrap();
        let is_called = places
            .iter()
            .any(|place| place.contains(&format!(".{name}(")));
        assert!(is_called || name.starts_with("send"), "{method}");
    }
}

pub(super) async fn preo() -> Shown {
    let healthy = preo_response();
    let mut scenarios = responses(&healthy);
    let page = |rows: Vec<Value>| json!({ "count": rows.len(), "results": rows });
    scenarios.extend(findings(&healthy, page));
    let payload = json!({ "id": "c_1", "email": PAYLOAD.0 }).to_string();
    let signer = Signer::new(preo::scheme(), &Secret::from(SECRET.0)).unwrap();
    let mut genuine = healthy.clone();
    genuine["signature"] = json!(signer.sign_detached(payload.as_bytes()).unwrap());
    genuine["payload"] = json!(payload);
    let of_genuine = lists(&genuine, &[with_results(genuine.clone())]);
    scenarios.push(("genuine delivery".to_owned(), of_genuine));

    let directory = std::env::temp_dir().join(format!("webhook-sdk-{}", uuid::Uuid::new_v4()));
    std::fs::create_dir(&directory).unwrap();
    let inbox = SqliteInbox::open(directory.join("inbox.db")).await.unwrap();
    inbox.migrate().await.unwrap();
    let shown = in_each_scenario(scenarios, async |base_url: String, response: String| {
        let mut shown = Shown::default();
        let builder = preo::PreoClient::builder(TOKEN.0)
            .base_url(&base_url)
            .retry(retry());
        shown.debug("builder", &builder);
        let preo = builder.build().unwrap();
        shown.debug("client", &preo);
        let new = preo::WebhookCreate::builder()
            .organization_id("org_1")
            .name("Orders")
            .url(url())
            .events(["consent.given"])
            .build();
        let other = preo::WebhookCreate::builder()
            .organization_id("org_1")
            .name("Other")
            .url(url())
            .events(["consent.given"])
            .build();
        let change = preo::WebhookUpdate::new().url(url());
        shown.debug("bodies", &(&new, &change));
        show!(shown, response;
            preo.list_webhooks(),
            preo.create_webhook(new.clone()),
            preo.retrieve_webhook("wh_1"),
            preo.update_webhook("wh_1", change),
            preo.delete_webhook("wh_1"),
            preo.rotate_webhook_secret("wh_1"),
            preo.list_webhook_deliveries("wh_1"),
            preo.retrieve_webhook_delivery("wh_1", "d_1"),
            preo.retry_webhook_delivery("wh_1", "d_1"),
        );
        // Some fields take any text, and an id is shown.
        if response.starts_with(WRONG) {
            return shown;
        }
        let key = |name: &str, secret: &str| Key::new(name, &Secret::from(secret)).unwrap();
        let keyring = Keyring::new(key("old", PASSWORD.0));
        let rotation = Rotation::new(&keyring, "old", "new");
        let receiver = || {
            let verifier = preo::verifier(&Secret::from(SECRET.0)).unwrap();
            Receiver::new(preo::Source::new(verifier).identified_by(|_: &Value| None))
        };
        shown.debug("ensure", &preo.ensure_webhook(new.clone()));
        shown.debug("recover", &preo.recover("wh_1"));
        shown.debug("rotation", &rotation);
        show_results!(shown, response;
            preo.ensure_webhook(new).send().await,
            preo.ensure_webhook(other).send().await,
            preo.list_webhooks().all().await,
            preo.list_webhooks().stream().prefetch(2).all().await,
            preo.list_webhook_deliveries("wh_1").all().await,
            preo.rotate_webhook_secret("wh_1").rotate(rotation.clone()).await,
            preo.rotate_webhook_secret("wh_1").rotate(rotation).await,
            preo.recover("wh_1").through(&receiver(), async |_| {}).await,
            preo.recover("wh_1")
                .through(&receiver(), async |event| match event["id"].is_string() {
                    true => panic!("{event:?}"),
                    false => Err::<(), BoxError>("the database is down".into()),
                })
                .await,
            preo.recover("wh_1").through_inbox(&receiver(), &inbox, async |_, _| {}).await,
        );
        shown.debug("keyring", &keyring);
        if let Ok(webhook) = preo.retrieve_webhook("wh_1").send().await {
            show_results!(shown, response; webhook.verifier());
        }
        if let Ok(delivery) = preo.retrieve_webhook_delivery("wh_1", "d_1").send().await {
            show_results!(shown, response;
                delivery.verify(key("new", SECRET.0)),
                delivery.verify(key("old", PASSWORD.0)),
                delivery.payload.json::<Consent>(),
            );
        }
        shown
    })
    .await;
    std::fs::remove_dir_all(directory).unwrap();
    assert_all_called(&shown, "preo", "PreoClient", inventory::PREO);
    shown
}

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "only decoded")]
struct Consent {
    email: u64,
}

pub(super) async fn lune() -> Shown {
    let healthy = lune_response();
    let mut scenarios = responses(&healthy);
    scenarios.extend(findings(&healthy, Value::from));
    let shown = in_each_scenario(scenarios, async |base_url: String, response: String| {
        let mut shown = Shown::default();
        let builder = lune::LuneClient::builder(TOKEN.0)
            .base_url(&base_url)
            .requests_per_second(None)
            .retry(retry());
        shown.debug("builder", &builder);
        let lune = builder.build().unwrap();
        shown.debug("client", &lune);
        let target: lune::WebhookUrl = lune_url().parse().unwrap();
        let new = lune::WebhookCreate::builder()
            .url(target.clone())
            .account_ids(["acc_1"])
            .build();
        let everywhere = lune::WebhookCreate::builder().url(target.clone()).build();
        let change = lune::WebhookUpdate::builder()
            .url(target)
            .enabled(true)
            .build();
        shown.debug("bodies", &(&new, &change));
        show!(shown, response;
            lune.list_webhooks(),
            lune.create_webhook(new.clone()),
            lune.retrieve_webhook("wh_1"),
            lune.update_webhook("wh_1", change),
            lune.delete_webhook("wh_1"),
            lune.rotate_webhook_secret("wh_1"),
        );
        if response.starts_with(WRONG) {
            return shown;
        }
        let old = Key::new("old", &Secret::from(PASSWORD.0)).unwrap();
        let keyring = Keyring::new(old);
        let rotation = Rotation::new(&keyring, "old", "new");
        shown.debug("ensure", &lune.ensure_webhook(new.clone()));
        show_results!(shown, response;
            lune.ensure_webhook(new.clone()).send().await,
            lune.ensure_webhook(new).enabled(false).send().await,
            lune.ensure_webhook(everywhere).send().await,
            lune.list_webhooks().all().await,
            lune.list_webhooks().stream().all().await,
            lune.rotate_webhook_secret("wh_1").rotate(rotation.clone()).await,
            lune.rotate_webhook_secret("wh_1").rotate(rotation).await,
        );
        shown.debug("keyring", &keyring);
        if let Ok(webhook) = lune.rotate_webhook_secret("wh_1").send().await {
            show_results!(shown, response; webhook.verifier());
        }
        shown
    })
    .await;
    assert_all_called(&shown, "lune", "LuneClient", inventory::LUNE);
    shown
}

pub(super) async fn pretix() -> Shown {
    let healthy = pretix_response();
    let mut scenarios = responses(&healthy);
    let page = |rows: Vec<Value>| json!({ "count": rows.len(), "results": rows });
    scenarios.extend(findings(&healthy, page));
    let shown = in_each_scenario(scenarios, async |base_url: String, response: String| {
        let mut shown = Shown::default();
        let builder = PretixClient::builder(TOKEN.0, "organizer")
            .base_url(&base_url)
            .retry(retry());
        shown.debug("builder", &builder);
        let pretix = builder.build().unwrap();
        shown.debug("client", &pretix);
        let credentials = Credentials::new("user", Secret::from(PASSWORD.0)).unwrap();
        let target = pretix_url();
        let new = |comment: &str| {
            pretix::WebhookCreate::builder()
                .target_url(target.clone())
                .events(EventScope::All)
                .action_types(["pretix.event.order.paid"])
                .comment(comment)
                .build()
        };
        let change = pretix::WebhookUpdate::new().target_url(target.clone());
        let replacement = pretix::WebhookReplace::builder()
            .target_url(target.clone())
            .events(EventScope::All)
            .action_types(["pretix.event.order.paid"])
            .enabled(true)
            .comment("comment")
            .build();
        shown.debug("bodies", &(&credentials, &new(""), &change, &replacement));
        show!(shown, response;
            pretix.list_webhooks(),
            pretix.create_webhook(new("")),
            pretix.retrieve_webhook(1),
            pretix.update_webhook(1, change),
            pretix.replace_webhook(1, replacement),
            pretix.delete_webhook(1),
        );
        shown.debug("ensure", &pretix.ensure_webhook(new("")));
        show_results!(shown, response;
            pretix.ensure_webhook(new("")).send().await,
            pretix.ensure_webhook(new("other")).send().await,
            pretix.list_webhooks().all().await,
            pretix.list_webhooks().stream().prefetch(2).all().await,
            pretix.delete_webhook_and_retrieve(1).await,
        );
        for organizer in ["organizer", "another"] {
            let body = json!({
                "notification_id": 1, "organizer": organizer, "event": "democon",
                "code": "XUBZQ", "action": "pretix.event.order.paid", "added": PAYLOAD.0,
            });
            let notification = Notification::from_slice(body.to_string().as_bytes()).unwrap();
            shown.debug("fetch", &pretix.fetch(&notification));
            show_results!(shown, response;
                pretix.fetch(&notification).send::<IgnoredAny>().await,
                pretix.fetch(&notification).send::<Order>().await,
            );
        }
        shown
    })
    .await;
    assert_all_called(&shown, "pretix", "PretixClient", inventory::PRETIX);
    shown
}

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "only decoded")]
struct Order {
    code: u64,
}

/// Failures that no response causes: settings, broken connections, TLS, and time.
pub(super) async fn kinds() -> Shown {
    let (log, _guard) = log::listen();
    let mut shown = Shown::default();
    for (base_url, auth) in [
        (
            format!("https://user:{}@example.com", PASSWORD.in_url()),
            Auth::token(TOKEN.0),
        ),
        (
            format!("https://example.com/?token={}", TOKEN.in_url()),
            Auth::token(TOKEN.0),
        ),
        (
            format!("http://example.com/{}", TOKEN.in_url()),
            Auth::token(TOKEN.0),
        ),
        (TOKEN.0.to_owned(), Auth::token(TOKEN.0)),
        (
            "https://example.com".to_owned(),
            Auth::token(format!("{}\n", TOKEN.0)),
        ),
        (
            "https://example.com".to_owned(),
            Auth::token(format!("{}\0", TOKEN.0)),
        ),
        (
            "https://example.com".to_owned(),
            Auth::scheme("two words", TOKEN.0),
        ),
        (
            "https://example.com".to_owned(),
            Auth::header("two words", TOKEN.0),
        ),
    ] {
        shown.debug("auth", &auth);
        let builder = preo::PreoClient::builder(auth).base_url(base_url);
        shown.result("build", &builder.build());
    }

    let page = |count: u64, next: bool, ids: &[&str]| {
        let rows = ids.iter().map(|id| {
            let mut row = preo_response();
            row["id"] = json!(id);
            row
        });
        let next = next.then(|| format!("https://example.com/?page=2&token={}", TOKEN.in_url()));
        json!({ "count": count, "next": next, "results": rows.collect::<Vec<_>>() })
    };
    let mut no_secret = preo_response();
    no_secret["secret"] = Value::Null;
    let mut no_key = preo_response();
    no_key["secret"] = json!(format!("{}\n", SECRET.0));
    let scenarios = vec![
        lists(
            &preo_response(),
            &[page(3, true, &["a", "b"]), page(2, false, &["c"])],
        ),
        lists(
            &preo_response(),
            &[page(9, true, &["a"]), page(9, true, &[])],
        ),
        lists(&no_secret, &[page(9, true, &[])]),
        lists(&no_key, &[page(9, true, &[])]),
    ];
    let mut servers = Vec::new();
    for mocks in scenarios {
        let server = MockServer::start().await;
        for mock in mocks {
            mock.mount(&server).await;
        }
        servers.push(server);
    }
    let preo = |base_url: &str| {
        let builder = preo::PreoClient::builder(TOKEN.0).base_url(base_url);
        builder.retry(RetryPolicy::never())
    };
    for server in &servers {
        let keyring = Keyring::new(Key::new("old", &Secret::from(PASSWORD.0)).unwrap());
        let preo = preo(&server.uri())
            .max_response_bytes(100_000)
            .build()
            .unwrap();
        let rotation = Rotation::new(&keyring, "old", "new");
        show_results!(shown, "kinds";
            preo.list_webhooks().all().await,
            preo.rotate_webhook_secret("wh_1").rotate(rotation).await,
        );
    }

    let secret = format!(
        "HTTP/1.1 200 OK\r\nx-token: {}\r\ncontent-length: 900\r\n\r\n{}",
        TOKEN.0, SECRET.0
    );
    let silent = Duration::from_millis(50);
    let broken = [
        (Some(secret), None),
        (Some(format!("{}\r\n{}\r\n\r\n", TOKEN.0, SECRET.0)), None),
        (
            None,
            Some(preo::PreoClient::builder(TOKEN.0).timeout(silent)),
        ),
        (
            None,
            Some(preo::PreoClient::builder(TOKEN.0).deadline(silent)),
        ),
    ];
    for (answer, builder) in broken {
        let base_url = raw_server(answer).await;
        let builder = builder
            .unwrap_or_else(|| preo(&base_url))
            .base_url(&base_url);
        let preo = builder.retry(RetryPolicy::never()).build().unwrap();
        show!(shown, base_url; preo.create_webhook(create()), preo.retrieve_webhook("wh_1"));
        let encrypted = base_url.replace("http:", "https:");
        let preo = preo::PreoClient::builder(TOKEN.0)
            .base_url(&encrypted)
            .timeout(silent);
        let preo = preo.retry(RetryPolicy::never()).build().unwrap();
        show!(shown, base_url; preo.create_webhook(create()));
    }
    let tiny = preo(&servers[0].uri())
        .max_response_bytes(10)
        .build()
        .unwrap();
    show!(shown, "tiny"; tiny.retrieve_webhook("wh_1"));
    shown.add("log", log.text());
    shown
}

fn create() -> preo::WebhookCreate {
    preo::WebhookCreate::builder()
        .organization_id("org_1")
        .name("Orders")
        .url(url())
        .events(["consent.given"])
        .build()
}

/// Answers each connection with this and closes it, or not at all.
async fn raw_server(answer: Option<String>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let answer = answer.clone();
            tokio::spawn(async move {
                let mut request = [0; 4096];
                while stream
                    .read(&mut request)
                    .await
                    .is_ok_and(|length| length > 0)
                {
                    if let Some(answer) = &answer {
                        stream.write_all(answer.as_bytes()).await.ok();
                        return;
                    }
                }
            });
        }
    });
    base_url
}
