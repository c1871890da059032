use serde::{Deserialize, Serialize};

use super::generated::types::WebhookDelivery;
use super::scheme;
use crate::signature::{Keyring, Verified, Verifier, VerifyError};
use crate::text::text_type;
use crate::{JsonError, Patch, decode};

impl WebhookDelivery {
    /// Verifies the stored payload with the stored signature and Preo's [`scheme`].
    ///
    /// Use it to audit deliveries, or to check whether a secret is the one that Preo signs with.
    ///
    /// ```no_run
    /// # use webhook_sdk::preo::PreoClient;
    /// # use webhook_sdk::signature::Keyring;
    /// # async fn example(preo: PreoClient, keyring: Keyring) -> Result<(), Box<dyn std::error::Error>> {
    /// let delivery = preo.retrieve_webhook_delivery("wh_1", "dl_1").send().await?;
    /// println!("signed with {}", delivery.verify(&keyring)?.key_name());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the [`VerifyError`] of the check that failed, or [`VerifyError::NoSignature`] if no
    /// signature is stored.
    pub fn verify(&self, keys: impl Into<Keyring>) -> Result<Verified<&[u8]>, VerifyError> {
        self.verify_with(&Verifier::new(scheme(), keys))
    }

    /// Verifies the stored payload with the stored signature and any scheme.
    ///
    /// # Errors
    ///
    /// Same as [`verify`](Self::verify), and [`VerifyError::HeadersNeeded`] if the scheme signs
    /// more than the body.
    pub fn verify_with(&self, verifier: &Verifier) -> Result<Verified<&[u8]>, VerifyError> {
        let signature = self.signature.as_ref().ok_or(VerifyError::NoSignature)?;
        verifier.verify_detached(signature.as_str(), self.payload.as_bytes())
    }
}

/// The JSON text of a delivery, byte for byte as it was signed.
///
/// `Debug` doesn't show it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Payload(String);

impl Payload {
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

text_type!(Payload, redacted);

/// The stored signature of a delivery.
///
/// `Debug` doesn't show it: Preo's signatures have no timestamp, so anyone who has a signature and
/// its payload can replay them.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Signature(String);

text_type!(Signature, redacted);

impl From<&str> for Patch<Signature> {
    fn from(signature: &str) -> Self {
        Self::Value(signature.into())
    }
}
