use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;

use self::body::ErrorBody;
pub use self::body::FieldError;
pub use self::kind::ErrorKind;
use crate::signature::KeyError;

mod body;
mod kind;
mod transport;

/// An error from a client of any service.
///
/// ```
/// # async fn example(preo: webhook_sdk::preo::PreoClient) -> Result<(), webhook_sdk::Error> {
/// match preo.retrieve_webhook("wh_1").send().await {
///     Ok(webhook) => println!("{}", webhook.name),
///     Err(error) if error.is_not_found() => println!("already deleted"),
///     Err(error) => return Err(error),
/// }
/// # Ok(())
/// # }
/// ```
///
/// An attempt that couldn't connect, or that ended with a 4xx other than 408, was not applied. An
/// earlier attempt of the same call [may have been](Self::may_have_been_applied).
///
/// `Display` and `Debug` never show a body, a query string, or a secret. `Display` of an error from
/// the server lists the names of the invalid fields, not their messages, which can quote the
/// request: [`field_errors`](Self::field_errors) and [`detail`](Self::detail) return them.
pub struct Error {
    inner: Box<Inner>,
}

struct Inner {
    kind: ErrorKind,
    message: Cow<'static, str>,
    operation: Option<&'static str>,
    response: Option<Head>,
    body: Bytes,
    content: ErrorBody,
    sent: Sent,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// What a call has sent so far.
#[derive(Clone, Copy, Default)]
pub(crate) struct Sent {
    pub(crate) attempts: u32,
    /// Whether an attempt may have been applied.
    pub(crate) applied: bool,
}

/// The parts of a response head that an error keeps.
#[derive(Clone)]
pub(crate) struct Head {
    pub(crate) status: StatusCode,
    pub(crate) request_id: Option<String>,
    pub(crate) retry_after: Option<Duration>,
}

/// The maximum size of a response body that an error keeps and parses, in bytes; our limit.
pub(crate) const MAX_BODY_BYTES: usize = 64 * 1024;

impl Error {
    /// The kind of error.
    pub fn kind(&self) -> ErrorKind {
        self.inner.kind
    }

    /// Whether the request may have been applied, in this or an earlier attempt.
    ///
    /// `false` means that the request was definitely not applied, so the call is safe to repeat. It
    /// is always `false` for calls that only read. It is `true` after an unreadable response, a
    /// timeout, or a closed connection after the request was sent, and after 303, 408, and 5xx.
    pub fn may_have_been_applied(&self) -> bool {
        self.inner.sent.applied
    }

    /// The client was set up incorrectly; the message says what to change.
    ///
    /// Nothing was sent.
    pub fn is_configuration(&self) -> bool {
        self.kind() == ErrorKind::Configuration
    }

    /// An attempt timed out, or the deadline of the call passed.
    ///
    /// The request [may have been applied](Self::may_have_been_applied), unless it was never sent.
    /// [`status`](Self::status) is the last one received before the timeout, if any.
    pub fn is_timeout(&self) -> bool {
        matches!(self.kind(), ErrorKind::Timeout | ErrorKind::Deadline)
    }

    /// The server couldn't be reached: no connection, or no TLS session.
    pub fn is_connect(&self) -> bool {
        matches!(self.kind(), ErrorKind::Connect | ErrorKind::Tls)
    }

    /// The TLS handshake failed, for example because the certificate isn't trusted.
    ///
    /// It isn't retried, because the next handshake would fail too.
    pub fn is_tls(&self) -> bool {
        self.kind() == ErrorKind::Tls
    }

    /// The server responded with 429.
    ///
    /// [`retry_after`](Self::retry_after) is the wait that the server asked for, if any.
    pub fn is_rate_limited(&self) -> bool {
        self.kind() == ErrorKind::RateLimited
    }

    /// The server responded with 404.
    ///
    /// After more than one [attempt](Self::attempts) at a delete, an earlier one may have deleted it.
    pub fn is_not_found(&self) -> bool {
        self.kind() == ErrorKind::NotFound
    }

    /// The server responded with 401: the credentials weren't accepted.
    pub fn is_unauthorized(&self) -> bool {
        self.kind() == ErrorKind::Unauthorized
    }

    /// The server responded with 403: the credentials lack a permission.
    pub fn is_forbidden(&self) -> bool {
        self.kind() == ErrorKind::Forbidden
    }

    /// The server responded with 409: the request conflicts with another one or with the resource.
    pub fn is_conflict(&self) -> bool {
        self.kind() == ErrorKind::Conflict
    }

    /// The request is invalid: rejected before sending, or by a 400 or 422 response.
    ///
    /// [`field_errors`](Self::field_errors) lists the fields to fix. If it was rejected before
    /// sending, there is no [`status`](Self::status) and [`attempts`](Self::attempts) is 0.
    pub fn is_validation(&self) -> bool {
        self.kind() == ErrorKind::Validation
    }

    /// A successful response can't be used: not the documented JSON, or too large.
    ///
    /// Also if a list has too many items to collect. The request itself succeeded.
    pub fn is_decode(&self) -> bool {
        matches!(self.kind(), ErrorKind::Decode | ErrorKind::TooLarge)
    }

    /// A list changed while it was read, so items may be missing or repeated.
    ///
    /// Only a read failed. Nothing was changed.
    pub fn is_list_changed(&self) -> bool {
        self.kind() == ErrorKind::ListChanged
    }

    /// The same call may succeed later.
    ///
    /// True after a failed or closed connection, a timeout, a response that isn't valid HTTP, 408,
    /// 429, 500, 502, 503, 504, and a 409 with `Retry-After`. The client's own retries follow the
    /// same list. It doesn't mean that the request wasn't applied: repeat a call that isn't
    /// idempotent only if [`may_have_been_applied`](Self::may_have_been_applied) is false.
    pub fn is_retryable(&self) -> bool {
        match self.kind() {
            ErrorKind::Connect
            | ErrorKind::Timeout
            | ErrorKind::Deadline
            | ErrorKind::Disconnected
            | ErrorKind::Protocol
            | ErrorKind::RateLimited => true,
            ErrorKind::Conflict => self.retry_after().is_some(),
            ErrorKind::Server | ErrorKind::Status => self
                .status()
                .is_some_and(|status| matches!(status.as_u16(), 408 | 500 | 502 | 503 | 504)),
            _ => false,
        }
    }

    /// The status of the last response, if there was one.
    ///
    /// After a timeout it can be the status of an earlier attempt.
    pub fn status(&self) -> Option<StatusCode> {
        Some(self.head()?.status)
    }

    /// How long the server asked to wait before the next request.
    pub fn retry_after(&self) -> Option<Duration> {
        self.head()?.retry_after
    }

    /// The server's identifier for the request, to quote to its support.
    ///
    /// It has at most 128 visible ASCII characters. Any other value is dropped, and so is one that
    /// contains the client's token.
    pub fn request_id(&self) -> Option<&str> {
        self.head()?.request_id.as_deref()
    }

    /// How many times the request was sent, or 0 if it was rejected before sending.
    pub fn attempts(&self) -> u32 {
        self.inner.sent.attempts
    }

    /// The name of the failed operation in the OpenAPI document.
    ///
    /// `None` for an error outside of a call, such as one from building a client.
    pub fn operation(&self) -> Option<&'static str> {
        self.inner.operation
    }

    /// The invalid fields, found before sending or read from the response.
    ///
    /// Supports the formats of Django REST framework, including nested ones, in responses with 400,
    /// 409, and 422. Empty for other bodies, such as one with a [`code`](Self::code).
    pub fn field_errors(&self) -> &[FieldError] {
        &self.inner.content.fields
    }

    /// The service's error code.
    ///
    /// Only Lune has error codes (`error.error_code`). Compare it with Lune's `ErrorCode`, or with
    /// a string. `None` for the other services, and for responses of Lune without JSON: 404, 429,
    /// and 5xx.
    pub fn code(&self) -> Option<&str> {
        self.inner.content.code.as_deref()
    }

    /// The server's message about the error as a whole, in the server's language.
    ///
    /// This is Lune's `error.message`, or Django REST framework's `detail`. If `detail` is a list
    /// or an object, its messages are joined by spaces. It can quote the request.
    pub fn detail(&self) -> Option<&str> {
        self.inner.content.detail.as_deref()
    }

    /// The body of the response, in any format.
    ///
    /// It is empty if it is incomplete or exceeds 64 KiB, our limit. It can quote the request, so
    /// be careful when logging it.
    pub fn body(&self) -> Option<&[u8]> {
        self.inner.response.as_ref().map(|_| &*self.inner.body)
    }

    pub(crate) fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        let inner = Inner {
            kind,
            message: message.into(),
            operation: None,
            response: None,
            body: Bytes::new(),
            content: ErrorBody::default(),
            sent: Sent::default(),
            source: None,
        };
        Self {
            inner: Box::new(inner),
        }
    }

    pub(crate) fn configuration(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Configuration, message)
    }

    pub(crate) fn deadline(last_response: Option<Head>) -> Self {
        let message = "the deadline of the call passed; see `deadline`";
        let mut error = Self::new(ErrorKind::Deadline, message);
        error.inner.response = last_response;
        error
    }

    pub(crate) fn head(&self) -> Option<&Head> {
        self.inner.response.as_ref()
    }

    pub(crate) fn invalid_fields(fields: Vec<FieldError>) -> Self {
        let named: Vec<_> = fields.iter().map(ToString::to_string).collect();
        let mut error = Self::new(ErrorKind::Validation, named.join("; "));
        error.inner.content.fields = fields;
        error
    }

    pub(crate) fn with_operation(mut self, operation: &'static str) -> Self {
        self.inner.operation = Some(operation);
        self
    }

    /// The error of a response with this status; [`with_message`](Self::with_message) follows.
    pub(crate) fn of_response(head: Head, body: Bytes) -> Self {
        let mut error = Self::new(ErrorKind::of_status(head.status), "");
        error.inner.content = ErrorBody::read(&body);
        if !matches!(error.kind(), ErrorKind::Validation | ErrorKind::Conflict) {
            error.inner.content.fields = Vec::new();
        }
        error.with_response(head, body)
    }

    pub(crate) fn with_message(mut self, message: String) -> Self {
        self.inner.message = message.into();
        self
    }

    /// Keeps the head of a response, and its body unless that is too long.
    pub(crate) fn with_response(mut self, head: Head, body: Bytes) -> Self {
        self.inner.response = Some(head);
        if body.len() <= MAX_BODY_BYTES {
            self.inner.body = body;
        }
        self
    }

    pub(crate) fn with_sent(mut self, sent: Sent) -> Self {
        self.inner.sent = sent;
        self
    }

    pub(crate) fn with_source(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.inner.source = Some(Box::new(source));
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(operation) = self.inner.operation {
            write!(f, "{operation}: ")?;
        }
        f.write_str(&self.inner.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.inner.kind)
            .field("operation", &self.inner.operation)
            .field("message", &self.inner.message)
            .field("status", &self.status())
            .field("request_id", &self.request_id())
            .field("retry_after", &self.retry_after())
            .field("attempts", &self.attempts())
            .field("may_have_been_applied", &self.may_have_been_applied())
            .field("source", &self.inner.source)
            .finish_non_exhaustive()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.inner.source.as_deref().map(|source| source as _)
    }
}

impl From<KeyError> for Error {
    /// An error of kind [`ErrorKind::Secret`].
    fn from(error: KeyError) -> Self {
        Self::new(ErrorKind::Secret, "the secret can't be a signing key").with_source(error)
    }
}
