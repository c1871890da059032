//! Receives Preo's deliveries in a function that gets each request whole, as on AWS Lambda.
//!
//! `cargo run --example receive_lambda --features receiver`

use std::collections::HashMap;

use bytes::Bytes;
use data_encoding::BASE64;
use http::{HeaderMap, Request, Response};
use http_body_util::Full;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use webhook_sdk::receiver::{BoxError, Event, Receiver};
use webhook_sdk::signature::Signer;
use webhook_sdk::{Secret, preo};

/// The fields that matter here of a function URL's event, payload format 2.0.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FunctionRequest {
    raw_path: String,
    headers: HashMap<String, String>,
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FunctionResponse {
    pub(crate) status_code: u16,
    pub(crate) headers: HashMap<String, String>,
}

/// Keep the receiver in a `static` or pass it in: memory lasts as long as the instance. Deduplicate
/// across instances with a shared store.
pub(crate) async fn receive(
    receiver: &Receiver<preo::Source>,
    request: FunctionRequest,
) -> FunctionResponse {
    let Ok(request) = http_request(request) else {
        return FunctionResponse {
            status_code: 400,
            headers: HashMap::new(),
        };
    };
    let (parts, body) = request.into_parts();
    let response = match receiver.receive(&parts, Full::new(body)).await {
        Ok(delivery) => delivery.handle(handle_event).await.response::<()>(),
        Err(refusal) => refusal.response(),
    };
    function_response(&response)
}

async fn handle_event(event: Event<Value>) -> Result<(), BoxError> {
    let kind = event["event"].as_str().ok_or("the payload has no event")?;
    println!("handled {kind}");
    Ok(())
}

/// The signature covers the bytes that were sent, so a body in Base64 is decoded first.
fn http_request(request: FunctionRequest) -> Result<Request<Bytes>, BoxError> {
    let body = request.body.unwrap_or_default();
    let body = match request.is_base64_encoded {
        true => BASE64.decode(body.as_bytes())?,
        false => body.into_bytes(),
    };
    let mut head = Request::post(request.raw_path);
    for (name, value) in request.headers {
        head = head.header(name, value);
    }
    Ok(head.body(body.into())?)
}

fn function_response(response: &Response<()>) -> FunctionResponse {
    let headers = response.headers().iter();
    let text = |value: &http::HeaderValue| value.to_str().map(str::to_owned).ok();
    FunctionResponse {
        status_code: response.status().as_u16(),
        headers: headers
            .filter_map(|(name, value)| Some((name.to_string(), text(value)?)))
            .collect(),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let secret = Secret::from("the secret of the create call");
    let receiver = Receiver::new(preo::Source::new(preo::verifier(&secret)?));

    let body = r#"{"event":"consent.given"}"#;
    let mut headers = HeaderMap::new();
    Signer::new(preo::scheme(), &secret)?.sign(&mut headers, body.as_bytes())?;
    let signature = headers["x-preo-signature"].to_str()?;
    let request = serde_json::from_value(json!({
        "rawPath": "/hooks/preo",
        "headers": { "content-type": "application/json", "x-preo-signature": signature },
        "body": BASE64.encode(body.as_bytes()),
        "isBase64Encoded": true,
    }))?;
    let response = receive(&receiver, request).await;
    if response.status_code != 204 {
        return Err("the delivery wasn't accepted".into());
    }
    println!("{}", serde_json::to_string(&response)?);
    Ok(())
}
