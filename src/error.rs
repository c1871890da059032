use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;

pub use self::field::FieldError;
use crate::signature::KeyError;

mod coded;
mod field;

/// What went wrong with a call, whichever service it went to.
///
/// The kind is asked for by predicates. What the server answered is kept and read on demand, and
/// never printed: neither `Display` nor `Debug` shows a body, a query string or a secret.
///
/// ```
/// # async fn example(preo: webhook_sdk::preo::PreoClient) -> Result<(), webhook_sdk::Error> {
/// match preo.retrieve_webhook("wh_1").send().await {
///     Ok(webhook) => println!("{}", webhook.name),
///     Err(error) if error.is_not_found() => println!("there is no such webhook"),
///     Err(error) => return Err(error),
/// }
/// # Ok(())
/// # }
/// ```
pub struct Error {
    inner: Box<Inner>,
}

struct Inner {
    kind: Kind,
    message: Cow<'static, str>,
    operation: Option<&'static str>,
    response: Option<Answer>,
    fields: Vec<FieldError>,
    retry_after: Option<Duration>,
    attempts: u32,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

struct Answer {
    status: StatusCode,
    request_id: Option<String>,
    body: Bytes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Configuration,
    InvalidRequest,
    Connect,
    Timeout,
    Deadline,
    Broken,
    Status,
    TooLarge,
    Decode,
    Pagination,
}

impl Error {
    /// The client or the verifier was set up wrongly; the message says what to change.
    ///
    /// Nothing was sent.
    pub fn is_configuration(&self) -> bool {
        self.inner.kind == Kind::Configuration
    }

    /// A time-out ran out: that of one attempt or the deadline of the whole call.
    ///
    /// The request may have been applied.
    pub fn is_timeout(&self) -> bool {
        matches!(self.inner.kind, Kind::Timeout | Kind::Deadline)
    }

    /// No connection to the server could be made.
    ///
    /// The request was not applied, unless an earlier attempt got through: see
    /// [`attempts`](Self::attempts).
    pub fn is_connect(&self) -> bool {
        self.inner.kind == Kind::Connect
    }

    /// The server answered 429.
    ///
    /// The request was not applied. [`retry_after`](Self::retry_after) has the wait, if the server
    /// named one.
    pub fn is_rate_limited(&self) -> bool {
        self.status() == Some(StatusCode::TOO_MANY_REQUESTS)
    }

    /// The server answered 404.
    ///
    /// The request was not applied. After more than one [attempt](Self::attempts) at a delete it
    /// may mean that an earlier attempt succeeded.
    pub fn is_not_found(&self) -> bool {
        self.status() == Some(StatusCode::NOT_FOUND)
    }

    /// The server answered 401 or 403: the token is wrong, or it may not do this.
    ///
    /// The request was not applied.
    pub fn is_unauthorized(&self) -> bool {
        matches!(
            self.status(),
            Some(StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
        )
    }

    /// What was asked for is invalid: found before sending, or the server answered 400 or 422.
    ///
    /// The request was not applied. [`field_errors`](Self::field_errors) says what to mend.
    pub fn is_validation(&self) -> bool {
        self.inner.kind == Kind::InvalidRequest
            || matches!(
                self.status(),
                Some(StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY)
            )
    }

    /// The server's answer couldn't be read: not the documented JSON, cut off, or too large.
    ///
    /// The request may have been applied.
    pub fn is_decode(&self) -> bool {
        self.inner.kind != Kind::Status && self.status().is_some()
    }

    /// The same call may succeed later: no connection, a time-out, 408, 429 or 5xx, a broken body,
    /// or a 409 that says when to come back.
    ///
    /// Says nothing of whether the request was applied: repeat a call that isn't idempotent only
    /// after [`is_connect`](Self::is_connect) or [`is_rate_limited`](Self::is_rate_limited).
    pub fn is_retryable(&self) -> bool {
        match self.inner.kind {
            Kind::Connect | Kind::Timeout | Kind::Deadline | Kind::Broken => true,
            _ => self.status().is_some_and(|status| {
                status.is_server_error()
                    || matches!(
                        status,
                        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS
                    )
                    || (status == StatusCode::CONFLICT && self.inner.retry_after.is_some())
            }),
        }
    }

    /// The status of the server's last answer, if there was one.
    pub fn status(&self) -> Option<StatusCode> {
        self.inner.response.as_ref().map(|response| response.status)
    }

    /// How long the server asked to wait before the next try.
    pub fn retry_after(&self) -> Option<Duration> {
        self.inner.retry_after
    }

    /// The server's own name for the request, to quote to its support.
    pub fn request_id(&self) -> Option<&str> {
        self.inner.response.as_ref()?.request_id.as_deref()
    }

    /// How often the request was sent; 0 when it was refused before sending.
    pub fn attempts(&self) -> u32 {
        self.inner.attempts
    }

    /// The operation that failed, as the OpenAPI document names it.
    pub fn operation(&self) -> Option<&'static str> {
        self.inner.operation
    }

    /// What is wrong with each field, as found before sending or read from the server's answer.
    ///
    /// Understands the shapes of Django REST framework, nested ones too; empty for any other body,
    /// such as one with a [`code`](Self::code).
    pub fn field_errors(&self) -> Vec<FieldError> {
        if !self.inner.fields.is_empty() {
            return self.inner.fields.clone();
        }
        match self.body() {
            Some(body) if self.is_validation() && coded::parse(body).is_none() => {
                field::parse(body)
            }
            _ => Vec::new(),
        }
    }

    /// The server's name for what went wrong, for a program to read.
    ///
    /// Only Lune has such codes (`error.error_code`); compare with its `ErrorCode`, or with a text.
    /// `None` for the other services, and where Lune answers without JSON: 404, 429 and 5xx.
    pub fn code(&self) -> Option<String> {
        coded::parse(self.body()?).map(|error| error.code)
    }

    /// The server's sentence for the whole error, in the server's language.
    ///
    /// It is `detail` of Django REST framework and `error.message` of Lune, and may quote what was
    /// sent.
    pub fn detail(&self) -> Option<String> {
        let body = self.body()?;
        match coded::parse(body) {
            Some(error) => error.message,
            None => field::detail(body),
        }
    }

    /// The body of the server's answer, whatever it is: JSON, HTML, text, or empty.
    ///
    /// Empty, too, where it broke off or was longer than the limit.
    ///
    /// It can hold what was sent; think before logging it.
    pub fn body(&self) -> Option<&[u8]> {
        self.inner
            .response
            .as_ref()
            .map(|response| response.body.as_ref())
    }

    pub(crate) fn new(kind: Kind, message: impl Into<Cow<'static, str>>) -> Self {
        let inner = Inner {
            kind,
            message: message.into(),
            operation: None,
            response: None,
            fields: Vec::new(),
            retry_after: None,
            attempts: 0,
            source: None,
        };
        Self {
            inner: Box::new(inner),
        }
    }

    pub(crate) fn configuration(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::Configuration, message)
    }

    pub(crate) fn invalid_fields(fields: Vec<FieldError>) -> Self {
        let named: Vec<_> = fields.iter().map(ToString::to_string).collect();
        let mut error = Self::new(Kind::InvalidRequest, named.join("; "));
        error.inner.fields = fields;
        error
    }

    pub(crate) fn http(error: reqwest::Error) -> Self {
        let error = error.without_url();
        let (kind, message) = if error.is_builder() {
            (Kind::InvalidRequest, "the request can't be built")
        } else if error.is_connect() {
            (Kind::Connect, "no connection to the server")
        } else if error.is_timeout() {
            (Kind::Timeout, "the server didn't answer in time")
        } else {
            (
                Kind::Broken,
                "the connection broke before the answer was complete",
            )
        };
        Self::new(kind, message).with_source(error)
    }

    pub(crate) fn with_operation(mut self, operation: &'static str) -> Self {
        self.inner.operation = Some(operation);
        self
    }

    pub(crate) fn with_response(
        mut self,
        status: StatusCode,
        request_id: Option<String>,
        body: Bytes,
    ) -> Self {
        self.inner.response = Some(Answer {
            status,
            request_id,
            body,
        });
        self
    }

    pub(crate) fn with_retry_after(mut self, retry_after: Option<Duration>) -> Self {
        self.inner.retry_after = retry_after;
        self
    }

    pub(crate) fn with_attempts(mut self, attempts: u32) -> Self {
        self.inner.attempts = attempts;
        self
    }

    pub(crate) fn with_source(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.inner.source = Some(Box::new(source));
        self
    }

    pub(crate) fn kind(&self) -> Kind {
        self.inner.kind
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
            .field("retry_after", &self.inner.retry_after)
            .field("attempts", &self.inner.attempts)
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
    fn from(error: KeyError) -> Self {
        Self::configuration("the secret can't be a signing key").with_source(error)
    }
}
