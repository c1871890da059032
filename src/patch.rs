use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A field of an update: unchanged, cleared, or set.
///
/// A JSON merge patch has three cases, but an `Option` only two. Setters take `impl
/// Into<Patch<T>>`: a value sets the field, and `None` clears it.
///
/// ```
/// use webhook_sdk::Patch;
///
/// assert_eq!(Patch::from("edition_1"), Patch::Value("edition_1".to_owned()));
/// assert_eq!(Patch::<String>::from(None), Patch::Null);
/// assert!(Patch::<String>::default().is_absent());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Patch<T> {
    /// The field isn't sent, and keeps its value.
    #[default]
    Absent,
    /// The field is sent as `null`, which clears it.
    Null,
    /// The field is sent with this value.
    Value(T),
}

impl<T> Patch<T> {
    /// Whether the field isn't sent.
    pub const fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// The value, if there is one.
    pub const fn value(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Null => None,
        }
    }

    /// The value of a field after the update.
    #[cfg_attr(
        not(any(feature = "pretix", feature = "testing")),
        expect(dead_code, reason = "no body requires a field that can be null")
    )]
    pub(crate) fn or(self, before: Option<T>) -> Option<T> {
        match self {
            Self::Absent => before,
            Self::Null => None,
            Self::Value(value) => Some(value),
        }
    }
}

impl<T> From<T> for Patch<T> {
    fn from(value: T) -> Self {
        Self::Value(value)
    }
}

impl<T> From<Option<T>> for Patch<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Self::Value)
    }
}

impl From<&str> for Patch<String> {
    fn from(value: &str) -> Self {
        Self::Value(value.to_owned())
    }
}

impl From<&String> for Patch<String> {
    fn from(value: &String) -> Self {
        Self::Value(value.clone())
    }
}

/// The containing struct must skip an absent field. On its own, it serializes as `null`.
impl<T: Serialize> Serialize for Patch<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value().serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(Self::from)
    }
}
