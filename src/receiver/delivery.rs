use std::fmt;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use chrono::{DateTime, Utc};
use http::StatusCode;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use super::claim;
use super::observer::{Observation, Observed};
use super::outcome::AckKind;
use super::receive::Inner;
use super::source::Proof;
use super::{BoxError, Event, EventKey, IntoAck, Outcome, Source, StoreError};

/// An authenticated delivery with its events.
///
/// [`handle`](Self::handle) runs a handler for each event and returns the response to send.
pub struct Delivery<S: Source> {
    pub(super) receiver: Arc<Inner<S>>,
    pub(super) proof: Arc<Proof>,
    pub(super) events: Vec<Event<S::Event>>,
    /// The body counts as buffered while its events are being handled.
    pub(super) _room: OwnedSemaphorePermit,
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
    /// either with a [`BoxError`]; see [`IntoAck`]. The delivery stops at the first event that
    /// fails: earlier events are committed and won't be handled again, and the service retries the
    /// rest. Errors are logged with their sources, so don't include event content in them. A panic
    /// counts as a failure.
    ///
    /// If the future is dropped, as axum and hyper do when the sender closes the connection, the
    /// handler is cancelled and its event is released for redelivery. To keep going after a
    /// disconnect, spawn a task that makes this call.
    pub async fn handle<H, F>(self, mut handler: H) -> Outcome
    where
        H: FnMut(Event<S::Event>) -> F,
        F: Future<Output: IntoAck<S>>,
    {
        let mut progress = Progress::default();
        for event in self.events {
            let watch = Watch::start(&self.receiver, &event);
            let processed = claim::process(&self.receiver, &watch, || handler(event)).await;
            if progress.add(watch, processed).is_break() {
                break;
            }
        }
        progress.outcome()
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

/// The outcome of one event.
pub(super) enum Processed {
    Handled,
    Disabled,
    Duplicate,
    Stale,
    Retry,
    Failed(BoxError),
    Panicked,
    TimedOut,
    Held,
    StoreUnavailable(StoreError),
}

impl From<AckKind> for Processed {
    fn from(ack: AckKind) -> Self {
        match ack {
            AckKind::Done => Self::Handled,
            AckKind::Retry => Self::Retry,
            AckKind::Disable => Self::Disabled,
        }
    }
}

impl Processed {
    fn observation(&self) -> Observation<'_> {
        match self {
            Self::Handled => Observation::Handled,
            Self::Disabled => Observation::Disabled,
            Self::Duplicate => Observation::Duplicate,
            Self::Stale => Observation::Stale,
            Self::Retry => Observation::Retry,
            Self::Failed(error) => Observation::Failed(error),
            Self::Panicked => Observation::Panicked,
            Self::TimedOut => Observation::TimedOut,
            Self::Held => Observation::Held,
            Self::StoreUnavailable(error) => Observation::StoreUnavailable(error),
        }
    }

    /// The status to respond with if the delivery stops at this event.
    fn ends_with(&self) -> Option<StatusCode> {
        match self {
            Self::Handled | Self::Disabled | Self::Duplicate | Self::Stale => None,
            Self::Failed(_) | Self::Panicked | Self::TimedOut => {
                Some(StatusCode::INTERNAL_SERVER_ERROR)
            }
            Self::Retry | Self::Held | Self::StoreUnavailable(_) => {
                Some(StatusCode::SERVICE_UNAVAILABLE)
            }
        }
    }
}

/// The outcome of the events so far.
#[derive(Default)]
pub(super) struct Progress {
    disabled: bool,
    ended: Option<StatusCode>,
}

impl Progress {
    /// Reports an event, and breaks if the delivery stops there.
    pub(super) fn add<S: Source>(
        &mut self,
        watch: Watch<'_, S>,
        processed: Processed,
    ) -> ControlFlow<()> {
        watch.end(processed.observation());
        self.disabled |= matches!(processed, Processed::Disabled);
        self.ended = processed.ends_with();
        match self.ended {
            Some(_) => ControlFlow::Break(()),
            None => ControlFlow::Continue(()),
        }
    }

    pub(super) fn outcome(self) -> Outcome {
        let success = match self.disabled {
            true => StatusCode::GONE,
            false => StatusCode::NO_CONTENT,
        };
        Outcome(self.ended.unwrap_or(success))
    }
}

/// Observes the outcome of an event, even if it is dropped.
pub(super) struct Watch<'a, S: Source> {
    receiver: &'a Inner<S>,
    pub(super) key: EventKey,
    proof: Arc<Proof>,
    pub(super) begun: Instant,
    ended: bool,
}

impl<'a, S: Source> Watch<'a, S> {
    pub(super) fn start(receiver: &'a Inner<S>, event: &Event<S::Event>) -> Self {
        Self {
            receiver,
            key: event.key.clone(),
            proof: Arc::clone(&event.proof),
            begun: Instant::now(),
            ended: false,
        }
    }

    fn end(mut self, what: Observation<'_>) {
        self.ended = true;
        self.observe(what);
    }

    fn observe(&self, what: Observation<'_>) {
        self.receiver.observe(Observed {
            source: self.receiver.source.name(),
            receiver: self.receiver.name.as_deref(),
            what,
            event: Some(&self.key),
            key_name: Some(self.proof.key_name()),
            tenant: self.proof.tenant.as_deref(),
            duration: self.begun.elapsed(),
        });
    }
}

impl<S: Source> Drop for Watch<'_, S> {
    fn drop(&mut self) {
        if !self.ended {
            self.observe(Observation::Abandoned);
        }
    }
}

/// Runs a handler with a timeout, and catches panics.
pub(super) async fn guarded<F: Future>(
    limit: Duration,
    handler: impl FnOnce() -> F,
) -> Result<F::Output, Processed> {
    match tokio::time::timeout(limit, caught(handler)).await {
        Ok(result) => result,
        Err(_) => Err(Processed::TimedOut),
    }
}

/// Runs a function to its end, and catches a panic.
pub(super) async fn caught<F: Future>(run: impl FnOnce() -> F) -> Result<F::Output, Processed> {
    let mut running = pin!(async move { run().await });
    std::future::poll_fn(|context| {
        let polled = catch_unwind(AssertUnwindSafe(|| running.as_mut().poll(context)));
        polled.map_or(Poll::Ready(Err(Processed::Panicked)), |polled| {
            polled.map(Ok)
        })
    })
    .await
}
