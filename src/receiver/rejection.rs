use std::time::Duration;

use http::{HeaderValue, Response, StatusCode, header};
use thiserror::Error;

use super::ProviderError;

/// Why a delivery was turned away before its handler ran.
///
/// The sender learns the [`status`](Self::status) alone.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Rejection {
    /// The sender didn't prove itself: 401.
    #[error("not authentic: {0}")]
    Unauthorized(ProviderError),
    /// The content type isn't JSON: 415.
    #[error("the content type is not JSON")]
    UnsupportedMediaType,
    /// The body is longer than the limit: 413.
    #[error("the body has more than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// The body didn't arrive in time: 408.
    #[error("the body was not complete within {limit:?}")]
    TooSlow {
        /// The time-out.
        limit: Duration,
    },
    /// The body broke off: 400.
    #[error("the body broke off")]
    BrokenBody,
    /// Too many bodies are being received at once: 503.
    #[error("the bodies under way fill the memory set aside for them")]
    Overloaded,
    /// The body is genuine but not what the service documents: 400.
    #[error("genuine, but {0}")]
    Undecodable(ProviderError),
}

impl Rejection {
    /// What to answer.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Unauthorized(_) => StatusCode::UNAUTHORIZED,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow { .. } => StatusCode::REQUEST_TIMEOUT,
            Self::BrokenBody | Self::Undecodable(_) => StatusCode::BAD_REQUEST,
            Self::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The whole answer, with an empty body.
    pub fn response<B: Default>(&self) -> Response<B> {
        respond(self.status())
    }
}

/// An answer without a body; one that asks to come back says when.
pub(super) fn respond<B: Default>(status: StatusCode) -> Response<B> {
    let mut response = Response::new(B::default());
    *response.status_mut() = status;
    if status == StatusCode::SERVICE_UNAVAILABLE {
        let wait = HeaderValue::from_static(RETRY_AFTER_SECONDS);
        response.headers_mut().insert(header::RETRY_AFTER, wait);
    }
    response
}

/// Unpublished by any of the services, our default.
const RETRY_AFTER_SECONDS: &str = "30";
