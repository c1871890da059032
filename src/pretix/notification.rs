mod account;
mod envelope;
mod event;
mod family;
mod order;
mod path;
mod product;
mod unknown;

use std::fmt;

use serde::de::DeserializeOwned;

use self::envelope::Envelope;
use self::family::Family;
use super::Action;

pub use self::account::{CustomerNotification, GiftCardNotification};
pub use self::envelope::NotificationError;
pub use self::event::{EventNotification, SubEventNotification};
pub use self::order::{CheckInNotification, OrderNotification};
pub use self::product::{
    ItemNotification, QuotaNotification, VoucherNotification, WaitingListNotification,
};
pub use self::unknown::UnknownNotification;

/// What pretix sends to a webhook: that something happened, and to which object.
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
/// **Don't trust it.** It is unsigned, it may be older than the object's present state, and it
/// comes again after a failure. Take it for a trigger, and fetch
/// [`refetch_path`](Self::refetch_path) with your own API token.
///
/// The variant follows from the name of the action, never from the fields. Fields that this version
/// doesn't know are ignored. A notification of another action, or whose fields don't fit its
/// action, is [`Unknown`](Self::Unknown) and keeps its JSON. The event that a receiver hands out has
/// the JSON of every notification. `Debug` shows the id and the action alone.
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

/// One expression for the value inside of any variant.
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
    /// Reads the body of a delivery.
    ///
    /// Bound the size of the body before; pretix 2026.8.0 sends well under a kilobyte.
    ///
    /// # Errors
    ///
    /// If the body is not a JSON object with a number `notification_id` and a string `action`, each
    /// there once.
    pub fn from_slice(body: &[u8]) -> Result<Self, NotificationError> {
        let envelope = Envelope::from_slice(body)?;
        let known = match Family::of(envelope.action.as_str()) {
            Family::Order => fitting(body, Self::Order),
            Family::CheckIn => fitting(body, Self::CheckIn),
            Family::Event => fitting(body, Self::Event),
            Family::SubEvent => fitting(body, Self::SubEvent),
            Family::Item => fitting(body, Self::Item),
            Family::Quota => fitting(body, Self::Quota),
            Family::Voucher => fitting(body, Self::Voucher),
            Family::WaitingList => fitting(body, Self::WaitingList),
            Family::Customer => fitting(body, Self::Customer),
            Family::GiftCard => fitting(body, Self::GiftCard),
            Family::Unknown => None,
        };
        Ok(known.unwrap_or_else(|| Self::Unknown(UnknownNotification::new(envelope))))
    }

    /// The id of the log entry behind it, for recognizing duplicates.
    ///
    /// The same in every retry and for every webhook that gets it; not consecutive. Unique within
    /// one pretix installation, so join it with the server's host if you receive from several.
    #[must_use]
    pub fn notification_id(&self) -> u64 {
        each!(self, inner => inner.notification_id)
    }

    /// What happened.
    #[must_use]
    pub fn action(&self) -> &Action {
        each!(self, inner => &inner.action)
    }

    /// The slug of the organizer whose webhook it is.
    ///
    /// For a gift card, the issuer: the notification has no other organizer, and pretix 2026.8.0
    /// sends it to the issuer's webhooks only. `None` at most for an [`Unknown`](Self::Unknown)
    /// notification.
    #[must_use]
    pub fn organizer(&self) -> Option<&str> {
        each!(self, inner => inner.organizer())
    }

    /// The slug of the event.
    ///
    /// `None` for customers and gift cards, which belong to the organizer, and for an event that
    /// was deleted through the API.
    #[must_use]
    pub fn event(&self) -> Option<&str> {
        each!(self, inner => inner.event())
    }

    /// The path at which pretix's API has the present state of the object.
    ///
    /// `PretixClient::fetch` (feature `client`) requests it. 404 means that the object was deleted,
    /// and 403 that its event was, or that the token lacks a permission. A check-in leads to its
    /// order. Why: see [`Notification`].
    ///
    /// `None` if the notification is [`Unknown`](Self::Unknown), if an id is `null` that the path
    /// needs, as for an event deleted through the API, or if an id can't be one. Each segment is
    /// percent-encoded, and no id can lead to another path. All paths were tried on pretix
    /// 2026.8.0.
    #[must_use]
    pub fn refetch_path(&self) -> Option<String> {
        each!(self, inner => inner.refetch_path())
    }
}

fn fitting<T: DeserializeOwned>(
    body: &[u8],
    variant: fn(T) -> Notification,
) -> Option<Notification> {
    serde_json::from_slice(body).ok().map(variant)
}

/// Shows which notification it is, and nothing of the object that it is about.
macro_rules! debug {
    ($($notification:ident)*) => {
        $(impl fmt::Debug for $notification {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($notification))
                    .field("notification_id", &self.notification_id)
                    .field("action", &self.action)
                    .finish_non_exhaustive()
            }
        })*
    };
}

debug! {
    OrderNotification CheckInNotification EventNotification SubEventNotification ItemNotification
    QuotaNotification VoucherNotification WaitingListNotification CustomerNotification
    GiftCardNotification UnknownNotification
}
