//! The examples for frameworks answer alike, and those for foreign services accept published vectors.

use std::io;

use axum::Router;
use axum::routing::post;
use bytes::Bytes;
use chrono::DateTime;
use futures_util::{StreamExt, stream};
use http::{HeaderMap, Request, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use webhook_sdk::Secret;
use webhook_sdk::preo;
use webhook_sdk::receiver::{BoxError, Delivery, Event, Outcome, Receiver, Refusal, Source};
use webhook_sdk::signature::{Verifier, VerifyError};

#[allow(dead_code)]
#[path = "../../../examples/source_github.rs"]
mod github;
#[allow(dead_code)]
#[path = "../../../examples/receive_hyper.rs"]
mod hyper;
#[allow(dead_code)]
#[path = "../../../examples/receive_lambda.rs"]
mod lambda;
#[allow(dead_code)]
#[path = "../../../examples/source_standard_webhooks.rs"]
mod standard_webhooks;
#[path = "../../conformance/table.rs"]
mod table;

async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    (listener, url)
}

async fn with_hyper(receiver: Receiver<preo::Source>) -> String {
    let (listener, url) = listen().await;
    tokio::spawn(hyper::serve(hyper::incoming(listener), receiver));
    url
}

async fn with_axum(receiver: Receiver<preo::Source>) -> String {
    async fn receive(delivery: Delivery<preo::Source>) -> Outcome {
        delivery.handle(handle_event).await
    }

    async fn handle_event(event: Event<Value>) -> Result<(), BoxError> {
        event["event"].as_str().ok_or("the payload has no event")?;
        Ok(())
    }

    let (listener, url) = listen().await;
    let router = Router::new().route("/", post(receive)).with_state(receiver);
    tokio::spawn(async { axum::serve(listener, router).await });
    url
}

#[tokio::test]
async fn axum_responds_as_documented() {
    table::check(async |receiver, request| table::send(with_axum(receiver).await, request).await)
        .await;
    table::check_server(with_axum).await;
}

#[tokio::test]
async fn hyper_responds_as_documented() {
    table::check(async |receiver, request| table::send(with_hyper(receiver).await, request).await)
        .await;
    table::check_server(with_hyper).await;
}

#[tokio::test]
async fn lambda_responds_as_documented() {
    table::check(async |receiver, request| {
        let text = |headers: &HeaderMap| {
            let headers = headers.iter();
            let headers =
                headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().into()));
            Value::Object(headers.collect())
        };
        let event = json!({
            "rawPath": "/",
            "headers": text(request.headers()),
            "body": str::from_utf8(request.body()).unwrap(),
        });
        let event = serde_json::from_value(event).unwrap();
        let response = lambda::receive(&receiver, event).await;
        let mut answer = Response::builder().status(response.status_code);
        for (name, value) in response.headers {
            answer = answer.header(name, value);
        }
        answer.body(Bytes::new()).unwrap()
    })
    .await;
}

#[tokio::test]
async fn hyper_keeps_serving_after_it_ran_out_of_file_descriptors() {
    const EMFILE: i32 = 24;
    table::check(async |receiver, request| {
        let (listener, url) = listen().await;
        let failed = stream::iter([Err(io::Error::from_raw_os_error(EMFILE))]);
        tokio::spawn(hyper::serve(
            failed.chain(hyper::incoming(listener)),
            receiver,
        ));
        table::send(url, request).await
    })
    .await;
}

/// The published vector of a service: its secret and a request signed with it.
fn vector(name: &str) -> (String, Request<String>) {
    let vectors = include_str!("../../data/vectors/public-schemes.json");
    let vectors: Value = serde_json::from_str(vectors).unwrap();
    let vectors = vectors["cases"].as_array().unwrap();
    let vector = vectors
        .iter()
        .find(|vector| vector["name"] == name)
        .unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let secret = ["secret", "secret_base64"]
        .into_iter()
        .find_map(|key| vector.get(key));
    let mut request = Request::post("/");
    for (name, value) in vector["headers"].as_object().unwrap() {
        request = request.header(name, text(value));
    }
    (
        text(secret.unwrap()),
        request.body(text(&vector["body"])).unwrap(),
    )
}

async fn receive<S: Source>(source: S, request: Request<String>) -> Result<Outcome, Refusal> {
    let (parts, body) = request.into_parts();
    let delivery = Receiver::new(source).receive(&parts, body).await?;
    Ok(delivery.handle(async |_| ()).await)
}

#[tokio::test]
async fn the_github_example_accepts_githubs_published_vector() {
    let (secret, mut request) = vector("github");
    request
        .headers_mut()
        .insert("x-github-event", "ping".parse().unwrap());
    let source = || github::GitHub::new(&Secret::from(secret.as_str())).unwrap();
    let outcome = receive(source(), request.clone()).await.unwrap();
    assert_eq!(outcome.status(), 204);

    request.body_mut().push('!');
    let refusal = receive(source(), request).await.unwrap_err();
    assert_eq!(refusal, Refusal::Signature(VerifyError::Mismatch));
}

#[tokio::test]
async fn the_standard_webhooks_example_accepts_the_published_vector() {
    let (secret, mut request) = vector("standard-webhooks");
    let (scheme, key) = standard_webhooks::rules(&format!("whsec_{secret}")).unwrap();
    let clock = || DateTime::from_timestamp(1_614_265_330, 0).unwrap();
    let source = || {
        let verifier = Verifier::new(scheme.clone(), &key).clock(clock);
        standard_webhooks::StandardWebhooks(verifier)
    };
    let outcome = receive(source(), request.clone()).await.unwrap();
    assert_eq!(outcome.status(), 204);

    let several = request.headers()["webhook-signature"].to_str().unwrap();
    let several = format!("v1,{} {several}", "A".repeat(43) + "=");
    request
        .headers_mut()
        .insert("webhook-signature", several.parse().unwrap());
    let outcome = receive(source(), request.clone()).await.unwrap();
    assert_eq!(outcome.status(), 204);

    request
        .headers_mut()
        .insert("webhook-id", "msg_2".parse().unwrap());
    let refusal = receive(source(), request).await.unwrap_err();
    assert_eq!(refusal, Refusal::Signature(VerifyError::Mismatch));
}
