//! The responses that every framework must give.

use std::future::pending;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use webhook_sdk::receiver::{
    Claim, ClaimToken, DedupStore, EventKey, Receiver, ReceiverBuilder, StoreError,
};
use webhook_sdk::signature::Signer;
use webhook_sdk::{Secret, preo};

type Builder = ReceiverBuilder<preo::Source>;

/// Checks each row against a way to answer one whole request.
///
/// The handler must fail for a payload without an `event`.
pub(super) async fn check(
    answer: impl AsyncFn(Receiver<preo::Source>, Request<Bytes>) -> Response<Bytes>,
) {
    let genuine = r#"{"event":"consent.given"}"#;
    let rows: [(&str, Builder, Request<Bytes>, u16); 11] = [
        ("a genuine delivery", builder(), signed(genuine), 204),
        ("a failing handler", builder(), signed(r#"{"id":1}"#), 500),
        ("no signature", builder(), unsigned(genuine), 401),
        (
            "a malformed signature",
            builder(),
            with_signature("zz"),
            401,
        ),
        (
            "a wrong signature",
            builder(),
            with_signature(&"0".repeat(64)),
            401,
        ),
        ("another content type", builder(), typed("text/plain"), 415),
        (
            "a body at the limit",
            builder().max_body_bytes(genuine.len()),
            signed(genuine),
            204,
        ),
        (
            "a body above it",
            builder().max_body_bytes(genuine.len() - 1),
            signed(genuine),
            413,
        ),
        ("an undocumented body", builder(), signed("no JSON"), 400),
        (
            "an event held elsewhere",
            stored(Answer::Held),
            signed(genuine),
            503,
        ),
        (
            "a store that is down",
            stored(Answer::Down),
            signed(genuine),
            503,
        ),
    ];
    for (row, builder, request, status) in rows {
        let receiver = builder.build().unwrap();
        let response = answer(receiver, request).await;
        assert_eq!(response.status(), status, "{row}");
        assert!(response.body().is_empty(), "{row}");
        let retry_after = response.headers().contains_key("retry-after");
        assert_eq!(retry_after, status == 503, "{row}");
    }
    let receiver = builder().build().unwrap();
    for _ in 0..2 {
        let response = answer(receiver.clone(), signed(genuine)).await;
        assert_eq!(response.status(), 204, "a duplicate");
    }
}

/// Checks the rows that need a connection: a body that is late, and one that breaks off.
pub(super) async fn check_server(receiver_url: impl AsyncFn(Receiver<preo::Source>) -> String) {
    let receiver = builder()
        .body_timeout(Duration::from_millis(50))
        .build()
        .unwrap();
    let url = receiver_url(receiver).await;
    let response = send_head(&url, false).await.unwrap();
    assert!(
        response.starts_with("HTTP/1.1 408"),
        "a late body: {response}"
    );

    let response = send_head(&receiver_url(builder().build().unwrap()).await, true).await;
    let refused = response.is_err() || response.is_ok_and(|text| !text.contains(" 204"));
    assert!(refused, "a body that breaks off");
}

/// Sends a request with a real client.
pub(super) async fn send(url: String, request: Request<Bytes>) -> Response<Bytes> {
    let (parts, body) = request.into_parts();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = client.post(url).headers(parts.headers).body(body);
    let response = request.send().await.unwrap();
    let mut answer = Response::builder().status(response.status());
    *answer.headers_mut().unwrap() = response.headers().clone();
    answer.body(response.bytes().await.unwrap()).unwrap()
}

/// Sends the head of a genuine delivery and half of its body, then waits or closes its side.
async fn send_head(url: &str, close: bool) -> io::Result<String> {
    let address = url.trim_start_matches("http://").trim_end_matches('/');
    let mut stream = TcpStream::connect(address).await?;
    let request = signed(r#"{"event":"consent.given"}"#);
    let mut head = format!("POST / HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n");
    for (name, value) in request.headers() {
        head += &format!("{name}: {}\r\n", value.to_str().unwrap());
    }
    head += &format!(
        "content-length: {}\r\n\r\n{{\"event\"",
        request.body().len()
    );
    stream.write_all(head.as_bytes()).await?;
    if close {
        stream.shutdown().await?;
    }
    let mut response = String::new();
    stream.read_to_string(&mut response).await?;
    Ok(response)
}

fn builder() -> Builder {
    let verifier = preo::verifier(&secret()).unwrap();
    Receiver::builder(preo::Source::new(verifier))
}

fn stored(answer: Answer) -> Builder {
    builder().name("conformance").store(answer)
}

fn secret() -> Secret {
    Secret::from("conformance-secret")
}

fn unsigned(body: &str) -> Request<Bytes> {
    let request = Request::post("/").header("content-type", "application/json");
    request
        .body(Bytes::copy_from_slice(body.as_bytes()))
        .unwrap()
}

fn signed(body: &str) -> Request<Bytes> {
    let mut request = unsigned(body);
    let signer = Signer::new(preo::scheme(), &secret()).unwrap();
    signer.sign(request.headers_mut(), body.as_bytes()).unwrap();
    request
}

fn with_signature(signature: &str) -> Request<Bytes> {
    let mut request = unsigned("{}");
    let value = signature.parse().unwrap();
    request.headers_mut().insert("x-preo-signature", value);
    request
}

fn typed(content_type: &'static str) -> Request<Bytes> {
    let mut request = signed("{}");
    let value = content_type.parse().unwrap();
    request.headers_mut().insert("content-type", value);
    request
}

/// A store that gives every claim the same answer.
enum Answer {
    Held,
    Down,
}

impl DedupStore for Answer {
    async fn claim(&self, _: &EventKey, _: ClaimToken, _: Duration) -> Result<Claim, StoreError> {
        match self {
            Self::Held => Ok(Claim::Held),
            Self::Down => Err(StoreError::Unavailable("down".into())),
        }
    }

    async fn commit(&self, _: &EventKey, _: ClaimToken, _: Duration) -> Result<(), StoreError> {
        pending().await
    }

    async fn release(&self, _: &EventKey, _: ClaimToken) -> Result<(), StoreError> {
        pending().await
    }
}
