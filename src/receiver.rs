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
//! | A handler returns [`Ack::retry`] | 503 with `Retry-After` |
//! | A handler of pretix returns [`Ack::danger_disable_webhook`] | 410, once: a retry of the same notification gets 204 |
//!
//! A refusal has no body; the reason goes to `tracing`, without a byte of payload or secret.
//!
//! **At least once.** An event is committed once. Its handler runs again if the process died or the
//! store failed before the commit, or if the sender hung up before the handler's end. Two handlers
//! have an event at a time only where one can't be stopped at the end of its lease: work that it has
//! spawned or that blocks, or a process that stood still. What a handler does must bear that.
//!
//! **Exactly once in effect.** With the feature `postgres` or `sqlite`, `Delivery::handle_in` gives the
//! handler the transaction in which the event is recorded: what it writes there happens once.
//!
//! An event whose sender hangs up while it is being claimed can stay claimed until the lease ends; it
//! is answered with 503 for so long.
//!
//! **What is left to the server.** Slow headers, the number of connections and TLS. A receiver
//! bounds the bodies; let the HTTP server, or a proxy before it, bound the rest.
//!

#[cfg(feature = "axum")]
mod axum;
mod body;
mod builder;
mod claim;
mod delivery;
mod event;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod inbox;
mod key;
mod observer;
mod outcome;
mod receive;
mod refusal;
mod source;
mod store;
mod tenants;

pub use self::builder::{BuildError, ReceiverBuilder};
pub use self::delivery::Delivery;
pub use self::event::Event;
#[cfg(feature = "postgres")]
pub use self::inbox::PostgresInbox;
#[cfg(feature = "sqlite")]
pub use self::inbox::SqliteInbox;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub use self::inbox::{Dialect, Inbox, InboxError, InboxTransaction};
pub use self::key::{EventKey, Position};
pub use self::observer::{Observation, Observed};
pub(crate) use self::outcome::AckKind;
pub use self::outcome::{Ack, BoxError, IntoAck, Outcome};
pub use self::receive::Receiver;
pub use self::refusal::{DecodeError, Refusal};
pub use self::source::{Authenticated, Authentication, Source};
pub use self::store::memory::MemoryStore;
#[cfg(feature = "redis")]
pub use self::store::redis::{RedisStore, RedisStoreBuilder, RedisStoreError};
pub use self::store::{Claim, ClaimToken, DedupStore, StoreError};
#[allow(unused_imports, reason = "used by the services")]
pub(crate) use self::tenants::Keys;
pub use self::tenants::Tenants;
