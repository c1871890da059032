use http::StatusCode;

/// The kind of an [`Error`](super::Error).
///
/// ```
/// use webhook_sdk::{Error, ErrorKind};
///
/// fn exit_code(error: &Error) -> i32 {
///     match error.kind() {
///         ErrorKind::Configuration | ErrorKind::Unauthorized => 78,
///         ErrorKind::Validation => 65,
///         _ if error.is_retryable() => 75,
///         _ => 1,
///     }
/// }
/// ```
///
/// To find out whether the request may have been applied, use
/// [`Error::may_have_been_applied`](super::Error::may_have_been_applied).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The client was set up incorrectly. Nothing was sent.
    Configuration,
    /// The request is invalid: rejected before sending, or by a 400 or 422 response.
    Validation,
    /// No connection to the server could be established.
    Connect,
    /// The TLS handshake failed, for example because the certificate isn't trusted.
    Tls,
    /// An attempt took longer than [`timeout`](crate::ClientBuilder::timeout).
    Timeout,
    /// The call took longer than [`deadline`](crate::ClientBuilder::deadline).
    Deadline,
    /// The connection closed before the response was complete.
    Disconnected,
    /// The response isn't valid HTTP.
    Protocol,
    /// The body of a successful response doesn't match its documentation.
    Decode,
    /// A response exceeds [`max_response_bytes`](crate::ClientBuilder::max_response_bytes), or a
    /// list has too many items to collect.
    TooLarge,
    /// 401: the credentials weren't accepted.
    Unauthorized,
    /// 403: the credentials lack a permission.
    Forbidden,
    /// 404: the resource doesn't exist, or the credentials may not see it.
    NotFound,
    /// 409: the request conflicts with another one or with the resource's state.
    Conflict,
    /// 429: too many requests.
    RateLimited,
    /// 301, 302, 303, 307, or 308; redirects are never followed.
    Redirect,
    /// 5xx: the server failed.
    Server,
    /// Any other status that isn't a success.
    Status,
    /// A list changed while its pages were read.
    ListChanged,
    /// A list has too many pages without new items.
    EndlessList,
    /// A secret is missing from a response, or isn't a valid signing key.
    Secret,
}

impl ErrorKind {
    pub(super) fn of_status(status: StatusCode) -> Self {
        match status.as_u16() {
            400 | 422 => Self::Validation,
            401 => Self::Unauthorized,
            403 => Self::Forbidden,
            404 => Self::NotFound,
            409 => Self::Conflict,
            429 => Self::RateLimited,
            301 | 302 | 303 | 307 | 308 => Self::Redirect,
            500..=599 => Self::Server,
            _ => Self::Status,
        }
    }
}
