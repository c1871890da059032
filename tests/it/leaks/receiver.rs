//! Every refusal and every outcome of the receivers of all services.

use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use chrono::{TimeDelta, Utc};
use data_encoding::BASE64;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Request};
use http_body_util::{BodyExt, Full, StreamBody};
use serde::Deserialize;
use serde_json::{Value, json};
use webhook_sdk::receiver::{BoxError, Receiver, Source};
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
trait Sender {
    fn sign(&self, headers: &mut HeaderMap, body: &[u8]);

    /// Headers that prove nothing.
    fn wrong_headers(&self) -> Vec<HeaderMap>;
}

struct Hmac(Scheme, &'static str);

impl Hmac {
    fn verifier(&self) -> Verifier {
        let secret = Secret::from(SECRET.0);
        Verifier::new(
            self.0.clone(),
            Keyring::new(Key::new("2026-11", &secret).unwrap()),
        )
    }

    fn signer(&self) -> Signer {
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

async fn receive_everything<S>(source: S, sender: impl Sender, right: Value) -> Shown
where
    S: Source<Event: Debug + Send>,
{
    let (log, _guard) = log::listen();
    let mut shown = Shown::default();
    let observed = Arc::new(Mutex::new(Vec::new()));
    let observing = observed.clone();
    let builder = Receiver::builder(source)
        .max_body_bytes(MAX_BODY)
        .observer(move |outcome| {
            let what = outcome.outcome();
            let text = format!("{} {what:?} {:?}", outcome.label(), outcome.event());
            observing.lock().unwrap().push(text);
        });
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

    let observed = observed.lock().unwrap().join("\n");
    for label in ["refused", "panicked", "failed", "handled"] {
        assert!(
            observed.contains(label),
            "{label} wasn't observed:\n{observed}"
        );
    }
    shown.add("observer", observed);
    shown.add("log", log.text());
    shown
}

#[tokio::test]
async fn preo_receiver_shows_no_secret_or_payload() {
    let sender = Hmac(preo::scheme(), "x-preo-signature");
    let source = preo::Source::new(sender.verifier()).payload::<Consent>();
    let body = json!({ "id": "c_1", "email": PAYLOAD.0, "nested": { "name": PAYLOAD.0 } });
    receive_everything(source, sender, body)
        .await
        .assert_clean();
}

#[tokio::test]
async fn lune_receiver_shows_no_secret_or_payload() {
    let sender = Hmac(lune::scheme(), "lune-hmac");
    let source = lune::Source::new(sender.verifier());
    let sample = include_str!("../../data/lune/sample-delivery.json");
    let mut body: Value = serde_json::from_str(sample).unwrap();
    body["events"][0]["data"]["order"]["metadata"] = json!({ "name": PAYLOAD.0 });
    body["events"][0]["data"]["order"]["idempotency_key"] = json!(PAYLOAD.0);
    body["events"][0]["data"]["order"]["added_later"] = json!(PAYLOAD.0);
    receive_everything(source, sender, body)
        .await
        .assert_clean();
}

#[tokio::test]
async fn pretix_receiver_shows_no_password_or_payload() {
    let sender = Basic(pretix::Credentials::new("user", Secret::from(PASSWORD.0)).unwrap());
    let source = pretix::Source::new(pretix::BasicAuth::new("2026", &sender.0));
    let body = json!({
        "notification_id": 1,
        "organizer": "bigevents",
        "event": "democon",
        "code": "XUBZQ",
        "action": "pretix.event.order.placed",
        "added_later": PAYLOAD.0,
    });
    receive_everything(source, sender, body)
        .await
        .assert_clean();
}

#[test]
fn keys_and_signers_show_no_secret() {
    let mut shown = Shown::default();
    let secret = Secret::from(SECRET.0);
    shown.debug("secret", &secret);
    for text in [format!(" {}", SECRET.0), format!("{}\n", SECRET.0)] {
        shown.result("key", &Key::new("2026-11", &Secret::from(text)));
    }
    for scheme in [preo::scheme(), lune::scheme()] {
        let sender = Hmac(scheme, "");
        let (verifier, signer) = (sender.verifier(), sender.signer());
        shown.debug("verifier", &verifier);
        shown.debug("keyring", verifier.keyring());
        shown.debug("signer", &signer);
        shown.result(
            "verified",
            &verifier.verify(&HeaderMap::new(), PAYLOAD.0.as_bytes()),
        );
        let mut headers = HeaderMap::new();
        signer.sign(&mut headers, PAYLOAD.0.as_bytes()).unwrap();
        shown.debug("verification", &verifier.begin(&headers));
    }
    for wrong in [format!("{}\0", PASSWORD.0), String::new()] {
        let credentials = pretix::Credentials::new("user", Secret::from(wrong));
        shown.result("credentials", &credentials);
    }
    shown.assert_clean();
}
