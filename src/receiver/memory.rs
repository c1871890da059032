use std::fmt;
use std::time::{Duration, Instant};

use moka::Expiry;
use moka::ops::compute::Op;
use moka::policy::EvictionPolicy;
use moka::sync::Cache;

use super::{Claim, ClaimToken, DedupStore, EventKey, StoreError};

/// Remembers events in the memory of one process, up to a number.
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
    /// A store for at most this many events; past it, the ones unused for longest are forgotten.
    pub fn with_capacity(events: u64) -> Self {
        let entries = Cache::builder()
            .max_capacity(events)
            .eviction_policy(EvictionPolicy::lru())
            .expire_after(OwnTime)
            .build();
        Self { entries }
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
        let entry = self.entries.entry_by_ref(key).or_insert_with(|| Entry {
            state: State::Held(token),
            lifetime: lease,
        });
        Ok(match entry.value().state {
            State::Held(holder) if holder == token => Claim::Granted(token),
            State::Held(_) => Claim::Held,
            State::Committed => Claim::Committed,
        })
    }

    async fn commit(
        &self,
        key: &EventKey,
        token: ClaimToken,
        remember: Duration,
    ) -> Result<(), StoreError> {
        let committed = Entry {
            state: State::Committed,
            lifetime: remember,
        };
        let mut held = true;
        self.entries.entry_by_ref(key).and_compute_with(|entry| {
            held = entry.is_none_or(|entry| entry.value().state == State::Held(token));
            if held { Op::Put(committed) } else { Op::Nop }
        });
        if held {
            Ok(())
        } else {
            Err(StoreError::ClaimLost)
        }
    }

    async fn release(&self, key: &EventKey, token: ClaimToken) -> Result<(), StoreError> {
        self.entries
            .entry_by_ref(key)
            .and_compute_with(|entry| match entry {
                Some(entry) if entry.value().state == State::Held(token) => Op::Remove,
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
    lifetime: Duration,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Held(ClaimToken),
    Committed,
}

/// Each entry names how long it lives, from when it was written.
struct OwnTime;

impl Expiry<EventKey, Entry> for OwnTime {
    fn expire_after_create(&self, _: &EventKey, entry: &Entry, _: Instant) -> Option<Duration> {
        Some(entry.lifetime)
    }

    fn expire_after_update(
        &self,
        _: &EventKey,
        entry: &Entry,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(entry.lifetime)
    }
}
