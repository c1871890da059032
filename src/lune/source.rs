use http::request::Parts;

use super::{Batch, Event};
use crate::receiver::{self, Authenticated, Authentication, DecodeError, Keys, Refusal, Tenants};
use crate::signature::Verifier;

/// Lune's deliveries, as a source for a [`Receiver`](crate::receiver::Receiver).
///
/// ```
/// use webhook_sdk::Secret;
/// use webhook_sdk::lune;
/// use webhook_sdk::receiver::Receiver;
///
/// let verifier = lune::verifier(&Secret::from("from the create call"))?;
/// let receiver = Receiver::new(lune::Source::new(verifier));
/// # let _ = receiver;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
///
/// An event that can't be decoded is also passed to the handler, as
/// [`EventData::Undecodable`](super::EventData::Undecodable) with its raw bytes. It doesn't affect
/// other events. To skip it, return `Ok(())` from the handler.
///
/// # Order
///
/// Lune guarantees the order of events within an account, at-least-once delivery, and no later
/// event of an account before the earlier ones are acknowledged. A batch must be acknowledged as a
/// whole within 30 seconds, or it is redelivered as a whole.
///
/// The receiver handles each event once. It also keeps the order if a batch is redelivered while
/// its first copy is still being handled, in one process or in several that share a store:
///
/// - The events of a batch are handled one after another. Each handler starts after the previous
///   event was committed.
/// - If another copy of the batch is handling an event, the batch gets 503. Lune redelivers it, and
///   events that were handled by then are skipped.
/// - The batch stops at the first event that fails. No later event of any account is handled until
///   Lune redelivers the batch.
///
/// The order isn't guaranteed if a handler outlives its [lease](receiver::ReceiverBuilder::lease),
/// for example in a suspended process: another handler can then process the same event and later
/// ones.
///
/// # Duplicates
///
/// Events are deduplicated by `event_id`. The string `"5"` and the number `5` are different ids. An
/// event without an id is deduplicated by the digest of its bytes. Once the store has forgotten an
/// event, a redelivery is handled again, unless [`skip_stale`](Self::skip_stale) is set.
#[derive(Clone, Debug)]
pub struct Source {
    keys: Keys<Verifier>,
    skip_stale: bool,
}

impl Source {
    /// Creates a source from a verifier.
    pub fn new(verifier: Verifier) -> Self {
        Self {
            keys: Keys::Same(verifier),
            skip_stale: false,
        }
    }

    /// Creates a source for many tenants, each with its own verifier.
    pub fn for_tenants(tenants: Tenants<Verifier>) -> Self {
        Self {
            keys: Keys::for_tenants(tenants, super::scheme()),
            skip_stale: false,
        }
    }

    /// Skips events whose `sequence` is lower than the last one handled for the account.
    ///
    /// Lune documents this as a second way to detect redeliveries. An event with an equal sequence
    /// and a different `event_id` is a new event. The store keeps the last sequence of each account
    /// for as long as an event, so with a shared store this works across processes and restarts. An
    /// event without an account or a sequence, or with a sequence of more than 128 bytes, is never
    /// stale.
    ///
    /// An event that failed is skipped too, when Lune sends it again after a later one of its account
    /// was handled.
    ///
    /// It is off by default because a skipped event is lost, and Lune has published two formats of
    /// [`Sequence`](super::Sequence) that don't sort together.
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

    /// Lune doesn't publish the maximum size of a batch. 32 MiB is enough for 10,000 events of
    /// three times the size of the published sample.
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
        request: &Authenticated<'_>,
    ) -> Result<Vec<receiver::Event<Event>>, DecodeError> {
        let body = request.body();
        let events =
            Batch::decode_located(body).map_err(|error| DecodeError::new(error.to_string()))?;
        let events = events.into_iter().map(|(range, event)| {
            let raw = body.slice(range);
            let mut key = match event.event_id() {
                Some(id) if event.has_text_id() => request.event_key(&[id]),
                Some(id) => request.digest_key(format!("event_id={id}").as_bytes()),
                None => request.digest_key(&raw),
            };
            if self.skip_stale
                && let (Some(account), Some(sequence)) = (event.account_id(), event.sequence())
            {
                key = key.with_position(account, sequence.as_str());
            }
            request.event(key, event).with_raw(raw)
        });
        Ok(events.collect())
    }
}
