use super::{LuneClient, Webhook, WebhookCreate, WebhookUpdate, WebhookWithSecret};
use crate::client::ensure::{Candidate, Changes, Ensure, Ensured, Match, ensure, same_url};
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
    /// An existing webhook is found by its URL, ignoring credentials, the case of the host, and a
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
}

impl Ensure for EnsureWebhook {
    type Item = Webhook;
    type Created = WebhookWithSecret;
    type Found = Webhook;

    fn url(&self) -> &str {
        self.desired.url.as_str()
    }

    async fn list(&self) -> Result<Vec<Candidate<Webhook>>, Error> {
        let accounts = self.desired.account_ids.clone().unwrap_or_default();
        let webhooks = self.client.list_webhooks().send().await?;
        let candidates = webhooks.into_iter().map(|webhook| Candidate {
            id: webhook.id.clone(),
            url: webhook.url.as_str().to_owned(),
            created: webhook.created_at.timestamp_micros(),
            quality: match webhook.account_ids == accounts {
                true => Match::Same,
                false => Match::Similar,
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

    async fn update(&self, found: Webhook) -> Result<(Webhook, Changes), Error> {
        let WebhookCreate { url, account_ids } = &self.desired;
        let accounts = account_ids.clone().unwrap_or_default();
        let limit = found.account_ids != accounts;
        if limit && accounts.is_empty() {
            let what = format!(
                "can't be cleared: delete the webhook {} to get the events of all accounts",
                found.id
            );
            let field = FieldError::new("account_ids", what);
            return Err(Error::invalid_fields(vec![field]).with_operation("ensure_webhook"));
        }
        let mut changes = Changes::default();
        changes.when(!same_url(url.as_str(), found.url.as_str()), "url", url);
        changes.when(limit, "account_ids", &accounts);
        changes.when(self.enabled != found.enabled, "enabled", &self.enabled);
        let update = WebhookUpdate {
            url: url.clone(),
            enabled: self.enabled,
            account_ids: Some(accounts).filter(|ids| !ids.is_empty()),
        };
        let update = self.client.update_webhook(&found.id, update).send();
        changes.sent(found, update).await
    }
}
