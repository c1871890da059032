pub(super) mod memory;
#[cfg(feature = "redis")]
pub(super) mod redis;

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use uuid::Uuid;

use super::{EventKey, MemoryStore};

/// Remembers which events were handled, in two phases.
///
/// An event is [claimed](Self::claim) before its handler runs, and [committed](Self::commit) after
/// it has succeeded or [released](Self::release) after it has failed. The claim of a holder that died
/// ends with its lease, so the event isn't lost. [`MemoryStore`] serves one process; a fleet shares
/// a store, such as a `RedisStore`.
pub trait DedupStore: Send + Sync + 'static {
    /// Claims an event for the length of a lease, in one atomic step.
    ///
    /// # Errors
    ///
    /// When the store can't be reached. Nothing is claimed then, or the claim ends by itself.
    fn claim(
        &self,
        key: &EventKey,
        lease: Duration,
    ) -> impl Future<Output = Result<Claim, StoreError>> + Send;

    /// Marks an event as handled, to be remembered for a time.
    ///
    /// A claim whose lease has ended commits too, unless another holder has taken it over. The same
    /// commit may come twice.
    ///
    /// # Errors
    ///
    /// When the store can't be reached, or when the event is another holder's.
    fn commit(
        &self,
        key: &EventKey,
        token: ClaimToken,
        remember: Duration,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Releases an event, so that the next delivery of it is handled.
    ///
    /// Does nothing to a claim that another holder has taken over.
    ///
    /// # Errors
    ///
    /// When the store can't be reached. The claim then ends with its lease.
    fn release(
        &self,
        key: &EventKey,
        token: ClaimToken,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Whether other processes, or later ones, can see the same events; a receiver then needs a
    /// name. `true` unless overridden.
    fn is_shared(&self) -> bool {
        true
    }

    /// Whether the store keeps the last sequence of each stream, and answers [`Claim::Stale`] to an
    /// event whose [position](EventKey::position) is below it. `false` unless overridden.
    ///
    /// An event with an equal sequence isn't stale. A commit raises the last sequence and never
    /// lowers it; it is remembered like an event.
    fn supports_positions(&self) -> bool {
        false
    }
}

/// The result of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The event is the caller's until the lease ends.
    Granted(ClaimToken),
    /// The event was handled before.
    Committed,
    /// Another holder has the event.
    Held,
    /// The event's sequence is lower than the last one committed in its stream.
    Stale,
}

/// Identifies one claim among others on the same event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClaimToken(Uuid);

impl ClaimToken {
    /// A token that no other claim has.
    #[expect(clippy::new_without_default, reason = "each one differs")]
    pub fn new() -> Self {
        Self(Uuid::new_v4())
    }

    /// A token that differs from those of other numbers.
    pub(super) fn numbered(number: u64) -> Self {
        Self(Uuid::from_u128(number.into()))
    }

    /// The token as a store writes it.
    pub fn as_uuid(self) -> Uuid {
        self.0
    }
}

/// An error from a store.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The store can't be reached, or answered with an error.
    #[error("the store can't be reached: {0}")]
    Unavailable(String),
    /// The lease has ended and the event is another holder's.
    #[error("the claim is no longer held: the handler took longer than its lease")]
    ClaimLost,
}

/// A store without its type, and without an allocation for the one in memory.
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
