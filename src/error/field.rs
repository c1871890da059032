use std::fmt;

use serde_json::Value;

/// One complaint about one field of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FieldError {
    /// The field, with indices into lists: `events.0`. `non_field_errors` concerns the whole
    /// request.
    pub field: String,
    /// What is wrong with it. A server's text is in the server's language and may quote what was
    /// sent.
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

/// How many complaints are read, and how long the name of a field may be; our bounds.
const MAX_ERRORS: usize = 1_000;
const MAX_FIELD_BYTES: usize = 256;

/// Reads the field errors of Django REST framework: `{"field": ["…"], "list": {"0": ["…"]}}`.
pub(super) fn parse(body: &[u8]) -> Vec<FieldError> {
    let mut errors = Vec::new();
    match serde_json::from_slice(body) {
        Ok(Value::Object(fields)) => {
            for (field, value) in fields {
                if field != "detail" {
                    collect(&field, value, &mut errors);
                }
            }
        }
        Ok(list @ Value::Array(_)) => collect("non_field_errors", list, &mut errors),
        _ => {}
    }
    errors
}

/// Reads the sentence of Django REST framework's `{"detail": "…"}`.
pub(super) fn detail(body: &[u8]) -> Option<String> {
    match serde_json::from_slice::<Value>(body)
        .ok()?
        .get_mut("detail")?
        .take()
    {
        Value::String(detail) => Some(detail),
        _ => None,
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
