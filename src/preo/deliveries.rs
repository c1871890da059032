use std::marker::PhantomData;
use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::receiver::{Authentication, Event, EventKey, Provider, ProviderError};
use crate::signature::Verifier;

/// The deliveries of Preo, for a [`Receiver`](crate::receiver::Receiver).
///
/// Preo's signatures have no date: a captured delivery is turned away for as long as the store
/// remembers it, and no longer.
///
/// What a payload looks like is unpublished, so `T` is what you know of it; without that, a
/// [`Value`].
///
/// ```
/// use webhook_sdk::Secret;
/// use webhook_sdk::preo;
/// use webhook_sdk::receiver::Receiver;
/// use webhook_sdk::signature::{Key, Keyring, Verifier};
///
/// #[derive(serde::Deserialize)]
/// struct Payload {
///     id: String,
/// }
///
/// let keyring = Keyring::new(Key::new("2026-11", &Secret::from("from the create call"))?);
/// let verifier = Verifier::new(preo::scheme(), keyring);
/// let deliveries = preo::Deliveries::<Payload>::new(verifier)
///     .identified_by(|payload| Some(payload.id.clone()));
/// let receiver = Receiver::new(deliveries);
/// # let _ = receiver;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub struct Deliveries<T = Value> {
    verifier: Verifier,
    identity: Option<Arc<Identity<T>>>,
    payload: PhantomData<fn() -> T>,
}

type Identity<T> = dyn Fn(&T) -> Option<String> + Send + Sync;

impl<T> Deliveries<T> {
    /// Deliveries that this verifier accepts.
    pub fn new(verifier: Verifier) -> Self {
        Self {
            verifier,
            identity: None,
            payload: PhantomData,
        }
    }

    /// Tells events apart by something in their payload.
    ///
    /// Without it, and where it returns `None`, an event is told by the digest of its signed body:
    /// two events with the same bytes count as one.
    #[must_use]
    pub fn identified_by(
        mut self,
        identity: impl Fn(&T) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.identity = Some(Arc::new(identity));
        self
    }
}

impl<T: DeserializeOwned + Send + 'static> Provider for Deliveries<T> {
    type Event = T;

    fn name(&self) -> &str {
        "preo"
    }

    fn authenticate(&self, headers: &HeaderMap) -> Result<Authentication, ProviderError> {
        Ok(Authentication::Signed(Box::new(
            self.verifier.begin(headers)?,
        )))
    }

    fn decode(&self, body: &Bytes) -> Result<Vec<Event<T>>, ProviderError> {
        let payload = serde_json::from_slice(body).map_err(|error| ProviderError::json(&error))?;
        let identity = self
            .identity
            .as_ref()
            .and_then(|identity| identity(&payload));
        let key = match identity {
            Some(identity) => EventKey::new(self.name(), &identity),
            None => EventKey::digest(self.name(), body),
        };
        Ok(vec![Event::new(key, payload)])
    }
}
