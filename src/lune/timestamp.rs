use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::text::text_type;

/// A timestamp as Lune sent it, which may be invalid.
///
/// ```
/// use webhook_sdk::lune::Timestamp;
///
/// assert!(Timestamp::from("2023-01-04T15:00:27.349Z").to_utc().is_some());
/// assert!(Timestamp::from("created_at").to_utc().is_none());
/// ```
///
/// Lune's schema specifies RFC 3339, but its published sample delivery contains `"created_at":
/// "created_at"`. Therefore, the text is kept and only parsed on demand.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(String);

impl Timestamp {
    /// The time in UTC, if the text is an RFC 3339 date and time.
    pub fn to_utc(&self) -> Option<DateTime<Utc>> {
        DateTime::parse_from_rfc3339(&self.0)
            .ok()
            .map(|time| time.to_utc())
    }
}

text_type!(Timestamp, display, redacted);
