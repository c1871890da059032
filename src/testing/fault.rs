use std::fmt;
use std::time::Duration;

use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::Value;

use super::error_format::ErrorFormat;
use super::reply::Reply;

/// A fault injected into a request to a [`Fake`](super::Fake).
///
/// ```
/// use std::time::Duration;
/// use webhook_sdk::testing::Fault;
///
/// let busy = Fault::status(503);
/// let throttled = Fault::rate_limited(Duration::from_secs(3));
/// let lost = Fault::closed_connection().after_operation();
/// # let _ = (busy, throttled, lost);
/// ```
///
/// A fault with a status or a closed connection replaces the operation, unless
/// [`after_operation`](Self::after_operation) is set. [`slow`](Self::slow) and
/// [`truncated_body`](Self::truncated_body) apply the operation and change the response.
#[derive(Clone)]
#[must_use = "a fault does nothing until it is passed to a fake"]
pub struct Fault {
    kind: Kind,
    carried_out: bool,
    headers: HeaderMap,
    body: Option<Vec<u8>>,
    delay: Option<Duration>,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Status(StatusCode),
    Closed,
    Truncated,
    Slow,
}

impl Fault {
    /// Responds with this status, without applying the operation.
    ///
    /// A status below 500 has an error body in the service's format. An invalid status becomes 500.
    pub fn status(status: u16) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self::new(Kind::Status(status))
    }

    /// Responds with 429 and a `Retry-After` in whole seconds, rounded up.
    pub fn rate_limited(retry_after: Duration) -> Self {
        let seconds = HeaderValue::from(whole_seconds(retry_after));
        Self::status(429).header(RETRY_AFTER, seconds)
    }

    /// Responds with 502 and an HTML page, like a proxy in front of a service.
    pub fn bad_gateway() -> Self {
        let page = "<html>\n<head><title>502 Bad Gateway</title></head>\n\
            <body><h1>502 Bad Gateway</h1></body>\n</html>\n";
        Self::status(502).body("text/html; charset=utf-8", page)
    }

    /// Closes the connection without a response, without applying the operation.
    pub fn closed_connection() -> Self {
        Self::new(Kind::Closed)
    }

    /// Applies the operation, and sends the first half of the response body.
    ///
    /// The content length is that of the half: the JSON is invalid, but the transfer is complete.
    pub fn truncated_body() -> Self {
        Self::new(Kind::Truncated).after_operation()
    }

    /// Applies the operation, and delays the response in real time.
    pub fn slow(delay: Duration) -> Self {
        Self::new(Kind::Slow).after_operation().delay(delay)
    }

    fn new(kind: Kind) -> Self {
        Self {
            kind,
            carried_out: false,
            headers: HeaderMap::new(),
            body: None,
            delay: None,
        }
    }

    /// Adds a header to the response.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.append(name, value);
        self
    }

    /// Replaces the body and the content type of the response.
    pub fn body(mut self, content_type: &'static str, body: impl Into<Vec<u8>>) -> Self {
        let content_type = HeaderValue::from_static(content_type);
        self.headers.insert(CONTENT_TYPE, content_type);
        self.body = Some(body.into());
        self
    }

    /// Replaces the body of the response with this JSON.
    pub fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    /// Delays the response in real time.
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = Some(delay);
        self
    }

    /// Applies the operation first, so that only its response is lost.
    pub fn after_operation(mut self) -> Self {
        self.carried_out = true;
        self
    }

    pub(crate) fn closes(&self) -> bool {
        matches!(self.kind, Kind::Closed)
    }

    /// The response with this fault, and its delay.
    pub(crate) fn apply(
        self,
        format: ErrorFormat,
        operation: impl FnOnce() -> Reply,
    ) -> (Reply, Option<Duration>) {
        let done = self.carried_out.then(operation);
        let mut response = match self.kind {
            Kind::Status(status) => format.error(status),
            Kind::Closed | Kind::Truncated | Kind::Slow => done.unwrap_or_default(),
        };
        if let Some(body) = self.body {
            *response.body_mut() = body;
        }
        if let Kind::Truncated = self.kind {
            let half = response.body().len() / 2;
            response.body_mut().truncate(half);
        }
        response.headers_mut().extend(self.headers);
        (response, self.delay)
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fault")
            .field("kind", &self.kind)
            .field("after_operation", &self.carried_out)
            .finish_non_exhaustive()
    }
}

/// The value of a `Retry-After`, rounded up.
pub(crate) fn whole_seconds(duration: Duration) -> u64 {
    let part = u64::from(duration.subsec_nanos() > 0);
    duration.as_secs().saturating_add(part)
}
