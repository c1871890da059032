//! What HTTP/2 logs: other frames and another encoding of headers than HTTP/1.

use std::convert::Infallible;
use std::net::TcpListener as StdListener;
use std::thread;

use http::{Response, StatusCode, Version};
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use webhook_sdk::preo::{PreoClient, WebhookUpdate};
use webhook_sdk::reqwest;

use super::client::preo_response;
use super::{PAYLOAD, Shown, TOKEN};
use crate::log;

pub(super) async fn all() -> Shown {
    let (log, _guard) = log::listen();
    let mut shown = Shown::default();
    let preo = PreoClient::builder(TOKEN.0)
        .base_url(serve())
        .http(reqwest::Client::builder().http2_prior_knowledge())
        .build()
        .unwrap();
    // The second request refers to headers of the first.
    for _ in 0..2 {
        let update = WebhookUpdate::new().name(PAYLOAD.0);
        let updated = preo
            .update_webhook("wh_1", update)
            .send_with_response()
            .await;
        shown.debug("http2", &updated.unwrap());
    }
    let log = log.text();
    assert!(log.contains("h2::"), "HTTP/2 logs nothing");
    shown.add("http2 log", log);
    shown
}

/// Accepts HTTP/2 with the token only. In a thread of its own, so that just the client's side is logged.
fn serve() -> String {
    let listener = StdListener::bind("127.0.0.1:0").unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    listener.set_nonblocking(true).unwrap();
    thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = TcpListener::from_std(listener).unwrap();
            while let Ok((stream, _)) = listener.accept().await {
                let server = http2::Builder::new(TokioExecutor::new());
                server
                    .serve_connection(TokioIo::new(stream), service_fn(answer))
                    .await
                    .ok();
            }
        });
    });
    base_url
}

async fn answer(request: http::Request<Incoming>) -> Result<Response<String>, Infallible> {
    let token = request
        .headers()
        .get("authorization")
        .map(|value| value.as_bytes().to_vec());
    let expected = format!("Bearer {}", TOKEN.0).into_bytes();
    let is_expected = request.version() == Version::HTTP_2 && token == Some(expected);
    let mut response = Response::new(preo_response().to_string());
    if !is_expected {
        *response.status_mut() = StatusCode::UNAUTHORIZED;
    }
    Ok(response)
}
