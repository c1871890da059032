use super::{PreoClient, Webhook, WebhookCreate, WebhookUpdate};
use crate::client::ensure::{Candidate, Changes, Ensure, Ensured, Match, ensure, same_url};
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
    /// the host, and a default port. It is activated, unless `desired` has `is_active(false)`. Other
    /// optional settings that `desired` omits stay unchanged. The returned webhook always has the
    /// secret, unless Preo omits it.
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

    fn url(&self) -> &str {
        self.desired.url.as_str()
    }

    async fn list(&self) -> Result<Vec<Candidate<String>>, Error> {
        let organization = &self.desired.organization_id;
        let list = self.client.list_webhooks().organization_id(organization);
        let webhooks = list.all().await?.into_iter().filter(|webhook| {
            let owner = webhook.organization_id.as_ref();
            owner.is_none_or(|owner| owner == organization)
        });
        let candidates = webhooks.map(|webhook| Candidate {
            id: webhook.id.clone(),
            url: webhook.url.as_str().to_owned(),
            created: webhook.created.timestamp_micros(),
            quality: Match::Same,
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

    async fn update(&self, id: String) -> Result<(Webhook, Changes), Error> {
        let found = self.client.retrieve_webhook(&id).send().await?;
        let WebhookCreate {
            organization_id: _,
            name,
            url,
            events,
            edition_id,
            is_active,
            timeout_seconds,
        } = &self.desired;
        let edition = !edition_id.is_absent() && edition_id.value() != found.edition_id.as_ref();
        let active = is_active.unwrap_or(true);
        let switched = found.is_active.unwrap_or(true) != active;
        let timeout = timeout_seconds.is_some() && *timeout_seconds != found.timeout_seconds;
        let mut changes = Changes::default();
        let update = WebhookUpdate {
            // Django REST framework, which Preo seems to use, trims texts.
            name: changes.when(name.trim() != found.name.trim(), "name", name),
            url: changes.when(!same_url(url.as_str(), found.url.as_str()), "url", url),
            events: changes.when(*events != found.events, "events", events),
            edition_id: changes
                .when(edition, "edition_id", edition_id)
                .unwrap_or_default(),
            is_active: changes.when(switched, "is_active", &active),
            timeout_seconds: changes
                .when(timeout, "timeout_seconds", timeout_seconds)
                .flatten(),
        };
        let update = self.client.update_webhook(id, update).send();
        changes.sent(found, update).await
    }
}
