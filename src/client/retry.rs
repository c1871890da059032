use std::time::Duration;

use crate::error::Error;

/// When and how often a failed request is retried.
///
/// ```
/// use std::time::Duration;
/// use webhook_sdk::RetryPolicy;
///
/// let patient = RetryPolicy::new().max_retries(5).max_backoff(Duration::from_secs(30));
/// # let _ = (patient, RetryPolicy::never());
/// ```
///
/// Any request is retried after a failed connection and after 429. Any request except a
/// `POST` without an idempotency key is also retried after any other error that
/// [`Error::is_retryable`] lists, such as a timeout, an incomplete or malformed response, or 503.
///
/// A 429 with a `Retry-After` doesn't count toward [`max_retries`](Self::max_retries). It is retried
/// until the deadline of the call, unless the number of retries is 0 or the `Retry-After` is longer
/// than [`max_retry_after`](Self::max_retry_after). The wait is then at least 100 ms (our default).
///
/// Each wait has random jitter, so that many clients don't retry at once: up to the current
/// backoff, or up to a quarter of `Retry-After` if that is longer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    max_retries: usize,
    min_backoff: Duration,
    max_backoff: Duration,
    max_retry_after: Duration,
}

impl RetryPolicy {
    /// Two retries, with a backoff from 0.2 s to 5 s.
    ///
    /// A wait that the server asks for is honored up to 60 s.
    pub const fn new() -> Self {
        Self {
            max_retries: 2,
            min_backoff: Duration::from_millis(200),
            max_backoff: Duration::from_secs(5),
            max_retry_after: Duration::from_secs(60),
        }
    }

    /// No retries.
    pub const fn never() -> Self {
        Self::new().max_retries(0)
    }

    /// Sets the maximum number of retries. Defaults to 2.
    #[must_use]
    pub const fn max_retries(mut self, retries: usize) -> Self {
        self.max_retries = retries;
        self
    }

    /// Sets the first backoff, which doubles with each retry. Defaults to 0.2 s.
    #[must_use]
    pub const fn min_backoff(mut self, backoff: Duration) -> Self {
        self.min_backoff = backoff;
        self
    }

    /// Sets the upper bound on the backoff. Defaults to 5 s.
    #[must_use]
    pub const fn max_backoff(mut self, backoff: Duration) -> Self {
        self.max_backoff = backoff;
        self
    }

    /// Sets the maximum `Retry-After` to wait for. Defaults to 60 s.
    ///
    /// With a longer one, the call fails at once, and [`Error::retry_after`] returns it.
    #[must_use]
    pub const fn max_retry_after(mut self, wait: Duration) -> Self {
        self.max_retry_after = wait;
        self
    }

    pub(super) fn start(&self) -> Retries<'_> {
        Retries {
            policy: self,
            left: self.max_retries,
            backoff: self.min_backoff.min(self.max_backoff),
        }
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self::new()
    }
}

/// The minimum wait before a retry that doesn't count; our default.
const MIN_THROTTLED_WAIT: Duration = Duration::from_millis(100);

/// The retries of one call.
pub(super) struct Retries<'a> {
    policy: &'a RetryPolicy,
    left: usize,
    backoff: Duration,
}

impl Retries<'_> {
    /// How long to wait before the next attempt, or `None` if there isn't one.
    pub(super) fn wait(&mut self, error: &Error, until_deadline: Duration) -> Option<Duration> {
        let asked = error.retry_after().unwrap_or_default();
        let throttled = error.is_rate_limited() && error.retry_after().is_some();
        if asked > self.policy.max_retry_after || self.policy.max_retries == 0 {
            return None;
        }
        if !throttled {
            self.left = self.left.checked_sub(1)?;
        }
        let backoff = self.backoff;
        self.backoff = backoff.saturating_mul(2).min(self.policy.max_backoff);
        let wait = match throttled {
            true => asked.max(self.policy.min_backoff).max(MIN_THROTTLED_WAIT),
            false => asked.max(backoff),
        };
        let room = until_deadline.saturating_sub(wait);
        let jitter = backoff.max(asked / 4).min(room / 2);
        (!room.is_zero()).then(|| wait + jitter.mul_f64(fastrand::f64()))
    }
}
