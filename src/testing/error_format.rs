use http::StatusCode;
use serde_json::{Value, json};

use super::reply::{self, Reply};
use crate::FieldError;

/// How a service writes its errors.
#[derive(Clone, Copy)]
#[allow(dead_code, reason = "each service has one of them")]
pub(crate) enum ErrorFormat {
    /// Django REST framework: `{"detail": "…"}`, or messages by field name.
    Drf,
    /// Lune: a code and a message.
    Coded,
}

impl ErrorFormat {
    /// An error with its usual message, or without a body if the service documents none.
    pub(crate) fn error(self, status: StatusCode) -> Reply {
        let message = match status.as_u16() {
            401 => "Invalid token.",
            403 => "You do not have permission to perform this action.",
            404 => "Not found.",
            429 => "Request was throttled.",
            _ => status.canonical_reason().unwrap_or("Error"),
        };
        self.with_message(status, message)
    }

    pub(crate) fn with_message(self, status: StatusCode, message: &str) -> Reply {
        match (self, status.as_u16()) {
            (_, 500..) => reply::empty(status),
            (Self::Drf, _) => reply::json(status, &json!({ "detail": message })),
            (Self::Coded, 401 | 403) => coded(status, "unauthorised", message),
            (Self::Coded, 400 | 409 | 422) => coded(status, "validation_error", message),
            (Self::Coded, _) => {
                let reason = status.canonical_reason().unwrap_or_default();
                reply::text(status, "text/plain; charset=utf-8", reason.to_owned())
            }
        }
    }

    /// A 404 for a path that no operation has: Django's page, or plain text.
    pub(crate) fn nowhere(self) -> Reply {
        let status = StatusCode::NOT_FOUND;
        match self {
            Self::Drf => {
                let html = "<!doctype html>\n<title>Not Found</title>\n<h1>Not Found</h1>\n";
                reply::text(status, "text/html; charset=utf-8", html.to_owned())
            }
            Self::Coded => self.error(status),
        }
    }

    /// A 400 for invalid fields, or for the whole body.
    pub(crate) fn invalid(self, errors: &[FieldError]) -> Reply {
        match self {
            Self::Drf => reply::json(StatusCode::BAD_REQUEST, &by_field(errors)),
            Self::Coded => {
                let messages = errors.iter().map(|error| match error.field.as_str() {
                    WHOLE_BODY => error.message.clone(),
                    field => format!("{field}: {}", error.message),
                });
                let message = messages.collect::<Vec<_>>().join("; ");
                self.with_message(StatusCode::BAD_REQUEST, &message)
            }
        }
    }
}

/// The framework's name for a field error of the whole body.
pub(crate) const WHOLE_BODY: &str = "non_field_errors";

/// A list of messages for each field, with an object for the items of a list.
fn by_field(errors: &[FieldError]) -> Value {
    let mut body = json!({});
    for error in errors {
        let mut place = &mut body;
        for name in error.field.split('.') {
            if place.is_object() || place.is_null() {
                place = &mut place[name];
            }
        }
        match place {
            Value::Array(messages) => messages.push(json!(error.message)),
            place => *place = json!([error.message]),
        }
    }
    body
}

/// Lune's published format, in which `errors` repeats `error`.
pub(crate) fn coded(status: StatusCode, code: &str, message: &str) -> Reply {
    let error = json!({ "error_code": code, "message": message });
    reply::json(status, &json!({ "error": error, "errors": [error] }))
}
