//! Lune's errors: JSON with a code where it is published so, plain text elsewhere.

use http::{HeaderValue, StatusCode};
use serde_json::json;

use crate::testing::answer::Answer;

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// The published shape, in which `errors` repeats `error`.
pub(super) fn coded(status: StatusCode, code: &str, message: &str) -> Answer {
    let error = json!({ "error_code": code, "message": message });
    Answer::json(status, &json!({ "error": error, "errors": [error] }))
}

pub(super) fn invalid(message: &str) -> Answer {
    coded(StatusCode::BAD_REQUEST, "validation_error", message)
}

/// The status's own words, in place of the body that isn't declared.
pub(super) fn plain(status: StatusCode) -> Answer {
    let words = status.canonical_reason().unwrap_or_default();
    Answer::empty(status).body(TEXT, words.into())
}
