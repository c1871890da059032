use std::fmt;

use serde::{Serialize, Serializer};

/// Several values of one query parameter, joined by commas on the wire.
pub(crate) struct CommaSeparated<T>(Vec<T>);

impl<T> CommaSeparated<T> {
    /// `None` if there are no values, so that the parameter is omitted.
    pub(crate) fn new(values: Vec<T>) -> Option<Self> {
        (!values.is_empty()).then_some(Self(values))
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
        serializer.collect_str(self)
    }
}
