use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;

use super::source::Proof;
use super::{DecodeError, EventKey};

/// An event with its de-duplication key, its raw bytes and what authenticated it.
///
/// It dereferences to its data, so `event.id` is the `id` of what was decoded:
///
/// ```
/// use webhook_sdk::receiver::{Ack, Delivery, Outcome};
/// use webhook_sdk::receiver::Source;
///
/// async fn receive<S: Source<Event = serde_json::Value>>(delivery: Delivery<S>) -> Outcome {
///     delivery
///         .handle(async |event| {
///             println!("{} from {:?}: {}", event.key(), event.tenant(), event["type"]);
///             Ok(())
///         })
///         .await
/// }
/// ```
///
/// `Debug` shows the key's fingerprint and nothing of the data.
#[derive(Clone)]
pub struct Event<T> {
    inner: T,
    pub(super) key: EventKey,
    raw: Bytes,
    pub(super) proof: Arc<Proof>,
}

impl<T> Event<T> {
    pub(super) fn new(key: EventKey, data: T, raw: Bytes, proof: Arc<Proof>) -> Self {
        Self {
            inner: data,
            key,
            raw,
            proof,
        }
    }

    /// Takes the data out.
    pub fn into_data(self) -> T {
        self.inner
    }

    /// The key under which the event is de-duplicated.
    pub fn key(&self) -> &EventKey {
        &self.key
    }

    /// The event's bytes as they were sent: its own part of a batch, else the whole body.
    pub fn raw(&self) -> &Bytes {
        &self.raw
    }

    /// Decodes the raw bytes as another type, such as one with fields that the data lacks.
    ///
    /// # Errors
    ///
    /// When they aren't JSON or don't fit the type; the error names the JSON path and no value.
    pub fn json<U: DeserializeOwned>(&self) -> Result<U, DecodeError> {
        DecodeError::or_json(&self.raw)
    }

    /// Sets the raw bytes, for a source whose bodies hold several events.
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

    /// When the delivery was signed, if the service says so.
    pub fn timestamp(&self) -> Option<DateTime<Utc>> {
        self.proof.timestamp()
    }
}

impl<T> Deref for Event<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.inner
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
