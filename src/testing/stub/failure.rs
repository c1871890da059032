use http::StatusCode;
use serde_json::{Value, json};

/// The error format of a service.
#[derive(Clone, Copy)]
#[allow(dead_code, reason = "each service has one of them")]
pub(crate) enum ErrorFormat {
    /// Django REST framework: `{"detail": "…"}`, or messages by field name.
    Drf,
    /// Lune: a code and a message.
    Coded,
}

impl ErrorFormat {
    pub(super) fn invalid(self, field: &str, message: &str) -> Value {
        match self {
            Self::Drf => json!({ field: [message] }),
            Self::Coded => coded("validation_error", &format!("{field}: {message}")),
        }
    }

    /// The body for a status, or `None` if the service documents none.
    pub(super) fn error(self, status: u16) -> Option<Value> {
        let message = match status {
            401 => "Invalid token.",
            403 => "You do not have permission to perform this action.",
            404 => "Not found.",
            429 => "Request was throttled.",
            other => StatusCode::from_u16(other)
                .ok()
                .and_then(|status| status.canonical_reason())
                .unwrap_or("Error"),
        };
        match (self, status) {
            (_, 500..) => None,
            (Self::Drf, _) => Some(json!({ "detail": message })),
            (Self::Coded, 401 | 403) => Some(coded("unauthorised", message)),
            (Self::Coded, 400 | 409 | 422) => Some(coded("validation_error", message)),
            (Self::Coded, _) => None,
        }
    }
}

fn coded(code: &str, message: &str) -> Value {
    let error = json!({ "error_code": code, "message": message });
    json!({ "error": error, "errors": [error] })
}
