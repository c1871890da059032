pub(super) mod memory;
mod recorder;
#[cfg(feature = "redis")]
pub(super) mod redis;

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use thiserror::Error;
use uuid::Uuid;

use super::{EventKey, MemoryStore};

/// A store that remembers which events were handled.
///
/// An event is [claimed](Self::claim) before its handler runs. Then it is [committed](Self::commit)
/// if the handler succeeds, or [released](Self::release) if it fails. If the process dies, the
/// claim expires with its lease, so the event isn't lost. [`MemoryStore`] serves one process;
/// several processes share a store, such as a `RedisStore`.
///
/// Bound the time of each operation: a request waits for it. One that takes as long as the
/// [`lease`](super::ReceiverBuilder::lease) counts as failed, so that the delivery gets 503 and is
/// redelivered.
pub trait DedupStore: Send + Sync + 'static {
    /// Atomically claims an event for the duration of a lease.
    ///
    /// If the future is dropped or fails, the receiver [releases](Self::release) the event, because
    /// the claim may have taken effect. Otherwise it expires with the lease.
    ///
    /// # Errors
    ///
    /// Returns an error if the store can't be reached.
    fn claim(
        &self,
        key: &EventKey,
        token: ClaimToken,
        lease: Duration,
    ) -> impl Future<Output = Result<Claim, StoreError>> + Send;

    /// Marks an event as handled, and remembers it for a duration.
    ///
    /// A claim whose lease has ended can still be committed, unless another holder has claimed the
    /// event. The same commit may be repeated.
    ///
    /// # Errors
    ///
    /// Returns an error if the store can't be reached, or if another holder has claimed the event.
    fn commit(
        &self,
        key: &EventKey,
        token: ClaimToken,
        remember: Duration,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Releases an event, so that its next delivery is handled.
    ///
    /// Does nothing if the event isn't claimed with this token.
    ///
    /// # Errors
    ///
    /// Returns an error if the store can't be reached. The claim then expires with its lease.
    fn release(
        &self,
        key: &EventKey,
        token: ClaimToken,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Whether the store outlives or is shared beyond this process. Such a store requires a
    /// receiver name. Defaults to `true`.
    fn is_shared(&self) -> bool {
        true
    }

    /// Whether the store keeps the last sequence of each stream. Defaults to `false`.
    ///
    /// Such a store returns [`Claim::Stale`] for an event whose [position](EventKey::position) is
    /// lower. An event with an equal sequence isn't stale. A commit can raise the last sequence,
    /// but never lowers it. The sequence is remembered for as long as an event.
    fn supports_positions(&self) -> bool {
        false
    }
}

/// The result of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Claim {
    /// The caller has claimed the event until the lease ends.
    Granted,
    /// The event was handled before.
    Committed,
    /// Another holder has claimed the event.
    Held,
    /// The event's sequence is lower than the last one committed in its stream.
    Stale,
}

/// Identifies a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClaimToken(Uuid);

impl ClaimToken {
    /// Creates a unique token.
    #[expect(clippy::new_without_default, reason = "each one differs")]
    pub fn new() -> Self {
        Self(Uuid::new_v4())
    }

    /// The token as a UUID, for a store to save.
    pub fn as_uuid(self) -> Uuid {
        self.0
    }
}

/// Creates tokens that are unique across processes.
pub(super) struct ClaimTokens {
    process: u64,
    next: AtomicU64,
}

impl ClaimTokens {
    pub(super) fn new() -> Self {
        Self {
            process: Uuid::new_v4().as_u64_pair().0,
            next: AtomicU64::new(0),
        }
    }

    /// The next token, without reading random bytes for each event.
    pub(super) fn next(&self) -> ClaimToken {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        ClaimToken(Uuid::from_u64_pair(self.process, number))
    }
}

/// An error from a store.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The store can't be reached, or returned an error.
    #[error("the store can't be reached: {0}")]
    Unavailable(String),
    /// The lease has ended, and another holder has claimed the event.
    #[error("the claim is no longer held: the handler took longer than its lease")]
    ClaimLost,
}

/// A type-erased store, without an allocation for the in-memory one.
pub(super) enum AnyStore {
    Memory(MemoryStore),
    Other(Box<dyn ErasedStore>),
}

impl AnyStore {
    pub(super) async fn claim(
        &self,
        key: &EventKey,
        token: ClaimToken,
        lease: Duration,
    ) -> Result<Claim, StoreError> {
        match self {
            Self::Memory(store) => store.claim(key, token, lease).await,
            Self::Other(store) => store.claim_boxed(key, token, lease).await,
        }
    }

    pub(super) async fn commit(
        &self,
        key: &EventKey,
        token: ClaimToken,
        remember: Duration,
    ) -> Result<(), StoreError> {
        match self {
            Self::Memory(store) => store.commit(key, token, remember).await,
            Self::Other(store) => store.commit_boxed(key, token, remember).await,
        }
    }

    pub(super) async fn release(
        &self,
        key: &EventKey,
        token: ClaimToken,
    ) -> Result<(), StoreError> {
        match self {
            Self::Memory(store) => store.release(key, token).await,
            Self::Other(store) => store.release_boxed(key, token).await,
        }
    }
}

type Boxed<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

pub(super) trait ErasedStore: Send + Sync {
    fn claim_boxed<'a>(
        &'a self,
        key: &'a EventKey,
        token: ClaimToken,
        lease: Duration,
    ) -> Boxed<'a, Claim>;
    fn commit_boxed<'a>(
        &'a self,
        key: &'a EventKey,
        token: ClaimToken,
        remember: Duration,
    ) -> Boxed<'a, ()>;
    fn release_boxed<'a>(&'a self, key: &'a EventKey, token: ClaimToken) -> Boxed<'a, ()>;
}

impl<T: DedupStore> ErasedStore for T {
    fn claim_boxed<'a>(
        &'a self,
        key: &'a EventKey,
        token: ClaimToken,
        lease: Duration,
    ) -> Boxed<'a, Claim> {
        Box::pin(self.claim(key, token, lease))
    }

    fn commit_boxed<'a>(
        &'a self,
        key: &'a EventKey,
        token: ClaimToken,
        remember: Duration,
    ) -> Boxed<'a, ()> {
        Box::pin(self.commit(key, token, remember))
    }

    fn release_boxed<'a>(&'a self, key: &'a EventKey, token: ClaimToken) -> Boxed<'a, ()> {
        Box::pin(self.release(key, token))
    }
}
