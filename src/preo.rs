//! Preo: webhook endpoints, their deliveries, and the signature of what is delivered.

#[cfg(feature = "client")]
mod client;
#[cfg(feature = "client")]
#[allow(
    missing_docs,
    unreachable_pub,
    unnameable_types,
    dead_code,
    unused_imports,
    clippy::all,
    clippy::unwrap_used,
    reason = "generated code"
)]
mod generated;
#[cfg(feature = "client")]
mod payload;

#[cfg(feature = "client")]
pub use self::generated::{
    Client as PreoClient,
    models::{DeliveryStatus, WebhookCreate, WebhookEvent, WebhookOrdering, WebhookUpdate},
    types::{
        Webhook, WebhookDelivery, WebhookDeliveryPage, WebhookDeliverySummary, WebhookPage,
        WebhookSummary,
    },
};
#[cfg(feature = "client")]
pub use self::payload::Payload;

/// The builder of each operation, as the methods of [`PreoClient`] return it.
#[cfg(feature = "client")]
pub mod operation {
    pub use super::generated::builder::{
        CreateWebhook, DeleteWebhook, ListWebhookDeliveries, ListWebhooks, RetrieveWebhook,
        RetrieveWebhookDelivery, RetryWebhookDelivery, RotateWebhookSecret, UpdateWebhook,
    };
}
