use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use smallvec::SmallVec;

/// A payload whose signature is genuine and whose timestamp was within the tolerance.
///
/// Only this module can make one, so a function that takes a `Verified` can't be handed anything
/// unchecked.
#[derive(Clone)]
pub struct Verified<B> {
    payload: B,
    key: Arc<str>,
    timestamp: Option<DateTime<Utc>>,
    fields: UnsignedFields,
}

impl<B> Verified<B> {
    pub(super) fn new(
        payload: B,
        key: Arc<str>,
        timestamp: Option<DateTime<Utc>>,
        fields: UnsignedFields,
    ) -> Self {
        Self {
            payload,
            key,
            timestamp,
            fields,
        }
    }

    /// The payload.
    pub fn payload(&self) -> &B {
        &self.payload
    }

    /// The payload, without the rest.
    pub fn into_payload(self) -> B {
        self.payload
    }

    /// The name of the key that made the signature.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// When the delivery was signed, if the scheme says so.
    pub fn timestamp(&self) -> Option<DateTime<Utc>> {
        self.timestamp
    }

    /// The value of another field of the signature header, the first if it repeats.
    ///
    /// **Not covered by the signature**: whoever can send the delivery can write anything here. Use
    /// it for a log or a hint, never for a decision. Always `None` where the header has no fields.
    pub fn unsigned_field(&self, key: &str) -> Option<&str> {
        self.fields.find(key)
    }
}

impl<B> fmt::Debug for Verified<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verified")
            .field("key", &self.key)
            .field("timestamp", &self.timestamp)
            .finish_non_exhaustive()
    }
}

/// The fields that are neither signature nor timestamp; 64 bytes fit without an allocation.
#[derive(Clone)]
pub(super) struct UnsignedFields(SmallVec<[u8; 64]>);

impl UnsignedFields {
    /// Takes each `key=value`, none of which has a comma.
    pub(super) fn of(fields: &[&str]) -> Self {
        let mut joined = SmallVec::new();
        for field in fields {
            joined.extend_from_slice(field.as_bytes());
            joined.push(b',');
        }
        Self(joined)
    }

    fn find(&self, key: &str) -> Option<&str> {
        std::str::from_utf8(&self.0)
            .ok()?
            .split(',')
            .filter_map(|field| field.split_once('='))
            .find_map(|(name, value)| (name == key).then_some(value))
    }
}
