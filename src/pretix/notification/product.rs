use serde::Deserialize;

use super::path;
use crate::pretix::Action;

/// A notification that a product or one of its parts was added, changed or deleted.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct ItemNotification {
    /// The id of the log entry.
    pub notification_id: u64,
    /// The action.
    pub action: Action,
    /// The organizer's slug.
    pub organizer: String,
    /// The event's slug.
    pub event: String,
    /// The product's id, even if one of its variations, add-ons or bundles changed.
    pub item: u64,
}

/// A notification that a quota was added, changed, deleted, opened or closed.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct QuotaNotification {
    /// The id of the log entry.
    pub notification_id: u64,
    /// The action.
    pub action: Action,
    /// The organizer's slug.
    pub organizer: String,
    /// The event's slug.
    pub event: String,
    /// The quota's id. Its JSON key is `item`.
    #[serde(rename = "item")]
    pub quota: u64,
}

/// A notification that a voucher was added, changed or deleted.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct VoucherNotification {
    /// The id of the log entry.
    pub notification_id: u64,
    /// The action.
    pub action: Action,
    /// The organizer's slug.
    pub organizer: String,
    /// The event's slug.
    pub event: String,
    /// The voucher's id, not its code.
    pub voucher: u64,
}

/// A notification that a waiting list entry was added, changed, deleted, or received a voucher.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct WaitingListNotification {
    /// The id of the log entry.
    pub notification_id: u64,
    /// The action.
    pub action: Action,
    /// The organizer's slug.
    pub organizer: String,
    /// The event's slug.
    pub event: String,
    /// The entry's id.
    #[serde(rename = "waitinglistentry")]
    pub entry: u64,
}

macro_rules! of_event {
    ($type:ident, $id:ident, $segment:literal, $doc:literal) => {
        impl $type {
            #[doc = $doc]
            pub fn refetch_path(&self) -> Option<String> {
                path::of_event(
                    &self.organizer,
                    &self.event,
                    &[$segment, &self.$id.to_string()],
                )
            }

            pub(super) fn organizer(&self) -> Option<&str> {
                Some(&self.organizer)
            }

            pub(super) fn event(&self) -> Option<&str> {
                Some(&self.event)
            }
        }
    };
}

of_event!(
    ItemNotification,
    item,
    "items",
    "The path of the product: `…/events/{event}/items/{item}/`."
);
of_event!(
    QuotaNotification,
    quota,
    "quotas",
    "The path of the quota: `…/events/{event}/quotas/{quota}/`."
);
of_event!(
    VoucherNotification,
    voucher,
    "vouchers",
    "The path of the voucher: `…/events/{event}/vouchers/{voucher}/`."
);
of_event!(
    WaitingListNotification,
    entry,
    "waitinglistentries",
    "The path of the entry: `…/events/{event}/waitinglistentries/{entry}/`."
);
