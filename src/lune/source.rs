use http::request::Parts;

use super::{Batch, Event};
use crate::receiver::{self, Authenticated, Authentication, DecodeError, Refusal};
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
/// let receiver = Receiver::new(lune::Source::new(Verifier::new(lune::scheme(), keyring)));
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
pub struct Source {
    verifier: Verifier,
}

impl Source {
    /// Source that this verifier accepts.
    pub fn new(verifier: Verifier) -> Self {
        Self { verifier }
    }
}

impl receiver::Source for Source {
    type Event = Event;

    fn name(&self) -> &str {
        "lune"
    }

    async fn authenticate(&self, parts: &Parts) -> Result<Authentication, Refusal> {
        Ok(self.verifier.begin(&parts.headers)?.into())
    }

    fn decode(
        &self,
        delivery: &Authenticated<'_>,
    ) -> Result<Vec<receiver::Event<Event>>, DecodeError> {
        let batch =
            Batch::decode(delivery.body()).map_err(|error| DecodeError::new(error.to_string()))?;
        let events = batch.into_events().into_iter().map(|event| {
            let key = match event.event_id() {
                Some(id) => delivery.event_key(&[id]),
                None => delivery.digest_key(event.raw().as_bytes()),
            };
            delivery.event(key, event)
        });
        Ok(events.collect())
    }
}
