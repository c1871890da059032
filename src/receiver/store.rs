pub(super) mod memory;
#[cfg(feature = "redis")]
pub(super) mod redis;

use std::pin::Pin;
use std::sync::Arc;
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
pub trait DedupStore: Send + Sync + 'static {
    /// Atomically claims an event for the duration of a lease.
    ///
    /// # Errors
    ///
    /// Returns an error if the store can't be reached. The event is then not claimed, or its claim
    /// expires with the lease.
    fn claim(
        &self,
        key: &EventKey,
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
    /// Does nothing if another holder has claimed the event.
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
pub enum Claim {
    /// The caller has claimed the event until the lease ends.
    Granted(ClaimToken),
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

    /// Creates a token from a number.
    pub(super) fn numbered(number: u64) -> Self {
        Self(Uuid::from_u128(number.into()))
    }

    /// The token as a UUID, for a store to save.
    pub fn as_uuid(self) -> Uuid {
        self.0
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
    Other(Arc<dyn ErasedStore>),
}

impl AnyStore {
    pub(super) async fn claim(&self, key: &EventKey, lease: Duration) -> Result<Claim, StoreError> {
        match self {
            Self::Memory(store) => store.claim(key, lease).await,
            Self::Other(store) => store.claim_boxed(key, lease).await,
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

    pub(super) fn is_shared(&self) -> bool {
        match self {
            Self::Memory(store) => store.is_shared(),
            Self::Other(store) => store.shared(),
        }
    }

    pub(super) fn supports_positions(&self) -> bool {
        match self {
            Self::Memory(store) => store.supports_positions(),
            Self::Other(store) => store.positions(),
        }
    }
}

type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

pub(super) trait ErasedStore: Send + Sync {
    fn claim_boxed<'a>(&'a self, key: &'a EventKey, lease: Duration) -> Answer<'a, Claim>;
    fn commit_boxed<'a>(
        &'a self,
        key: &'a EventKey,
        token: ClaimToken,
        remember: Duration,
    ) -> Answer<'a, ()>;
    fn release_boxed<'a>(&'a self, key: &'a EventKey, token: ClaimToken) -> Answer<'a, ()>;
    fn shared(&self) -> bool;
    fn positions(&self) -> bool;
}

impl<T: DedupStore> ErasedStore for T {
    fn claim_boxed<'a>(&'a self, key: &'a EventKey, lease: Duration) -> Answer<'a, Claim> {
        Box::pin(self.claim(key, lease))
    }

    fn commit_boxed<'a>(
        &'a self,
        key: &'a EventKey,
        token: ClaimToken,
        remember: Duration,
    ) -> Answer<'a, ()> {
        Box::pin(self.commit(key, token, remember))
    }

    fn release_boxed<'a>(&'a self, key: &'a EventKey, token: ClaimToken) -> Answer<'a, ()> {
        Box::pin(self.release(key, token))
    }

    fn shared(&self) -> bool {
        self.is_shared()
    }

    fn positions(&self) -> bool {
        self.supports_positions()
    }
}
