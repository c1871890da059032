//! From the API's own answers to a verifier.

use super::generated::types::{Webhook, WebhookDelivery};
use super::scheme;
use crate::error::Error;
use crate::signature::{Key, Keyring, Verified, Verifier, VerifyError};

impl Webhook {
    /// A verifier for what is delivered to this webhook endpoint, by [`scheme`].
    ///
    /// Its key is named after the webhook endpoint. To accept an old secret beside a new one, put
    /// the [`signing_key`](Self::signing_key) of each into one [`Keyring`].
    ///
    /// ```no_run
    /// # async fn example(preo: webhook_sdk::preo::PreoClient) -> Result<(), webhook_sdk::Error> {
    /// let webhook = preo.retrieve_webhook().id("wh_1").send().await?;
    /// let verifier = webhook.verifier()?;
    /// # let _ = verifier;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::is_configuration`] when the answer held no secret, or an empty one.
    pub fn verifier(&self) -> Result<Verifier, Error> {
        let key = self.signing_key(&self.id)?;
        Ok(Verifier::new(scheme(), Keyring::new(key)))
    }

    /// The secret as a key with a name of its own.
    ///
    /// # Errors
    ///
    /// [`Error::is_configuration`] when the answer held no secret, or an empty one.
    pub fn signing_key(&self, name: &str) -> Result<Key, Error> {
        let Some(secret) = &self.secret else {
            return Err(Error::configuration(
                "the webhook has no secret: Preo sends it when one is created, retrieved, updated \
                 or rotated",
            ));
        };
        Ok(Key::new(name, secret)?)
    }
}

impl WebhookDelivery {
    /// Checks the stored payload against the stored signature, by [`scheme`].
    ///
    /// This audits what Preo says it sent. It needs no header, so it also tells whether the secret
    /// at hand is the one that Preo signs with.
    ///
    /// # Errors
    ///
    /// A [`VerifyError`] that names the broken rule; [`VerifyError::NoSignature`] when none is
    /// stored.
    pub fn verify(&self, keyring: &Keyring) -> Result<Verified<&[u8]>, VerifyError> {
        self.verify_with(&Verifier::new(scheme(), keyring.clone()))
    }

    /// Checks the stored payload against the stored signature, by any scheme.
    ///
    /// # Errors
    ///
    /// As [`verify`](Self::verify); [`VerifyError::HeadersNeeded`] when the scheme signs more than
    /// the body.
    pub fn verify_with(&self, verifier: &Verifier) -> Result<Verified<&[u8]>, VerifyError> {
        let signature = self.signature.as_ref().ok_or(VerifyError::NoSignature)?;
        verifier.verify_detached(signature.as_str(), self.payload.as_bytes())
    }
}
