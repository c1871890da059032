//! Receives what Preo delivers on hyper alone, as any stack can that speaks `http`.
//!
//! `cargo run --example receive_hyper --features receiver`

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::Value;
use tokio::net::TcpListener;
use webhook_sdk::receiver::{BoxError, Event, Receiver};
use webhook_sdk::signature::{Key, Keyring, Signer, Verifier};
use webhook_sdk::{Secret, preo};

type Source = preo::Source<Value>;

async fn receive(receiver: Receiver<Source>, request: Request<Incoming>) -> Response<Empty<Bytes>> {
    let (parts, body) = request.into_parts();
    match receiver.receive(&parts, body).await {
        Ok(delivery) => delivery.handle(book).await.response(),
        Err(refusal) => refusal.response(),
    }
}

async fn book(event: Event<Value>) -> Result<(), BoxError> {
    println!("booked {}", *event);
    Ok(())
}

async fn serve(listener: TcpListener, receiver: Receiver<Source>) -> std::io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        let receiver = receiver.clone();
        let service = service_fn(move |request| {
            let receiver = receiver.clone();
            async move { Ok::<_, Infallible>(receive(receiver, request).await) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(Duration::from_secs(10))
            .serve_connection(TokioIo::new(stream), service);
        tokio::spawn(connection);
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let secret = Secret::from("the secret of the create call");
    let keyring = Keyring::new(Key::new("2026-11", &secret)?);
    let receiver = Receiver::new(Source::new(Verifier::new(preo::scheme(), keyring)));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/", listener.local_addr()?);
    tokio::spawn(serve(listener, receiver));

    let body = r#"{"event":"consent.given"}"#;
    let mut headers = HeaderMap::new();
    Signer::new(preo::scheme(), &secret)?.sign(&mut headers, body.as_bytes())?;
    let client = reqwest::Client::builder().no_proxy().build()?;
    let request = client.post(&url).headers(headers).body(body);
    let answer = request.send().await?;
    if answer.status() != 204 {
        return Err("the delivery wasn't accepted".into());
    }
    println!("receive_hyper: ok");
    Ok(())
}
