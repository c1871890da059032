use super::generated::operation::RotateWebhookSecret;
use super::generated::types::Webhook;
use super::scheme;
use crate::client::rotation::Rotation;
use crate::error::{Error, ErrorKind};
use crate::signature::{Key, Verifier};

impl Webhook {
    /// Creates a verifier for deliveries to this webhook, with Preo's [`scheme`].
    ///
    /// Its key is named after the webhook. To accept an old and a new secret, add the
    /// [`signing_key`](Self::signing_key) of each to one [`Keyring`](crate::signature::Keyring).
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
    /// Returns an error of kind [`ErrorKind::Secret`] if the webhook has no secret, or one that
    /// isn't a valid key.
    pub fn verifier(&self) -> Result<Verifier, Error> {
        let key = self.signing_key(&self.id)?;
        Ok(Verifier::new(scheme(), key))
    }

    /// The secret as a signing key with this name.
    ///
    /// # Errors
    ///
    /// Returns an error of kind [`ErrorKind::Secret`] if the webhook has no secret, or one that
    /// isn't a valid key.
    pub fn signing_key(&self, name: &str) -> Result<Key, Error> {
        let Some(secret) = &self.secret else {
            let message = "the webhook has no secret: Preo sends it when one is created, \
                           retrieved, updated, or rotated";
            return Err(Error::new(ErrorKind::Secret, message));
        };
        Ok(Key::new(name, secret)?)
    }
}

impl RotateWebhookSecret {
    /// Rotates the secret, and lets a running receiver accept both for a grace period.
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
    /// Deliveries between the rotation and its response are refused: see [`Rotation`].
    ///
    /// # Errors
    ///
    /// Returns an error with [`Error::is_configuration`], without calling Preo, if the keyring
    /// lacks the old key or already has the new one. Returns an error of kind [`ErrorKind::Secret`]
    /// if the response has no usable secret. Otherwise, the errors are those of the call. The
    /// keyring is then unchanged. If the secret may have been rotated, as after a timeout, call
    /// [`retrieve_webhook`](super::PreoClient::retrieve_webhook), which returns the current secret,
    /// and [`add`](crate::signature::Keyring::add) its [`signing_key`](Webhook::signing_key).
    pub async fn rotate(self, rotation: Rotation<'_>) -> Result<Webhook, Error> {
        rotation
            .run(self.send(), |webhook: &Webhook, name| {
                webhook.signing_key(name)
            })
            .await
    }
}
