use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

/// How far each change of state moves the clock, so that no two have the same time.
const STEP: TimeDelta = TimeDelta::milliseconds(1);
/// The last second with a four-digit year, past which RFC 3339 has no spelling.
const END: i64 = 253_402_300_799;

/// A server's clock, which moves only when it is told to.
pub(crate) struct Clock {
    now: DateTime<Utc>,
}

impl Clock {
    pub(crate) fn starting_at(now: DateTime<Utc>) -> Self {
        Self {
            now: now.min(end()),
        }
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// Takes a step and returns the new time.
    pub(crate) fn tick(&mut self) -> DateTime<Utc> {
        self.now = after(self.now, STEP);
        self.now
    }

    pub(crate) fn advance(&mut self, by: Duration) {
        self.now = later(self.now, by);
    }
}

/// The time `by` after `time`, or the end of the clock.
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
