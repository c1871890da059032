//! Django REST framework behavior shared by two fakes.

use std::collections::BTreeMap;

use http::header::{ALLOW, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode};
use reqwest::Url;
use serde_json::{Map, Value, json};
use wiremock::Request;

use super::service::Reply;

pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json");
const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");

pub(crate) fn empty(status: StatusCode) -> Reply {
    let mut reply = Response::new(Vec::new());
    *reply.status_mut() = status;
    Box::new(reply)
}

pub(crate) fn json(status: StatusCode, body: &Value) -> Reply {
    with_body(status, JSON, body.to_string())
}

pub(crate) fn with_body(status: StatusCode, content_type: HeaderValue, body: String) -> Reply {
    let mut reply = empty(status);
    reply.headers_mut().insert(CONTENT_TYPE, content_type);
    *reply.body_mut() = body.into_bytes();
    reply
}

/// An error with one message for the whole request.
pub(crate) fn detail(status: StatusCode, message: &str) -> Reply {
    json(status, &json!({ "detail": message }))
}

/// An HTML page, which is Django's fallback.
pub(crate) fn page(status: StatusCode) -> Reply {
    let title = status.canonical_reason().unwrap_or_default();
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head><title>{title}</title></head>\n\
         <body><h1>{title}</h1></body>\n</html>\n"
    );
    with_body(status, HTML, html)
}

pub(crate) fn unauthorized(scheme: &str, message: &str) -> Reply {
    let mut reply = detail(StatusCode::UNAUTHORIZED, message);
    if let Ok(scheme) = HeaderValue::from_str(scheme)
        && !scheme.is_empty()
    {
        reply.headers_mut().insert(WWW_AUTHENTICATE, scheme);
    }
    reply
}

pub(crate) fn not_found() -> Reply {
    detail(StatusCode::NOT_FOUND, "Not found.")
}

pub(crate) fn method_not_allowed(request: &Request, allowed: &str) -> Reply {
    let message = format!("Method \"{}\" not allowed.", request.method);
    allowing(detail(StatusCode::METHOD_NOT_ALLOWED, &message), allowed)
}

pub(crate) fn allowing(mut reply: Reply, allowed: &str) -> Reply {
    if let Ok(allowed) = HeaderValue::from_str(allowed) {
        reply.headers_mut().insert(ALLOW, allowed);
    }
    reply
}

pub(crate) fn throttled(seconds: Option<u64>) -> Reply {
    let message = match seconds {
        None => "Request was throttled.".to_owned(),
        Some(1) => "Request was throttled. Expected available in 1 second.".to_owned(),
        Some(n) => format!("Request was throttled. Expected available in {n} seconds."),
    };
    detail(StatusCode::TOO_MANY_REQUESTS, &message)
}

/// The request's JSON, if it has a body, or the response to a body that isn't JSON.
pub(crate) fn body(request: &Request) -> Result<Option<Value>, Reply> {
    if request.body.is_empty() {
        return Ok(None);
    }
    let content_type = request.headers.get(CONTENT_TYPE);
    let content_type = content_type.map(HeaderValue::as_bytes).unwrap_or_default();
    let content_type = String::from_utf8_lossy(content_type);
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

/// The request's JSON object. As in the framework, an empty body is an empty object.
pub(crate) fn object(request: &Request) -> Result<Map<String, Value>, Reply> {
    match body(request)? {
        None => Ok(Map::new()),
        Some(Value::Object(object)) => Ok(object),
        Some(Value::Null) => Err(invalid(non_field("No data provided"))),
        Some(other) => {
            let got = type_name(&other);
            let message = format!("Invalid data. Expected a dictionary, but got {got}.");
            Err(invalid(non_field(&message)))
        }
    }
}

/// The response to invalid fields.
pub(crate) fn invalid(errors: Map<String, Value>) -> Reply {
    json(StatusCode::BAD_REQUEST, &errors.into())
}

pub(crate) fn non_field(message: &str) -> Map<String, Value> {
    Map::from_iter([("non_field_errors".to_owned(), json!([message]))])
}

/// A field's value or its errors: a list of messages, or an object with lists by index.
pub(crate) type Checked<T> = Result<T, Value>;

/// Reads the fields of a request body, and collects their errors.
pub(crate) struct Fields<'a> {
    body: &'a Map<String, Value>,
    /// Whether required fields can be missing.
    partial: bool,
    errors: Map<String, Value>,
}

impl<'a> Fields<'a> {
    pub(crate) fn of(body: &'a Map<String, Value>, partial: bool) -> Self {
        Self {
            body,
            partial,
            errors: Map::new(),
        }
    }

    pub(crate) fn required<T>(
        &mut self,
        name: &str,
        check: impl FnOnce(&Value) -> Checked<T>,
    ) -> Option<T> {
        if !self.partial && !self.body.contains_key(name) {
            let message = json!(["This field is required."]);
            self.errors.insert(name.to_owned(), message);
        }
        self.optional(name, check)
    }

    pub(crate) fn optional<T>(
        &mut self,
        name: &str,
        check: impl FnOnce(&Value) -> Checked<T>,
    ) -> Option<T> {
        let value = self.body.get(name)?;
        match not_null(value).and_then(check) {
            Ok(value) => Some(value),
            Err(error) => {
                self.errors.insert(name.to_owned(), error);
                None
            }
        }
    }

    /// The outer `None` is an absent field, the inner one is null.
    pub(crate) fn nullable<T>(
        &mut self,
        name: &str,
        check: impl FnOnce(&Value) -> Checked<T>,
    ) -> Option<Option<T>> {
        match self.body.get(name)? {
            Value::Null => Some(None),
            _ => self.optional(name, check).map(Some),
        }
    }

    /// # Errors
    ///
    /// The errors of the fields read so far.
    pub(crate) fn finish(self) -> Result<(), Reply> {
        match self.errors.is_empty() {
            true => Ok(()),
            false => Err(invalid(self.errors)),
        }
    }
}

/// A string of at most `max` characters.
pub(crate) fn text(value: &Value, max: usize) -> Checked<String> {
    let Value::String(text) = value else {
        return Err(json!(["Not a valid string."]));
    };
    let mut wrong = Vec::new();
    if text.chars().count() > max {
        wrong.push(format!(
            "Ensure this field has no more than {max} characters."
        ));
    }
    if text.contains('\0') {
        wrong.push("Null characters are not allowed.".to_owned());
    }
    match wrong.is_empty() {
        true => Ok(text.clone()),
        false => Err(json!(wrong)),
    }
}

/// The framework's name for a JSON type, which is Python's.
pub(crate) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "NoneType",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float",
        Value::Number(_) => "int",
        Value::String(_) => "str",
        Value::Array(_) => "list",
        Value::Object(_) => "dict",
    }
}

pub(crate) fn not_null(value: &Value) -> Checked<&Value> {
    match value.is_null() {
        true => Err(json!(["This field may not be null."])),
        false => Ok(value),
    }
}

/// The value of a query parameter: the last one if it is repeated, or `None` if it is blank.
pub(crate) fn query(url: &Url, name: &str) -> Option<String> {
    let (_, value) = url.query_pairs().filter(|(key, _)| key == name).last()?;
    (!value.is_empty()).then(|| value.into_owned())
}

/// The requested page of `rows`, each converted by `view`.
pub(crate) fn list<T>(
    request: &Request,
    address: &str,
    size: usize,
    rows: &[T],
    view: impl Fn(&T) -> Value,
) -> Reply {
    let url = &request.url;
    let last = rows.len().div_ceil(size).max(1);
    let number = match query(url, "page").as_deref() {
        None => Some(1),
        Some("last") => Some(last),
        Some(number) => number.parse().ok().filter(|page| (1..=last).contains(page)),
    };
    let Some(number) = number else {
        return detail(StatusCode::NOT_FOUND, "Invalid page.");
    };
    let results = rows.chunks(size).nth(number - 1).unwrap_or_default();
    let body = json!({
        "count": rows.len(),
        "next": (number < last).then(|| link(address, url, number + 1)),
        "previous": (number > 1).then(|| link(address, url, number - 1)),
        "results": results.iter().map(view).collect::<Vec<_>>(),
    });
    json(StatusCode::OK, &body)
}

/// An absolute link to another page: the same parameters, sorted, without `page` for the first.
fn link(address: &str, url: &Url, page: usize) -> Option<String> {
    let mut parameters: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (key, value) in url.query_pairs() {
        let values = parameters.entry(key.into_owned()).or_default();
        values.push(value.into_owned());
    }
    parameters.remove("page");
    if page > 1 {
        parameters.insert("page".to_owned(), vec![page.to_string()]);
    }
    let mut link = Url::parse(address).ok()?.join(url.path()).ok()?;
    if !parameters.is_empty() {
        let pairs = parameters
            .iter()
            .flat_map(|(key, values)| values.iter().map(move |value| (key, value)));
        link.query_pairs_mut().extend_pairs(pairs);
    }
    Some(link.into())
}
