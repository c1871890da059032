use std::fmt;

use serde::{Deserialize, Serialize};

use crate::decode;
use crate::{JsonError, Patch};

/// The JSON text of a delivery, byte for byte as it was signed.
///
/// `Debug` only shows its length.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Payload(String);

impl Payload {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The bytes that were signed.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Decodes the text as JSON.
    ///
    /// # Errors
    ///
    /// Returns an error if it isn't JSON or doesn't match `T`. The error contains the JSON path,
    /// but no value.
    pub fn json<'a, T: Deserialize<'a>>(&'a self) -> Result<T, JsonError> {
        decode::json(self.as_bytes(), decode::Type::Any)
    }
}

/// The stored signature of a delivery.
///
/// `Debug` doesn't show it: Preo's signatures have no timestamp, so anyone who has a signature and
/// its payload can replay them.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Signature(String);

impl Signature {
    /// The signature, as Preo stores it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signature(..)")
    }
}

impl From<String> for Signature {
    fn from(signature: String) -> Self {
        Self(signature)
    }
}

impl From<&str> for Signature {
    fn from(signature: &str) -> Self {
        Self(signature.to_owned())
    }
}

impl From<&str> for Patch<Signature> {
    fn from(signature: &str) -> Self {
        Self::Value(signature.into())
    }
}

impl From<String> for Payload {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Payload {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Payload({} bytes)", self.0.len())
    }
}
