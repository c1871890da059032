mod known;
mod path;
mod unknown;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use thiserror::Error;

use super::Action;
use crate::text::debug_fields;

pub use self::known::{
    CheckInNotification, CustomerNotification, EventNotification, GiftCardNotification,
    ItemNotification, OrderNotification, QuotaNotification, SubEventNotification,
    VoucherNotification, WaitingListNotification,
};
pub use self::unknown::UnknownNotification;

/// A notification of pretix: what happened, and to which object.
///
/// ```
/// use webhook_sdk::pretix::{ActionType, Notification};
///
/// let notification = Notification::from_slice(
///     br#"{"notification_id": 21, "organizer": "bigevents", "event": "democon", "item": 1,
///          "action": "pretix.event.quota.changed"}"#,
/// )?;
/// assert_eq!(notification.notification_id(), 21);
/// assert_eq!(notification.action().subscription(), Some(ActionType::QuotaAny));
///
/// let Notification::Quota(quota) = notification else { panic!("a quota changed") };
/// assert_eq!(quota.quota, 1);
/// assert_eq!(
///     quota.refetch_path().as_deref(),
///     Some("/api/v1/organizers/bigevents/events/democon/quotas/1/"),
/// );
/// # Ok::<(), webhook_sdk::pretix::NotificationError>(())
/// ```
///
/// **Don't trust it.** It is unsigned, can be older than the object's current state, and is
/// redelivered after a failure. Use it as a trigger, and fetch [`refetch_path`](Self::refetch_path)
/// with your own API token.
///
/// The variant depends on the name of the action, never on the fields. Unknown fields are ignored.
/// A notification with an unknown action, or with fields that don't match its action, is
/// [`Unknown`](Self::Unknown) and keeps its JSON. A receiver's `Event` has the JSON of every
/// notification. `Debug` only shows the id and the action.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notification {
    /// About an order: `pretix.event.order.…`.
    Order(OrderNotification),
    /// About a scanned ticket: `pretix.event.checkin`, `pretix.event.checkin.…`.
    CheckIn(CheckInNotification),
    /// About an event: `pretix.event.added`, `.changed`, `.deleted`, `.live.…`, `.testmode.…`.
    Event(EventNotification),
    /// About a date of an event series: `pretix.subevent.…`.
    SubEvent(SubEventNotification),
    /// About a product: `pretix.event.item.…`.
    Item(ItemNotification),
    /// About a quota: `pretix.event.quota.…`.
    Quota(QuotaNotification),
    /// About a voucher: `pretix.voucher.…`.
    Voucher(VoucherNotification),
    /// About a waiting list entry: `pretix.event.orders.waitinglist.…`.
    WaitingList(WaitingListNotification),
    /// About a customer account: `pretix.customer.…`.
    Customer(CustomerNotification),
    /// About a gift card: `pretix.giftcards.…`.
    GiftCard(GiftCardNotification),
    /// About something else, such as a plugin's object.
    Unknown(UnknownNotification),
}

/// Evaluates one expression for the value in any variant.
macro_rules! each {
    ($notification:expr, $inner:ident => $value:expr) => {
        match $notification {
            Notification::Order($inner) => $value,
            Notification::CheckIn($inner) => $value,
            Notification::Event($inner) => $value,
            Notification::SubEvent($inner) => $value,
            Notification::Item($inner) => $value,
            Notification::Quota($inner) => $value,
            Notification::Voucher($inner) => $value,
            Notification::WaitingList($inner) => $value,
            Notification::Customer($inner) => $value,
            Notification::GiftCard($inner) => $value,
            Notification::Unknown($inner) => $value,
        }
    };
}

impl Notification {
    /// Decodes the body of a delivery.
    ///
    /// Limit the size of the body first. pretix 2026.8.0 sends well under a kilobyte.
    ///
    /// # Errors
    ///
    /// Returns an error if the body isn't a JSON object with exactly one number `notification_id`
    /// and one string `action`.
    pub fn from_slice(body: &[u8]) -> Result<Self, NotificationError> {
        let raw: &RawValue =
            serde_json::from_slice(body).map_err(|_| NotificationError::NotJson)?;
        // A derived struct would also accept an array.
        if !raw.get().starts_with('{') {
            return Err(NotificationError::NotAnObject);
        }
        let Envelope {
            notification_id,
            action,
        } = serde_json::from_slice(body).map_err(|_| NotificationError::NotANotification)?;

        // The names that pretix 2026.8.0 sends, and similar later ones.
        let known = match action.as_str().strip_prefix("pretix.").unwrap_or_default() {
            "event.added" | "event.changed" | "event.deleted" => known(body, Self::Event),
            "event.checkin" => known(body, Self::CheckIn),
            name if name.starts_with("event.checkin.") => known(body, Self::CheckIn),
            name if name.starts_with("event.order.") => known(body, Self::Order),
            name if name.starts_with("event.live.") => known(body, Self::Event),
            name if name.starts_with("event.testmode.") => known(body, Self::Event),
            name if name.starts_with("event.item.") => known(body, Self::Item),
            name if name.starts_with("event.quota.") => known(body, Self::Quota),
            name if name.starts_with("event.orders.waitinglist.") => known(body, Self::WaitingList),
            name if name.starts_with("subevent.") => known(body, Self::SubEvent),
            name if name.starts_with("voucher.") => known(body, Self::Voucher),
            name if name.starts_with("customer.") => known(body, Self::Customer),
            name if name.starts_with("giftcards.") => known(body, Self::GiftCard),
            _ => None,
        };
        Ok(known.unwrap_or_else(|| {
            Self::Unknown(UnknownNotification::new(notification_id, action, raw))
        }))
    }

    /// The id of the log entry, for deduplication.
    ///
    /// It is the same in every retry and for every webhook, and not consecutive. It is unique
    /// within one pretix installation, so combine it with the server's host if you receive from
    /// several.
    pub fn notification_id(&self) -> u64 {
        each!(self, inner => inner.notification_id)
    }

    /// The action.
    pub fn action(&self) -> &Action {
        each!(self, inner => &inner.action)
    }

    /// The slug of the webhook's organizer.
    ///
    /// For a gift card, this is the issuer: the notification has no other organizer, and pretix
    /// 2026.8.0 sends it to the issuer's webhooks only. It can only be `None` for an
    /// [`Unknown`](Self::Unknown) notification.
    pub fn organizer(&self) -> Option<&str> {
        each!(self, inner => inner.organizer())
    }

    /// The slug of the event.
    ///
    /// `None` for customers and gift cards, which belong to the organizer, and for an event that
    /// was deleted through the API.
    pub fn event(&self) -> Option<&str> {
        each!(self, inner => inner.event())
    }

    /// The API path of the object's current state.
    ///
    /// `PretixClient::fetch` (feature `client`) requests it. A 404 means that the object was
    /// deleted. A 403 means that its event was deleted, or that the token lacks a permission. For a
    /// check-in, this is the path of its order. See [`Notification`] for why to fetch it.
    ///
    /// `None` if the notification is [`Unknown`](Self::Unknown), if a required id is `null`, as for
    /// an event deleted through the API, or if an id is invalid. Each segment is percent-encoded,
    /// so no id can lead to another path. All paths were tested with pretix 2026.8.0.
    pub fn refetch_path(&self) -> Option<String> {
        each!(self, inner => inner.refetch_path())
    }
}

/// An error from decoding a notification. It never contains the body.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NotificationError {
    /// The body is not JSON in UTF-8.
    #[error("the body isn't JSON")]
    NotJson,
    /// The body is JSON, but not an object.
    #[error("the body isn't a JSON object")]
    NotAnObject,
    /// `notification_id` or `action` is missing, occurs twice, or has the wrong type.
    #[error("the body needs exactly one number `notification_id` and one string `action`")]
    NotANotification,
}

/// The fields of every notification.
#[derive(Deserialize)]
struct Envelope {
    notification_id: u64,
    action: Action,
}

fn known<T: DeserializeOwned>(body: &[u8], variant: fn(T) -> Notification) -> Option<Notification> {
    serde_json::from_slice(body).ok().map(variant)
}

debug_fields! {
    OrderNotification { notification_id, action }
    CheckInNotification { notification_id, action }
    EventNotification { notification_id, action }
    SubEventNotification { notification_id, action }
    ItemNotification { notification_id, action }
    QuotaNotification { notification_id, action }
    VoucherNotification { notification_id, action }
    WaitingListNotification { notification_id, action }
    CustomerNotification { notification_id, action }
    GiftCardNotification { notification_id, action }
    UnknownNotification { notification_id, action }
}
