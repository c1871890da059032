//! From the API's own answers to a verifier.

use super::generated::operation::RotateWebhookSecret;
use super::generated::types::WebhookWithSecret;
use super::scheme;
use crate::client::rotation::Rotation;
use crate::error::Error;
use crate::signature::{Key, Verifier};

impl WebhookWithSecret {
    /// A verifier for what is delivered to this webhook, by [`scheme`].
    ///
    /// Its key is named after the webhook. To accept several secrets, as of several webhooks that
    /// deliver to one URL, put the [`signing_key`](Self::signing_key) of each into one
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
    /// [`ErrorKind::Secret`](crate::ErrorKind::Secret) when the secret can't be a key.
    pub fn verifier(&self) -> Result<Verifier, Error> {
        let key = self.signing_key(&self.id)?;
        Ok(Verifier::new(scheme(), key))
    }

    /// The secret as a key with a name of its own.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Secret`](crate::ErrorKind::Secret) when the secret can't be a key.
    pub fn signing_key(&self, name: &str) -> Result<Key, Error> {
        Ok(Key::new(name, &self.secret)?)
    }
}

impl RotateWebhookSecret {
    /// Rotates the secret and lets a running receiver accept the old and the new one for a time.
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
    /// Lune stops signing with the old secret at once. What it signs before its answer is here is
    /// refused, and comes again: see [`Rotation`].
    ///
    /// # Errors
    ///
    /// [`Error::is_configuration`] before any call when the keyring lacks the old key or has the new
    /// one; else as the call itself. The keyring is then as it was. After an error that leaves open
    /// whether the secret was rotated, such as a time-out, rotate again: Lune tells a whole secret in
    /// this answer alone.
    pub async fn rotate(self, rotation: Rotation<'_>) -> Result<WebhookWithSecret, Error> {
        rotation
            .run(self.send(), |webhook: &WebhookWithSecret, name| {
                webhook.signing_key(name)
            })
            .await
    }
}
