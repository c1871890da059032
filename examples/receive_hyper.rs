//! Receives Preo's deliveries with hyper alone, as any stack can that uses the `http` types.
//!
//! `cargo run --example receive_hyper --features receiver`

use std::convert::Infallible;
use std::io;
use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use http::{HeaderMap, Request, Response};
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use webhook_sdk::receiver::{BoxError, Event, Receiver};
use webhook_sdk::signature::Signer;
use webhook_sdk::{Secret, preo};

async fn receive(
    receiver: Receiver<preo::Source>,
    request: Request<Incoming>,
) -> Response<Empty<Bytes>> {
    let (parts, body) = request.into_parts();
    match receiver.receive(&parts, body).await {
        Ok(delivery) => delivery.handle(handle_event).await.response(),
        Err(refusal) => refusal.response(),
    }
}

async fn handle_event(event: Event<Value>) -> Result<(), BoxError> {
    let kind = event["event"].as_str().ok_or("the payload has no event")?;
    println!("handled {kind}");
    Ok(())
}

/// Serves connections until there are no more, and survives those that fail.
pub(crate) async fn serve(
    connections: impl Stream<Item = io::Result<TcpStream>>,
    receiver: Receiver<preo::Source>,
) {
    let mut connections = pin!(connections);
    while let Some(connection) = connections.next().await {
        let stream = match connection {
            Ok(stream) => stream,
            Err(error) => {
                // For example, no file descriptors are left until other connections close.
                eprintln!("can't accept a connection: {error}");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
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

/// The connections of a listener.
pub(crate) fn incoming(listener: TcpListener) -> impl Stream<Item = io::Result<TcpStream>> {
    stream::unfold(listener, async |listener| {
        let connection = listener.accept().await.map(|(stream, _)| stream);
        Some((connection, listener))
    })
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let secret = Secret::from("the secret of the create call");
    let receiver = Receiver::new(preo::Source::new(preo::verifier(&secret)?));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/", listener.local_addr()?);
    tokio::spawn(serve(incoming(listener), receiver));

    let body = r#"{"event":"consent.given"}"#;
    let mut headers = HeaderMap::new();
    Signer::new(preo::scheme(), &secret)?.sign(&mut headers, body.as_bytes())?;
    let client = reqwest::Client::builder().no_proxy().build()?;
    let response = client.post(&url).headers(headers).body(body).send().await?;
    if response.status() != 204 {
        return Err("the delivery wasn't accepted".into());
    }
    Ok(())
}
