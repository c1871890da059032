use http::StatusCode;

/// What went wrong with a call.
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
/// Whether a failed request may have changed something at the service is in
/// [`Error::may_have_been_applied`](super::Error::may_have_been_applied).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The client was set up incorrectly. Nothing was sent.
    Configuration,
    /// The request is invalid: refused before sending, or answered with 400 or 422.
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
    /// The body of a successful response isn't the documented JSON.
    Decode,
    /// A response has more bytes than
    /// [`max_response_bytes`](crate::ClientBuilder::max_response_bytes), or a list more items than
    /// are collected.
    TooLarge,
    /// 401: the credentials were not accepted.
    Unauthorized,
    /// 403: the credentials lack a permission.
    Forbidden,
    /// 404: the resource doesn't exist, or the credentials may not see it.
    NotFound,
    /// 409: the request conflicts with another one or with the resource's state.
    Conflict,
    /// 429: too many requests.
    RateLimited,
    /// 301, 302, 303, 307 or 308; redirects are never followed.
    Redirect,
    /// 5xx: the server failed.
    Server,
    /// Any other status that isn't a success.
    Status,
    /// A list changed while its pages were read.
    ListChanged,
    /// The pages of a list never end.
    EndlessList,
    /// A secret is missing from a response, or can't become a signing key.
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
