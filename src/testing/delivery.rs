use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

/// An event on its way from a [`Fake`](super::Fake) to one webhook, at one moment.
///
/// Cheap to clone. `Debug` shows no payload.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FakeDelivery {
    /// Preo's delivery id, Lune's `event_id` or pretix's `notification_id`.
    ///
    /// At Lune and pretix, all webhooks that get an event share it.
    pub id: String,
    /// The webhook that it goes to.
    pub webhook_id: String,
    /// The event's name.
    pub event: String,
    /// The JSON that is sent: at Preo and pretix the body, at Lune one event of the batch.
    pub payload: Arc<str>,
    /// How far it has come.
    pub status: FakeDeliveryStatus,
    /// How many attempts have ended.
    pub attempts: u32,
    /// The receiver's last status; `None` if there was no response.
    pub response_status: Option<u16>,
    /// When the last attempt ended.
    pub last_attempt_at: Option<DateTime<Utc>>,
    /// When the next attempt is due, if there is one.
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// When the event was emitted.
    pub created: DateTime<Utc>,
    /// Deliveries to one webhook that share a lane are sent in order, at a service that orders.
    pub(crate) lane: String,
    pub(crate) signature: String,
    pub(crate) in_flight: bool,
    /// What is wrong with the next attempt.
    pub(crate) defect: Option<Defect>,
}

/// The state of a [`FakeDelivery`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FakeDeliveryStatus {
    /// No attempt has ended yet.
    Pending,
    /// The receiver answered 2xx.
    Delivered,
    /// The last attempt failed, and another one will follow.
    Failed,
    /// The last attempt failed, and no other one will follow.
    Dropped,
}

impl fmt::Debug for FakeDelivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeDelivery")
            .field("id", &self.id)
            .field("webhook_id", &self.webhook_id)
            .field("event", &self.event)
            .field("status", &self.status)
            .field("attempts", &self.attempts)
            .field("response_status", &self.response_status)
            .finish_non_exhaustive()
    }
}

/// What is wrong on purpose with one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Defect {
    Forged,
    Unsigned,
    SignedTwice,
    Altered,
    Stale,
    Duplicated,
    Oversized(usize),
    Slow(Duration),
    CutOff,
}
