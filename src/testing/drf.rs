//! The manners of Django REST framework, which more than one of the services is built with.

pub(crate) mod field;
pub(crate) mod page;
pub(crate) mod query;

use chrono::{DateTime, SecondsFormat, Utc};
use http::header::{ALLOW, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde_json::{Map, Value, json};
use wiremock::Request;

use crate::testing::answer::{Answer, HTML};

const NOT_FOUND_PAGE: &str = "<!doctype html>\n<html lang=\"en\">\n<head><title>Not Found</title></head>\n\
    <body><h1>Not Found</h1><p>There is no such page here.</p></body>\n</html>\n";

/// An error with one message for the whole request.
pub(crate) fn detail(status: StatusCode, message: &str) -> Answer {
    Answer::json(status, &json!({ "detail": message }))
}

pub(crate) fn unauthorized(scheme: &HeaderValue, message: &str) -> Answer {
    let answer = detail(StatusCode::UNAUTHORIZED, message);
    if scheme.is_empty() {
        return answer;
    }
    answer.header(WWW_AUTHENTICATE, scheme.clone())
}

pub(crate) fn not_found() -> Answer {
    detail(StatusCode::NOT_FOUND, "Not found.")
}

/// Django's answer to a path that leads nowhere: HTML.
pub(crate) fn no_such_path() -> Answer {
    page(StatusCode::NOT_FOUND, NOT_FOUND_PAGE)
}

/// An answer for a browser, which Django falls back to.
pub(crate) fn page(status: StatusCode, html: &str) -> Answer {
    Answer::empty(status).body(HTML, html.into())
}

pub(crate) fn method_not_allowed(request: &Request, allow: &'static str) -> Answer {
    let message = format!("Method \"{}\" not allowed.", request.method);
    detail(StatusCode::METHOD_NOT_ALLOWED, &message).header(ALLOW, HeaderValue::from_static(allow))
}

pub(crate) fn throttled(seconds: Option<u64>) -> Answer {
    let message = match seconds {
        None => "Request was throttled.".to_owned(),
        Some(1) => "Request was throttled. Expected available in 1 second.".to_owned(),
        Some(n) => format!("Request was throttled. Expected available in {n} seconds."),
    };
    detail(StatusCode::TOO_MANY_REQUESTS, &message)
}

/// The request's JSON object, or the answer to a body that isn't one.
///
/// An empty body is an empty object, whatever its type, as it is for the framework.
pub(crate) fn json_object(request: &Request) -> Result<Map<String, Value>, Answer> {
    match json(request)? {
        None => Ok(Map::new()),
        Some(Value::Object(object)) => Ok(object),
        Some(Value::Null) => Err(invalid(non_field("No data provided"))),
        Some(other) => {
            let got = field::type_name(&other);
            let message = format!("Invalid data. Expected a dictionary, but got {got}.");
            Err(invalid(non_field(&message)))
        }
    }
}

/// The request's JSON, if it has a body, or the answer to a body that isn't JSON.
pub(crate) fn json(request: &Request) -> Result<Option<Value>, Answer> {
    if request.body.is_empty() {
        return Ok(None);
    }
    let content_type = content_type(request);
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        let message = format!("Unsupported media type \"{content_type}\" in request.");
        return Err(detail(StatusCode::UNSUPPORTED_MEDIA_TYPE, &message));
    }
    serde_json::from_slice(&request.body)
        .map(Some)
        .map_err(|error| {
            let message = format!("JSON parse error - {error}");
            detail(StatusCode::BAD_REQUEST, &message)
        })
}

/// The answer to fields that don't hold what they should.
pub(crate) fn invalid(errors: Map<String, Value>) -> Answer {
    Answer::json(StatusCode::BAD_REQUEST, &errors)
}

/// An error of no field alone, for [`invalid`].
pub(crate) fn non_field(message: &str) -> Map<String, Value> {
    Map::from_iter([("non_field_errors".to_owned(), json!([message]))])
}

/// RFC 3339 in UTC, with six digits of a second unless all are zero.
pub(crate) fn timestamp(time: DateTime<Utc>) -> String {
    let format = if time.timestamp_subsec_micros() == 0 {
        SecondsFormat::Secs
    } else {
        SecondsFormat::Micros
    };
    time.to_rfc3339_opts(format, true)
}

fn content_type(request: &Request) -> String {
    let value = request.headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    String::from_utf8_lossy(value.unwrap_or_default()).into_owned()
}
