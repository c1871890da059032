//! The current time, for tolerances and expiries.

use std::cell::OnceCell;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, Utc};

/// A replacement for the system clock.
pub(crate) type Clock = dyn Fn() -> DateTime<Utc> + Send + Sync;

/// The current time, read on first use.
pub(crate) struct Now<'c> {
    clock: Option<&'c Clock>,
    since_epoch: OnceCell<Duration>,
}

impl<'c> Now<'c> {
    /// Reads this clock, or else the system clock.
    pub(crate) fn new(clock: Option<&'c Clock>) -> Self {
        Self {
            clock,
            since_epoch: OnceCell::new(),
        }
    }

    pub(crate) fn is_before(&self, moment: DateTime<Utc>) -> bool {
        self.since_epoch() < since_epoch(moment)
    }

    /// The time since 1970, or zero before that.
    pub(crate) fn since_epoch(&self) -> Duration {
        *self.since_epoch.get_or_init(|| match self.clock {
            Some(clock) => since_epoch(clock()),
            // Without a detour through a calendar date.
            None => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default(),
        })
    }
}

fn since_epoch(moment: DateTime<Utc>) -> Duration {
    let seconds = moment.timestamp().try_into().unwrap_or_default();
    Duration::new(seconds, moment.timestamp_subsec_nanos())
}

/// The whole milliseconds of a duration.
#[allow(dead_code, reason = "used by clients and receivers")]
pub(crate) fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
