use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use super::json;
use crate::text::text_type;

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
#[derive(Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Decimal(String);

impl Decimal {
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

text_type!(Decimal, display, redacted);

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let text = json::scalar_text(&raw);
        text.map(|text| Self(text.into_owned()))
            .ok_or_else(|| D::Error::custom("expected a string or a number"))
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
