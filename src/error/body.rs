use std::fmt;

use serde_json::{Map, Value};

/// An error in one field of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FieldError {
    /// The field's path, with list indices, such as `events.0`. `non_field_errors` refers to the
    /// whole request.
    pub field: String,
    /// The message. A server's message is in the server's language and can quote the request.
    pub message: String,
}

impl FieldError {
    pub(crate) fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            message: message.into(),
        }
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.field, self.message)
    }
}

/// The maximum number of field errors of one body, and the maximum length of a field name in bytes;
/// our limits.
const MAX_ERRORS: usize = 1_000;
const MAX_FIELD_BYTES: usize = 256;
/// Django REST framework's name for the request as a whole.
const WHOLE_REQUEST: &str = "non_field_errors";

/// The content of an error body, in the formats of Lune and Django REST framework.
#[derive(Default)]
pub(super) struct ErrorBody {
    pub(super) code: Option<String>,
    pub(super) detail: Option<String>,
    pub(super) fields: Vec<FieldError>,
}

impl ErrorBody {
    pub(super) fn read(body: &[u8]) -> Self {
        let mut parsed = Self::default();
        match serde_json::from_slice(body) {
            Ok(Value::Object(body)) if parsed.read_coded(&body) => {}
            Ok(Value::Object(mut body)) => {
                parsed.read_detail(body.remove("detail"));
                for (field, value) in body {
                    collect(&field, value, &mut parsed.fields);
                }
            }
            Ok(list @ Value::Array(_)) => collect(WHOLE_REQUEST, list, &mut parsed.fields),
            Ok(Value::String(detail)) => parsed.detail = Some(detail),
            _ => {}
        }
        parsed
    }

    /// Lune's `{"error": {"error_code": "…", "message": "…"}}`, or the first of its `errors`.
    fn read_coded(&mut self, body: &Map<String, Value>) -> bool {
        let text = |error: &Value, name| error.get(name)?.as_str().map(str::to_owned);
        let first = body.get("errors").and_then(|errors| errors.get(0));
        let mut errors = body.get("error").into_iter().chain(first);
        let Some((error, code)) = errors.find_map(|e| Some((e, text(e, "error_code")?))) else {
            return false;
        };
        self.detail = text(error, "message");
        self.code = Some(code);
        true
    }

    /// `detail` is a sentence, a list of sentences, or an object like the body.
    fn read_detail(&mut self, detail: Option<Value>) {
        let mut messages = Vec::new();
        match detail {
            Some(Value::Object(fields)) => {
                for (field, value) in fields {
                    collect(&field, value, &mut messages);
                }
                self.fields.clone_from(&messages);
            }
            Some(value) => collect("detail", value, &mut messages),
            None => {}
        }
        let texts: Vec<_> = messages.into_iter().map(|error| error.message).collect();
        self.detail = (!texts.is_empty()).then(|| texts.join(" "));
    }
}

fn collect(field: &str, value: Value, errors: &mut Vec<FieldError>) {
    if errors.len() >= MAX_ERRORS || field.len() > MAX_FIELD_BYTES {
        return;
    }
    match value {
        Value::String(message) => errors.push(FieldError::new(field, message)),
        Value::Array(values) => {
            for (index, value) in values.into_iter().enumerate() {
                match value {
                    message @ Value::String(_) => collect(field, message, errors),
                    value => collect(&format!("{field}.{index}"), value, errors),
                }
            }
        }
        Value::Object(values) => {
            for (key, value) in values {
                collect(&format!("{field}.{key}"), value, errors);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
