use std::time::Duration;

use chrono::{DateTime, Utc};

use super::VerifyError;
use super::clock::{Moment, nanoseconds};

/// A timestamp and how far it may lie from now.
#[derive(Clone, Copy)]
pub(super) enum Freshness {
    Unjudged(Option<DateTime<Utc>>),
    Within(DateTime<Utc>, Duration),
}

impl Freshness {
    pub(super) fn new(
        timestamp: Option<DateTime<Utc>>,
        tolerance: Option<Duration>,
    ) -> Result<Self, VerifyError> {
        match (timestamp, tolerance) {
            (timestamp, None) => Ok(Self::Unjudged(timestamp)),
            (Some(timestamp), Some(tolerance)) => Ok(Self::Within(timestamp, tolerance)),
            (None, Some(_)) => Err(VerifyError::NoTimestampInScheme),
        }
    }

    pub(super) fn timestamp(self) -> Option<DateTime<Utc>> {
        match self {
            Self::Unjudged(timestamp) => timestamp,
            Self::Within(timestamp, _) => Some(timestamp),
        }
    }

    pub(super) fn check(self, moment: &Moment<'_>) -> Result<(), VerifyError> {
        let Self::Within(timestamp, tolerance) = self else {
            return Ok(());
        };
        let age = moment.nanoseconds() - nanoseconds(timestamp);
        let distance = duration(age.unsigned_abs());
        if distance <= tolerance {
            return Ok(());
        }
        Err(match age.is_positive() {
            true => VerifyError::TooOld {
                age: distance,
                tolerance,
            },
            false => VerifyError::TooNew {
                ahead: distance,
                tolerance,
            },
        })
    }
}

/// Far more than any two dates lie apart fits in the seconds of a `Duration`.
fn duration(nanoseconds: u128) -> Duration {
    const SECOND: u128 = 1_000_000_000;
    let seconds = u64::try_from(nanoseconds / SECOND).unwrap_or(u64::MAX);
    Duration::new(seconds, (nanoseconds % SECOND) as u32)
}
