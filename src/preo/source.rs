use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use http::request::Parts;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::receiver::{
    self, Authenticated, Authentication, DecodeError, Event, Keys, Refusal, Tenants,
};
#[cfg(feature = "client")]
use crate::signature::Scheme;
use crate::signature::Verifier;

/// Preo's deliveries, as a source for a [`Receiver`](crate::receiver::Receiver).
///
/// Preo's signatures have no timestamp: a replayed delivery is only detected for as long as the
/// store remembers its event.
///
/// Preo doesn't publish the format of payloads, so `T` is your own type. It defaults to [`Value`].
///
/// ```
/// use webhook_sdk::Secret;
/// use webhook_sdk::preo;
/// use webhook_sdk::receiver::Receiver;
///
/// #[derive(serde::Deserialize)]
/// struct Payload {
///     id: String,
/// }
///
/// let verifier = preo::verifier(&Secret::from("from the create call"))?;
/// let source = preo::Source::new(verifier)
///     .identified_by(|payload: &Payload| Some(payload.id.clone()));
/// let receiver = Receiver::new(source);
/// # let _ = receiver;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub struct Source<T = Value> {
    keys: Keys<Verifier>,
    identity: Option<Arc<Identity<T>>>,
    payload: PhantomData<fn() -> T>,
}

type Identity<T> = dyn Fn(&T) -> Option<String> + Send + Sync;

impl Source {
    /// Creates a source from a verifier.
    pub fn new(verifier: Verifier) -> Self {
        Self {
            keys: Keys::Same(verifier),
            identity: None,
            payload: PhantomData,
        }
    }

    /// Creates a source for many tenants, each with its own verifier.
    pub fn for_tenants(tenants: Tenants<Verifier>) -> Self {
        Self {
            keys: Keys::for_tenants(tenants, super::scheme()),
            identity: None,
            payload: PhantomData,
        }
    }

    /// Decodes payloads into a type of yours, and deduplicates events by an id in it.
    ///
    /// If the function returns `None` or an empty id, and without this call, events are deduplicated
    /// by the digest of the body: two events with the same bytes are duplicates.
    #[must_use]
    pub fn identified_by<T>(
        self,
        identity: impl Fn(&T) -> Option<String> + Send + Sync + 'static,
    ) -> Source<T> {
        Source {
            keys: self.keys,
            identity: Some(Arc::new(identity)),
            payload: PhantomData,
        }
    }
}

impl<T> Source<T> {
    /// The scheme of the keys for a request with this head.
    #[cfg(feature = "client")]
    pub(super) async fn scheme(&self, head: &Parts) -> Scheme {
        let resolved = self.keys.resolve(head).await;
        resolved.map_or_else(|_| super::scheme(), |keys| keys.keys.scheme().clone())
    }
}

impl<T> Clone for Source<T> {
    fn clone(&self) -> Self {
        Self {
            keys: self.keys.clone(),
            identity: self.identity.clone(),
            payload: PhantomData,
        }
    }
}

impl<T> fmt::Debug for Source<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source")
            .field("keys", &self.keys)
            .finish_non_exhaustive()
    }
}

impl<T: DeserializeOwned + Send + 'static> receiver::Source for Source<T> {
    type Event = T;

    fn name(&self) -> &str {
        "preo"
    }

    async fn authenticate(&self, parts: &Parts) -> Result<Authentication, Refusal> {
        self.keys.begin(parts).await
    }

    fn decode(&self, request: &Authenticated<'_>) -> Result<Vec<Event<T>>, DecodeError> {
        let payload = request.json()?;
        let id = self.identity.as_ref().and_then(|id| id(&payload));
        let key = request.event_key(&[id.as_deref().unwrap_or_default()]);
        Ok(vec![request.event(key, payload)])
    }
}
