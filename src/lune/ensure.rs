use super::{LuneClient, Webhook, WebhookCreate, WebhookUpdate, WebhookWithSecret};
use crate::client::ensure::{
    Candidate, Ensure, Ensured, Fit, ensure, same_endpoint, same_set, same_url,
};
use crate::error::{Error, FieldError};

impl LuneClient {
    /// Creates a webhook with this URL, or updates the existing one.
    ///
    /// ```no_run
    /// use webhook_sdk::Ensured;
    /// use webhook_sdk::lune::{LuneClient, WebhookCreate, WebhookUrl};
    ///
    /// # async fn example(lune: LuneClient) -> Result<(), webhook_sdk::Error> {
    /// let url = WebhookUrl::try_from("https://shop.example.com/lune")?;
    /// let desired = WebhookCreate::builder().url(url).build();
    /// if let Ensured::Created(webhook) = lune.ensure_webhook(desired).send().await? {
    ///     let to_keep = webhook.secret;
    /// #   let _ = to_keep;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// An existing webhook is found by its URL, ignoring credentials, the case of the host and a
    /// default port. If there are several, the one with the same accounts is used. The webhook is
    /// enabled, unless [`enabled`](EnsureWebhook::enabled) is set to false.
    ///
    /// **Only a created webhook has its secret.** Lune doesn't send it again: save it, or rotate it
    /// later.
    ///
    /// It is safe to call from several processes at once: a call that finds an earlier webhook
    /// after creating its own deletes its own. It then doesn't return a secret.
    /// This requires that the list shows every webhook whose creation has completed.
    pub fn ensure_webhook(&self, desired: WebhookCreate) -> EnsureWebhook {
        EnsureWebhook {
            client: self.clone(),
            desired,
            enabled: true,
        }
    }
}

/// A request builder for [`LuneClient::ensure_webhook`].
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until it is sent"]
pub struct EnsureWebhook {
    client: LuneClient,
    desired: WebhookCreate,
    enabled: bool,
}

impl EnsureWebhook {
    /// Sets whether an existing webhook should be enabled. Defaults to true.
    ///
    /// A new webhook is always enabled.
    pub fn enabled(mut self, enabled: bool) -> Self {
        self.enabled = enabled;
        self
    }

    /// Finds the webhook, and creates or updates it if needed.
    ///
    /// # Errors
    ///
    /// - Any error of the calls it makes; [`Error::operation`] returns the failed call.
    /// - [`Error::is_conflict`] if several webhooks have this URL, and none or several of them have
    ///   the same accounts. The message lists their ids.
    /// - [`Error::is_validation`] if the webhook is limited to accounts and `desired` isn't: the API
    ///   can't remove the limit.
    pub async fn send(self) -> Result<Ensured<WebhookWithSecret, Webhook>, Error> {
        ensure(&self).await
    }

    fn accounts(&self) -> &[String] {
        self.desired.account_ids.as_deref().unwrap_or_default()
    }
}

impl Ensure for EnsureWebhook {
    type Item = Webhook;
    type Created = WebhookWithSecret;
    type Found = Webhook;

    async fn candidates(&self) -> Result<Vec<Candidate<Webhook>>, Error> {
        let webhooks = self.client.list_webhooks().send().await?;
        let webhooks = webhooks
            .into_iter()
            .filter(|webhook| same_endpoint(webhook.url.as_str(), self.desired.url.as_str()));
        let candidates = webhooks.map(|webhook| Candidate {
            id: webhook.id.clone(),
            age: webhook.created_at.timestamp_micros(),
            fit: match same_set(&webhook.account_ids, self.accounts()) {
                true => Fit::Same,
                false => Fit::Similar,
            },
            webhook,
        });
        Ok(candidates.collect())
    }

    async fn create(&self) -> Result<(String, WebhookWithSecret), Error> {
        let created = self.client.create_webhook(self.desired.clone());
        let created = created.send().await?;
        Ok((created.id.clone(), created))
    }

    async fn delete(&self, created: WebhookWithSecret) -> Result<(), Error> {
        self.client.delete_webhook(created.id).send().await
    }

    async fn update(&self, webhook: Webhook) -> Result<(Webhook, Vec<&'static str>), Error> {
        let accounts = self.accounts();
        let mut changed = Vec::new();
        if !same_url(webhook.url.as_str(), self.desired.url.as_str()) {
            changed.push("url");
        }
        if !same_set(&webhook.account_ids, accounts) {
            changed.push("account_ids");
            if accounts.is_empty() {
                let id = &webhook.id;
                let what = format!(
                    "can't be cleared: delete the webhook {id} to get the events of all accounts"
                );
                return Err(
                    Error::invalid_fields(vec![FieldError::new("account_ids", what)])
                        .with_operation("ensure_webhook"),
                );
            }
        }
        if webhook.enabled != self.enabled {
            changed.push("enabled");
        }
        if changed.is_empty() {
            return Ok((webhook, changed));
        }
        let update = WebhookUpdate {
            url: self.desired.url.clone(),
            enabled: self.enabled,
            account_ids: self
                .desired
                .account_ids
                .clone()
                .filter(|ids| !ids.is_empty()),
        };
        let webhook = self
            .client
            .update_webhook(webhook.id, update)
            .send()
            .await?;
        Ok((webhook, changed))
    }
}
