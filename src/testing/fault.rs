use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::Value;

use super::service::Reply;

const BAD_GATEWAY: &str = "<html>\n<head><title>502 Bad Gateway</title></head>\n\
    <body><h1>502 Bad Gateway</h1></body>\n</html>\n";

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

#[derive(Clone, Copy)]
enum Kind {
    Status(StatusCode),
    /// 429 in the service's own format.
    Throttled(Option<u64>),
    Closed,
    Truncated,
    Slow,
}

impl Fault {
    /// Responds with this status and no body, without applying the operation.
    ///
    /// An invalid status becomes 500.
    pub fn status(status: u16) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self::new(Kind::Status(status))
    }

    /// Responds with 429 and a `Retry-After` in whole seconds, rounded up.
    pub fn rate_limited(retry_after: Duration) -> Self {
        Self::throttled(Some(retry_after))
    }

    pub(crate) fn throttled(retry_after: Option<Duration>) -> Self {
        let seconds = retry_after.map(whole_seconds);
        let mut fault = Self::new(Kind::Throttled(seconds));
        if let Some(seconds) = seconds {
            fault.headers.insert(RETRY_AFTER, seconds.into());
        }
        fault
    }

    /// Responds with 502 and an HTML page, like a proxy in front of a service.
    pub fn bad_gateway() -> Self {
        Self::status(502).body("text/html; charset=utf-8", BAD_GATEWAY)
    }

    /// Closes the connection without a response, without applying the operation.
    pub fn closed_connection() -> Self {
        Self::new(Kind::Closed)
    }

    /// Applies the operation, and sends the first half of the response body.
    ///
    /// The content length is that of the half: the JSON is invalid, but the transfer is complete.
    pub fn truncated_body() -> Self {
        Self::new(Kind::Truncated)
    }

    /// Applies the operation, and delays the response in real time.
    pub fn slow(delay: Duration) -> Self {
        Self::new(Kind::Slow).delay(delay)
    }

    fn new(kind: Kind) -> Self {
        Self {
            carried_out: matches!(kind, Kind::Truncated | Kind::Slow),
            kind,
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

    /// The response with this fault and its delay, or `None` to close the connection.
    ///
    /// `throttled` is the service's own 429 response.
    pub(crate) fn apply(
        self,
        operation: impl FnOnce() -> Reply,
        throttled: impl FnOnce(Option<u64>) -> Reply,
    ) -> Option<(Reply, Option<Duration>)> {
        let done = self.carried_out.then(operation);
        let mut response = match self.kind {
            Kind::Closed => return None,
            Kind::Throttled(seconds) => throttled(seconds),
            Kind::Status(status) => {
                let mut response = Reply::default();
                *response.status_mut() = status;
                response
            }
            Kind::Truncated | Kind::Slow => done.unwrap_or_default(),
        };
        if let Some(body) = self.body {
            *response.body_mut() = body;
        }
        if matches!(self.kind, Kind::Truncated) {
            let half = response.body().len() / 2;
            response.body_mut().truncate(half);
        }
        response.headers_mut().extend(self.headers);
        Some((response, self.delay))
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fault")
            .field("carried_out", &self.carried_out)
            .finish_non_exhaustive()
    }
}

/// The queued faults, and the rate limit.
#[derive(Default)]
pub(crate) struct Faults {
    queue: VecDeque<Planned>,
    limit: Option<RateLimit>,
}

struct Planned {
    /// `None` for any operation.
    operation: Option<&'static str>,
    left: u64,
    fault: Fault,
}

struct RateLimit {
    allowed: u32,
    left: u32,
    retry_after: Option<Duration>,
}

impl Faults {
    pub(crate) fn push(&mut self, operation: Option<&'static str>, requests: u64, fault: Fault) {
        if requests > 0 {
            self.queue.push_back(Planned {
                operation,
                left: requests,
                fault,
            });
        }
    }

    pub(crate) fn clear(&mut self) {
        self.queue.clear();
        self.limit = None;
    }

    pub(crate) fn pending(&self) -> u64 {
        self.queue.iter().map(|planned| planned.left).sum()
    }

    pub(crate) fn limit(&mut self, allowed: u32, retry_after: Option<Duration>) {
        self.limit = Some(RateLimit {
            allowed,
            left: allowed,
            retry_after,
        });
    }

    /// Takes the next fault for `operation`, either of those that close the connection or of the
    /// others.
    pub(crate) fn take(&mut self, operation: Option<&'static str>, closes: bool) -> Option<Fault> {
        let matches =
            |planned: &Planned| planned.operation.is_none() || planned.operation == operation;
        let place = self.queue.iter().position(matches)?;
        let planned = self.queue.get_mut(place)?;
        if planned.fault.closes() != closes {
            return None;
        }
        planned.left -= 1;
        let fault = planned.fault.clone();
        if planned.left == 0 {
            self.queue.remove(place);
        }
        Some(fault)
    }

    /// Counts a request without a fault, and rejects it if it exceeds the limit.
    pub(crate) fn count(&mut self) -> Option<Fault> {
        let limit = self.limit.as_mut()?;
        if let Some(left) = limit.left.checked_sub(1) {
            limit.left = left;
            return None;
        }
        limit.left = limit.allowed;
        Some(Fault::throttled(limit.retry_after))
    }
}

fn whole_seconds(duration: Duration) -> u64 {
    let part = u64::from(duration.subsec_nanos() > 0);
    duration.as_secs().saturating_add(part)
}
