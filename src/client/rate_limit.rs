use std::num::NonZeroU32;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

/// Spaces requests evenly, first come, first served.
pub(super) struct RateLimit {
    interval: Duration,
    /// Held by the next request in line. If that request is dropped, the others don't lose its
    /// slot.
    next: Mutex<Instant>,
}

impl RateLimit {
    pub(super) fn new(requests_per_second: NonZeroU32) -> Self {
        Self {
            interval: Duration::from_secs(1) / requests_per_second.get(),
            next: Mutex::new(Instant::now()),
        }
    }

    pub(super) async fn acquire(&self) {
        let mut next = self.next.lock().await;
        let at = Instant::now().max(*next);
        sleep_until(at).await;
        *next = at + self.interval;
    }
}
