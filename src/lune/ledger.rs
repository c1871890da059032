use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lru::LruCache;

use super::{EventKey, Sequence};

/// Remembers which events were handled.
///
/// [`BatchProcessor`](super::BatchProcessor) asks [`seen`](Self::seen) before it runs the handler and calls
/// [`commit`](Self::commit) after the handler has succeeded. [`MemoryLedger`] is the one at hand; a ledger
/// in a database keeps its knowledge over a restart, and can join the handler's own transaction.
///
/// A ledger that several processes share doesn't serialize them: two that hold the same event at the same
/// time may both run the handler.
pub trait Ledger: Send + Sync {
    /// Why the ledger couldn't answer.
    type Error;

    /// Whether the event was committed before, or is passed over by the ledger's rule.
    ///
    /// # Errors
    ///
    /// If the ledger can't tell; the batch stops there and isn't acknowledged.
    fn seen(&self, event: &EventKey) -> impl Future<Output = Result<bool, Self::Error>> + Send;

    /// Notes that the event was handled.
    ///
    /// # Errors
    ///
    /// If the note may be lost; the batch stops there and isn't acknowledged.
    fn commit(&self, event: &EventKey) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

impl<L: Ledger> Ledger for &L {
    type Error = L::Error;

    fn seen(&self, event: &EventKey) -> impl Future<Output = Result<bool, Self::Error>> + Send {
        L::seen(self, event)
    }

    fn commit(&self, event: &EventKey) -> impl Future<Output = Result<(), Self::Error>> + Send {
        L::commit(self, event)
    }
}

impl<L: Ledger> Ledger for Arc<L> {
    type Error = L::Error;

    fn seen(&self, event: &EventKey) -> impl Future<Output = Result<bool, Self::Error>> + Send {
        L::seen(self, event)
    }

    fn commit(&self, event: &EventKey) -> impl Future<Output = Result<(), Self::Error>> + Send {
        L::commit(self, event)
    }
}

/// By what an event counts as seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SkipRule {
    /// Only by its `event_id`.
    ///
    /// The safe choice should the form of Lune's sequences change.
    EventId,
    /// By its `event_id`, or by a `sequence` not above the last one committed of its account.
    ///
    /// Lune names both ways. The sequence catches what was forgotten by its identifier, but passes over any
    /// event that sorts below the last: also one that was never handled, should Lune change the form of
    /// its sequences (see [`Sequence`]). An event without `account_id` is known by its `event_id` alone.
    #[default]
    EventIdOrSequence,
}

/// A bounded [`Ledger`] in memory; a restart forgets all.
///
/// ```
/// use std::num::NonZeroUsize;
/// use webhook_sdk::lune::{MemoryLedger, SkipRule};
///
/// let ledger = MemoryLedger::default().rule(SkipRule::EventId).max_event_ids(NonZeroUsize::new(1_000).unwrap());
/// # let _ = ledger;
/// ```
///
/// It keeps the identifiers used last and the last sequence of the accounts used last. What falls out at
/// the bounds is handled again if Lune sends it again. Both bounds are 10,000 by default: Lune doesn't
/// publish the size of a batch, and a batch with more events than the bound can be handled again whole.
pub struct MemoryLedger {
    rule: SkipRule,
    memory: Mutex<Memory>,
}

impl MemoryLedger {
    /// By what an event counts as seen; by default [`SkipRule::EventIdOrSequence`].
    #[must_use]
    pub fn rule(mut self, rule: SkipRule) -> Self {
        self.rule = rule;
        self
    }

    /// How many identifiers to remember.
    #[must_use]
    pub fn max_event_ids(self, bound: NonZeroUsize) -> Self {
        self.lock().event_ids.resize(bound);
        self
    }

    /// Of how many accounts to remember the last sequence.
    #[must_use]
    pub fn max_accounts(self, bound: NonZeroUsize) -> Self {
        self.lock().sequences.resize(bound);
        self
    }

    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemoryLedger {
    fn default() -> Self {
        let memory = Memory {
            event_ids: LruCache::new(DEFAULT_BOUND),
            sequences: LruCache::new(DEFAULT_BOUND),
        };
        Self {
            rule: SkipRule::default(),
            memory: Mutex::new(memory),
        }
    }
}

impl fmt::Debug for MemoryLedger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let memory = self.lock();
        f.debug_struct("MemoryLedger")
            .field("rule", &self.rule)
            .field("event_ids", &memory.event_ids.len())
            .field("accounts", &memory.sequences.len())
            .finish()
    }
}

impl Ledger for MemoryLedger {
    type Error = Infallible;

    async fn seen(&self, event: &EventKey) -> Result<bool, Infallible> {
        let mut memory = self.lock();
        let by_id = event
            .event_id()
            .is_some_and(|id| memory.event_ids.get(id).is_some());
        Ok(by_id || (self.rule == SkipRule::EventIdOrSequence && memory.is_passed(event)))
    }

    async fn commit(&self, event: &EventKey) -> Result<(), Infallible> {
        let mut memory = self.lock();
        if let Some(id) = event.event_id() {
            memory.event_ids.put(id.to_owned(), ());
        }
        if let (Some(account), Some(sequence)) = (event.account_id(), event.sequence())
            && !memory.is_passed(event)
        {
            memory.sequences.put(account.to_owned(), sequence.clone());
        }
        Ok(())
    }
}

const DEFAULT_BOUND: NonZeroUsize = match NonZeroUsize::new(10_000) {
    Some(bound) => bound,
    None => NonZeroUsize::MIN,
};

struct Memory {
    event_ids: LruCache<String, ()>,
    sequences: LruCache<String, Sequence>,
}

impl Memory {
    /// Lune orders the events of an account, so without one a sequence says nothing.
    fn is_passed(&mut self, event: &EventKey) -> bool {
        let (Some(account), Some(sequence)) = (event.account_id(), event.sequence()) else {
            return false;
        };
        let last = self.sequences.get(account);
        last.is_some_and(|last| sequence <= last)
    }
}
