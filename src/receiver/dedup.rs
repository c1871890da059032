use std::fmt;
use std::time::Duration;

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use thiserror::Error;
use uuid::Uuid;

/// Remembers which events were handled, in two phases.
///
/// An event is [claimed](Self::claim) before its handler runs and [committed](Self::commit) after it
/// has succeeded, or [released](Self::release) after it has failed. The claim of a holder that died
/// ends with its lease, so the event isn't lost. [`MemoryStore`](super::MemoryStore) serves one
/// process; a fleet shares a store.
pub trait DedupStore: Send + Sync + 'static {
    /// Takes hold of an event for the length of a lease, in one atomic step.
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

    /// Gives an event up, so that the next delivery of it is handled.
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
}

/// What tells an event from others, in every process that shares a store.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct EventKey(String);

impl EventKey {
    /// The key of an event that its provider names itself.
    ///
    /// `id` must come from authenticated content. Of one longer than 128 bytes, our bound, the key
    /// holds the digest. Providers can't get into each other's keys, as long as no name has a `:`.
    pub fn new(provider: &str, id: &str) -> Self {
        match id.len() {
            0..=LONGEST_ID => Self(format!("{provider}:id:{id}")),
            _ => Self::hashed(provider, "id-sha256", id.as_bytes()),
        }
    }

    /// The key of an event without a name of its own: the digest of what was signed.
    pub fn digest(provider: &str, signed: &[u8]) -> Self {
        Self::hashed(provider, "sha256", signed)
    }

    /// The key's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn hashed(provider: &str, kind: &str, bytes: &[u8]) -> Self {
        let digest = HEXLOWER.encode(&Sha256::digest(bytes));
        Self(format!("{provider}:{kind}:{digest}"))
    }
}

impl fmt::Debug for EventKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "EventKey({})",
            HEXLOWER.encode(&Sha256::digest(&self.0)[..6])
        )
    }
}

/// What came of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The event is the caller's until the lease ends.
    Granted(ClaimToken),
    /// The event was handled before.
    Committed,
    /// Another holder has the event.
    Held,
}

/// Tells one claim from another on the same event.
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

/// Why a store didn't do what it was asked.
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

/// Far above the ids of the services here, so that the size of a store follows from its count.
const LONGEST_ID: usize = 128;
