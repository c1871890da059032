//! Receives deliveries: authenticated, decoded, de-duplicated, and handled once.
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
//! A [`Receiver`] works in the same order for every [`Source`] and every web framework:
//!
//! 1. It checks the head of the request: a signature header that is missing or malformed, the Basic
//!    credentials of pretix, the content type, the length.
//! 2. It reads the body, within a size and a time.
//! 3. It verifies the signature, and only then decodes.
//! 4. It claims each event in a [`DedupStore`], runs the handler, and commits. A handler that fails
//!    releases the claim; that of a process that dies ends with its lease. One process needs no
//!    store but its memory, a fleet shares one.
//!
//! # Answers
//!
//! | Request | Answer |
//! |---|---|
//! | No signature, a malformed or wrong one, or one that is too old; no credentials or wrong ones | 401 |
//! | A [tenant](Tenants) that is unknown | 401, as for a wrong signature |
//! | A tenant whose keys can't be loaded | 503 with `Retry-After` |
//! | A content type that the source doesn't accept (by default other than JSON; none is fine) | 415 |
//! | A body longer than [`max_body_bytes`](ReceiverBuilder::max_body_bytes) | 413 |
//! | A body that isn't complete within [`body_timeout`](ReceiverBuilder::body_timeout) | 408 |
//! | A body that breaks off | 400 |
//! | More bodies at once than [`max_buffered_bytes`](ReceiverBuilder::max_buffered_bytes) holds | 503 with `Retry-After` |
//! | An authentic body that isn't what the service documents | 400 |
//! | An event that was handled before, or is [stale](Observation::Stale) | 2xx, the handler doesn't run |
//! | An event that is being handled | 503 with `Retry-After` |
//! | The store can't be reached | 503 with `Retry-After` |
//! | The handler fails, panics, or takes longer than the [`lease`](ReceiverBuilder::lease) | 500 |
//! | The handler succeeds and the event is committed | 2xx |
//! | A handler returns [`Ack::retry`] | 503 with `Retry-After` |
//! | A handler of pretix returns `Ack::danger_disable_webhook` | 410, once: a retry of the same notification gets 204 |
//!
//! An answer has no body. The reason goes to an [observer](ReceiverBuilder::observer) and to
//! [`tracing`], with ids and without content: refusals as warnings, failures as errors, handled
//! events and duplicates at debug level.
//!
//! # Handled once
//!
//! **At least once.** An event is committed once. Its handler runs again if the process died or the
//! store failed before the commit, or if the sender hung up before the handler's end.
//!
//! Two handlers can have an event at the same time where a claim ends before its handler: when a
//! handler can't be stopped at the end of its lease (work that it has spawned or that blocks, or a
//! process that stood still), when a full [`MemoryStore`] forgets the claim, or when the clock of a
//! shared store jumps. What a handler does must bear that.
//!
//! **Exactly once in effect.** With the feature `postgres` or `sqlite`, `Delivery::handle_in` gives the
//! handler the transaction in which the event is recorded: what it writes there happens once.
//!
//! An event whose sender hangs up while it is being claimed can stay claimed until the lease ends; it
//! is answered with 503 for so long.
//!
//! # Whose events are duplicates
//!
//! Only events of the same sender can be duplicates of each other. The [`EventKey`] holds the
//! receiver's [name](ReceiverBuilder::name), the source, the [tenant](Tenants), and the owner of the
//! key that authenticated the event, so nobody can use up the event ids of another.
//!
//! The keys of one keyring belong to one sender, unless they have
//! [owners](crate::signature::Key::owner). So an event that is redelivered after a rotation is still
//! a duplicate. Where several senders share an endpoint, use [`Tenants`] or declare owners. For
//! pretix, each user is a sender.
//!
//! # Left to the server
//!
//! Slow headers, the number of connections, and TLS. A receiver bounds bodies; let the HTTP server,
//! or a proxy before it, bound the rest.

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
