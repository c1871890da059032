//! Receives deliveries: authenticated, decoded, de-duplicated, and handled once in effect.
//!
//! A [`Receiver`] does the work in one order for every service and every web framework:
//!
//! 1. It judges the headers, before any of the body is read: a signature header that is missing or
//!    malformed, or the Basic credentials of pretix.
//! 2. It reads the body, within a size and a time, while the MAC is fed.
//! 3. It verifies, and only then decodes.
//! 4. It claims each event in a [`DedupStore`], runs the handler, and commits; a handler that fails
//!    releases the claim, a process that dies loses it when its lease ends. One process does with
//!    its memory, a fleet shares a Redis (feature `redis`).
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
//! | A pretix handler returns [`Reply::send_again`] | 503 with `Retry-After` |
//! | A pretix handler returns [`Reply::danger_disable_webhook`] | 410, once: a retry of the same notification gets 204 |
//!
//! A refusal has no body; the reason goes to `tracing`, without a byte of payload or secret.
//!
//! **At least once.** An event is committed once. Its handler runs again if the process died or the
//! store failed before the commit, or if the sender hung up before the handler's end. Two handlers
//! have an event at a time only where one can't be stopped at the end of its lease: work that it has
//! spawned or that blocks, or a process that stood still. What a handler does must bear that.
//!
//! An event whose sender hangs up while it is being claimed can stay claimed until the lease ends; it
//! is answered with 503 for so long.
//!
//! **What is left to the server.** Slow headers, the number of connections and TLS. A receiver
//! bounds the bodies; let the HTTP server, or a proxy before it, bound the rest.
//!
//! [`Reply::send_again`]: crate::pretix::Reply::send_again
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
#[cfg(feature = "redis")]
mod redis;
mod rejection;

pub use self::builder::ReceiverBuilder;
pub use self::dedup::{Claim, ClaimToken, DedupStore, EventKey, StoreError};
pub use self::delivery::{Answer, Delivery, Handled, HandlerResult};
pub use self::memory::MemoryStore;
pub use self::provider::{Authentication, Event, Provider, ProviderError};
pub use self::receive::Receiver;
#[cfg(feature = "redis")]
pub use self::redis::{RedisStore, RedisStoreBuilder, RedisStoreError};
pub use self::rejection::Rejection;
