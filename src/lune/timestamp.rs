use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::json;

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
/// "created_at"`. Therefore, the text is kept and only parsed on demand. It can only be
/// deserialized from JSON.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Timestamp(String);

impl Timestamp {
    /// The text as it was received.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The time in UTC, if the text is an RFC 3339 date and time.
    pub fn to_utc(&self) -> Option<DateTime<Utc>> {
        DateTime::parse_from_rfc3339(&self.0)
            .ok()
            .map(|time| time.to_utc())
    }
}

impl From<String> for Timestamp {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Timestamp {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl AsRef<str> for Timestamp {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Timestamp(..)")
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        json::from_scalar(deserializer)
    }
}
