//! Error responses over HTTP: the error has what a naive reader finds, is bounded, and shows nothing.
//!
//! An input is the status, the request id and `retry-after`, a line each, and the body. `{token}`
//! represents the client's token. No text of the service's own has a capital `Q`.
#![no_main]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::thread;

use http::HeaderValue;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};
use webhook_sdk::lune::LuneClient;
use webhook_sdk::pretix::PretixClient;
use webhook_sdk::{Error, RetryPolicy};

const TOKEN: &str = "t0k3n_0f_th3_cl13nt";
const STATUSES: [u16; 12] = [301, 304, 400, 401, 403, 404, 409, 418, 422, 429, 500, 503];
static RESPONSE: Mutex<Vec<u8>> = Mutex::new(Vec::new());

static CLIENTS: LazyLock<(Runtime, PretixClient, LuneClient)> = LazyLock::new(|| {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            thread::spawn(move || respond(stream.unwrap()));
        }
    });
    let pretix = PretixClient::builder(TOKEN, "bigevents").base_url(&base_url);
    let lune = LuneClient::builder(TOKEN)
        .base_url(&base_url)
        .requests_per_second(None);
    (
        Builder::new_current_thread().enable_all().build().unwrap(),
        pretix.retry(RetryPolicy::never()).build().unwrap(),
        lune.retry(RetryPolicy::never()).build().unwrap(),
    )
});

fuzz_target!(|input: &[u8]| {
    let input = String::from_utf8_lossy(input).replace("{token}", TOKEN);
    let mut lines = input.splitn(4, '\n');
    let mut line = || lines.next().unwrap_or_default();
    let (status, id, wait, body) = (line(), line(), line(), line());
    let status = STATUSES[usize::from(status.bytes().next().unwrap_or_default()) % STATUSES.len()];
    let body = if status == 304 { "" } else { body };
    if [id, wait]
        .into_iter()
        .any(|value| HeaderValue::from_str(value).is_err())
    {
        return;
    }
    *RESPONSE.lock().unwrap_or_else(PoisonError::into_inner) = format!(
        "HTTP/1.1 {status} \r\nx-request-id: {id}\r\ncf-ray: {id}\r\nretry-after: {wait}\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes();
    let (runtime, pretix, lune) = &*CLIENTS;
    let error = runtime.block_on(async { pretix.retrieve_webhook(1).send().await.unwrap_err() });
    check(&error, status, body);
    let error = runtime.block_on(async { lune.retrieve_webhook("wh_1").send().await.unwrap_err() });
    check(&error, status, body);
});

fn check(error: &Error, status: u16, body: &str) {
    assert_eq!(
        error.status().map(|status| status.as_u16()),
        Some(status),
        "{error:?}"
    );
    assert_eq!(
        error.body(),
        Some(body.as_bytes())
            .filter(|body| body.len() <= 65_536)
            .or(Some(b""))
    );
    let shown = format!("{error}\n{error:?}\n{:?}", error.request_id());
    let own = shown.replace(&format!("{:?}", error.request_id()), "");
    assert!(
        !shown.contains(TOKEN) && !own.contains('Q') && shown.len() < 4_096,
        "{shown}"
    );
    let fields = error.field_errors();
    let length: usize = fields.iter().map(|error| error.message.len()).sum();
    assert!(fields.len() <= 1_000 && length <= body.len());
    let Ok(Value::Object(naive)) = serde_json::from_str(body) else {
        return;
    };
    if let Some(code) = naive
        .get("error")
        .and_then(|error| error["error_code"].as_str())
    {
        assert_eq!(error.code(), Some(code));
    } else if [400, 409, 422].contains(&status)
        && ["detail", "error", "errors"]
            .iter()
            .all(|name| !naive.contains_key(*name))
        && body.len() < 1_000
    {
        for (name, message) in naive.iter().filter(|(name, _)| name.len() <= 256) {
            let Some(message) = message.as_str().or(message[0].as_str()) else {
                continue;
            };
            assert!(
                fields
                    .iter()
                    .any(|error| error.field == *name && error.message == message)
            );
        }
    }
}

fn respond(mut stream: TcpStream) {
    stream.set_nodelay(true).unwrap();
    let mut request = [0; 4096];
    while stream.read(&mut request).is_ok_and(|length| length > 0) {
        let response = RESPONSE
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if stream.write_all(&response).is_err() {
            return;
        }
    }
}
