use super::{PretixClient, Webhook, WebhookCreate, WebhookUpdate};
use crate::client::ensure::{
    Candidate, Ensure, Ensured, Fit, ensure, same_endpoint, same_set, same_url,
};
use crate::error::Error;

impl PretixClient {
    /// Creates a webhook with this URL, or updates the existing one.
    ///
    /// ```no_run
    /// use webhook_sdk::pretix::{ActionType, EventScope, PretixClient, TargetUrl, WebhookCreate};
    ///
    /// # async fn example(pretix: PretixClient, target: TargetUrl) -> Result<(), webhook_sdk::Error> {
    /// let desired = WebhookCreate::builder()
    ///     .target_url(target)
    ///     .events(EventScope::All)
    ///     .action_types([ActionType::OrderPaid])
    ///     .build();
    /// let webhook = pretix.ensure_webhook(desired).send().await?.into_webhook();
    /// println!("{}", webhook.id);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// An existing webhook is found by its URL, ignoring credentials, the case of the host and a
    /// default port. Different credentials are updated. Because pretix only disables deleted
    /// webhooks, a disabled webhook is used, and enabled, only if there is no enabled one with this
    /// URL. If `desired` omits the comment, it stays unchanged.
    ///
    /// It is safe to call from several processes at once: a call that finds an earlier webhook
    /// after creating its own disables its own.
    /// This requires that the list shows every webhook whose creation has completed.
    pub fn ensure_webhook(&self, desired: WebhookCreate) -> EnsureWebhook {
        EnsureWebhook {
            client: self.clone(),
            desired,
        }
    }
}

/// A request builder for [`PretixClient::ensure_webhook`].
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until it is sent"]
pub struct EnsureWebhook {
    client: PretixClient,
    desired: WebhookCreate,
}

impl EnsureWebhook {
    /// Finds the webhook, and creates or updates it if needed.
    ///
    /// # Errors
    ///
    /// Returns any error of the calls it makes; [`Error::operation`] returns the failed call.
    /// Returns an error with [`Error::is_conflict`] if several enabled webhooks have this URL. The
    /// message lists their ids. A webhook with an action type of a removed plugin can only be
    /// disabled: pretix rejects all other changes.
    pub async fn send(self) -> Result<Ensured<Webhook>, Error> {
        ensure(&self).await
    }
}

impl Ensure for EnsureWebhook {
    type Item = Webhook;
    type Created = Webhook;
    type Found = Webhook;

    async fn candidates(&self) -> Result<Vec<Candidate<Webhook>>, Error> {
        let webhooks = self.client.list_webhooks().all().await?;
        let webhooks = webhooks.into_iter().filter(|webhook| {
            same_endpoint(
                webhook.target_url.expose(),
                self.desired.target_url.expose(),
            )
        });
        let candidates = webhooks.map(|webhook| Candidate {
            id: webhook.id.to_string(),
            age: webhook.id,
            fit: match webhook.enabled {
                true => Fit::Same,
                false => Fit::Deleted,
            },
            webhook,
        });
        Ok(candidates.collect())
    }

    async fn create(&self) -> Result<(String, Webhook), Error> {
        let created = self.client.create_webhook(self.desired.clone());
        let created = created.send().await?;
        Ok((created.id.to_string(), created))
    }

    async fn delete(&self, created: Webhook) -> Result<(), Error> {
        self.client.delete_webhook(created.id).send().await
    }

    async fn update(&self, webhook: Webhook) -> Result<(Webhook, Vec<&'static str>), Error> {
        let desired = &self.desired;
        let mut update = WebhookUpdate::new();
        let mut changed = Vec::new();
        if !same_url(desired.target_url.expose(), webhook.target_url.expose()) {
            changed.push("target_url");
            update.target_url = Some(desired.target_url.clone());
        }
        let contradictory = webhook.all_events && !webhook.limit_events.is_empty();
        if contradictory || desired.events != webhook.events() {
            changed.push("events");
            update.events = Some(desired.events.clone());
        }
        if !same_set(&desired.action_types, &webhook.action_types) {
            changed.push("action_types");
            update.action_types = Some(desired.action_types.clone());
        }
        // pretix trims a comment.
        let comment = desired.comment.value().map(|comment| comment.trim());
        if !desired.comment.is_absent() && comment != webhook.comment.as_deref() {
            changed.push("comment");
            update.comment = desired.comment.clone();
        }
        let enabled = desired.enabled.unwrap_or(true);
        if enabled != webhook.enabled {
            changed.push("enabled");
            update.enabled = Some(enabled);
        }
        if changed.is_empty() {
            return Ok((webhook, changed));
        }
        let webhook = self
            .client
            .update_webhook(webhook.id, update)
            .send()
            .await?;
        Ok((webhook, changed))
    }
}
