use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;

use super::EventKey;
use super::proof::Proof;
use crate::{JsonError, decode};

/// An event with its deduplication key, raw bytes, and signing key name.
///
/// It dereferences to its data, so `event.id` is the `id` of the decoded event:
///
/// ```
/// use webhook_sdk::receiver::{Ack, Delivery, Outcome};
/// use webhook_sdk::receiver::Source;
///
/// async fn receive<S: Source<Event = serde_json::Value>>(delivery: Delivery<S>) -> Outcome {
///     delivery
///         .handle(async |event| {
///             println!("{} from {:?}: {}", event.key(), event.tenant(), event["event"]);
///             Ok(())
///         })
///         .await
/// }
/// ```
///
/// `Debug` shows the key's fingerprint and nothing of the data.
#[derive(Clone)]
pub struct Event<T> {
    data: T,
    pub(super) key: EventKey,
    raw: Bytes,
    pub(super) proof: Arc<Proof>,
}

impl<T> Event<T> {
    pub(super) fn new(key: EventKey, data: T, raw: Bytes, proof: Arc<Proof>) -> Self {
        Self {
            data,
            key,
            raw,
            proof,
        }
    }

    /// Returns the data.
    pub fn into_data(self) -> T {
        self.data
    }

    /// The event's deduplication key.
    pub fn key(&self) -> &EventKey {
        &self.key
    }

    /// The event's bytes as they were received: its part of a batch, or else the whole body.
    pub fn raw(&self) -> &Bytes {
        &self.raw
    }

    /// Decodes the raw bytes as another type, for example one with more fields.
    ///
    /// # Errors
    ///
    /// Returns an error if they aren't JSON or don't match the type. The error contains the JSON
    /// path, but no value.
    pub fn json<U: DeserializeOwned>(&self) -> Result<U, JsonError> {
        decode::json(&self.raw, decode::Type::Any)
    }

    /// Sets the raw bytes, for a source whose bodies contain several events.
    #[must_use]
    pub fn with_raw(mut self, raw: Bytes) -> Self {
        self.raw = raw;
        self
    }

    /// The name of the key or the credentials that authenticated the delivery.
    pub fn key_name(&self) -> &str {
        self.proof.key_name()
    }

    /// The tenant whose keys authenticated the delivery.
    pub fn tenant(&self) -> Option<&str> {
        self.proof.tenant.as_deref()
    }

    /// The time at which the delivery was signed, if its signature includes one.
    pub fn timestamp(&self) -> Option<DateTime<Utc>> {
        self.proof.timestamp()
    }
}

impl<T> Deref for Event<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.data
    }
}

impl<T> fmt::Debug for Event<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("key", &self.key)
            .field("key_name", &self.key_name())
            .field("tenant", &self.tenant())
            .finish_non_exhaustive()
    }
}
