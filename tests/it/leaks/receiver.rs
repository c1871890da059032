//! Every refusal and every outcome of the receivers of all services.

use std::convert::Infallible;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use chrono::{TimeDelta, Utc};
use data_encoding::BASE64;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Request};
use http_body_util::{BodyExt, Full, StreamBody};
use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::sqlite::SqlitePoolOptions;
use webhook_sdk::lune::{Batch, EventData};
use webhook_sdk::receiver::{
    Ack, BoxError, Claim, ClaimToken, DedupStore, EventKey, Observation, Receiver, ReceiverBuilder,
    RedisStore, Source, SqliteInbox, StoreError, Tenants,
};
use webhook_sdk::signature::{Key, Keyring, Scheme, Signer, Verifier};
use webhook_sdk::{Secret, lune, preo, pretix};

use super::{PASSWORD, PAYLOAD, SECRET, Shown, TOKEN};
use crate::log;

const MAX_BODY: usize = 4096;

#[derive(Debug, Deserialize)]
struct Consent {
    #[expect(dead_code, reason = "only its decoding matters")]
    id: String,
}

/// What a service's sender proves its deliveries with.
pub(super) trait Sender {
    fn sign(&self, headers: &mut HeaderMap, body: &[u8]);

    /// Headers that prove nothing.
    fn wrong_headers(&self) -> Vec<HeaderMap>;
}

pub(super) struct Hmac(pub(super) Scheme, pub(super) &'static str);

impl Hmac {
    pub(super) fn verifier(&self) -> Verifier {
        let secret = Secret::from(SECRET.0);
        Verifier::new(
            self.0.clone(),
            Keyring::new(Key::new("2026-11", &secret).unwrap()),
        )
    }

    pub(super) fn signer(&self) -> Signer {
        Signer::new(self.0.clone(), &Secret::from(SECRET.0)).unwrap()
    }
}

impl Sender for Hmac {
    fn sign(&self, headers: &mut HeaderMap, body: &[u8]) {
        self.signer().sign(headers, body).unwrap();
    }

    fn wrong_headers(&self) -> Vec<HeaderMap> {
        let now = Utc::now();
        let mut stale = HeaderMap::new();
        let signed = self
            .signer()
            .sign_at(&mut stale, b"{}", now - TimeDelta::days(9));
        signed.unwrap();
        let mut all = vec![HeaderMap::new(), stale];
        for value in [
            SECRET.0.to_owned(),
            format!("timestamp={},v1={}", now.timestamp(), SECRET.0),
            format!("timestamp={},v1={}", SECRET.0, "0f".repeat(32)),
            format!(
                "timestamp={},{}=x,v1={}",
                now.timestamp(),
                TOKEN.0,
                "0f".repeat(32)
            ),
            "0f".repeat(32),
        ] {
            all.push(header(self.1, &value));
        }
        all
    }
}

struct Basic(pretix::Credentials);

impl Sender for Basic {
    fn sign(&self, headers: &mut HeaderMap, _: &[u8]) {
        headers.extend(basic(PASSWORD.0));
    }

    fn wrong_headers(&self) -> Vec<HeaderMap> {
        vec![
            HeaderMap::new(),
            basic(SECRET.0),
            header("authorization", TOKEN.0),
            header("authorization", &format!("Bearer {}", TOKEN.0)),
            header("authorization", &format!("Basic {}", TOKEN.0)),
        ]
    }
}

fn basic(password: &str) -> HeaderMap {
    let pair = BASE64.encode(format!("user:{password}").as_bytes());
    header(AUTHORIZATION.as_str(), &format!("Basic {pair}"))
}

fn header(name: &'static str, value: &str) -> HeaderMap {
    HeaderMap::from_iter([(name.parse().unwrap(), HeaderValue::from_str(value).unwrap())])
}

/// Bodies that aren't what a service documents, with a payload where it can be quoted.
fn wrong_bodies(right: &Value) -> Vec<Vec<u8>> {
    let mut all = vec![
        PAYLOAD.0.as_bytes().to_vec(),
        json!(PAYLOAD.0).to_string().into_bytes(),
        json!([PAYLOAD.0]).to_string().into_bytes(),
        json!({ PAYLOAD.0: SECRET.0 }).to_string().into_bytes(),
        [PAYLOAD.0.as_bytes(), &[0xff, 0xfe]].concat(),
        format!("{{\"id\": \"{}", PAYLOAD.0).into_bytes(),
    ];
    let mut paths = Vec::new();
    pointers(right, String::new(), &mut paths);
    for path in paths {
        for wrong in [
            json!({ PAYLOAD.0: PAYLOAD.0 }),
            json!([PAYLOAD.0]),
            json!(1.5),
            Value::Null,
        ] {
            let mut body = right.clone();
            *body.pointer_mut(&path).unwrap() = wrong;
            all.push(body.to_string().into_bytes());
        }
    }
    all
}

/// The JSON pointers of all values.
fn pointers(value: &Value, at: String, all: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                pointers(field, format!("{at}/{name}"), all);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                pointers(item, format!("{at}/{index}"), all);
            }
        }
        _ => {}
    }
    all.push(at);
}

async fn receive_everything<S>(source: S, sender: &impl Sender, right: Value) -> Shown
where
    S: Source<Event: Debug + Send>,
{
    let (log, _guard) = log::listen();
    let mut shown = Shown::default();
    let outcomes = Outcomes::default();
    let builder = observed(source, &outcomes).max_body_bytes(MAX_BODY);
    shown.debug("builder", &builder);
    let receiver = builder.build().unwrap();
    shown.debug("receiver", &receiver);

    let right = right.to_string().into_bytes();
    let parsed: Value = serde_json::from_slice(&right).unwrap();
    let mut requests = Vec::new();
    for body in [right.clone(), vec![b' '; 2 * MAX_BODY]]
        .into_iter()
        .chain(wrong_bodies(&parsed))
    {
        let mut headers = HeaderMap::new();
        sender.sign(&mut headers, &body);
        requests.push((headers, body));
    }
    for headers in sender.wrong_headers() {
        requests.push((headers, right.clone()));
    }
    let mut other_type = HeaderMap::new();
    sender.sign(&mut other_type, &right);
    other_type.insert(CONTENT_TYPE, HeaderValue::from_static(TOKEN.0));
    requests.push((other_type, right.clone()));

    for (headers, body) in requests {
        let place = format!("{} bytes", body.len());
        let mut request = Request::post(format!("/hooks/{}", TOKEN.0))
            .body(())
            .unwrap();
        *request.headers_mut() = headers;
        let (parts, ()) = request.into_parts();
        // Thrice: a handler that panics, one that fails, and one that succeeds; then a duplicate.
        for attempt in 0..4 {
            let body = Full::new(Bytes::from(body.clone()));
            match receiver.receive(&parts, body).await {
                Ok(delivery) => {
                    shown.debug(&place, &delivery);
                    let handle = async |event| {
                        let event: webhook_sdk::receiver::Event<S::Event> = event;
                        match attempt {
                            0 => panic!("{event:?} {}", PAYLOAD.0),
                            1 => Err(BoxError::from("the database is down")),
                            _ => Ok(()),
                        }
                    };
                    shown.debug(&place, &delivery.handle(handle).await);
                }
                Err(refusal) => shown.error(&place, &refusal),
            }
        }
    }
    // A body that breaks off after half of a payload.
    let mut headers = HeaderMap::new();
    sender.sign(&mut headers, &right);
    let mut request = Request::post("/").body(()).unwrap();
    *request.headers_mut() = headers;
    let frames = [
        Ok(http_body::Frame::data(Bytes::from(right))),
        Err(std::io::Error::other("connection reset")),
    ];
    let body = StreamBody::new(futures_util::stream::iter(frames)).boxed();
    let refusal = receiver
        .receive(&request.into_parts().0, body)
        .await
        .err()
        .unwrap();
    shown.error("broken body", &refusal);

    let outcomes = std::mem::take(&mut *outcomes.lock().unwrap());
    for outcome in ["Refused", "Panicked", "Failed", "Handled"] {
        let outcome = format!("Observation::{outcome}");
        assert!(outcomes.variants.contains(&outcome), "{outcome}");
    }
    shown.extend(outcomes);
    shown.add("log", log.text());
    shown
}

/// One set of keys, and those of a tenant.
fn both<K: Clone + Send + Sync + 'static>(keys: K) -> (K, Tenants<K>) {
    let of_tenant = keys.clone();
    let load = move |_| std::future::ready(Ok(Some(of_tenant.clone())));
    (keys, Tenants::new(|_| Some("acme".to_owned()), load))
}

pub(super) async fn preo() -> Shown {
    let sender = Hmac(preo::scheme(), "x-preo-signature");
    let (keys, tenants) = both(sender.verifier());
    let body = json!({ "id": "c_1", "email": PAYLOAD.0, "nested": { "name": PAYLOAD.0 } });
    let mut shown = Shown::default();
    for source in [preo::Source::new(keys), preo::Source::for_tenants(tenants)] {
        let source = source.identified_by(|_: &Consent| None);
        shown.extend(receive_everything(source, &sender, body.clone()).await);
    }
    shown
}

pub(super) async fn lune() -> Shown {
    let sender = Hmac(lune::scheme(), "lune-hmac");
    let (keys, tenants) = both(sender.verifier());
    let sample = include_str!("../../data/lune/sample-delivery.json");
    let mut body: Value = serde_json::from_str(sample).unwrap();
    body["events"][0]["data"]["order"]["metadata"] = json!({ "name": PAYLOAD.0 });
    body["events"][0]["data"]["order"]["idempotency_key"] = json!(PAYLOAD.0);
    body["events"][0]["data"]["order"]["added_later"] = json!(PAYLOAD.0);
    let mut shown = Shown::default();
    for source in [
        lune::Source::new(keys),
        lune::Source::for_tenants(tenants).skip_stale(),
    ] {
        shown.extend(receive_everything(source, &sender, body.clone()).await);
    }
    for body in wrong_bodies(&body) {
        shown.result("batch", &Batch::from_slice(&body));
        shown.result("event", &lune::Event::from_slice(&body));
        for event in Batch::from_slice(&body).iter().flatten() {
            if let EventData::Undecodable(error) = event.data() {
                shown.error("event", error);
            }
        }
    }
    let many = json!({ "events": vec![json!({}); Batch::MAX_EVENTS + 1] }).to_string();
    shown.result(
        "batch",
        &Batch::from_slice(many.as_bytes()).map(|batch| batch.len()),
    );
    for body in [
        format!(r#"{{"events":[{{"x":"{}\u{{fffd}}"}}]}}"#, PAYLOAD.0)
            .replace('\u{fffd}', "\\ud800"),
        format!(
            r#"{{"events":[{{"event_type":"order.paid","x":"{}"}}]}}"#,
            PAYLOAD.0
        ),
        format!(r#"{{"events":["{}"]}}"#, PAYLOAD.0),
    ] {
        for event in Batch::from_slice(body.as_bytes()).iter().flatten() {
            shown.debug("event", event);
            if let EventData::Undecodable(error) = event.data() {
                shown.error("event", error);
            }
        }
    }
    let mut invalid = format!(r#"{{"events":[{{"x":"{}?"}}]}}"#, PAYLOAD.0).into_bytes();
    let at = invalid.iter().position(|byte| *byte == b'?').unwrap();
    invalid[at] = 0xff;
    for event in Batch::from_slice(&invalid).iter().flatten() {
        if let EventData::Undecodable(error) = event.data() {
            shown.error("event", error);
        }
    }
    shown
}

pub(super) async fn pretix() -> Shown {
    let sender = Basic(pretix::Credentials::new("user", Secret::from(PASSWORD.0)).unwrap());
    let (keys, tenants) = both(pretix::BasicAuth::new("2026", &sender.0));
    let body = json!({
        "notification_id": 1,
        "organizer": "bigevents",
        "event": "democon",
        "code": "XUBZQ",
        "action": "pretix.event.order.placed",
        "added_later": PAYLOAD.0,
    });
    let mut shown = Shown::default();
    shown.debug("auth", &keys);
    let mut twice = basic(PASSWORD.0);
    twice.append(AUTHORIZATION, HeaderValue::from_static(TOKEN.0));
    for headers in sender.wrong_headers().into_iter().chain([twice]) {
        shown.result("auth", &keys.verify(&headers));
    }
    for body in wrong_bodies(&body) {
        shown.result("notification", &pretix::Notification::from_slice(&body));
    }
    for source in [
        pretix::Source::new(keys),
        pretix::Source::for_tenants(tenants),
    ] {
        shown.extend(receive_everything(source, &sender, body.clone()).await);
    }
    shown
}

/// A store that always says the same.
struct Fixed(Result<Claim, StoreError>, Result<(), StoreError>);

impl DedupStore for Fixed {
    async fn claim(&self, _: &EventKey, _: ClaimToken, _: Duration) -> Result<Claim, StoreError> {
        self.0.clone()
    }

    async fn commit(&self, _: &EventKey, _: ClaimToken, _: Duration) -> Result<(), StoreError> {
        self.1.clone()
    }

    async fn release(&self, _: &EventKey, _: ClaimToken) -> Result<(), StoreError> {
        self.1.clone()
    }
}

type Outcomes = Arc<Mutex<Shown>>;

/// A receiver whose outcomes are kept.
fn observed<S: Source>(source: S, outcomes: &Outcomes) -> ReceiverBuilder<S> {
    let outcomes = outcomes.clone();
    Receiver::builder(source)
        .name("orders")
        .observer(move |observed| {
            let mut shown = outcomes.lock().unwrap();
            shown.debug("observer", observed);
            shown.debug("observer", observed.observation());
            shown
                .variants
                .insert(super::variant(observed.observation()));
            if let Observation::StoreUnavailable(error) = observed.observation() {
                shown.error("observer", error);
            }
        })
}

/// A genuine request to Preo's receiver with a marked body.
fn genuine() -> (Parts, Bytes) {
    let body = json!({ "id": "c_1", "email": PAYLOAD.0 }).to_string();
    let mut request = Request::post("/hooks/acme").body(()).unwrap();
    Hmac(preo::scheme(), "").sign(request.headers_mut(), body.as_bytes());
    (request.into_parts().0, Bytes::from(body))
}

type Name = fn(&Parts) -> Option<String>;
type Load = fn() -> Result<Option<Verifier>, BoxError>;

/// Outcomes that no request alone causes: of stores, tenants, limits, and builders.
pub(super) async fn others() -> Shown {
    let (log, _guard) = log::listen();
    let outcomes = Outcomes::default();
    let mut shown = Shown::default();
    let source = || preo::Source::new(Hmac(preo::scheme(), "").verifier());
    let (parts, body) = genuine();
    let full = || Full::new(body.clone());

    let unavailable = || StoreError::Unavailable("connection refused".to_owned());
    for store in [
        Fixed(Ok(Claim::Granted), Ok(())),
        Fixed(Ok(Claim::Granted), Err(StoreError::ClaimLost)),
        Fixed(Ok(Claim::Committed), Ok(())),
        Fixed(Ok(Claim::Held), Ok(())),
        Fixed(Ok(Claim::Stale), Ok(())),
        Fixed(Err(unavailable()), Ok(())),
    ] {
        let receiver = observed(source(), &outcomes).store(store).build().unwrap();
        let delivery = receiver.receive(&parts, full()).await.unwrap();
        shown.debug("outcome", &delivery.handle(async |_| {}).await);
    }
    let receiver = observed(source(), &outcomes).lease(Duration::from_millis(1));
    let receiver = receiver.build().unwrap();
    let delivery = receiver.receive(&parts, full()).await.unwrap();
    let _ = delivery
        .handle(async |_| std::future::pending::<()>().await)
        .await;
    let delivery = receiver.receive(&parts, full()).await.unwrap();
    let _ = delivery.handle(async |_| Ack::retry()).await;
    let receiver = observed(source(), &outcomes).build().unwrap();
    let delivery = receiver.receive(&parts, full()).await.unwrap();
    let abandoned = delivery.handle(async |_| std::future::pending::<()>().await);
    assert!(futures_util::FutureExt::now_or_never(abandoned).is_none());
    let credentials = pretix::Credentials::new("user", Secret::from(PASSWORD.0)).unwrap();
    let pretix = pretix::Source::new(pretix::BasicAuth::new("2026", &credentials));
    let receiver = observed(pretix, &outcomes).build().unwrap();
    let notification = json!({ "notification_id": 1, "action": "a.b", "added": PAYLOAD.0 });
    let mut request = Request::post("/").body(()).unwrap();
    *request.headers_mut() = basic(PASSWORD.0);
    let notification = Full::new(Bytes::from(notification.to_string()));
    let delivery = receiver
        .receive(&request.into_parts().0, notification)
        .await
        .unwrap();
    let _ = delivery
        .handle(async |_| Ack::danger_disable_webhook())
        .await;

    let loaded: [(Name, Load); 4] = [
        (|_| Some("acme".to_owned()), || Ok(None)),
        (
            |_| Some("acme".to_owned()),
            || Err("the database is down".into()),
        ),
        (|_| Some("acme".to_owned()), || panic!("{}", SECRET.0)),
        (|_| panic!("{}", TOKEN.0), || Ok(None)),
    ];
    for (name, load) in loaded {
        let tenants = Tenants::new(name, move |_| async move { load() });
        shown.debug("tenants", &tenants);
        let receiver = observed(preo::Source::for_tenants(tenants), &outcomes)
            .build()
            .unwrap();
        shown.debug("receiver", &receiver);
        shown.error(
            "tenant",
            &receiver.receive(&parts, full()).await.unwrap_err(),
        );
    }

    let small = observed(source(), &outcomes)
        .max_body_bytes(body.len())
        .max_buffered_bytes(body.len())
        .body_timeout(Duration::from_millis(1));
    let receiver = small.build().unwrap();
    let held = receiver.receive(&parts, full()).await.unwrap();
    shown.error(
        "overloaded",
        &receiver.receive(&parts, full()).await.unwrap_err(),
    );
    drop(held);
    let start = Ok::<_, Infallible>(http_body::Frame::data(body.slice(..10)));
    let start = futures_util::stream::iter([start]);
    let endless = futures_util::StreamExt::chain(start, futures_util::stream::pending());
    let endless = StreamBody::new(endless);
    shown.error(
        "slow",
        &receiver.receive(&parts, endless).await.unwrap_err(),
    );

    let lune = lune::Source::new(Hmac(lune::scheme(), "").verifier()).skip_stale();
    let build = Receiver::builder(lune)
        .name("orders")
        .store(Fixed(Ok(Claim::Held), Ok(())));
    shown.result("build", &build.build());
    let builder = || Receiver::builder(source());
    for builder in [
        builder().name(""),
        builder().store(Fixed(Ok(Claim::Held), Ok(()))),
        builder().lease(Duration::ZERO),
        builder().max_body_bytes(2).max_buffered_bytes(1),
    ] {
        shown.result("build", &builder.build());
    }
    for url in [
        format!("redis://:{}@localhost:port", PASSWORD.in_url()),
        format!(
            "redis://:{}@localhost/{}",
            PASSWORD.in_url(),
            SECRET.in_url()
        ),
        format!("http://{}@localhost", PASSWORD.in_url()),
        PASSWORD.0.to_owned(),
    ] {
        let builder = RedisStore::builder(&url);
        shown.debug("redis", &builder);
        shown.result("redis", &builder.build());
    }
    let url = format!("redis://:{}@localhost", PASSWORD.in_url());
    let store = thread::spawn(move || RedisStore::builder(&url).build());
    shown.result("redis", &store.join().unwrap());

    let inbox = SqliteInbox::open(format!("/nowhere/{}", PASSWORD.in_url())).await;
    shown.result("inbox", &inbox);
    let inbox = SqliteInbox::new(
        SqlitePoolOptions::new()
            .max_connections(1)
            .connect_lazy("sqlite::memory:")
            .unwrap(),
    );
    shown.debug("inbox", &inbox);
    shown.result("inbox", &inbox.clone().table("no table"));
    sqlx::query("create table webhook_inbox (other text)")
        .execute(inbox.pool())
        .await
        .unwrap();
    shown.result("inbox", &inbox.migrate().await);
    shown.result("inbox", &inbox.purge(Duration::ZERO).await);
    let receiver = observed(source(), &outcomes).build().unwrap();
    let delivery = receiver.receive(&parts, full()).await.unwrap();
    shown.debug("inbox", &delivery.handle_in(&inbox, async |_, _| {}).await);

    shown.extend(std::mem::take(&mut *outcomes.lock().unwrap()));
    shown.add("log", log.text());
    shown
}
