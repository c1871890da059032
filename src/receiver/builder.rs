use std::fmt;
use std::time::Duration;

use super::{DedupStore, MemoryStore, Provider, Receiver};

/// Sets up a [`Receiver`].
#[derive(Clone)]
#[must_use]
pub struct ReceiverBuilder<P, S = MemoryStore> {
    pub(super) provider: P,
    pub(super) store: S,
    pub(super) limits: Limits,
}

/// The bounds of a receiver.
#[derive(Clone, Debug)]
pub(super) struct Limits {
    pub(super) max_body_bytes: usize,
    pub(super) max_buffered_bytes: usize,
    pub(super) body_timeout: Duration,
    pub(super) lease: Duration,
    pub(super) remember: Duration,
}

impl<P: Provider> ReceiverBuilder<P> {
    pub(super) fn new(provider: P) -> Self {
        let limits = Limits {
            max_body_bytes: 1024 * 1024,
            max_buffered_bytes: 64 * 1024 * 1024,
            body_timeout: Duration::from_secs(10),
            lease: Duration::from_secs(60),
            remember: Duration::from_secs(4 * 24 * 60 * 60),
        };
        Self {
            provider,
            store: MemoryStore::default(),
            limits,
        }
    }
}

impl<P: Provider, S: DedupStore> ReceiverBuilder<P, S> {
    /// Remembers events in this store; in the memory of the process by default.
    pub fn store<T: DedupStore>(self, store: T) -> ReceiverBuilder<P, T> {
        ReceiverBuilder {
            provider: self.provider,
            store,
            limits: self.limits,
        }
    }

    /// The longest body that is read, in bytes; 1 MiB by default.
    pub fn max_body_bytes(mut self, bytes: usize) -> Self {
        self.limits.max_body_bytes = bytes;
        self
    }

    /// What all bodies under way may take together, in bytes; 64 MiB by default.
    ///
    /// A body takes its room as it arrives and gives it back once it is decoded or refused. A
    /// delivery that finds no room is answered with 503, and the sender comes again. The buffers of
    /// the HTTP server come on top, for each connection: let the server limit those. A body that
    /// is longer than all the room is answered with 503 for ever, so keep this above
    /// [`max_body_bytes`](Self::max_body_bytes). Whoever holds all the room with bodies that don't end
    /// keeps others out for as long as a body may take: a proxy in front can tell them apart.
    pub fn max_buffered_bytes(mut self, bytes: usize) -> Self {
        self.limits.max_buffered_bytes = bytes;
        self
    }

    /// How long a body may take to arrive; 10 s by default.
    pub fn body_timeout(mut self, timeout: Duration) -> Self {
        self.limits.body_timeout = timeout;
        self
    }

    /// How long a handler may take for one event, and how long the claim of one that died lasts;
    /// 60 s by default.
    ///
    /// Lune waits 30 s for the answer to a batch, pretix 30 s, Preo as long as the endpoint's
    /// `timeout_seconds` says. The time that the store takes to grant the claim counts.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.limits.lease = lease;
        self
    }

    /// How long a handled event is remembered; 4 days by default.
    ///
    /// Longer than pretix retries, which is up to three days. How long Preo and Lune do is
    /// unpublished. A store with a bound, as the one in memory, can forget sooner, and after that a
    /// delivery is handled again: where a signature has no date, as Preo's, so is one that somebody
    /// has captured and sends once more.
    pub fn remember(mut self, time: Duration) -> Self {
        self.limits.remember = time;
        self
    }

    /// Makes the receiver.
    pub fn build(self) -> Receiver<P, S> {
        Receiver::of(self)
    }
}

impl<P, S> fmt::Debug for ReceiverBuilder<P, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceiverBuilder")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
