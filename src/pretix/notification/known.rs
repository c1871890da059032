use serde::Deserialize;

use super::path;
use crate::pretix::Action;

/// Defines the notifications about an object of an event, with its path.
macro_rules! about_events {
    ($(
        $(#[$meta:meta])*
        $name:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty,)+ }
        $path:literal => |$this:ident| [$($segment:expr),+]
    )+) => { $(
        $(#[$meta])*
        #[derive(Clone, PartialEq, Eq, Deserialize)]
        #[non_exhaustive]
        pub struct $name {
            /// The id of the log entry.
            pub notification_id: u64,
            /// The action.
            pub action: Action,
            /// The organizer's slug.
            pub organizer: String,
            /// The event's slug.
            pub event: String,
            $($(#[$field_meta])* pub $field: $type,)+
        }

        impl $name {
            #[doc = concat!("The path to fetch: `…/events/{event}/", $path, "/`.")]
            pub fn refetch_path(&self) -> Option<String> {
                let $this = self;
                path::of_event(&self.organizer, &self.event, &[$($segment),+])
            }

            pub(super) fn organizer(&self) -> Option<&str> {
                Some(&self.organizer)
            }

            pub(super) fn event(&self) -> Option<&str> {
                Some(&self.event)
            }
        }
    )+ };
}

about_events! {
    /// A notification about an order, for example that it was placed or paid.
    OrderNotification {
        /// The order's code.
        ///
        /// It was present in every recorded notification. For a deleted order, pretix 2026.8.0 takes
        /// it from a log entry, so it could be missing.
        code: Option<String>,
    }
    "orders/{code}" => |this| ["orders", this.code.as_deref()?]

    /// A notification that a ticket was scanned, or a scan was reverted.
    CheckInNotification {
        /// The code of the order that the ticket belongs to.
        code: Option<String>,
        /// The ticket's id, unique on the server.
        orderposition_id: Option<u64>,
        /// The ticket's number within the order, from 1.
        orderposition_positionid: Option<u64>,
        /// The id of the check-in list.
        checkin_list: Option<u64>,
        /// `entry` or `exit`, or `None` for a reverted check-in (source code of pretix 2026.8.0).
        #[serde(rename = "type")]
        direction: Option<String>,
        /// Whether it was the ticket's first scan. pretix 2026.8.0 always sends `null`.
        first_checkin: Option<bool>,
    }
    "orders/{code}" => |this| ["orders", this.code.as_deref()?]

    /// A notification that a date of an event series was added, changed, or deleted.
    SubEventNotification {
        /// The id of the date.
        subevent: u64,
    }
    "subevents/{subevent}" => |this| ["subevents", &this.subevent.to_string()]

    /// A notification that a product or one of its parts was added, changed, or deleted.
    ItemNotification {
        /// The product's id, even if one of its variations, add-ons, or bundles changed.
        item: u64,
    }
    "items/{item}" => |this| ["items", &this.item.to_string()]

    /// A notification that a quota was added, changed, deleted, opened, or closed.
    QuotaNotification {
        /// The quota's id. Its JSON key is `item`.
        #[serde(rename = "item")]
        quota: u64,
    }
    "quotas/{quota}" => |this| ["quotas", &this.quota.to_string()]

    /// A notification that a voucher was added, changed, or deleted.
    VoucherNotification {
        /// The voucher's id, not its code.
        voucher: u64,
    }
    "vouchers/{voucher}" => |this| ["vouchers", &this.voucher.to_string()]

    /// A notification that a waiting list entry was added, changed, deleted, or received a voucher.
    WaitingListNotification {
        /// The entry's id.
        #[serde(rename = "waitinglistentry")]
        entry: u64,
    }
    "waitinglistentries/{entry}" => |this| ["waitinglistentries", &this.entry.to_string()]
}

/// A notification about an event or the state of its shop.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct EventNotification {
    /// The id of the log entry.
    pub notification_id: u64,
    /// The action.
    pub action: Action,
    /// The organizer's slug.
    pub organizer: String,
    /// The event's slug, or `None` if it was deleted through the API.
    ///
    /// In that case, compare the organizer's list of events to find out which one was deleted.
    /// Every webhook that subscribed to deletions gets such a notification, regardless of its
    /// `limit_events`.
    pub event: Option<String>,
}

impl EventNotification {
    /// The path to fetch: `…/events/{event}/`.
    pub fn refetch_path(&self) -> Option<String> {
        path::of_event(&self.organizer, self.event.as_deref()?, &[])
    }

    pub(super) fn organizer(&self) -> Option<&str> {
        Some(&self.organizer)
    }

    pub(super) fn event(&self) -> Option<&str> {
        self.event.as_deref()
    }
}

/// A notification that a customer account was created, changed, or anonymized.
///
/// It belongs to the organizer, so webhooks get it regardless of their `limit_events`.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct CustomerNotification {
    /// The id of the log entry.
    pub notification_id: u64,
    /// The action.
    pub action: Action,
    /// The organizer's slug.
    pub organizer: String,
    /// The customer's identifier, such as `Y9WUVZX`.
    pub customer: String,
}

impl CustomerNotification {
    /// The path to fetch: `/api/v1/organizers/{organizer}/customers/{customer}/`.
    pub fn refetch_path(&self) -> Option<String> {
        path::of_organizer(&self.organizer, &["customers", &self.customer])
    }

    pub(super) fn organizer(&self) -> Option<&str> {
        Some(&self.organizer)
    }

    pub(super) fn event(&self) -> Option<&str> {
        None
    }
}

/// A notification that a gift card or its balance was created or changed.
///
/// It belongs to the issuing organizer, so webhooks get it regardless of their `limit_events`.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct GiftCardNotification {
    /// The id of the log entry.
    pub notification_id: u64,
    /// The action.
    pub action: Action,
    /// The numeric id of the organizer that issued the card.
    pub issuer_id: u64,
    /// The slug of the organizer that issued the card.
    pub issuer_slug: String,
    /// The numeric id of the organizer where it was used; only for transactions.
    pub acceptor_id: Option<u64>,
    /// The slug of the organizer where it was used; only for transactions.
    pub acceptor_slug: Option<String>,
    /// The card's id, not its code.
    pub giftcard: u64,
}

impl GiftCardNotification {
    /// The path to fetch: `/api/v1/organizers/{issuer}/giftcards/{giftcard}/`.
    pub fn refetch_path(&self) -> Option<String> {
        let id = self.giftcard.to_string();
        path::of_organizer(&self.issuer_slug, &["giftcards", &id])
    }

    pub(super) fn organizer(&self) -> Option<&str> {
        Some(&self.issuer_slug)
    }

    pub(super) fn event(&self) -> Option<&str> {
        None
    }
}
