use super::{PretixClient, Webhook, WebhookCreate, WebhookUpdate};
use crate::client::ensure::{Candidate, Changes, Ensure, Ensured, Match, ensure, same_url};
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
    /// An existing webhook is found by its URL, ignoring credentials, the case of the host, and a
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

    fn url(&self) -> &str {
        self.desired.target_url.expose()
    }

    async fn list(&self) -> Result<Vec<Candidate<Webhook>>, Error> {
        let webhooks = self.client.list_webhooks().all().await?;
        let candidates = webhooks.into_iter().map(|webhook| Candidate {
            id: webhook.id.to_string(),
            url: webhook.target_url.expose().to_owned(),
            created: webhook.id,
            quality: match webhook.enabled {
                true => Match::Same,
                false => Match::Deleted,
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

    async fn update(&self, found: Webhook) -> Result<(Webhook, Changes), Error> {
        let WebhookCreate {
            events,
            target_url,
            action_types,
            comment,
            enabled,
        } = &self.desired;
        let moved = !same_url(target_url.expose(), found.target_url.expose());
        let contradictory = found.all_events && !found.limit_events.is_empty();
        let scope = contradictory || *events != found.events();
        let actions = *action_types != found.action_types;
        // pretix trims a comment.
        let trimmed = comment.value().map(|comment| comment.trim());
        let remark = !comment.is_absent() && trimmed != found.comment.as_deref();
        let enabled = enabled.unwrap_or(true);
        let mut changes = Changes::default();
        let update = WebhookUpdate {
            target_url: changes.when(moved, "target_url", target_url),
            events: changes.when(scope, "events", events),
            action_types: changes.when(actions, "action_types", action_types),
            comment: changes.when(remark, "comment", comment).unwrap_or_default(),
            enabled: changes.when(enabled != found.enabled, "enabled", &enabled),
        };
        let update = self.client.update_webhook(found.id, update).send();
        changes.sent(found, update).await
    }
}
