use super::{PreoClient, Webhook, WebhookCreate, WebhookUpdate};
use crate::client::ensure::{
    Candidate, Ensure, Ensured, Fit, ensure, same_endpoint, same_set, same_url,
};
use crate::error::Error;

impl PreoClient {
    /// Creates a webhook with this URL, or updates the existing one.
    ///
    /// ```no_run
    /// use webhook_sdk::preo::{PreoClient, WebhookCreate, WebhookEvent};
    ///
    /// # async fn example(preo: PreoClient) -> Result<(), webhook_sdk::Error> {
    /// let desired = WebhookCreate::builder()
    ///     .organization_id("org_1")
    ///     .name("Consents")
    ///     .url("https://example.com/hooks")
    ///     .events([WebhookEvent::ConsentGiven])
    ///     .build();
    /// let webhook = preo.ensure_webhook(desired).send().await?.into_webhook();
    /// let verifier = webhook.verifier()?;
    /// # let _ = verifier;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// An existing webhook is found by its organization and URL, ignoring credentials, the case of
    /// the host and a default port. Optional settings that `desired` omits stay unchanged. The
    /// returned webhook always has the secret, unless Preo omits it.
    ///
    /// It is safe to call from several processes at once: a call that finds an earlier webhook
    /// after creating its own deletes its own.
    /// This requires that the list shows every webhook whose creation has completed.
    pub fn ensure_webhook(&self, desired: WebhookCreate) -> EnsureWebhook {
        EnsureWebhook {
            client: self.clone(),
            desired,
        }
    }
}

/// A request builder for [`PreoClient::ensure_webhook`].
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until it is sent"]
pub struct EnsureWebhook {
    client: PreoClient,
    desired: WebhookCreate,
}

impl EnsureWebhook {
    /// Finds the webhook, and creates or updates it if needed.
    ///
    /// # Errors
    ///
    /// Returns any error of the calls it makes; [`Error::operation`] returns the failed call.
    /// Returns an error with [`Error::is_conflict`] if several webhooks of the
    /// organization have this URL. The message lists their ids.
    pub async fn send(self) -> Result<Ensured<Webhook>, Error> {
        ensure(&self).await
    }
}

impl Ensure for EnsureWebhook {
    type Item = String;
    type Created = Webhook;
    type Found = Webhook;

    async fn candidates(&self) -> Result<Vec<Candidate<String>>, Error> {
        let organization = &self.desired.organization_id;
        let list = self.client.list_webhooks().organization_id(organization);
        let webhooks = list.all().await?.into_iter().filter(|webhook| {
            let owner = webhook.organization_id.as_ref();
            owner.is_none_or(|owner| owner == organization)
                && same_endpoint(webhook.url.as_str(), self.desired.url.as_str())
        });
        let candidates = webhooks.map(|webhook| Candidate {
            id: webhook.id.clone(),
            age: webhook.created.timestamp_micros(),
            fit: Fit::Same,
            webhook: webhook.id,
        });
        Ok(candidates.collect())
    }

    async fn create(&self) -> Result<(String, Webhook), Error> {
        let created = self.client.create_webhook(self.desired.clone());
        let created = created.send().await?;
        Ok((created.id.clone(), created))
    }

    async fn delete(&self, created: Webhook) -> Result<(), Error> {
        self.client.delete_webhook(created.id).send().await
    }

    async fn update(&self, id: String) -> Result<(Webhook, Vec<&'static str>), Error> {
        let desired = &self.desired;
        let webhook = self.client.retrieve_webhook(&id).send().await?;
        let mut update = WebhookUpdate::new();
        let mut changed = Vec::new();
        // Django REST framework, which Preo seems to use, trims texts.
        if desired.name.trim() != webhook.name.trim() {
            changed.push("name");
            update.name = Some(desired.name.clone());
        }
        if !same_url(desired.url.as_str(), webhook.url.as_str()) {
            changed.push("url");
            update.url = Some(desired.url.clone());
        }
        if !same_set(&desired.events, &webhook.events) {
            changed.push("events");
            update.events = Some(desired.events.clone());
        }
        if !desired.edition_id.is_absent()
            && desired.edition_id.value() != webhook.edition_id.as_ref()
        {
            changed.push("edition_id");
            update.edition_id = desired.edition_id.clone();
        }
        if desired.is_active.is_some() && desired.is_active != webhook.is_active {
            changed.push("is_active");
            update.is_active = desired.is_active;
        }
        if desired.timeout_seconds.is_some() && desired.timeout_seconds != webhook.timeout_seconds {
            changed.push("timeout_seconds");
            update.timeout_seconds = desired.timeout_seconds;
        }
        if changed.is_empty() {
            return Ok((webhook, changed));
        }
        let webhook = self.client.update_webhook(id, update).send().await?;
        Ok((webhook, changed))
    }
}
