use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode};
use serde_json::Value;
use wiremock::ResponseTemplate;

/// A response of a fake or a stub. Boxed, because it is also an error.
pub(crate) type Reply = Box<Response<Vec<u8>>>;

pub(crate) fn empty(status: StatusCode) -> Reply {
    let mut reply = Reply::default();
    *reply.status_mut() = status;
    reply
}

pub(crate) fn json(status: StatusCode, body: &Value) -> Reply {
    text(status, "application/json", body.to_string())
}

pub(crate) fn text(status: StatusCode, content_type: &'static str, body: String) -> Reply {
    let mut reply = empty(status);
    let content_type = HeaderValue::from_static(content_type);
    reply.headers_mut().insert(CONTENT_TYPE, content_type);
    *reply.body_mut() = body.into_bytes();
    reply
}

/// The response for wiremock.
pub(crate) fn template(reply: Response<Vec<u8>>, delay: Option<Duration>) -> ResponseTemplate {
    let (parts, body) = reply.into_parts();
    let mut template = ResponseTemplate::new(parts.status).set_body_bytes(body);
    for (name, value) in &parts.headers {
        template = template.append_header(name, value);
    }
    match delay {
        Some(delay) => template.set_delay(delay),
        None => template,
    }
}
