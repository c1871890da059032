use std::time::Duration;

use http::{Response, StatusCode};
use thiserror::Error;

use super::response::respond;
use crate::JsonError;
use crate::signature::VerifyError;

/// The reason for refusing a request before its handler ran.
///
/// The sender only gets the [`status`](Self::status). No variant contains any content of the
/// request.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The signature is missing, malformed, wrong, or stale: 401.
    #[error(transparent)]
    Signature(#[from] VerifyError),
    /// The credentials are missing, malformed, or wrong: 401.
    #[error("not authentic: {0}")]
    Credentials(String),
    /// The request names no tenant, or an unknown one: 401, like a wrong signature.
    #[error("not authentic: unknown tenant")]
    UnknownTenant,
    /// The tenant's keys couldn't be loaded: 503.
    #[error("the tenant's keys couldn't be loaded: {0}")]
    KeysUnavailable(String),
    /// The source doesn't accept the content type: 415.
    #[error("unsupported content type")]
    UnsupportedMediaType,
    /// The body is longer than the limit: 413.
    #[error("the body is longer than {limit} bytes")]
    BodyTooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The body didn't arrive in time: 408.
    #[error("the body didn't arrive within {limit:?}")]
    BodyTimeout {
        /// The limit.
        limit: Duration,
    },
    /// The connection closed before the end of the body: 400.
    #[error("the body is incomplete")]
    BodyIncomplete,
    /// All bodies together would exceed `max_buffered_bytes`: 503.
    #[error("too many bodies are buffered")]
    Overloaded,
    /// Your own code panicked before a handler was called: 500.
    ///
    /// That is a tenant's name function, a function that the source calls, or the source itself.
    #[error("the source panicked")]
    Panicked,
    /// The body is authentic, but doesn't match the service's documentation: 400.
    #[error(transparent)]
    Undecodable(#[from] DecodeError),
}

impl Refusal {
    /// The response status.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Signature(_) | Self::Credentials(_) | Self::UnknownTenant => {
                StatusCode::UNAUTHORIZED
            }
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::BodyTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BodyTimeout { .. } => StatusCode::REQUEST_TIMEOUT,
            Self::BodyIncomplete | Self::Undecodable(_) => StatusCode::BAD_REQUEST,
            Self::Panicked => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Overloaded | Self::KeysUnavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The complete response, with an empty body.
    pub fn response<B: Default>(&self) -> Response<B> {
        respond(self.status())
    }
}

/// An error from decoding an authentic body.
///
/// The message contains the JSON path, never a value. A path shows the names of fields, and `*` for
/// the keys of maps.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("authentic but undecodable: {0}")]
pub struct DecodeError(String);

impl DecodeError {
    /// Creates an error with a message. It is logged, so don't include content of the body.
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl From<JsonError> for DecodeError {
    fn from(error: JsonError) -> Self {
        Self(error.to_string())
    }
}
