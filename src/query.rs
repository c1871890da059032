use std::fmt;

use serde::{Serialize, Serializer};

/// Several values of one query parameter, joined by commas on the wire.
///
/// ```
/// use webhook_sdk::CommaSeparated;
///
/// let ordering: CommaSeparated<&str> = ["-name", "created"].into();
/// assert_eq!(ordering.to_string(), "-name,created");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommaSeparated<T>(Vec<T>);

impl<T> From<T> for CommaSeparated<T> {
    fn from(value: T) -> Self {
        Self(vec![value])
    }
}

impl<T> From<Vec<T>> for CommaSeparated<T> {
    fn from(values: Vec<T>) -> Self {
        Self(values)
    }
}

impl<T, const N: usize> From<[T; N]> for CommaSeparated<T> {
    fn from(values: [T; N]) -> Self {
        Self(values.into())
    }
}

impl<T> FromIterator<T> for CommaSeparated<T> {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        Self(values.into_iter().collect())
    }
}

impl<T: fmt::Display> fmt::Display for CommaSeparated<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, value) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            value.fmt(f)?;
        }
        Ok(())
    }
}

impl<T: fmt::Display> Serialize for CommaSeparated<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_string())
    }
}
