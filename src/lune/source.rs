use http::request::Parts;

use super::{Batch, Event};
use crate::receiver::{self, Authenticated, Authentication, DecodeError, Keys, Refusal, Tenants};
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
/// An event that can't be decoded reaches the handler too, as
/// [`EventData::Undecodable`](super::EventData::Undecodable) with its raw bytes, and costs no other
/// event. `Ok(())` from the handler skips it on purpose.
///
/// # Order
///
/// Lune promises the order of events within an account, at least one delivery of each, and no later
/// event of an account before the earlier ones are acknowledged. A batch is acknowledged as a whole,
/// within 30 seconds, or sent again as a whole.
///
/// The receiver adds that each event is handled once, and that the order holds while a batch is sent
/// again although its first copy is still being handled, in one process, and in several that share
/// a store:
///
/// - The events of a batch are handled one after the other. An event's handler starts only after the
///   commit of the one before it.
/// - An event that another copy of the batch is handling ends the batch with 503. Lune sends it
///   again, and what was handled by then is skipped.
/// - The first event that fails ends the batch. Nothing after it is handled, of any account, until
///   Lune sends the batch again.
///
/// The order can't hold where one handler outlives its [lease](receiver::ReceiverBuilder::lease), as
/// in a process that stands still: another may then handle the same event and those after it.
///
/// # Duplicates
///
/// Events are deduplicated by `event_id`. The string `"5"` and the number `5` are two ids. An event
/// without one is deduplicated by the digest of its bytes. What the store has forgotten is handled
/// again, unless [`skip_stale`](Self::skip_stale) recognizes it.
#[derive(Clone, Debug)]
pub struct Source {
    keys: Keys<Verifier>,
    skip_stale: bool,
}

impl Source {
    /// Deliveries that this verifier accepts.
    pub fn new(verifier: Verifier) -> Self {
        Self {
            keys: Keys::Same(verifier),
            skip_stale: false,
        }
    }

    /// Deliveries to many tenants, each with its own verifier.
    pub fn for_tenants(tenants: Tenants<Verifier>) -> Self {
        Self {
            keys: Keys::of_tenants(tenants, super::scheme()),
            skip_stale: false,
        }
    }

    /// Skips an event whose `sequence` is lower than the last one handled of its account.
    ///
    /// Lune names this as a second way to recognize a redelivery. An event with an equal sequence and
    /// another `event_id` is a new event. The store keeps the last sequence of each account as long
    /// as it remembers an event, so with a shared store it holds across processes and restarts. An
    /// event without an account or a sequence is never stale.
    ///
    /// Off by default: of the two forms of [`Sequence`](super::Sequence) that Lune has published,
    /// every value of one is below every value of the other on the same day, and an event that is
    /// skipped is lost.
    #[must_use]
    pub fn skip_stale(mut self) -> Self {
        self.skip_stale = true;
        self
    }
}

impl receiver::Source for Source {
    type Event = Event;

    fn name(&self) -> &str {
        "lune"
    }

    /// Lune publishes no bound on a batch. 32 MiB holds 10,000 events of three times the size of the
    /// published sample.
    fn max_body_bytes(&self) -> usize {
        32 * 1024 * 1024
    }

    fn skips_stale_events(&self) -> bool {
        self.skip_stale
    }

    async fn authenticate(&self, parts: &Parts) -> Result<Authentication, Refusal> {
        self.keys.begin(parts).await
    }

    fn decode(
        &self,
        delivery: &Authenticated<'_>,
    ) -> Result<Vec<receiver::Event<Event>>, DecodeError> {
        let body = delivery.body();
        let events =
            Batch::decode_located(body).map_err(|error| DecodeError::new(error.to_string()))?;
        let events = events.into_iter().map(|(range, event)| {
            let raw = body.slice(range);
            let mut key = match event.event_id() {
                Some(id) if event.has_text_id() => delivery.event_key(&[id]),
                Some(id) => delivery.digest_key(format!("event_id={id}").as_bytes()),
                None => delivery.digest_key(&raw),
            };
            if self.skip_stale
                && let (Some(account), Some(sequence)) = (event.account_id(), event.sequence())
            {
                key = key.with_position(account, sequence.as_str());
            }
            delivery.event(key, event).with_raw(raw)
        });
        Ok(events.collect())
    }
}
