use super::generated::operation::RotateWebhookSecret;
use super::generated::types::WebhookWithSecret;
use super::scheme;
use crate::client::rotation::Rotation;
use crate::error::Error;
use crate::signature::{Key, Verifier};

impl WebhookWithSecret {
    /// Creates a verifier for deliveries to this webhook, with Lune's [`scheme`].
    ///
    /// Its key is named after the webhook. To accept several secrets, for example of several
    /// webhooks with the same URL, add the [`signing_key`](Self::signing_key) of each to one
    /// [`Keyring`](crate::signature::Keyring).
    ///
    /// ```no_run
    /// use webhook_sdk::lune::{LuneClient, WebhookCreate, WebhookUrl};
    ///
    /// # async fn example(lune: LuneClient) -> Result<(), webhook_sdk::Error> {
    /// let url = WebhookUrl::try_from("https://shop.example.com/lune")?;
    /// let webhook = lune.create_webhook(WebhookCreate::builder().url(url).build()).send().await?;
    /// let verifier = webhook.verifier()?;
    /// # let _ = verifier;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error of kind [`ErrorKind::Secret`](crate::ErrorKind::Secret) if the secret isn't
    /// a valid key.
    pub fn verifier(&self) -> Result<Verifier, Error> {
        let key = self.signing_key(&self.id)?;
        Ok(Verifier::new(scheme(), key))
    }

    /// The secret as a signing key with this name.
    ///
    /// # Errors
    ///
    /// Returns an error of kind [`ErrorKind::Secret`](crate::ErrorKind::Secret) if the secret isn't
    /// a valid key.
    pub fn signing_key(&self, name: &str) -> Result<Key, Error> {
        Ok(Key::new(name, &self.secret)?)
    }
}

impl RotateWebhookSecret {
    /// Rotates the secret, and lets a running receiver accept both for a grace period.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # use webhook_sdk::Rotation;
    /// # use webhook_sdk::lune::LuneClient;
    /// # use webhook_sdk::signature::Keyring;
    /// # async fn example(lune: LuneClient, keyring: Keyring) -> Result<(), webhook_sdk::Error> {
    /// let rotation = Rotation::new(&keyring, "2026-10", "2026-11").grace(Duration::from_secs(3600));
    /// let webhook = lune.rotate_webhook_secret("wh_1").rotate(rotation).await?;
    /// let to_keep = webhook.secret;
    /// # let _ = to_keep;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Lune stops signing with the old secret at once. Deliveries that it signs before the response
    /// arrives are refused and redelivered: see [`Rotation`].
    ///
    /// # Errors
    ///
    /// Returns an error with [`Error::is_configuration`], without calling Lune, if the keyring
    /// lacks the old key or already has the new one. Otherwise, the errors are those of the call.
    /// The keyring is then unchanged. If the secret may have been rotated, as after a timeout,
    /// rotate again: only this response contains the complete secret.
    pub async fn rotate(self, rotation: Rotation<'_>) -> Result<WebhookWithSecret, Error> {
        rotation
            .run(self.send(), |webhook: &WebhookWithSecret, name| {
                webhook.signing_key(name)
            })
            .await
    }
}
