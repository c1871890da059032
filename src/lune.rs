//! Lune: webhooks, and their deliveries of order and allocation events.
//!
//! # Receiving
//!
//! A delivery is a batch of events under one signature. With the feature `receiver`, a `Receiver` of
//! a `lune::Source` verifies it and runs a handler over its events, in order and each once. Without,
//! [`scheme`] describes the signature for a [`Verifier`](crate::signature::Verifier), and
//! [`Batch::decode`] reads the body, each event by itself.
//!
//! ```
//! use webhook_sdk::lune::{Batch, EventData, EventType};
//!
//! let body = br#"{"events": [{
//!     "api_version": "v1", "event_id": "ev1", "event_type": "order.completed", "sequence": "2021-09-13T16:21:29.067Z",
//!     "data": {"order": {"id": "or1", "status": "complete", "total_cost": "7696.00"}}
//! }]}"#;
//! let batch = Batch::decode(body)?;
//! let event = &batch.events()[0];
//!
//! assert_eq!(event.event_type(), Some(&EventType::OrderCompleted));
//! let EventData::Order(order) = event.data() else { panic!("an order event") };
//! assert_eq!(order.total_cost.as_ref().map(|cost| cost.as_str()), Some("7696.00"));
//! # Ok::<(), webhook_sdk::lune::BatchError>(())
//! ```
//!
//! Sources: <https://docs.lune.co/api-reference/webhook-request> for the body,
//! <https://docs.lune.co/general-concepts/webhooks> for the delivery. Lune publishes neither the size of a
//! batch nor the schedule of its redeliveries.
//!
//! # Managing webhooks
//!
//! With the feature `client`, `LuneClient` lists, creates, retrieves, changes, rotates and deletes
//! webhooks. Five things to know:
//!
//! - **A limit to accounts can't be cleared.** Once a webhook has `account_ids`, an update can name
//!   other accounts, but the API has no way back to the events of all accounts. Delete the webhook
//!   and create another, which has another secret.
//! - **A secret is shown twice at most**: create and rotate answer with a `WebhookWithSecret`, which
//!   makes a verifier; everything else answers with a `Webhook`, whose `SecretSuffix` makes none.
//! - **An update is a whole**: it always has a URL and whether the webhook is enabled. Lune's rules
//!   for URLs are stricter than URLs are, so `WebhookUrl` checks them first and names the broken one.
//! - **A rotation can happen more than once in one call.** It is repeated like any call but a create
//!   when its answer is lost or a 5xx, because only an answer tells the valid secret. Each repetition
//!   makes another secret and the call returns the last. After an error the old secret may be
//!   invalid: rotate again. An attempt that timed out could still be applied late;
//!   `SecretSuffix::matches` on a retrieved webhook confirms the secret at hand, and
//!   `RetryPolicy::never` forbids repetitions.
//! - **The first call without a version pins one**: without `Lune-Version` Lune takes the version that
//!   the organisation is pinned to, and pins it to the latest at the first request.
//!
//! Errors have a `code()`, to compare with `ErrorCode`, where Lune answers in JSON: 400, 401, 403, 409
//! and 422. Elsewhere the body is plain text or empty. There are at most 15 requests a second unless
//! the builder says otherwise.

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
mod redact;
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
mod verify;

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
