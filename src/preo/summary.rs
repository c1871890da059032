use super::generated::types::{Webhook, WebhookSummary};

/// Drops the secret, like a list.
impl From<Webhook> for WebhookSummary {
    fn from(webhook: Webhook) -> Self {
        Self {
            created: webhook.created,
            edition_id: webhook.edition_id,
            events: webhook.events,
            id: webhook.id,
            is_active: webhook.is_active,
            modified: webhook.modified,
            name: webhook.name,
            organization_id: webhook.organization_id,
            timeout_seconds: webhook.timeout_seconds,
            url: webhook.url,
        }
    }
}

#[cfg(feature = "testing")]
impl crate::testing::PageItem for Webhook {
    type Page = super::WebhookPage;

    fn page_of(items: Vec<Self>) -> Self::Page {
        crate::testing::page_of(items.into_iter().map(WebhookSummary::from))
    }
}
