use std::fmt;
use std::sync::Arc;

/// A batch that a [`LuneFake`](super::LuneFake) has sent, and what became of it.
///
/// Cheap to clone. `Debug` shows neither the body nor the signature.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LuneFakeDelivery {
    /// The webhook that it went to.
    pub webhook_id: String,
    /// The accounts of its events, each once, in the order of their first event.
    pub account_ids: Vec<String>,
    /// The ids of its events in order; empty for a raw event without one.
    pub event_ids: Vec<String>,
    /// The body that was sent, byte for byte.
    pub body: Arc<str>,
    /// The value of its `Lune-HMAC` header.
    pub signature: String,
    /// What the receiver answered; `None` if nothing in time.
    pub response_status_code: Option<u16>,
    /// Whether its events are done: it was answered 2xx, and the answer wasn't lost.
    pub acknowledged: bool,
}

impl fmt::Debug for LuneFakeDelivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LuneFakeDelivery")
            .field("webhook_id", &self.webhook_id)
            .field("account_ids", &self.account_ids)
            .field("event_ids", &self.event_ids)
            .field("response_status_code", &self.response_status_code)
            .field("acknowledged", &self.acknowledged)
            .finish_non_exhaustive()
    }
}
