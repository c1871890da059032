use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};

/// How long after each failed attempt the next one is due, eleven times.
pub(super) const RETRY_DELAYS: [Duration; 11] = {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    [
        Duration::from_secs(5),
        Duration::from_secs(30),
        Duration::from_secs(60),
        Duration::from_secs(5 * MINUTE),
        Duration::from_secs(20 * MINUTE),
        Duration::from_secs(HOUR),
        Duration::from_secs(4 * HOUR),
        Duration::from_secs(6 * HOUR),
        Duration::from_secs(12 * HOUR),
        Duration::from_secs(12 * HOUR),
        Duration::from_secs(24 * HOUR),
    ]
};

/// A notification on its way to one webhook, at one moment.
///
/// `Debug` doesn't show the body.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PretixFakeDelivery {
    /// The same for all webhooks that the notification goes to, and for all attempts.
    pub notification_id: u64,
    /// The webhook that it goes to.
    pub webhook_id: i64,
    /// The concrete action.
    pub action: String,
    /// The body that is sent, byte for byte.
    pub body: String,
    /// How far it has got.
    pub status: PretixFakeDeliveryStatus,
    /// How many attempts have ended.
    pub attempts: u32,
    /// What the receiver answered last; `None` if nothing.
    pub response_status_code: Option<u16>,
    /// When the next attempt is due, if one is.
    pub next_retry_at: Option<DateTime<Utc>>,
}

impl fmt::Debug for PretixFakeDelivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PretixFakeDelivery")
            .field("notification_id", &self.notification_id)
            .field("webhook_id", &self.webhook_id)
            .field("action", &self.action)
            .field("status", &self.status)
            .field("attempts", &self.attempts)
            .field("response_status_code", &self.response_status_code)
            .finish_non_exhaustive()
    }
}

/// How far a delivery has got. pretix shows it to nobody; the names are the fake's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PretixFakeDeliveryStatus {
    /// An attempt is under way.
    UnderWay,
    /// The receiver answered 2xx.
    Delivered,
    /// The last attempt failed, and another is due.
    Failed,
    /// No attempt follows: after twelve, after 410, or because the webhook is disabled by now.
    Dropped,
}
