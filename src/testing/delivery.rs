use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

/// A snapshot of a delivery from a [`Fake`](super::Fake) to one webhook.
///
/// Cloning is cheap. `Debug` shows no payload.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FakeDelivery {
    /// Preo's delivery id, Lune's `event_id`, or pretix's `notification_id`.
    ///
    /// With Lune and pretix, all webhooks that get an event share it.
    pub id: String,
    /// The id of the webhook.
    pub webhook_id: String,
    /// The event's name.
    pub event: String,
    /// The JSON that is sent: the body for Preo and pretix, one event of the batch for Lune.
    pub payload: Arc<str>,
    /// The status of the delivery.
    pub status: FakeDeliveryStatus,
    /// The number of completed attempts.
    pub attempts: u32,
    /// The last response status, or `None` if there was no response.
    pub response_status: Option<u16>,
    /// When the last attempt ended.
    pub last_attempt_at: Option<DateTime<Utc>>,
    /// When the next attempt is due, if there is one.
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// When the event was emitted.
    pub created: DateTime<Utc>,
    /// If the service orders deliveries, those to one webhook in the same lane are sent in order.
    pub(crate) lane: String,
    pub(crate) signature: String,
    pub(crate) in_flight: bool,
    /// The defect of the next attempt.
    pub(crate) defect: Option<Defect>,
}

/// The state of a [`FakeDelivery`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FakeDeliveryStatus {
    /// No attempt has completed yet.
    Pending,
    /// The receiver responded with 2xx.
    Delivered,
    /// The last attempt failed, and there will be another one.
    Failed,
    /// The last attempt failed, and there won't be another one.
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

/// A deliberate defect of one attempt.
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
