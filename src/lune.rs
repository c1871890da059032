//! Lune: a client for webhooks, and deliveries of order and allocation events.
//!
//! # Receiving
//!
//! A delivery is a batch of events with one signature. With the feature `receiver`, a `Receiver`
//! with a `lune::Source` verifies it and calls a handler for each new event, in order. Without that
//! feature, [`verifier`] checks the signature, and [`Batch::from_slice`] reads the body, one event at a
//! time.
//!
//! ```
//! use webhook_sdk::lune::{Batch, EventData, EventType};
//!
//! let body = br#"{"events": [{
//!     "api_version": "v1", "event_id": "ev1", "event_type": "order.completed", "sequence": "2021-09-13T16:21:29.067Z",
//!     "data": {"order": {"id": "or1", "status": "complete", "total_cost": "7696.00"}}
//! }]}"#;
//! let batch = Batch::from_slice(body)?;
//! let event = &batch.events()[0];
//!
//! assert_eq!(event.event_type(), Some(&EventType::OrderCompleted));
//! let EventData::Order(order) = event.data() else { panic!("an order event") };
//! assert_eq!(order.total_cost.as_ref().map(|cost| cost.as_str()), Some("7696.00"));
//! # Ok::<(), webhook_sdk::lune::BatchError>(())
//! ```
//!
//! Sources: <https://docs.lune.co/api-reference/webhook-request> for the body,
//! <https://docs.lune.co/general-concepts/webhooks> for the delivery. Lune publishes neither the
//! maximum size of a batch nor the schedule of its redeliveries.
//!
//! # Managing webhooks
//!
//! With the feature `client`, `LuneClient` lists, creates, retrieves, updates, and deletes webhooks,
//! and rotates their secrets. Five things to know:
//!
//! - **A limit to accounts can't be cleared.** Once a webhook has `account_ids`, an update can set
//!   other accounts, but it can't subscribe the webhook to the events of all accounts again. Delete
//!   the webhook and create a new one, which has a new secret.
//! - **A secret is only returned by create and rotate.** They return a `WebhookWithSecret`, which
//!   can build a verifier. Everything else returns a `Webhook`, which only has a `SecretSuffix`.
//! - **An update is complete**: it always contains `url` and `enabled`. Lune doesn't accept every
//!   valid URL, so `WebhookUrl` checks Lune's rules first, and reports the violated rule.
//! - **One call can rotate a secret more than once.** Like any call except create, it is retried
//!   after a lost response or a 5xx, because only a response contains the valid secret. Each retry
//!   creates another secret, and the call returns the last one. After an error, the old secret may
//!   be invalid: rotate again. An attempt that timed out could still be applied late.
//!   `SecretSuffix::matches` on a retrieved webhook confirms that a secret is current, and
//!   `RetryPolicy::never` prevents retries.
//! - **The first call without a version pins one**: without `Lune-Version`, Lune uses the version
//!   that the organization is pinned to. The first such request pins it to the latest version.
//!
//! Errors have a `code()`, to compare with `ErrorCode`, if Lune responds with JSON: 400, 401, 403,
//! 409 and 422. Other responses are plain text or empty. The client sends at most 15 requests per
//! second by default.

mod allocation;
mod batch;
#[cfg(feature = "client")]
mod client;
mod decimal;
#[cfg(feature = "client")]
mod ensure;
mod event;
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
mod json;
mod order;
#[cfg(feature = "client")]
mod secret;
mod sequence;
mod signature;
#[cfg(feature = "receiver")]
mod source;
mod timestamp;
#[cfg(feature = "client")]
mod url;
#[cfg(feature = "client")]
mod webhook;

pub use self::allocation::{Allocation, AllocationChange, AllocationStatus};
pub use self::batch::{Batch, BatchError};
pub use self::decimal::Decimal;
#[cfg(feature = "client")]
pub use self::ensure::EnsureWebhook;
pub use self::event::{ApiVersion, Event, EventData, EventError, EventType};
#[cfg(all(feature = "client", feature = "testing"))]
pub use self::generated::stub;
#[cfg(feature = "client")]
use crate::RedactedUrl;

#[cfg(feature = "client")]
pub use self::generated::{
    LuneClient, missing,
    models::{
        AccountType, ErrorCode, WebhookCreate, WebhookCreateBuilder, WebhookUpdate,
        WebhookUpdateBuilder,
    },
    operation,
    types::{Webhook, WebhookWithSecret},
};
pub use self::order::{
    Order, OrderBundle, OrderKind, OrderProject, OrderProjectStatus, OrderStatus, PaymentMethod,
};
#[cfg(feature = "client")]
pub use self::secret::SecretSuffix;
pub use self::sequence::Sequence;
pub use self::signature::{Sender, scheme, verifier};
#[cfg(feature = "receiver")]
pub use self::source::Source;
pub use self::timestamp::Timestamp;
#[cfg(feature = "client")]
pub use self::url::{WebhookUrl, WebhookUrlError};
