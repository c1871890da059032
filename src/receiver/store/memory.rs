use std::fmt;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lru::LruCache;
use tokio::time::Instant;

use super::{Claim, ClaimToken, DedupStore, StoreError};
use crate::receiver::EventKey;

/// A bounded, in-memory store for one process.
///
/// Clones share the same events. It uses tokio's clock, so `tokio::time::pause` also pauses leases.
///
/// Its events are lost when the process ends, so later redeliveries are handled again. Several
/// processes, or a service that must not handle events again after a restart, need a shared store.
///
/// ```
/// use std::num::NonZeroUsize;
/// use webhook_sdk::receiver::MemoryStore;
///
/// const EVENTS: NonZeroUsize = NonZeroUsize::new(1_000_000).unwrap();
/// let store = MemoryStore::with_capacity(EVENTS);
/// assert_eq!(format!("{store:?}"), "MemoryStore { events: 0 }");
/// ```
#[derive(Clone)]
pub struct MemoryStore {
    memory: Arc<Mutex<Memory>>,
    claims: Arc<AtomicU64>,
    capacity: NonZeroUsize,
}

struct Memory {
    events: LruCache<EventKey, Entry>,
    /// The last sequence of each stream.
    streams: LruCache<String, Last>,
}

impl MemoryStore {
    /// Creates a store for up to this many events and as many streams.
    ///
    /// A full store evicts the least recently used events, even claimed ones. A second handler can
    /// then run for the same event.
    pub fn with_capacity(events: NonZeroUsize) -> Self {
        Self {
            memory: Arc::new(Mutex::new(Memory {
                events: LruCache::unbounded(),
                streams: LruCache::unbounded(),
            })),
            claims: Arc::default(),
            capacity: events,
        }
    }

    /// No code that holds the lock can leave the state inconsistent, even if it panics.
    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory {
    fn put(&mut self, key: &EventKey, entry: Entry, capacity: NonZeroUsize) {
        self.events.put(key.clone(), entry);
        if self.events.len() > capacity.get() {
            self.events.pop_lru();
        }
    }

    fn is_stale(&mut self, key: &EventKey, now: Instant) -> bool {
        key.position().is_some_and(|position| {
            let last = self.streams.get(position.stream());
            last.is_some_and(|last| {
                is_current(last.since, last.lifetime, now) && *position.sequence() < *last.sequence
            })
        })
    }

    fn advance(
        &mut self,
        key: &EventKey,
        now: Instant,
        lifetime: Duration,
        capacity: NonZeroUsize,
    ) {
        let Some(position) = key.position() else {
            return;
        };
        if self.is_stale(key, now) {
            return;
        }
        let last = Last {
            sequence: position.sequence().into(),
            since: now,
            lifetime,
        };
        self.streams.put(position.stream().to_owned(), last);
        if self.streams.len() > capacity.get() {
            self.streams.pop_lru();
        }
    }
}

impl Default for MemoryStore {
    /// A store for 100,000 events.
    fn default() -> Self {
        Self::with_capacity(DEFAULT_CAPACITY)
    }
}

impl DedupStore for MemoryStore {
    async fn claim(&self, key: &EventKey, lease: Duration) -> Result<Claim, StoreError> {
        let now = Instant::now();
        let mut memory = self.memory();
        free_ended(&mut memory.events, now);
        match memory.events.get(key).and_then(|entry| entry.state(now)) {
            Some(State::Held(_)) => Ok(Claim::Held),
            Some(State::Committed(_)) => Ok(Claim::Committed),
            None if memory.is_stale(key, now) => Ok(Claim::Stale),
            None => {
                let token = ClaimToken::numbered(self.claims.fetch_add(1, Ordering::Relaxed));
                let held = Entry::new(State::Held(token), now, lease);
                memory.put(key, held, self.capacity);
                Ok(Claim::Granted(token))
            }
        }
    }

    async fn commit(
        &self,
        key: &EventKey,
        token: ClaimToken,
        remember: Duration,
    ) -> Result<(), StoreError> {
        let now = Instant::now();
        let committed = Entry::new(State::Committed(token), now, remember);
        let mut memory = self.memory();
        let known = memory.events.get(key).and_then(|entry| entry.state(now));
        match known {
            Some(State::Committed(holder)) if holder == token => Ok(()),
            Some(State::Held(holder)) if holder != token => Err(StoreError::ClaimLost),
            Some(State::Committed(_)) => Err(StoreError::ClaimLost),
            Some(State::Held(_)) | None => {
                memory.put(key, committed, self.capacity);
                memory.advance(key, now, remember, self.capacity);
                Ok(())
            }
        }
    }

    async fn release(&self, key: &EventKey, token: ClaimToken) -> Result<(), StoreError> {
        let events = &mut self.memory().events;
        let held = |entry: &Entry| entry.state == State::Held(token);
        if events.peek(key).is_some_and(held) {
            events.pop(key);
        }
        Ok(())
    }

    fn is_shared(&self) -> bool {
        false
    }

    fn supports_positions(&self) -> bool {
        true
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore")
            .field("events", &self.memory().events.len())
            .finish()
    }
}

#[derive(Clone, Copy)]
struct Entry {
    state: State,
    since: Instant,
    lifetime: Duration,
}

struct Last {
    sequence: Box<str>,
    since: Instant,
    lifetime: Duration,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Held(ClaimToken),
    Committed(ClaimToken),
}

impl Entry {
    fn new(state: State, since: Instant, lifetime: Duration) -> Self {
        Self {
            state,
            since,
            lifetime,
        }
    }

    fn state(&self, now: Instant) -> Option<State> {
        is_current(self.since, self.lifetime, now).then_some(self.state)
    }
}

fn is_current(since: Instant, lifetime: Duration, now: Instant) -> bool {
    now.saturating_duration_since(since) < lifetime
}

const DEFAULT_CAPACITY: NonZeroUsize = NonZeroUsize::MIN.saturating_add(99_999);

/// Two per new event, so that the store shrinks faster than it grows and no claim waits for a long
/// scan.
fn free_ended(events: &mut LruCache<EventKey, Entry>, now: Instant) {
    for _ in 0..2 {
        match events.peek_lru() {
            Some((_, entry)) if entry.state(now).is_none() => events.pop_lru(),
            _ => return,
        };
    }
}
