use serde::Deserialize;
use serde_json::{Map, Value};

/// An error with a machine-readable code, as Lune answers it.
#[derive(Deserialize)]
pub(super) struct Coded {
    #[serde(rename = "error_code")]
    pub(super) code: String,
    pub(super) message: Option<String>,
}

/// Reads `{"error": {"error_code": "…", "message": "…"}}`, or the first of `errors` in its place.
pub(super) fn parse(body: &[u8]) -> Option<Coded> {
    let mut body: Map<String, Value> = serde_json::from_slice(body).ok()?;
    let error = body.remove("error");
    let first = match body.remove("errors") {
        Some(Value::Array(errors)) => errors.into_iter().next(),
        _ => None,
    };
    error
        .into_iter()
        .chain(first)
        .find_map(|error| serde_json::from_value(error).ok())
}
