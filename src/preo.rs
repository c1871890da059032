//! Preo: a client for webhooks and deliveries, and signature verification.

#[cfg(feature = "client")]
mod client;
#[cfg(feature = "client")]
mod delivery;
#[cfg(feature = "client")]
mod ensure;
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
#[cfg(all(feature = "client", feature = "receiver"))]
mod recover;
mod signature;
#[cfg(feature = "receiver")]
mod source;
#[cfg(feature = "client")]
mod webhook;

#[cfg(feature = "client")]
pub use self::delivery::{Payload, Signature};
#[cfg(feature = "client")]
pub use self::ensure::EnsureWebhook;
#[cfg(all(feature = "client", feature = "testing"))]
pub use self::generated::stub;
#[cfg(feature = "client")]
use crate::RedactedUrl;

#[cfg(feature = "client")]
pub use self::generated::{
    PreoClient, missing,
    models::{
        DeliveryStatus, WebhookCreate, WebhookCreateBuilder, WebhookEvent, WebhookOrdering,
        WebhookUpdate,
    },
    operation,
    types::{
        Webhook, WebhookDelivery, WebhookDeliveryPage, WebhookDeliverySummary, WebhookPage,
        WebhookSummary,
    },
};
#[cfg(all(feature = "client", feature = "receiver"))]
pub use self::recover::{Recover, RecoveryError, RecoveryReport};
pub use self::signature::{scheme, verifier};
#[cfg(feature = "receiver")]
pub use self::source::Source;
