use std::fmt;
use std::sync::Mutex;
use std::time::Duration;

use http::header::RETRY_AFTER;
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::Value;

use crate::testing::answer::{Answer, HTML, JSON};
use crate::testing::lock::lock;

const BAD_GATEWAY: &str = "<html>\n<head><title>502 Bad Gateway</title></head>\n\
    <body><h1>502 Bad Gateway</h1></body>\n</html>\n";

/// Something that goes wrong with the next requests to a fake.
///
/// ```
/// use http::StatusCode;
/// use std::time::Duration;
/// use webhook_sdk::testing::Fault;
///
/// let busy = Fault::status(StatusCode::SERVICE_UNAVAILABLE).times(2);
/// let throttled = Fault::rate_limited(Duration::from_secs(3));
/// let lost = Fault::closed_connection().after_operation();
/// assert_eq!(format!("{busy:?}"), "Fault { times: 2, status: Some(503), .. }");
/// # let _ = (throttled, lost);
/// ```
///
/// A fault with a status answers in place of the operation, which is not carried out, unless
/// [`after_operation`](Self::after_operation) says so. A fault without one lets the operation
/// happen and alters its answer.
#[derive(Clone)]
#[must_use = "a fault does nothing until it is injected into a fake"]
pub struct Fault {
    times: u32,
    status: Option<StatusCode>,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Option<(HeaderValue, Vec<u8>)>,
    delay: Option<Duration>,
    truncate: bool,
    close: bool,
    carried_out: bool,
    throttle: Option<Throttle>,
}

/// One request too many; each service words it in its own way.
#[derive(Clone, Copy)]
struct Throttle {
    seconds: Option<u64>,
}

impl Fault {
    /// Answers with this status and no body, without carrying out the operation.
    pub fn status(status: StatusCode) -> Self {
        Self {
            status: Some(status),
            carried_out: false,
            ..Self::altered()
        }
    }

    /// Answers 429 with a `Retry-After` of this many seconds, rounded up.
    pub fn rate_limited(retry_after: Duration) -> Self {
        let seconds = whole_seconds(retry_after);
        Self::throttled(Some(seconds)).header(RETRY_AFTER, HeaderValue::from(seconds))
    }

    fn throttled(seconds: Option<u64>) -> Self {
        Self {
            throttle: Some(Throttle { seconds }),
            ..Self::status(StatusCode::TOO_MANY_REQUESTS)
        }
    }

    /// Answers 502 with an HTML page, as a proxy in front of a service does.
    pub fn bad_gateway() -> Self {
        Self::status(StatusCode::BAD_GATEWAY).body(HTML, BAD_GATEWAY)
    }

    /// Closes the connection without an answer, before the operation.
    pub fn closed_connection() -> Self {
        Self {
            close: true,
            carried_out: false,
            ..Self::altered()
        }
    }

    /// Carries out the operation and sends the first half of the answer's body.
    ///
    /// The content length is that of the half: what breaks is the JSON, not the transfer.
    pub fn truncated_body() -> Self {
        Self {
            truncate: true,
            ..Self::altered()
        }
    }

    /// Carries out the operation and answers this much later, in real time.
    pub fn slow(delay: Duration) -> Self {
        Self::altered().delay(delay)
    }

    /// Carries out the operation and alters its answer by the setters that follow.
    pub fn altered() -> Self {
        Self {
            times: 1,
            status: None,
            headers: Vec::new(),
            body: None,
            delay: None,
            truncate: false,
            close: false,
            carried_out: true,
            throttle: None,
        }
    }

    /// How many requests it hits; 1 unless set, and 0 is none.
    pub fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }

    /// Adds a header to the answer.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Replaces the answer's body and content type.
    pub fn body(mut self, content_type: HeaderValue, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some((content_type, body.into()));
        self
    }

    /// Replaces the answer's body by this JSON.
    pub fn json(self, body: &Value) -> Self {
        self.body(JSON, body.to_string())
    }

    /// Answers this much later, in real time.
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = Some(delay);
        self
    }

    /// Carries out the operation first, so that only its answer is lost.
    pub fn after_operation(mut self) -> Self {
        self.carried_out = true;
        self
    }

    pub(crate) fn closes(&self) -> bool {
        self.close
    }

    /// The answer under this fault, or `None` if the connection is to be closed.
    ///
    /// `throttled` is the service's own answer to one request too many.
    pub(crate) fn apply(
        self,
        operation: impl FnOnce() -> Answer,
        throttled: impl FnOnce(Option<u64>) -> Answer,
    ) -> Option<Answer> {
        let refusal = |status| match self.throttle {
            Some(Throttle { seconds }) => throttled(seconds),
            None => Answer::empty(status),
        };
        let mut answer = match (self.carried_out, self.status) {
            (true, None) => operation(),
            (true, Some(status)) => {
                operation();
                refusal(status)
            }
            (false, status) => refusal(status.unwrap_or_default()),
        };
        if self.close {
            return None;
        }
        if let Some((content_type, body)) = self.body {
            answer = answer.body(content_type, body);
        }
        if self.truncate {
            answer = answer.truncated();
        }
        for (name, value) in self.headers {
            answer = answer.header(name, value);
        }
        Some(answer.delay(self.delay))
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fault")
            .field("times", &self.times)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

/// The faults that wait for their requests, in the order of their injection.
pub(crate) struct Faults<O> {
    queue: Mutex<Vec<Pending<O>>>,
}

struct Pending<O> {
    operation: Option<O>,
    fault: Fault,
}

impl<O: Copy + Eq> Faults<O> {
    pub(crate) fn new() -> Self {
        Self {
            queue: Mutex::new(Vec::new()),
        }
    }

    pub(crate) fn push(&self, operation: Option<O>, fault: Fault) {
        if fault.times > 0 {
            lock(&self.queue).push(Pending { operation, fault });
        }
    }

    pub(crate) fn clear(&self) {
        lock(&self.queue).clear();
    }

    /// How many requests are still to be hit.
    pub(crate) fn pending(&self) -> u64 {
        let queue = lock(&self.queue);
        queue
            .iter()
            .map(|pending| u64::from(pending.fault.times))
            .sum()
    }

    /// Uses up one time of the first fault for `operation`, if it is one that is `wanted`.
    pub(crate) fn take_if(
        &self,
        operation: Option<O>,
        wanted: impl FnOnce(&Fault) -> bool,
    ) -> Option<Fault> {
        let mut queue = lock(&self.queue);
        let place = queue
            .iter()
            .position(|pending| pending.operation.is_none() || pending.operation == operation)?;
        let fault = &mut queue.get_mut(place)?.fault;
        if !wanted(fault) {
            return None;
        }
        if fault.times > 1 {
            fault.times -= 1;
            return Some(fault.clone());
        }
        Some(queue.remove(place).fault)
    }
}

/// Lets `allowed` requests through, refuses one, and starts over.
pub(crate) struct RateLimit {
    allowed: u32,
    left: u32,
    retry_after: Option<Duration>,
}

impl RateLimit {
    pub(crate) fn new(allowed: u32, retry_after: Option<Duration>) -> Self {
        Self {
            allowed,
            left: allowed,
            retry_after,
        }
    }

    /// The fault that this request meets, if it is one too many.
    pub(crate) fn count(&mut self) -> Option<Fault> {
        if let Some(left) = self.left.checked_sub(1) {
            self.left = left;
            return None;
        }
        self.left = self.allowed;
        Some(match self.retry_after {
            Some(wait) => Fault::rate_limited(wait),
            None => Fault::throttled(None),
        })
    }
}

pub(crate) fn whole_seconds(duration: Duration) -> u64 {
    let part = u64::from(duration.subsec_nanos() > 0);
    duration.as_secs().saturating_add(part)
}
