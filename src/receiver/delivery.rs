use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use tokio::sync::OwnedSemaphorePermit;

use super::handling::handle_all;
use super::proof::Proof;
use super::shared::Shared;
use super::{Event, IntoAck, Outcome, Source};

/// An authenticated delivery with its events.
///
/// [`handle`](Self::handle) runs a handler for each event and returns the response to send.
pub struct Delivery<S: Source> {
    pub(super) shared: Arc<Shared<S>>,
    pub(super) proof: Arc<Proof>,
    pub(super) events: Vec<Event<S::Event>>,
    /// The body counts as buffered while its events are being handled.
    pub(super) _permit: OwnedSemaphorePermit,
}

impl<S: Source> Delivery<S> {
    /// The name of the key or the credentials that authenticated the delivery.
    ///
    /// Once an old key's name no longer appears, the key can be removed.
    pub fn key_name(&self) -> &str {
        self.proof.key_name()
    }

    /// The tenant whose keys authenticated the delivery, if the source has tenants.
    pub fn tenant(&self) -> Option<&str> {
        self.proof.tenant.as_deref()
    }

    /// The time at which the delivery was signed, if its signature includes one.
    pub fn timestamp(&self) -> Option<DateTime<Utc>> {
        self.proof.timestamp()
    }

    /// An additional field of the signature header, such as Lune's `organisation`.
    ///
    /// **Not covered by the signature**: see
    /// [`Verified::unsigned_field`](crate::signature::Verified::unsigned_field).
    pub fn unsigned_field(&self, key: &str) -> Option<&str> {
        self.proof.verified()?.unsigned_field(key)
    }

    /// The events, in the order they are handled.
    pub fn events(&self) -> &[Event<S::Event>] {
        &self.events
    }

    /// Returns the events, without deduplicating them.
    pub fn into_events(self) -> Vec<Event<S::Event>> {
        self.events
    }

    /// Handles each new event in order, and returns the response to send.
    ///
    /// ```
    /// use webhook_sdk::receiver::{Delivery, Outcome, Source};
    ///
    /// # async fn store<T>(event: T) -> Result<(), std::io::Error> { Ok(()) }
    /// async fn receive<S: Source>(delivery: Delivery<S>) -> Outcome {
    ///     delivery
    ///         .handle(async |event| {
    ///             store(event).await?;
    ///             Ok(())
    ///         })
    ///         .await
    /// }
    /// ```
    ///
    /// The handler gets an [`Event`] and returns `()`, an [`Ack`](super::Ack), or a `Result` of
    /// either with a [`BoxError`](super::BoxError); see [`IntoAck`]. The delivery stops at the first
    /// event that fails: earlier events are committed and won't be handled again, and the service
    /// redelivers the rest. Errors are logged with their sources, so don't include event content in
    /// them. A panic counts as a failure.
    ///
    /// If the future is dropped, as axum and hyper do when the sender closes the connection, the
    /// handler is canceled and its event is released for redelivery. To keep going after a
    /// disconnect, spawn a task that makes this call.
    pub async fn handle<H, F>(self, mut handler: H) -> Outcome
    where
        H: FnMut(Event<S::Event>) -> F,
        F: Future<Output: IntoAck<S>>,
    {
        let Self {
            shared,
            events,
            _permit,
            ..
        } = self;
        handle_all(&shared, events, &shared, |event, ()| handler(event)).await
    }
}

impl<S: Source> fmt::Debug for Delivery<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("key_name", &self.key_name())
            .field("tenant", &self.tenant())
            .field("timestamp", &self.timestamp())
            .field("events", &self.events.len())
            .finish_non_exhaustive()
    }
}
