use std::time::Duration;

use crate::error::Error;

/// When a failed request is sent again.
///
/// ```
/// use std::time::Duration;
/// use webhook_sdk::RetryPolicy;
///
/// let patient = RetryPolicy::new().retries(5).longest_wait(Duration::from_secs(30));
/// # let _ = (patient, RetryPolicy::never());
/// ```
///
/// Any request is retried after a failed connection and after 429. A repeatable request is also
/// retried after a timeout, a broken response, 408, 500, 502, 503, 504, and a 409 that has a
/// `Retry-After`. A `POST` isn't repeatable, unless the service supports an idempotency key.
///
/// A 429 with a `Retry-After` is retried until the deadline of the call and doesn't count toward
/// [`retries`](Self::retries).
///
/// Each wait is extended by a random amount so that many clients don't return at once: by up to the
/// current backoff, or up to a quarter of `Retry-After` if that is longer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    retries: usize,
    shortest_wait: Duration,
    longest_wait: Duration,
    longest_retry_after: Duration,
}

impl RetryPolicy {
    /// Two retries, backing off from 0.2 s to 5 s, or up to 60 s if the server asks for it.
    pub const fn new() -> Self {
        Self {
            retries: 2,
            shortest_wait: Duration::from_millis(200),
            longest_wait: Duration::from_secs(5),
            longest_retry_after: Duration::from_secs(60),
        }
    }

    /// No retries.
    pub const fn never() -> Self {
        Self::new().retries(0)
    }

    /// Maximum number of retries; 2 by default, 0 for none at all.
    #[must_use]
    pub const fn retries(mut self, retries: usize) -> Self {
        self.retries = retries;
        self
    }

    /// The first backoff, which doubles with each retry; 0.2 s by default.
    #[must_use]
    pub const fn shortest_wait(mut self, wait: Duration) -> Self {
        self.shortest_wait = wait;
        self
    }

    /// Upper bound on the backoff; 5 s by default.
    #[must_use]
    pub const fn longest_wait(mut self, wait: Duration) -> Self {
        self.longest_wait = wait;
        self
    }

    /// The longest `Retry-After` that is waited for; 60 s by default.
    ///
    /// A longer one fails the call at once; [`Error::retry_after`] returns it.
    #[must_use]
    pub const fn longest_retry_after(mut self, wait: Duration) -> Self {
        self.longest_retry_after = wait;
        self
    }

    pub(super) fn start(&self) -> Retries<'_> {
        Retries {
            policy: self,
            left: self.retries,
            backoff: self.shortest_wait.min(self.longest_wait),
        }
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self::new()
    }
}

/// The retries of one call.
pub(super) struct Retries<'a> {
    policy: &'a RetryPolicy,
    left: usize,
    backoff: Duration,
}

impl Retries<'_> {
    /// How long to wait before the next attempt, `None` if there is none.
    pub(super) fn wait(&mut self, error: &Error, until_deadline: Duration) -> Option<Duration> {
        let asked = error.retry_after().unwrap_or_default();
        let throttled = error.is_rate_limited() && error.retry_after().is_some();
        if asked > self.policy.longest_retry_after || self.policy.retries == 0 {
            return None;
        }
        if !throttled {
            self.left = self.left.checked_sub(1)?;
        }
        let backoff = self.backoff;
        self.backoff = backoff.saturating_mul(2).min(self.policy.longest_wait);
        let wait = match throttled {
            true => asked.max(self.policy.shortest_wait),
            false => asked.max(backoff),
        };
        let room = until_deadline.saturating_sub(wait);
        let jitter = backoff.max(asked / 4).min(room / 2);
        (!room.is_zero()).then(|| wait + jitter.mul_f64(fastrand::f64()))
    }
}
