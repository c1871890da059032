use std::fmt;
use std::time::Duration;

use moka::Expiry;
use moka::ops::compute::Op;
use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use tokio::time::Instant;

use super::{Claim, ClaimToken, DedupStore, EventKey, StoreError};

/// Remembers events in the memory of one process, up to a number.
///
/// A clone is a handle to the same events. Time is tokio's: a test that stops it, stops the leases.
///
/// What it held is lost with the process: the events that are redelivered then are handled again. A
/// fleet, or a service that must not repeat itself after a restart, needs a shared store.
///
/// ```
/// use webhook_sdk::receiver::MemoryStore;
///
/// let store = MemoryStore::with_capacity(1_000_000);
/// assert_eq!(format!("{store:?}"), "MemoryStore { events: 0 }");
/// ```
#[derive(Clone)]
pub struct MemoryStore {
    entries: Cache<EventKey, Entry>,
}

impl MemoryStore {
    /// A store for at most this many events; past it, the ones unused for longest are
    /// forgotten, claims too.
    pub fn with_capacity(events: u64) -> Self {
        let entries = Cache::builder()
            .max_capacity(events)
            .eviction_policy(EvictionPolicy::lru())
            .expire_after(OwnTime)
            .build();
        Self { entries }
    }

    /// Changes what is known of an event, in one atomic step.
    fn change(&self, key: &EventKey, change: impl FnOnce(Option<State>) -> Op<Entry>) {
        self.entries
            .entry_by_ref(key)
            .and_compute_with(|entry| change(entry.and_then(|entry| entry.value().state())));
    }
}

impl Default for MemoryStore {
    /// A store for 100,000 events.
    fn default() -> Self {
        Self::with_capacity(100_000)
    }
}

impl DedupStore for MemoryStore {
    async fn claim(&self, key: &EventKey, lease: Duration) -> Result<Claim, StoreError> {
        let token = ClaimToken::new();
        let held = Entry::new(State::Held(token), lease);
        let mut claim = Claim::Granted(token);
        self.change(key, |state| match state {
            None => Op::Put(held),
            Some(State::Held(_)) => {
                claim = Claim::Held;
                Op::Nop
            }
            Some(State::Committed(_)) => {
                claim = Claim::Committed;
                Op::Nop
            }
        });
        Ok(claim)
    }

    async fn commit(
        &self,
        key: &EventKey,
        token: ClaimToken,
        remember: Duration,
    ) -> Result<(), StoreError> {
        let committed = Entry::new(State::Committed(token), remember);
        let mut outcome = Ok(());
        self.change(key, |state| match state {
            None => Op::Put(committed),
            Some(State::Held(holder)) if holder == token => Op::Put(committed),
            Some(State::Committed(holder)) if holder == token => Op::Nop,
            Some(_) => {
                outcome = Err(StoreError::ClaimLost);
                Op::Nop
            }
        });
        outcome
    }

    async fn release(&self, key: &EventKey, token: ClaimToken) -> Result<(), StoreError> {
        self.change(key, |state| match state {
            Some(State::Held(holder)) if holder == token => Op::Remove,
            _ => Op::Nop,
        });
        Ok(())
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore")
            .field("events", &self.entries.entry_count())
            .finish()
    }
}

#[derive(Clone, Copy)]
struct Entry {
    state: State,
    since: Instant,
    lifetime: Duration,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Held(ClaimToken),
    Committed(ClaimToken),
}

impl Entry {
    fn new(state: State, lifetime: Duration) -> Self {
        Self {
            state,
            since: Instant::now(),
            lifetime,
        }
    }

    fn state(self) -> Option<State> {
        (self.since.elapsed() < self.lifetime).then_some(self.state)
    }
}

/// Frees what has ended; whether it has is judged by tokio's clock, which a test can stop.
struct OwnTime;

impl Expiry<EventKey, Entry> for OwnTime {
    fn expire_after_create(
        &self,
        _: &EventKey,
        entry: &Entry,
        _: std::time::Instant,
    ) -> Option<Duration> {
        Some(entry.lifetime)
    }

    fn expire_after_update(
        &self,
        _: &EventKey,
        entry: &Entry,
        _: std::time::Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(entry.lifetime)
    }
}
