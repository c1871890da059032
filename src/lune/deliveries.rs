use bytes::Bytes;
use http::HeaderMap;

use super::{Batch, Event};
use crate::receiver::{self, Authentication, EventKey, Provider, ProviderError};
use crate::signature::Verifier;

/// The deliveries of Lune, for a [`Receiver`](crate::receiver::Receiver).
///
/// ```
/// use webhook_sdk::Secret;
/// use webhook_sdk::lune;
/// use webhook_sdk::receiver::Receiver;
/// use webhook_sdk::signature::{Key, Keyring, Verifier};
///
/// let keyring = Keyring::new(Key::new("2026-11", &Secret::from("from the create call"))?);
/// let receiver = Receiver::new(lune::Deliveries::new(Verifier::new(lune::scheme(), keyring)));
/// # let _ = receiver;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
///
/// The events of a batch are handled one after the other; the first that fails ends the batch, which
/// Lune then sends again, and those before it are skipped by their `event_id`. An event that can't
/// be decoded reaches the handler with its raw JSON. An event without an `event_id` is told by the
/// digest of its JSON.
///
/// The whole batch has 30 seconds, after which Lune sends it again.
#[derive(Clone, Debug)]
pub struct Deliveries {
    verifier: Verifier,
}

impl Deliveries {
    /// Deliveries that this verifier accepts.
    pub fn new(verifier: Verifier) -> Self {
        Self { verifier }
    }
}

impl Provider for Deliveries {
    type Event = Event;

    fn name(&self) -> &str {
        "lune"
    }

    fn authenticate(&self, headers: &HeaderMap) -> Result<Authentication, ProviderError> {
        Ok(Authentication::Signed(Box::new(
            self.verifier.begin(headers)?,
        )))
    }

    fn decode(&self, body: &Bytes) -> Result<Vec<receiver::Event<Event>>, ProviderError> {
        let batch = Batch::decode(body).map_err(|error| ProviderError::Body(error.to_string()))?;
        let events = batch.into_events().into_iter().map(|event| {
            let key = match event.event_id() {
                Some(id) => EventKey::new(self.name(), id),
                None => EventKey::digest(self.name(), event.raw().as_bytes()),
            };
            receiver::Event::new(key, event)
        });
        Ok(events.collect())
    }
}
