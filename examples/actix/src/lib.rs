//! Receives Preo's deliveries with actix-web.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::TryStreamExt;
use http::request::Parts;
use http_body::Frame;
use http_body_util::StreamBody;
use serde_json::Value;
use webhook_sdk::preo;
use webhook_sdk::receiver::{BoxError, Event, Receiver};

/// The handler of the route, with the receiver as application data.
pub async fn receive(
    receiver: Data<Receiver<preo::Source>>,
    request: HttpRequest,
    payload: Payload,
) -> HttpResponse {
    let Ok(parts) = parts(&request) else {
        return HttpResponse::BadRequest().finish();
    };
    let body = StreamBody::new(payload.map_ok(Frame::data));
    let response = match receiver.receive(&parts, body).await {
        Ok(delivery) => delivery.handle(handle_event).await.response::<()>(),
        Err(refusal) => refusal.response(),
    };
    answer(&response)
}

async fn handle_event(event: Event<Value>) -> Result<(), BoxError> {
    let kind = event["event"].as_str().ok_or("the payload has no event")?;
    println!("handled {kind}");
    Ok(())
}

/// actix-web has `http` types of its own, an older version.
fn parts(request: &HttpRequest) -> Result<Parts, http::Error> {
    let mut head = http::Request::builder()
        .method(request.method().as_str())
        .uri(request.uri().to_string());
    for (name, value) in request.headers() {
        head = head.header(name.as_str(), value.as_bytes());
    }
    Ok(head.body(())?.into_parts().0)
}

fn answer(response: &http::Response<()>) -> HttpResponse {
    let status = response.status().as_u16();
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut answer = HttpResponse::build(status);
    for (name, value) in response.headers() {
        answer.insert_header((name.as_str(), value.as_bytes()));
    }
    answer.finish()
}
