use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::observer::{Observed, Observer};
use super::receive::Inner;
use super::store::AnyStore;
use super::{DedupStore, MemoryStore, Receiver, Source};

/// Sets up a [`Receiver`].
#[must_use]
pub struct ReceiverBuilder<S> {
    source: S,
    name: Option<String>,
    store: AnyStore,
    observer: Option<Observer>,
    limits: Limits,
    max_buffered_bytes: Option<usize>,
}

/// The bounds of a receiver.
#[derive(Clone, Debug)]
pub(super) struct Limits {
    pub(super) max_body_bytes: usize,
    pub(super) body_timeout: Duration,
    pub(super) lease: Duration,
    pub(super) remember: Duration,
}

/// Why a [`Receiver`] can't be built.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A limit or a duration is zero, which would refuse or forget everything.
    #[error("{0} is zero; leave it out for the default")]
    Zero(&'static str),
    /// A body that is within its limit wouldn't fit the room for all bodies.
    #[error(
        "max_body_bytes ({max_body_bytes}) is above max_buffered_bytes ({max_buffered_bytes}), so \
         the longest bodies could never be received; lower the one or raise the other"
    )]
    BodyAboveBuffer {
        /// The limit on one body.
        max_body_bytes: usize,
        /// The limit on all bodies.
        max_buffered_bytes: usize,
    },
    /// The name is empty.
    #[error("the receiver's name is empty")]
    EmptyName,
    /// The store is shared by processes and the receiver has no name.
    #[error(
        "a shared store needs a receiver's name: call `name(\"orders\")`; receivers of one name \
         and one source share their events, others don't"
    )]
    NameMissing,
    /// The source skips stale events, and the store keeps no positions.
    #[error("the source skips stale events, which this store doesn't support")]
    PositionsUnsupported,
}

impl<S: Source> ReceiverBuilder<S> {
    pub(super) fn new(source: S) -> Self {
        let limits = Limits {
            max_body_bytes: source.max_body_bytes(),
            body_timeout: Duration::from_secs(10),
            lease: Duration::from_secs(60),
            remember: Duration::from_secs(4 * 24 * 60 * 60),
        };
        Self {
            source,
            name: None,
            store: AnyStore::Memory(MemoryStore::default()),
            observer: None,
            limits,
            max_buffered_bytes: None,
        }
    }

    /// Names the receiver, in logs and in the keys of its events.
    ///
    /// Receivers that share a store and have the same name and source share their events: those of
    /// a fleet do. Others never take each other's events for duplicates. A receiver without a name
    /// shares with none, so a store that outlives the process needs a name.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Remembers events in this store; in the memory of the process by default.
    pub fn store(mut self, store: impl DedupStore) -> Self {
        let memory = (&store as &dyn Any).downcast_ref::<MemoryStore>().cloned();
        self.store = match memory {
            Some(memory) => AnyStore::Memory(memory),
            None => AnyStore::Other(Arc::new(store)),
        };
        self
    }

    /// Calls this for every event and every refused request, with what became of it.
    ///
    /// It runs within the request, so it mustn't block. It replaces an earlier observer; the
    /// [`tracing`] events stay.
    pub fn observer(mut self, observer: impl Fn(&Observed<'_>) + Send + Sync + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// The longest body that is read, in bytes; [`Source::max_body_bytes`] by default.
    pub fn max_body_bytes(mut self, bytes: usize) -> Self {
        self.limits.max_body_bytes = bytes;
        self
    }

    /// How much all bodies may take together, in bytes; 64 MiB by default.
    ///
    /// A body takes its room as it arrives, and gives it back once it is refused or its events are
    /// handled. What is decoded from it comes on top, and so do the buffers of the HTTP server:
    /// limit the connections there. A delivery that finds no room gets 503, and the service sends
    /// it again. Bodies that don't end keep their room until
    /// [`body_timeout`](Self::body_timeout).
    pub fn max_buffered_bytes(mut self, bytes: usize) -> Self {
        self.max_buffered_bytes = Some(bytes);
        self
    }

    /// How long a body may take to arrive; 10 s by default.
    pub fn body_timeout(mut self, timeout: Duration) -> Self {
        self.limits.body_timeout = timeout;
        self
    }

    /// How long a handler may take for one event; 60 s by default.
    ///
    /// The claim of a process that dies ends after it too. Lune waits 30 s for the response to a
    /// batch, pretix 30 s, Preo as long as the endpoint's `timeout_seconds` says. The time that the
    /// store takes to grant the claim counts.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.limits.lease = lease;
        self
    }

    /// How long a handled event is remembered; 4 days by default.
    ///
    /// That is longer than pretix retries, which is up to three days. How long Preo and Lune do is
    /// unpublished. A bounded store, such as the one in memory, can forget sooner. A delivery that
    /// comes after that is handled again; so is a captured one that is replayed, if its signature
    /// has no timestamp, as Preo's.
    pub fn remember(mut self, time: Duration) -> Self {
        self.limits.remember = time;
        self
    }

    /// Builds the receiver.
    ///
    /// # Errors
    ///
    /// A [`BuildError`] for a limit or duration of zero, a body limit above the room for all bodies,
    /// a shared store without a name, or a store that can't do what the source was told to.
    pub fn build(self) -> Result<Receiver<S>, BuildError> {
        let limits = &self.limits;
        let zeros = [
            ("max_body_bytes", limits.max_body_bytes == 0),
            ("max_buffered_bytes", self.max_buffered_bytes == Some(0)),
            ("body_timeout", limits.body_timeout.is_zero()),
            ("lease", limits.lease.is_zero()),
            ("remember", limits.remember.is_zero()),
        ];
        if let Some((name, _)) = zeros.iter().find(|(_, is_zero)| *is_zero) {
            return Err(BuildError::Zero(name));
        }
        let max_body_bytes = limits.max_body_bytes;
        let max_buffered_bytes = self.buffered();
        if max_body_bytes > max_buffered_bytes {
            return Err(BuildError::BodyAboveBuffer {
                max_body_bytes,
                max_buffered_bytes,
            });
        }
        match &self.name {
            Some(name) if name.is_empty() => return Err(BuildError::EmptyName),
            None if self.store.is_shared() => return Err(BuildError::NameMissing),
            _ => {}
        }
        if self.source.skips_stale_events() && !self.store.supports_positions() {
            return Err(BuildError::PositionsUnsupported);
        }
        Ok(self.assemble())
    }

    pub(super) fn assemble(self) -> Receiver<S> {
        let room = self.buffered().min(Semaphore::MAX_PERMITS);
        let space = match &self.name {
            Some(name) => name.clone(),
            None => format!("unnamed-{:016x}", Uuid::new_v4().as_u64_pair().0),
        };
        Receiver::of(Inner {
            source: self.source,
            name: self.name,
            space,
            store: self.store,
            limits: self.limits,
            observer: self.observer,
            room: Arc::new(Semaphore::new(room)),
        })
    }

    fn buffered(&self) -> usize {
        self.max_buffered_bytes.unwrap_or(DEFAULT_BUFFERED)
    }
}

const DEFAULT_BUFFERED: usize = 64 * 1024 * 1024;

impl<S> fmt::Debug for ReceiverBuilder<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceiverBuilder")
            .field("name", &self.name)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
