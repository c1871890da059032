use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::json;

/// An amount of money or mass, kept as text.
///
/// ```
/// use webhook_sdk::lune::Decimal;
///
/// let cost = Decimal::from("7176.00");
/// assert_eq!(cost.as_str(), "7176.00");
/// assert!(cost.is_valid());
/// assert_ne!(cost, Decimal::from("7176"));
/// ```
///
/// No digit is lost or added. Lune sends amounts as strings. A JSON number is kept as written, and
/// so is text that isn't a decimal number. Values are compared as text, so `1.0` and `1.00` differ.
/// To calculate, parse [`as_str`](Self::as_str) with a decimal type. The unit depends on the field.
///
/// `Debug` doesn't show the amount. It can only be deserialized from JSON.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Decimal(String);

impl Decimal {
    /// The amount as it was received.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the text has Lune's published format: digits, optionally with a decimal point.
    ///
    /// The published pattern is `^[0-9]+(\.[0-9]+)?$`, so a sign or an exponent is not valid.
    pub fn is_valid(&self) -> bool {
        match self.0.split_once('.') {
            Some((whole, fraction)) => is_digits(whole) && is_digits(fraction),
            None => is_digits(&self.0),
        }
    }
}

impl From<String> for Decimal {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Decimal {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<Decimal> for String {
    fn from(amount: Decimal) -> Self {
        amount.0
    }
}

impl AsRef<str> for Decimal {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Decimal(..)")
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        json::from_scalar(deserializer)
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
