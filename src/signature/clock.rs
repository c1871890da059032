use std::cell::Cell;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, Utc};

/// The clock of a verifier or signer.
///
/// Any `Fn() -> DateTime<Utc>` that is `Send + Sync` is a clock, so a test can use a fixed time:
///
/// ```
/// use chrono::DateTime;
/// use webhook_sdk::signature::Clock;
///
/// let stopped = || DateTime::UNIX_EPOCH;
/// assert_eq!(stopped.now().timestamp(), 0);
/// ```
pub trait Clock: Send + Sync {
    /// Returns the current time.
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

/// One reading of a clock, taken on first use.
pub(crate) struct Reading<'c> {
    clock: Option<&'c dyn Clock>,
    time: Cell<Option<Time>>,
}

/// Seconds since 1970 and nanoseconds of the current second.
type Time = (i64, u32);

/// The distance of a timestamp from now.
pub(super) enum Distance {
    Past(Duration),
    Future(Duration),
}

impl<'c> Reading<'c> {
    /// Reads this clock, or else the system clock, which is faster without a conversion to a
    /// calendar date.
    pub(crate) fn of(clock: Option<&'c dyn Clock>) -> Self {
        Self {
            clock,
            time: Cell::new(None),
        }
    }

    pub(crate) fn is_before(&self, moment: DateTime<Utc>) -> bool {
        self.time() < time(moment)
    }

    /// The distance of a timestamp in seconds since 1970.
    pub(super) fn distance(&self, timestamp: i64) -> Distance {
        let (seconds, nanoseconds) = self.time();
        let whole = Duration::from_secs(seconds.abs_diff(timestamp));
        let fraction = Duration::from_nanos(nanoseconds.into());
        match seconds < timestamp {
            true => Distance::Future(whole - fraction),
            false => Distance::Past(whole + fraction),
        }
    }

    fn time(&self) -> Time {
        let read = || match self.clock {
            Some(clock) => time(clock.now()),
            None => system_time(),
        };
        let time = self.time.get().unwrap_or_else(read);
        self.time.set(Some(time));
        time
    }
}

fn time(date: DateTime<Utc>) -> Time {
    // Chrono counts on beyond this within a leap second.
    let nanoseconds = date.timestamp_subsec_nanos().min(999_999_999);
    (date.timestamp(), nanoseconds)
}

fn system_time() -> Time {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(after) => (after.as_secs().cast_signed(), after.subsec_nanos()),
        Err(_) => time(Utc::now()),
    }
}
