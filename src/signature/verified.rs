use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use smallvec::SmallVec;

use crate::key_set::Entry;

/// A payload with a valid signature and a timestamp within the tolerance.
///
/// ```
/// use webhook_sdk::signature::{Verified, VerifyError};
///
/// fn store(delivery: &Verified<&[u8]>) {
///     println!("{} bytes, proven by {}", delivery.payload().len(), delivery.key_name());
/// }
/// # let _ = store;
/// ```
///
/// Only a verifier creates one, so a function that takes a `Verified` can't be called with a payload
/// that hasn't been checked.
#[derive(Clone)]
pub struct Verified<B> {
    payload: B,
    key_name: Arc<str>,
    owner: Option<Arc<str>>,
    timestamp: Option<u64>,
    unsigned: UnsignedFields,
}

impl<B> Verified<B> {
    pub(super) fn new<T>(
        payload: B,
        key: &Entry<T>,
        timestamp: Option<u64>,
        unsigned: UnsignedFields,
    ) -> Self {
        Self {
            payload,
            key_name: Arc::clone(&key.name),
            owner: key.owner.clone(),
            timestamp,
            unsigned,
        }
    }

    /// The payload.
    pub fn payload(&self) -> &B {
        &self.payload
    }

    /// Returns the payload.
    pub fn into_payload(self) -> B {
        self.payload
    }

    /// Drops the payload.
    #[cfg(feature = "receiver")]
    pub(crate) fn without_payload(self) -> Verified<()> {
        Verified {
            payload: (),
            key_name: self.key_name,
            owner: self.owner,
            timestamp: self.timestamp,
            unsigned: self.unsigned,
        }
    }

    /// The name of the key that verified the signature.
    pub fn key_name(&self) -> &str {
        &self.key_name
    }

    /// The owner of that key, if it has one; see [`Key::owner`](super::Key::owner).
    pub fn owner(&self) -> Option<&str> {
        self.owner.as_deref()
    }

    /// The time at which the delivery was signed, if the scheme has a timestamp.
    pub fn timestamp(&self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp(self.timestamp?.cast_signed(), 0)
    }

    /// The first value of an additional field of the signature header.
    ///
    /// **It isn't covered by the signature**: anyone who can send a delivery can put anything here.
    /// Use it for logs or as a hint, never for a decision. `None` if the header has no fields.
    pub fn unsigned_field(&self, key: &str) -> Option<&str> {
        self.unsigned.find(key)
    }
}

impl<B> fmt::Debug for Verified<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verified")
            .field("key_name", &self.key_name)
            .field("timestamp", &self.timestamp())
            .finish_non_exhaustive()
    }
}

/// The additional fields of the signature header. 64 bytes fit without an allocation.
#[derive(Clone, Default)]
pub(super) struct UnsignedFields(SmallVec<[u8; 64]>);

impl UnsignedFields {
    /// Adds a `key=value` pair, which contains no comma.
    #[inline]
    pub(super) fn push(&mut self, field: &[u8]) {
        self.0.extend_from_slice(field);
        self.0.push(b',');
    }

    fn find(&self, key: &str) -> Option<&str> {
        std::str::from_utf8(&self.0)
            .ok()?
            .split(',')
            .filter_map(|field| field.split_once('='))
            .find_map(|(name, value)| (name == key).then_some(value))
    }
}
