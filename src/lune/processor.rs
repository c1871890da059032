use std::future::Future;

use http::StatusCode;
use thiserror::Error;
use tokio::sync::Mutex;

use super::{Batch, Event, EventKey, Ledger, MemoryLedger};

/// Runs a handler over deliveries the way Lune promises them.
///
/// ```
/// use webhook_sdk::lune::{Batch, BatchProcessor, EventData};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), webhook_sdk::lune::BatchError> {
/// let body = br#"{"events": [
///     {"event_id": "ev1", "event_type": "order.paid", "sequence": "1", "data": {"order": {"id": "or1"}}},
///     {"event_id": "ev2", "event_type": "order.paid", "sequence": "2", "data": {"order": {"id": "or2"}}}
/// ]}"#;
/// let processor = BatchProcessor::default();
///
/// let outcome = processor
///     .process(Batch::decode(body)?, |event| async move {
///         match event.data() {
///             EventData::Order(order) if order.id == "or2" => Err("the database is away"),
///             _ => Ok(()),
///         }
///     })
///     .await;
/// assert!(!outcome.acknowledge());
/// assert_eq!(outcome.handled(), 1);
///
/// let redelivered = processor.process(Batch::decode(body)?, |_| async { Ok::<(), &str>(()) }).await;
/// assert!(redelivered.acknowledge());
/// assert_eq!((redelivered.skipped(), redelivered.handled()), (1, 1));
/// # Ok(())
/// # }
/// ```
///
/// # What Lune promises, and what follows
///
/// Events come in order per account, at least once, in batches; any 2xx within 30 seconds acknowledges the
/// whole batch, anything else has the whole batch sent again until it is acknowledged, and nothing later
/// of these accounts comes before. So [`process`](Self::process)
///
/// - goes through the batch in order, one event at a time, and passes over what its [`Ledger`] has seen;
/// - commits an event only after its handler has succeeded. A crash, a dropped future or a failed commit
///   in between means that the redelivered event runs the handler **again**: handlers must bear that;
/// - stops at the first failure. Nothing after it in the batch is handled, of any account, and the answer
///   must not be 2xx. What was committed before is passed over when the batch comes again.
///
/// # An event that can never be handled
///
/// As long as its handler fails, such an event holds up everything behind it, since Lune has no other way
/// to go on. To pass over it on purpose, put it aside ([`Event::raw`] has all of it) and return `Ok`. Events
/// of an unknown type and events that can't be decoded reach the handler like any other: returning `Ok` for
/// [`EventData::Unknown`](super::EventData::Unknown) is what Lune asks for, for
/// [`EventData::Undecodable`](super::EventData::Undecodable) it is a decision.
///
/// # One batch at a time
///
/// A processor runs one batch at a time; another call waits for its turn. Lune sends one request at a time
/// to an endpoint, yet a request that timed out at Lune's side may still be running here when its events
/// come again: these then wait and find everything seen. Keep the handler within the 30 seconds in any case.
#[derive(Debug)]
pub struct BatchProcessor<L = MemoryLedger> {
    ledger: L,
    turn: Mutex<()>,
}

impl<L: Ledger> BatchProcessor<L> {
    /// A processor that remembers in `ledger`.
    #[must_use]
    pub fn new(ledger: L) -> Self {
        Self {
            ledger,
            turn: Mutex::new(()),
        }
    }

    /// The ledger.
    #[must_use]
    pub fn ledger(&self) -> &L {
        &self.ledger
    }

    /// Handles the batch's events in order, up to the first failure.
    ///
    /// Dropping the future, as a server does when the connection closes, stops at the event being handled,
    /// which stays uncommitted.
    pub async fn process<H, F, E>(&self, batch: Batch, mut handler: H) -> Outcome<E, L::Error>
    where
        H: FnMut(Event) -> F,
        F: Future<Output = Result<(), E>>,
    {
        let _turn = self.turn.lock().await;
        let mut outcome = Outcome {
            handled: 0,
            skipped: 0,
            stopped: None,
        };
        for (position, event) in batch.into_iter().enumerate() {
            let key = event.key().clone();
            match self.process_one(event, &key, &mut handler).await {
                Ok(true) => outcome.handled += 1,
                Ok(false) => outcome.skipped += 1,
                Err(cause) => {
                    outcome.stopped = Some(Stopped {
                        position,
                        event: key,
                        cause,
                    });
                    break;
                }
            }
        }
        outcome
    }

    async fn process_one<H, F, E>(
        &self,
        event: Event,
        key: &EventKey,
        handler: &mut H,
    ) -> Result<bool, StopCause<E, L::Error>>
    where
        H: FnMut(Event) -> F,
        F: Future<Output = Result<(), E>>,
    {
        if self.ledger.seen(key).await.map_err(StopCause::Lookup)? {
            return Ok(false);
        }
        handler(event).await.map_err(StopCause::Handler)?;
        self.ledger.commit(key).await.map_err(StopCause::Commit)?;
        Ok(true)
    }
}

impl Default for BatchProcessor {
    fn default() -> Self {
        Self::new(MemoryLedger::default())
    }
}

/// How far a batch came, and whether to acknowledge it.
///
/// `E` is the handler's error, `S` the ledger's.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "an unacknowledged batch must not be answered with a 2xx"]
pub struct Outcome<E, S> {
    handled: usize,
    skipped: usize,
    stopped: Option<Stopped<E, S>>,
}

impl<E, S> Outcome<E, S> {
    /// Whether to answer with a 2xx: every event was handled or passed over.
    #[must_use]
    pub fn acknowledge(&self) -> bool {
        self.stopped.is_none()
    }

    /// The answer for Lune: 204 to acknowledge, otherwise 500.
    ///
    /// Lune tells only 2xx from all else and ignores headers and body.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        if self.acknowledge() {
            StatusCode::NO_CONTENT
        } else {
            StatusCode::INTERNAL_SERVER_ERROR
        }
    }

    /// How many events were handled and committed.
    #[must_use]
    pub fn handled(&self) -> usize {
        self.handled
    }

    /// How many events were passed over as seen.
    #[must_use]
    pub fn skipped(&self) -> usize {
        self.skipped
    }

    /// What stopped the batch.
    #[must_use]
    pub fn stopped(&self) -> Option<&Stopped<E, S>> {
        self.stopped.as_ref()
    }

    /// The outcome as a `Result`: an error is what stopped the batch.
    ///
    /// # Errors
    ///
    /// If the batch is not to be acknowledged.
    pub fn into_result(self) -> Result<(), Stopped<E, S>> {
        self.stopped.map_or(Ok(()), Err)
    }
}

/// The event at which a batch stopped, and why.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the batch stopped at position {position}")]
pub struct Stopped<E, S> {
    position: usize,
    event: EventKey,
    #[source]
    cause: StopCause<E, S>,
}

impl<E, S> Stopped<E, S> {
    /// The event's position in the batch, counted from 0.
    #[must_use]
    pub fn position(&self) -> usize {
        self.position
    }

    /// The event's identifiers.
    #[must_use]
    pub fn event(&self) -> &EventKey {
        &self.event
    }

    /// Why it stopped.
    #[must_use]
    pub fn cause(&self) -> &StopCause<E, S> {
        &self.cause
    }

    /// Takes out why it stopped.
    #[must_use]
    pub fn into_cause(self) -> StopCause<E, S> {
        self.cause
    }
}

/// Which step failed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum StopCause<E, S> {
    /// The handler failed; the event is not committed.
    #[error("the handler failed")]
    Handler(#[source] E),
    /// The ledger couldn't say whether the event was seen; the handler hasn't run.
    #[error("the ledger couldn't tell whether the event was seen")]
    Lookup(#[source] S),
    /// The handler succeeded, but the ledger couldn't note it: the event will be handled again.
    #[error("the ledger couldn't note the handled event")]
    Commit(#[source] S),
}
