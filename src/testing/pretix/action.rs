/// The action types of pretix 2026.8.0, in its own order.
pub(super) const ACTION_TYPES: [&str; 47] = [
    "pretix.event.order.placed",
    "pretix.event.order.placed.require_approval",
    "pretix.event.order.paid",
    "pretix.event.order.canceled",
    "pretix.event.order.reactivated",
    "pretix.event.order.expired",
    "pretix.event.order.expirychanged",
    "pretix.event.order.modified",
    "pretix.event.order.contact.changed",
    "pretix.event.order.changed.*",
    "pretix.event.order.refund.created",
    "pretix.event.order.refund.created.externally",
    "pretix.event.order.refund.requested",
    "pretix.event.order.refund.done",
    "pretix.event.order.refund.canceled",
    "pretix.event.order.refund.failed",
    "pretix.event.order.payment.confirmed",
    "pretix.event.order.approved",
    "pretix.event.order.denied",
    "pretix.event.order.deleted",
    "pretix.event.checkin",
    "pretix.event.checkin.reverted",
    "pretix.event.added",
    "pretix.event.changed",
    "pretix.event.deleted",
    "pretix.subevent.added",
    "pretix.subevent.changed",
    "pretix.subevent.deleted",
    "pretix.event.item.*",
    "pretix.event.quota.*",
    "pretix.event.live.activated",
    "pretix.event.live.deactivated",
    "pretix.event.testmode.activated",
    "pretix.event.testmode.deactivated",
    "pretix.event.orders.waitinglist.added",
    "pretix.event.orders.waitinglist.changed",
    "pretix.event.orders.waitinglist.deleted",
    "pretix.event.orders.waitinglist.voucher_assigned",
    "pretix.voucher.added",
    "pretix.voucher.changed",
    "pretix.voucher.deleted",
    "pretix.customer.created",
    "pretix.customer.changed",
    "pretix.customer.anonymized",
    "pretix.giftcards.created",
    "pretix.giftcards.modified",
    "pretix.giftcards.transaction.*",
];

/// The action type under which pretix delivers an action: its own name, or the nearest above it
/// that ends in `.*`.
pub(super) fn subscription(action: &str, is_known: impl Fn(&str) -> bool) -> Option<String> {
    if is_known(action) {
        return Some(action.to_owned());
    }
    let mut name = action;
    while let Some((above, _)) = name.rsplit_once('.') {
        let pattern = format!("{above}.*");
        if is_known(&pattern) {
            return Some(pattern);
        }
        name = above;
    }
    None
}
