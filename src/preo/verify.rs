//! From the API's own answers to a verifier.

use super::generated::operation::RotateWebhookSecret;
use super::generated::types::{Webhook, WebhookDelivery};
use super::scheme;
use crate::client::rotation::Rotation;
use crate::error::{Error, ErrorKind};
use crate::signature::{Key, Keyring, Verified, Verifier, VerifyError};

impl Webhook {
    /// A verifier for what is delivered to this webhook endpoint, by [`scheme`].
    ///
    /// Its key is named after the webhook endpoint. To accept an old secret beside a new one, put
    /// the [`signing_key`](Self::signing_key) of each into one [`Keyring`].
    ///
    /// ```no_run
    /// # async fn example(preo: webhook_sdk::preo::PreoClient) -> Result<(), webhook_sdk::Error> {
    /// let webhook = preo.retrieve_webhook("wh_1").send().await?;
    /// let verifier = webhook.verifier()?;
    /// # let _ = verifier;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Secret`] when the webhook has no secret, or one that can't be a key.
    pub fn verifier(&self) -> Result<Verifier, Error> {
        let key = self.signing_key(&self.id)?;
        Ok(Verifier::new(scheme(), key))
    }

    /// The secret as a key with a name of its own.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Secret`] when the webhook has no secret, or one that can't be a key.
    pub fn signing_key(&self, name: &str) -> Result<Key, Error> {
        let Some(secret) = &self.secret else {
            let message = "the webhook has no secret: Preo sends it when one is created, \
                           retrieved, updated or rotated";
            return Err(Error::new(ErrorKind::Secret, message));
        };
        Ok(Key::new(name, secret)?)
    }
}

impl RotateWebhookSecret {
    /// Rotates the secret and lets a running receiver accept the old and the new one for a time.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # use webhook_sdk::Rotation;
    /// # use webhook_sdk::preo::PreoClient;
    /// # use webhook_sdk::signature::Keyring;
    /// # async fn example(preo: PreoClient, keyring: Keyring) -> Result<(), webhook_sdk::Error> {
    /// let rotation = Rotation::new(&keyring, "2026-10", "2026-11").grace(Duration::from_secs(3600));
    /// let webhook = preo.rotate_webhook_secret("wh_1").rotate(rotation).await?;
    /// let to_keep = webhook.secret;
    /// # let _ = to_keep;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// What is delivered between Preo's change and its answer is refused: see [`Rotation`].
    ///
    /// # Errors
    ///
    /// [`Error::is_configuration`] before any call when the keyring lacks the old key or has the new
    /// one; [`ErrorKind::Secret`] after a rotation whose response has no usable secret; else as the
    /// call itself. The keyring is then as it was. After an error that leaves open
    /// whether the secret was rotated, such as a time-out, call
    /// [`retrieve_webhook`](super::PreoClient::retrieve_webhook), which tells the secret in force,
    /// and [`add`](Keyring::add) its [`signing_key`](Webhook::signing_key).
    pub async fn rotate(self, rotation: Rotation<'_>) -> Result<Webhook, Error> {
        rotation
            .run(self.send(), |webhook: &Webhook, name| {
                webhook.signing_key(name)
            })
            .await
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
    pub fn verify(&self, keys: impl Into<Keyring>) -> Result<Verified<&[u8]>, VerifyError> {
        self.verify_with(&Verifier::new(scheme(), keys))
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
