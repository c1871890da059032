use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

/// How far each change advances the clock, so that no two changes have the same time.
const STEP: TimeDelta = TimeDelta::milliseconds(1);
/// The last second with a four-digit year: RFC 3339 can't express a later one.
const END: i64 = 253_402_300_799;
/// 2027-01-01T00:00:00Z, in seconds since 1970: after the dates in the examples of the documents.
const START: i64 = 1_798_761_600;

/// A server's clock, which only advances on request.
pub(crate) struct Clock {
    now: DateTime<Utc>,
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self {
            now: DateTime::from_timestamp(START, 0).unwrap_or_default(),
        }
    }

    pub(crate) fn starting_at(now: DateTime<Utc>) -> Self {
        Self {
            now: now.min(end()),
        }
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// Advances by one step, and returns the new time.
    pub(crate) fn tick(&mut self) -> DateTime<Utc> {
        self.now = after(self.now, STEP);
        self.now
    }

    pub(crate) fn advance(&mut self, by: Duration) {
        self.now = later(self.now, by);
    }
}

/// Adds `by` to `time`, up to the end of the clock.
pub(crate) fn later(time: DateTime<Utc>, by: Duration) -> DateTime<Utc> {
    after(time, TimeDelta::from_std(by).unwrap_or(TimeDelta::MAX))
}

fn after(time: DateTime<Utc>, by: TimeDelta) -> DateTime<Utc> {
    time.checked_add_signed(by)
        .map_or_else(end, |later| later.min(end()))
}

fn end() -> DateTime<Utc> {
    DateTime::from_timestamp(END, 0).unwrap_or(DateTime::<Utc>::MAX_UTC)
}
