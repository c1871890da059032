//! Receives deliveries: authenticated, decoded, de-duplicated, and handled once in effect.
//!
//! A [`Receiver`] does the work in one order for every service and every web framework:
//!
//! 1. It judges the headers, before any of the body is read: a signature header that is missing or
//!    malformed, or the Basic credentials of pretix.
//! 2. It reads the body, within a size and a time, while the MAC is fed.
//! 3. It verifies, and only then decodes.
//! 4. It claims each event in a [`DedupStore`], runs the handler, and commits; a handler that fails
//!    releases the claim, a process that dies loses it when its lease ends.
//!
//! | What arrives | Answer |
//! |---|---|
//! | No, a malformed or a wrong signature; no or wrong credentials; a signature too old | 401 |
//! | A body longer than [`max_body_bytes`](ReceiverBuilder::max_body_bytes) | 413 |
//! | A content type other than JSON (none at all is fine) | 415 |
//! | A body that isn't complete within [`body_timeout`](ReceiverBuilder::body_timeout) | 408 |
//! | A body that breaks off | 400 |
//! | More bodies at once than [`max_buffered_bytes`](ReceiverBuilder::max_buffered_bytes) holds | 503 with `Retry-After` |
//! | A genuine body that isn't what the service documents | 400 |
//! | An event that was handled before | 2xx, the handler doesn't run |
//! | An event that another process is handling | 503 with `Retry-After` |
//! | The store can't be reached | 503 with `Retry-After` |
//! | The handler fails, or takes longer than the [`lease`](ReceiverBuilder::lease) | 500 |
//! | The handler succeeds and the event is committed | 2xx |
//! | A pretix handler returns [`Reply::danger_disable_webhook`] | 410 |
//!
//! A refusal has no body; the reason goes to `tracing`, without a byte of payload or secret.
//!
//! **At least once.** An event is committed once. Its handler can run again in two cases: the
//! process died or the store failed between the end of the handler and the commit. What a handler
//! does should bear that, as every service here redelivers too.
//!
//! [`Reply::danger_disable_webhook`]: crate::pretix::Reply::danger_disable_webhook

#[cfg(feature = "axum")]
mod axum;
mod body;
mod builder;
mod dedup;
mod delivery;
mod memory;
mod provider;
mod receive;
mod rejection;

pub use self::builder::ReceiverBuilder;
pub use self::dedup::{Claim, ClaimToken, DedupStore, EventKey, StoreError};
pub use self::delivery::{Answer, Delivery, Handled, HandlerResult};
pub use self::memory::MemoryStore;
pub use self::provider::{Authentication, Event, Provider, ProviderError};
pub use self::receive::Receiver;
pub use self::rejection::Rejection;
