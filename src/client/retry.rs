use std::time::Duration;

use backon::ExponentialBuilder;

/// When a call that failed is sent again.
///
/// A request is resent after a failed connection and after 429; one that may be repeated safely
/// also after a time-out, a broken answer, 408, 500, 502, 503, 504, and after 409 with a
/// `Retry-After`. A `POST` may not be repeated safely, unless the service honours an idempotency
/// key.
///
/// ```
/// use std::time::Duration;
/// use webhook_sdk::RetryPolicy;
///
/// let patient = RetryPolicy::new().retries(5).longest_wait(Duration::from_secs(30));
/// # let _ = (patient, RetryPolicy::never());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    retries: usize,
    shortest_wait: Duration,
    longest_wait: Duration,
    longest_retry_after: Duration,
}

impl RetryPolicy {
    /// Two retries, waiting from 0.2 s up to 5 s, and up to 60 s where the server asks for it.
    pub const fn new() -> Self {
        Self {
            retries: 2,
            shortest_wait: Duration::from_millis(200),
            longest_wait: Duration::from_secs(5),
            longest_retry_after: Duration::from_secs(60),
        }
    }

    /// Never sends a request twice.
    pub const fn never() -> Self {
        Self::new().retries(0)
    }

    /// How often a request is resent at most; 2 by default.
    #[must_use]
    pub const fn retries(mut self, retries: usize) -> Self {
        self.retries = retries;
        self
    }

    /// The wait before the first retry, which doubles with each one; 0.2 s by default.
    ///
    /// Up to as much again is added at random, so that clients don't come back in step.
    #[must_use]
    pub const fn shortest_wait(mut self, wait: Duration) -> Self {
        self.shortest_wait = wait;
        self
    }

    /// What a doubled wait stops growing at; 5 s by default.
    #[must_use]
    pub const fn longest_wait(mut self, wait: Duration) -> Self {
        self.longest_wait = wait;
        self
    }

    /// The longest `Retry-After` that is waited for; 60 s by default.
    ///
    /// A longer one ends the call at once with an error that tells the wait.
    #[must_use]
    pub const fn longest_retry_after(mut self, wait: Duration) -> Self {
        self.longest_retry_after = wait;
        self
    }

    pub(super) fn backoff(&self) -> ExponentialBuilder {
        ExponentialBuilder::new()
            .with_min_delay(self.shortest_wait)
            .with_max_delay(self.longest_wait)
            .with_max_times(self.retries)
            .with_jitter()
    }

    pub(super) const fn bound(&self) -> Duration {
        self.longest_retry_after
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self::new()
    }
}
