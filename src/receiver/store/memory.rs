use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lru::LruCache;
use tokio::time::Instant;

use super::{Claim, ClaimToken, DedupStore, StoreError};
use crate::receiver::EventKey;

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
    events: Arc<Mutex<LruCache<EventKey, Entry>>>,
    claims: Arc<AtomicU64>,
    capacity: usize,
}

impl MemoryStore {
    /// A store for at most this many events, of about 200 bytes each; past it, the ones unused for
    /// longest are forgotten, claims too.
    pub fn with_capacity(events: usize) -> Self {
        Self {
            events: Arc::new(Mutex::new(LruCache::unbounded())),
            claims: Arc::default(),
            capacity: events,
        }
    }

    /// No code between lock and unlock can leave the events in disorder, even if it panicked.
    fn events(&self) -> MutexGuard<'_, LruCache<EventKey, Entry>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, events: &mut LruCache<EventKey, Entry>, key: &EventKey, entry: Entry) {
        events.put(key.clone(), entry);
        if events.len() > self.capacity {
            events.pop_lru();
        }
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
        let now = Instant::now();
        let mut events = self.events();
        free_ended(&mut events, now);
        match events.get(key).and_then(|entry| entry.state(now)) {
            Some(State::Held(_)) => Ok(Claim::Held),
            Some(State::Committed(_)) => Ok(Claim::Committed),
            None => {
                let token = ClaimToken::numbered(self.claims.fetch_add(1, Ordering::Relaxed));
                let held = Entry::new(State::Held(token), now, lease);
                self.put(&mut events, key, held);
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
        let mut events = self.events();
        let known = events.get(key).and_then(|entry| entry.state(now));
        match known {
            Some(State::Committed(holder)) if holder == token => Ok(()),
            Some(State::Held(holder)) if holder != token => Err(StoreError::ClaimLost),
            Some(State::Committed(_)) => Err(StoreError::ClaimLost),
            Some(State::Held(_)) | None => {
                self.put(&mut events, key, committed);
                Ok(())
            }
        }
    }

    async fn release(&self, key: &EventKey, token: ClaimToken) -> Result<(), StoreError> {
        let mut events = self.events();
        let held = |entry: &Entry| entry.state == State::Held(token);
        if events.peek(key).is_some_and(held) {
            events.pop(key);
        }
        Ok(())
    }

    fn is_shared(&self) -> bool {
        false
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore")
            .field("events", &self.events().len())
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
    fn new(state: State, since: Instant, lifetime: Duration) -> Self {
        Self {
            state,
            since,
            lifetime,
        }
    }

    fn state(&self, now: Instant) -> Option<State> {
        let age = now.saturating_duration_since(self.since);
        (age < self.lifetime).then_some(self.state)
    }
}

/// Two for each new event, so that more is freed than comes, and no claim waits for a long round.
fn free_ended(events: &mut LruCache<EventKey, Entry>, now: Instant) {
    for _ in 0..2 {
        match events.peek_lru() {
            Some((_, entry)) if entry.state(now).is_none() => events.pop_lru(),
            _ => return,
        };
    }
}
