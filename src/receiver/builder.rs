use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::observer::{Observed, Observer};
use super::shared::{Limits, Shared};
use super::store::{AnyStore, ClaimTokens};
use super::{DedupStore, MemoryStore, Receiver, Source};

/// A builder for a [`Receiver`].
#[must_use]
pub struct ReceiverBuilder<S> {
    source: S,
    name: Option<String>,
    store: AnyStore,
    store_is_shared: bool,
    store_supports_positions: bool,
    observer: Option<Observer>,
    limits: Limits,
    max_buffered_bytes: Option<usize>,
}

/// An error from building a [`Receiver`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A limit or a duration is zero.
    #[error("{0} is zero; leave it out for the default")]
    Zero(&'static str),
    /// The limit on one body exceeds the limit on all bodies.
    #[error(
        "max_body_bytes ({max_body_bytes}) is above max_buffered_bytes ({max_buffered_bytes}), so \
         the longest bodies could never be received; lower one or raise the other"
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
    /// The store is shared between processes, but the receiver has no name.
    #[error(
        "a shared store requires a receiver name; call `name(\"orders\")`; receivers with the same \
         name and source share their events"
    )]
    NameMissing,
    /// The source skips stale events, but the store doesn't support positions.
    #[error("the source skips stale events, which this store doesn't support")]
    PositionsUnsupported,
}

impl<S: Source> Receiver<S> {
    /// Returns a builder with the defaults and an in-memory store.
    pub fn builder(source: S) -> ReceiverBuilder<S> {
        let limits = Limits {
            max_body_bytes: source.max_body_bytes(),
            body_timeout: Duration::from_secs(10),
            lease: Duration::from_secs(60),
            remember: Duration::from_secs(4 * 24 * 60 * 60),
        };
        ReceiverBuilder {
            source,
            name: None,
            store: AnyStore::Memory(MemoryStore::default()),
            store_is_shared: false,
            store_supports_positions: true,
            observer: None,
            limits,
            max_buffered_bytes: None,
        }
    }

    /// Creates a receiver with the defaults and an in-memory store.
    pub fn new(source: S) -> Self {
        Self::builder(source).assemble()
    }
}

impl<S: Source> ReceiverBuilder<S> {
    /// Names the receiver in logs and in event keys.
    ///
    /// Receivers with the same store, name, and source deduplicate events together, as in several
    /// processes. Others never treat each other's events as duplicates. A receiver without a name
    /// shares nothing, so a store that outlives the process requires a name.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets the store that remembers events. Defaults to a [`MemoryStore`](super::MemoryStore).
    pub fn store(mut self, store: impl DedupStore) -> Self {
        self.store_is_shared = store.is_shared();
        self.store_supports_positions = store.supports_positions();
        let memory = (&store as &dyn Any).downcast_ref::<MemoryStore>().cloned();
        self.store = match memory {
            Some(memory) => AnyStore::Memory(memory),
            None => AnyStore::Other(Box::new(store)),
        };
        self
    }

    /// Calls a function with the outcome of every event and every refused request.
    ///
    /// It runs while the request is handled, so it must not block. A panic is caught and logged,
    /// and affects neither the handling nor the response. Setting it again replaces the previous
    /// observer. [`tracing`] events are emitted in any case.
    pub fn observer(mut self, observer: impl Fn(&Observed<'_>) + Send + Sync + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// Sets the maximum length of a body, in bytes. Defaults to [`Source::max_body_bytes`].
    pub fn max_body_bytes(mut self, bytes: usize) -> Self {
        self.limits.max_body_bytes = bytes;
        self
    }

    /// Sets the maximum size of all buffered bodies together, in bytes.
    ///
    /// Defaults to eight times [`Source::max_body_bytes`], and at least 64 MiB: 256 MiB for Lune,
    /// 64 MiB for Preo and pretix. This is our default.
    ///
    /// A body counts from the moment its bytes are received until it is refused or its events are
    /// handled. Decoded events and the HTTP server's own buffers don't count: limit the number of
    /// connections there. A delivery over the limit gets 503, and the service redelivers it. A
    /// body that never completes counts until [`body_timeout`](Self::body_timeout), with what it
    /// sent and up to 1 MiB more, or an eighth more if it is longer than 8 MiB. Signatures are
    /// checked after the body was read, so anyone who can reach the endpoint can occupy this space:
    /// limit the connections of one client in front of the receiver.
    pub fn max_buffered_bytes(mut self, bytes: usize) -> Self {
        self.max_buffered_bytes = Some(bytes);
        self
    }

    /// Sets the timeout for reading a body. Defaults to 10 s.
    pub fn body_timeout(mut self, timeout: Duration) -> Self {
        self.limits.body_timeout = timeout;
        self
    }

    /// Sets how long a handler may take for one event. Defaults to 60 s.
    ///
    /// The claim of a process that dies expires after the same time. The time that the store takes
    /// to grant the claim counts, and none of its operations may take longer. Lune and pretix wait
    /// 30 s for a response; Preo waits for the `timeout_seconds` of the webhook.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.limits.lease = lease;
        self
    }

    /// Sets how long handled events are remembered. Defaults to 4 days.
    ///
    /// The default is longer than pretix redelivers, which is for about two and a half days. Preo
    /// and Lune don't publish how long they redeliver. A bounded store, such as
    /// [`MemoryStore`](super::MemoryStore), can forget sooner. Once an event is forgotten, another
    /// delivery of it is handled again. That includes a replayed capture if its signature has no
    /// timestamp, as with Preo.
    pub fn remember(mut self, time: Duration) -> Self {
        self.limits.remember = time;
        self
    }

    /// Builds the receiver.
    ///
    /// # Errors
    ///
    /// Returns a [`BuildError`] for a limit or duration of zero, a `max_body_bytes` above
    /// `max_buffered_bytes`, a shared store without a name, or a store that doesn't support
    /// skipping stale events although the source requires it.
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
            None if self.store_is_shared => return Err(BuildError::NameMissing),
            _ => {}
        }
        if self.source.skips_stale_events() && !self.store_supports_positions {
            return Err(BuildError::PositionsUnsupported);
        }
        Ok(self.assemble())
    }

    fn assemble(self) -> Receiver<S> {
        let buffer = self.buffered().min(Semaphore::MAX_PERMITS);
        let scope_name = match &self.name {
            Some(name) => name.clone(),
            None => format!("unnamed-{:016x}", Uuid::new_v4().as_u64_pair().0),
        };
        let shared = Shared {
            source: self.source,
            name: self.name,
            scope_name,
            store: self.store,
            tokens: ClaimTokens::new(),
            limits: self.limits,
            observer: self.observer,
            buffer: Arc::new(Semaphore::new(buffer)),
        };
        Receiver {
            shared: Arc::new(shared),
        }
    }

    fn buffered(&self) -> usize {
        let default = || MIN_BUFFERED.max(self.source.max_body_bytes().saturating_mul(8));
        self.max_buffered_bytes.unwrap_or_else(default)
    }
}

const MIN_BUFFERED: usize = 64 * 1024 * 1024;

impl<S> fmt::Debug for ReceiverBuilder<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceiverBuilder")
            .field("name", &self.name)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
