//! Receives webhook deliveries: authenticates, decodes, and deduplicates them, then calls your
//! handler.
//!
//! ```
//! # #[cfg(all(feature = "axum", feature = "lune"))]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use axum::{Router, routing::post};
//! use webhook_sdk::receiver::{Delivery, Outcome, Receiver};
//! use webhook_sdk::{Secret, lune};
//!
//! async fn receive(delivery: Delivery<lune::Source>) -> Outcome {
//!     delivery
//!         .handle(async |event| {
//!             println!("{}: {:?}", event.key(), event.event_type());
//!             Ok(())
//!         })
//!         .await
//! }
//!
//! let verifier = lune::verifier(&Secret::from("from the create call"))?;
//! let receiver = Receiver::new(lune::Source::new(verifier));
//! let router: Router = Router::new().route("/hooks/lune", post(receive)).with_state(receiver);
//! # Ok(())
//! # }
//! # #[cfg(not(all(feature = "axum", feature = "lune")))]
//! # fn main() {}
//! ```
//!
//! A [`Receiver`] follows the same steps for every [`Source`] and every web framework:
//!
//! 1. It checks the request head: the signature header or pretix's Basic credentials, the content
//!    type, and the length.
//! 2. It reads the body, up to a size limit and a timeout.
//! 3. It verifies the signature, and only then decodes.
//! 4. It claims each event in a [`DedupStore`], runs the handler, and commits. If the handler
//!    fails, the claim is released. If the process dies, the claim expires with its lease. A single
//!    process can use the in-memory store; several processes need a shared one.
//!
//! # Responses
//!
//! | Request | Response |
//! |---|---|
//! | The signature or the credentials are missing, malformed, wrong, or expired | 401 |
//! | The [tenant](Tenants) is unknown | 401, as for a wrong signature |
//! | The tenant's keys can't be loaded | 503 with `Retry-After` |
//! | The source doesn't accept the content type (by default, JSON or none is accepted) | 415 |
//! | The body is longer than [`max_body_bytes`](ReceiverBuilder::max_body_bytes) | 413 |
//! | The body isn't complete within [`body_timeout`](ReceiverBuilder::body_timeout) | 408 |
//! | The body is truncated | 400 |
//! | The bodies buffered at once exceed [`max_buffered_bytes`](ReceiverBuilder::max_buffered_bytes) | 503 with `Retry-After` |
//! | The body is authentic but doesn't match the service's documentation | 400 |
//! | Your code panics before the handler is called, as in a function that extracts an id | 500 |
//! | The event was handled before, or is [stale](Observation::Stale) | 204, the handler doesn't run |
//! | The event is being handled by another request, or handlers hold all connections of the inbox | 503 with `Retry-After` |
//! | The store can't be reached | 503 with `Retry-After` |
//! | The handler fails, panics, or takes longer than the [`lease`](ReceiverBuilder::lease) | 500 |
//! | The handler succeeds and the event is committed | 204 |
//! | The handler returns [`Ack::retry`] | 503 with `Retry-After` |
//! | A pretix handler returns `Ack::danger_disable_webhook` | 410 once; a redelivery of the same notification gets 204 |
//!
//! Responses have no body, and a 401 has no `WWW-Authenticate` header, so that neither shows how
//! deliveries are authenticated. The reason is reported to the [observer](ReceiverBuilder::observer) and
//! through [`tracing`] with the target `webhook_sdk`, with ids but without content: refusals as
//! warnings, failures as errors, handled events and duplicates at debug level.
//!
//! # Handled once
//!
//! **At least once.** An event is committed once. Its handler runs again if the process died or the
//! store failed before the commit, or if the sender closed the connection before the handler
//! finished.
//!
//! Two handlers can process the same event concurrently if a claim ends before its handler does:
//! when the handler can't be stopped at the end of its lease (spawned or blocking work, or a
//! suspended process), or when the clock of a shared store jumps. Handlers must therefore be idempotent.
//!
//! **Exactly once in effect.** With the feature `postgres` or `sqlite`, `Delivery::handle_in`
//! passes the handler the transaction that records the event. What it writes there takes effect
//! once.
//!
//! If the sender closes the connection, or the store stops responding while an event is being
//! claimed, a task releases the event. If that fails, the event stays claimed until its lease ends.
//! Until then, its deliveries get 503.
//!
//! # Scope of deduplication
//!
//! Only events from the same sender can be duplicates of each other. The [`EventKey`] holds the
//! receiver's [name](ReceiverBuilder::name), the source, the [tenant](Tenants), and the owner of
//! the key that authenticated the event, so one sender can't suppress another's events by reusing
//! their ids.
//!
//! The keys of one keyring belong to one sender, unless they have
//! [owners](crate::signature::Key::owner). An event that is redelivered after a key rotation is
//! therefore still a duplicate. Where several senders share an endpoint, use [`Tenants`] or declare
//! owners. For pretix, each user is a sender.
//!
//! # What the HTTP server must limit
//!
//! A receiver limits bodies only. The HTTP server or a proxy in front of it must handle slow
//! headers, the number of connections, and TLS.

#[cfg(feature = "axum")]
mod axum;
mod body;
mod builder;
mod delivery;
mod event;
mod guard;
mod handling;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod inbox;
mod key;
mod observer;
mod outcome;
mod proof;
mod receive;
mod refusal;
mod response;
mod shared;
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
/// The version of sqlx whose pools, connections, and errors an [`Inbox`] uses.
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub use sqlx;
