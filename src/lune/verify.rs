//! From the API's own answers to a verifier.

use super::generated::types::WebhookWithSecret;
use super::scheme;
use crate::error::Error;
use crate::signature::{Key, Keyring, Verifier};

impl WebhookWithSecret {
    /// A verifier for what is delivered to this webhook, by [`scheme`].
    ///
    /// Its key is named after the webhook. To accept several secrets, as of several webhooks that
    /// deliver to one URL, put the [`signing_key`](Self::signing_key) of each into one [`Keyring`].
    ///
    /// ```no_run
    /// use webhook_sdk::lune::{LuneClient, WebhookCreate, WebhookUrl};
    ///
    /// # async fn example(lune: LuneClient) -> Result<(), webhook_sdk::Error> {
    /// let url = WebhookUrl::try_from("https://shop.example.com/lune")?;
    /// let webhook = lune.create_webhook().body(WebhookCreate::new(url)).send().await?;
    /// let verifier = webhook.verifier()?;
    /// # let _ = verifier;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::is_configuration`] when the answer's secret is empty.
    pub fn verifier(&self) -> Result<Verifier, Error> {
        let key = self.signing_key(&self.id)?;
        Ok(Verifier::new(scheme(), Keyring::new(key)))
    }

    /// The secret as a key with a name of its own.
    ///
    /// # Errors
    ///
    /// [`Error::is_configuration`] when the answer's secret is empty.
    pub fn signing_key(&self, name: &str) -> Result<Key, Error> {
        Ok(Key::new(name, &self.secret)?)
    }
}
