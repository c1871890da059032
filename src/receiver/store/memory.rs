use std::fmt;
use std::num::NonZeroUsize;
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
/// An event with an id of 36 bytes takes about 180 bytes, as measured with 100,000 events.
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
    capacity: NonZeroUsize,
}

struct Memory {
    events: LruCache<EventKey, Entry<State>>,
    /// The last sequence of each stream.
    streams: LruCache<String, Entry<Box<str>>>,
}

impl MemoryStore {
    /// Creates a store for up to this many events and as many streams.
    ///
    /// A full store evicts the least recently used events, but none that is being handled. An
    /// evicted event is new when it is redelivered. All tenants share the capacity.
    pub fn with_capacity(events: NonZeroUsize) -> Self {
        Self {
            memory: Arc::new(Mutex::new(Memory {
                events: LruCache::unbounded(),
                streams: LruCache::unbounded(),
            })),
            capacity: events,
        }
    }

    /// No code that holds the lock can leave the state inconsistent, even if it panics.
    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory {
    fn is_stale(&mut self, key: &EventKey, now: Instant) -> bool {
        key.position().is_some_and(|position| {
            let last = self.streams.get(position.stream());
            let sequence = last.and_then(|last| last.current(now));
            sequence.is_some_and(|sequence| *position.sequence() < **sequence)
        })
    }
}

impl Default for MemoryStore {
    /// A store for 100,000 events.
    fn default() -> Self {
        Self::with_capacity(DEFAULT_CAPACITY)
    }
}

impl DedupStore for MemoryStore {
    async fn claim(
        &self,
        key: &EventKey,
        token: ClaimToken,
        lease: Duration,
    ) -> Result<Claim, StoreError> {
        let now = Instant::now();
        let mut memory = self.memory();
        evict_expired(&mut memory.events, now);
        let known = memory.events.get(key);
        match known.and_then(|entry| entry.current(now).copied()) {
            Some(State::Held(holder)) if holder != token => Ok(Claim::Held),
            Some(State::Committed(_)) => Ok(Claim::Committed),
            _ if memory.is_stale(key, now) => Ok(Claim::Stale),
            _ => {
                let held = Entry::new(State::Held(token), now, lease);
                memory.events.put(key.clone(), held);
                evict_excess(&mut memory.events, self.capacity, now);
                Ok(Claim::Granted)
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
        let mut memory = self.memory();
        let committed = Entry::new(State::Committed(token), now, remember);
        match memory.events.get_mut(key) {
            Some(entry) => match entry.current(now) {
                Some(State::Committed(holder)) if *holder == token => return Ok(()),
                Some(State::Committed(_)) => return Err(StoreError::ClaimLost),
                Some(State::Held(holder)) if *holder != token => return Err(StoreError::ClaimLost),
                Some(State::Held(_)) | None => *entry = committed,
            },
            None => {
                memory.events.put(key.clone(), committed);
                evict_excess(&mut memory.events, self.capacity, now);
            }
        }
        if let Some(position) = key.position()
            && !memory.is_stale(key, now)
        {
            let last = Entry::new(position.sequence().into(), now, remember);
            let stream = position.stream().to_owned();
            memory.streams.put(stream, last);
            if memory.streams.len() > self.capacity.get() {
                memory.streams.pop_lru();
            }
        }
        Ok(())
    }

    async fn release(&self, key: &EventKey, token: ClaimToken) -> Result<(), StoreError> {
        let events = &mut self.memory().events;
        if events
            .peek(key)
            .is_some_and(|entry| entry.value == State::Held(token))
        {
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

#[derive(Clone, Copy, PartialEq)]
enum State {
    Held(ClaimToken),
    Committed(ClaimToken),
}

/// A value that is remembered for a time.
struct Entry<T> {
    value: T,
    /// `None` is beyond the clock's range.
    end: Option<Instant>,
}

impl<T> Entry<T> {
    fn new(value: T, now: Instant, lifetime: Duration) -> Self {
        let end = now.checked_add(lifetime);
        Self { value, end }
    }

    fn current(&self, now: Instant) -> Option<&T> {
        self.end.is_none_or(|end| now < end).then_some(&self.value)
    }
}

/// Evicts what exceeds the capacity. Events that are being handled are kept, as the most recent: up
/// to 16 at once, so that no claim waits for a long scan. The others make the store exceed it.
fn evict_excess(
    events: &mut LruCache<EventKey, Entry<State>>,
    capacity: NonZeroUsize,
    now: Instant,
) {
    for _ in 0..16 {
        if events.len() <= capacity.get() {
            return;
        }
        if let Some((key, entry)) = events.pop_lru()
            && matches!(entry.current(now), Some(State::Held(_)))
        {
            events.put(key, entry);
        }
    }
}

const DEFAULT_CAPACITY: NonZeroUsize = NonZeroUsize::MIN.saturating_add(99_999);

/// Two per new event, so that the store shrinks faster than it grows and no claim waits for a long
/// scan.
fn evict_expired(events: &mut LruCache<EventKey, Entry<State>>, now: Instant) {
    for _ in 0..2 {
        match events.peek_lru() {
            Some((_, entry)) if entry.current(now).is_none() => events.pop_lru(),
            _ => return,
        };
    }
}
