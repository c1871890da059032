use std::cell::Cell;
use std::time::{SystemTime, UNIX_EPOCH};

use chrono::{DateTime, Utc};

/// Where a verifier or a signer takes the time from.
///
/// Any `Fn() -> DateTime<Utc>` that is `Send + Sync` is a clock, so a test can stop the time:
///
/// ```
/// use chrono::DateTime;
/// use webhook_sdk::signature::Clock;
///
/// let stopped = || DateTime::UNIX_EPOCH;
/// assert_eq!(stopped.now().timestamp(), 0);
/// ```
pub trait Clock: Send + Sync {
    /// The present moment.
    fn now(&self) -> DateTime<Utc>;
}

impl<F: Fn() -> DateTime<Utc> + Send + Sync> Clock for F {
    fn now(&self) -> DateTime<Utc> {
        self()
    }
}

/// The operating system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }
}

/// One reading of a clock, taken when it is first needed.
pub(super) struct Moment<'c> {
    clock: Option<&'c dyn Clock>,
    reading: Cell<Option<i128>>,
}

impl<'c> Moment<'c> {
    /// The moment by this clock, or else by the system's.
    pub(super) fn of(clock: Option<&'c dyn Clock>) -> Self {
        Self {
            clock,
            reading: Cell::new(None),
        }
    }

    /// Nanoseconds since 1970, which no calendar date can overflow.
    pub(super) fn nanoseconds(&self) -> i128 {
        let reading = self.reading.get().unwrap_or_else(|| match self.clock {
            Some(clock) => nanoseconds(clock.now()),
            None => match SystemTime::now().duration_since(UNIX_EPOCH) {
                Ok(after) => after.as_nanos() as i128,
                Err(before) => -(before.duration().as_nanos() as i128),
            },
        });
        self.reading.set(Some(reading));
        reading
    }
}

/// The nanoseconds from 1970 to a date.
pub(super) fn nanoseconds(date: DateTime<Utc>) -> i128 {
    i128::from(date.timestamp()) * 1_000_000_000 + i128::from(date.timestamp_subsec_nanos())
}
