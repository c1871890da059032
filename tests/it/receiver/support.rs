//! What the tests of the receiver share: services to send as, and two ways to receive.

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::routing::post;
use bytes::Bytes;
use chrono::Utc;
use data_encoding::BASE64;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::Full;
use serde::Deserialize;
use tokio::net::TcpListener;
use webhook_sdk::receiver::{
    Authenticated, Authentication, DecodeError, Delivery, Event, IntoAck, Receiver,
    ReceiverBuilder, Refusal, Source,
};
use webhook_sdk::signature::{Key, Keyring, Part, Scheme, Signer, Verifier};
use webhook_sdk::{Secret, lune, preo, pretix};

pub(crate) const SECRET: &str = "receiver-secret-7f1c9d";

/// A service as the tests need it.
pub(crate) trait Service: 'static {
    type Source: Source<Event: Send + Debug>;

    fn source() -> Self::Source;

    /// The body of the n-th delivery, with one event.
    fn body(number: u32) -> Vec<u8>;

    /// A body that isn't what the service documents.
    fn undocumented_body() -> Vec<u8>;

    /// Adds to the headers what proves that the service has sent this body.
    fn prove(headers: &mut HeaderMap, body: &[u8]);

    /// Headers that refuse a delivery without its body, each for a reason of its own.
    fn unproven() -> Vec<HeaderMap>;

    /// Well-formed headers that don't fit any body of these tests, where a body can tell.
    fn forged() -> Option<HeaderMap>;
}

pub(crate) struct Preo;

#[derive(Debug, Deserialize)]
pub(crate) struct Payload {
    pub(crate) id: String,
}

impl Preo {
    pub(crate) fn keyring() -> Keyring {
        Keyring::new(Key::new("2026-11", &Secret::from(SECRET)).unwrap())
    }
}

impl Service for Preo {
    type Source = preo::Source<Payload>;

    fn source() -> Self::Source {
        let verifier = Verifier::new(preo::scheme(), Self::keyring());
        preo::Source::new(verifier).identified_by::<Payload>(|payload| Some(payload.id.clone()))
    }

    fn body(number: u32) -> Vec<u8> {
        format!(r#"{{"id":"event-{number}"}}"#).into_bytes()
    }

    fn undocumented_body() -> Vec<u8> {
        br#"{"name":"without an id"}"#.to_vec()
    }

    fn prove(headers: &mut HeaderMap, body: &[u8]) {
        let signer = Signer::new(preo::scheme(), &Secret::from(SECRET)).unwrap();
        signer.sign(headers, body).unwrap();
    }

    fn unproven() -> Vec<HeaderMap> {
        let malformed = ["", "not hexadecimal", "abcd"];
        let one = malformed.map(|value| header("x-preo-signature", value));
        let mut repeated = Self::forged().unwrap();
        repeated.append(
            "x-preo-signature",
            HeaderValue::from_static("0000000000000000"),
        );
        [HeaderMap::new(), repeated]
            .into_iter()
            .chain(one)
            .collect()
    }

    fn forged() -> Option<HeaderMap> {
        Some(header("x-preo-signature", &"0f".repeat(32)))
    }
}

pub(crate) struct Pretix;

impl Service for Pretix {
    type Source = pretix::Source;

    fn source() -> Self::Source {
        let credentials = pretix::Credentials::new("pretix", Secret::from(SECRET)).unwrap();
        pretix::Source::new(pretix::BasicAuth::new("2026", &credentials))
    }

    fn body(number: u32) -> Vec<u8> {
        format!(
            r#"{{"notification_id": {number}, "organizer": "bigevents", "event": "democon", "code": "XUBZQ", "action": "pretix.event.order.placed"}}"#
        )
        .into_bytes()
    }

    fn undocumented_body() -> Vec<u8> {
        br#"{"organizer": "bigevents", "event": "democon"}"#.to_vec()
    }

    fn prove(headers: &mut HeaderMap, _: &[u8]) {
        headers.extend(basic("pretix", SECRET));
    }

    fn unproven() -> Vec<HeaderMap> {
        let mut repeated = basic("pretix", SECRET);
        repeated.append(AUTHORIZATION, HeaderValue::from_static("Basic AAAA"));
        vec![
            HeaderMap::new(),
            header("authorization", "Bearer token"),
            header("authorization", "Basic !"),
            basic("pretix", "guessed"),
            basic("guessed", SECRET),
            repeated,
        ]
    }

    fn forged() -> Option<HeaderMap> {
        None
    }
}

pub(crate) struct Lune;

impl Service for Lune {
    type Source = lune::Source;

    fn source() -> Self::Source {
        lune::Source::new(Verifier::new(lune::scheme(), Preo::keyring()))
    }

    fn body(number: u32) -> Vec<u8> {
        format!(
            r#"{{"events":[{{"api_version":"v1","event_id":"event-{number}","event_type":"order.placed","data":{{"order":{{"id":"or1"}}}}}}]}}"#
        )
        .into_bytes()
    }

    fn undocumented_body() -> Vec<u8> {
        br#"{"events": {}}"#.to_vec()
    }

    fn prove(headers: &mut HeaderMap, body: &[u8]) {
        let signer = Signer::new(lune::scheme(), &Secret::from(SECRET)).unwrap();
        signer.sign(headers, body).unwrap();
    }

    fn unproven() -> Vec<HeaderMap> {
        let digest = "0f".repeat(32);
        let now = Utc::now().timestamp();
        let malformed = [
            format!("timestamp={now}"),
            format!("organisation=o,v1={digest}"),
            format!("timestamp=soon,v1={digest}"),
            format!("timestamp={now},v1=zz"),
        ];
        let malformed = malformed.iter().map(|value| header("lune-hmac", value));
        [HeaderMap::new()].into_iter().chain(malformed).collect()
    }

    fn forged() -> Option<HeaderMap> {
        let now = Utc::now().timestamp();
        let value = format!("timestamp={now},organisation=o,v1={}", "0f".repeat(32));
        Some(header("lune-hmac", &value))
    }
}

pub(crate) async fn received<S: Source>(
    receiver: &Receiver<S>,
    request: Request<Bytes>,
) -> Delivery<S> {
    let (parts, body) = request.into_parts();
    receiver.receive(&parts, Full::new(body)).await.unwrap()
}

/// A way for a request to reach a receiver.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    /// The plain function.
    Function,
    /// The extractor, behind a server on loopback.
    Axum,
}

impl Way {
    pub(crate) const BOTH: [Self; 2] = [Self::Function, Self::Axum];

    pub(crate) async fn send<S, H, F>(
        self,
        receiver: &Receiver<S>,
        request: Request<Bytes>,
        handler: H,
    ) -> Response<Bytes>
    where
        S: Source,
        H: FnMut(Event<S::Event>) -> F + Clone + Send + Sync + 'static,
        F: Future<Output: IntoAck<S>> + Send + 'static,
    {
        match self {
            Self::Function => {
                let (parts, body) = request.into_parts();
                match receiver.receive(&parts, Full::new(body)).await {
                    Ok(delivery) => delivery.handle(handler).await.response(),
                    Err(refusal) => refusal.response(),
                }
            }
            Self::Axum => send(&serve(receiver, handler).await, request).await,
        }
    }
}

/// Serves a receiver on loopback until the test ends; the address is such as `127.0.0.1:41873`.
pub(crate) async fn serve<S, H, F>(receiver: &Receiver<S>, handler: H) -> String
where
    S: Source,
    H: FnMut(Event<S::Event>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output: IntoAck<S>> + Send + 'static,
{
    let route = post(move |delivery: Delivery<S>| async move { delivery.handle(handler).await });
    let router = Router::new().route("/", route).with_state(receiver.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

pub(crate) async fn send(address: &str, request: Request<Bytes>) -> Response<Bytes> {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let (parts, body) = request.into_parts();
    let answer = client
        .post(format!("http://{address}/"))
        .headers(parts.headers)
        .body(body)
        .send()
        .await
        .unwrap();
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = answer.status();
    *response.headers_mut() = answer.headers().clone();
    *response.body_mut() = answer.bytes().await.unwrap();
    response
}

pub(crate) fn builder<S: Service>() -> ReceiverBuilder<S::Source> {
    Receiver::builder(S::source())
}

/// A genuine delivery of this body.
pub(crate) fn genuine<S: Service>(body: Vec<u8>) -> Request<Bytes> {
    let mut headers = HeaderMap::new();
    S::prove(&mut headers, &body);
    request(headers, body)
}

pub(crate) fn request(headers: HeaderMap, body: Vec<u8>) -> Request<Bytes> {
    let mut request = Request::post("/").body(Bytes::from(body)).unwrap();
    *request.headers_mut() = headers;
    let json = HeaderValue::from_static("application/json");
    request.headers_mut().insert(CONTENT_TYPE, json);
    request
}

/// The text of a request up to its body.
pub(crate) fn head(headers: &HeaderMap) -> String {
    let mut text = String::from("POST / HTTP/1.1\r\n");
    let host = (&HOST, &HeaderValue::from_static("127.0.0.1"));
    for (name, value) in headers.iter().chain([host]) {
        text += &format!("{name}: {}\r\n", value.to_str().unwrap());
    }
    text
}

pub(crate) fn basic(user: &str, password: &str) -> HeaderMap {
    let pair = BASE64.encode(format!("{user}:{password}").as_bytes());
    header("authorization", &format!("Basic {pair}"))
}

fn header(name: &'static str, value: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(name, HeaderValue::from_str(value).unwrap());
    headers
}

/// Counts the runs of a handler.
#[derive(Clone, Default)]
pub(crate) struct Runs(Arc<AtomicUsize>);

impl Runs {
    pub(crate) fn add(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// A service of our own: signed with a timestamp, several events in a body.
#[derive(Clone)]
pub(crate) struct Batches(pub(crate) Verifier);

impl Batches {
    pub(crate) const TOLERANCE: Duration = Duration::from_secs(120);

    pub(crate) fn scheme() -> Scheme {
        Scheme::builder("batch-signature")
            .fields("v1")
            .timestamp_field("t")
            .sign([Part::Timestamp, Part::literal("."), Part::Body])
            .tolerance(Self::TOLERANCE)
            .build()
            .unwrap()
    }

    pub(crate) fn signer() -> Signer {
        Signer::new(Self::scheme(), &Secret::from(SECRET)).unwrap()
    }

    pub(crate) fn of(events: &[&str]) -> Request<Bytes> {
        genuine::<Self>(serde_json::to_vec(events).unwrap())
    }
}

impl Source for Batches {
    type Event = String;

    fn name(&self) -> &str {
        "batches"
    }

    async fn authenticate(&self, parts: &Parts) -> Result<Authentication, Refusal> {
        Ok(self.0.begin(&parts.headers)?.into())
    }

    fn decode(&self, request: &Authenticated<'_>) -> Result<Vec<Event<String>>, DecodeError> {
        let events: Vec<String> = request.json()?;
        let event = |text: String| request.event(request.event_key(&[&text]), text);
        Ok(events.into_iter().map(event).collect())
    }
}

impl Service for Batches {
    type Source = Self;

    fn source() -> Self {
        Self(Verifier::new(Self::scheme(), Preo::keyring()))
    }

    fn body(number: u32) -> Vec<u8> {
        format!(r#"["event-{number}"]"#).into_bytes()
    }

    fn undocumented_body() -> Vec<u8> {
        br#"{"events":[]}"#.to_vec()
    }

    fn prove(headers: &mut HeaderMap, body: &[u8]) {
        Self::signer().sign(headers, body).unwrap();
    }

    fn unproven() -> Vec<HeaderMap> {
        let digest = "0f".repeat(32);
        let values = ["t=1", &format!("v1={digest}"), &format!("t=x,v1={digest}")];
        let malformed = values.map(|value| header("batch-signature", value));
        malformed.into_iter().chain([HeaderMap::new()]).collect()
    }

    fn forged() -> Option<HeaderMap> {
        let now = Utc::now().timestamp();
        let value = format!("t={now},v1={}", "0f".repeat(32));
        Some(header("batch-signature", &value))
    }
}
