use std::iter;

use serde::{Deserialize, Serialize};

use crate::open_enum::open_enum;
use crate::text::text_type;

open_enum! {
    /// An action type that a pretix webhook can subscribe to.
    ///
    /// ```
    /// use webhook_sdk::pretix::ActionType;
    ///
    /// assert_eq!(ActionType::OrderPaid.as_str(), "pretix.event.order.paid");
    /// assert_eq!(ActionType::from("pretix.event.order.changed.*"), ActionType::OrderChangedAny);
    /// assert!(ActionType::from("pretix.event.order.*").is_unknown());
    /// ```
    ///
    /// An action type is a fixed name, not a pattern, even if it ends in `.*`. pretix 2026.8.0
    /// accepts these 47 names and those of its plugins, is case-sensitive, and responds with 400 to
    /// any other name, such as `pretix.event.order.*`. The variants named `…Any` cover every
    /// concrete action below their name, which can't be subscribed to individually. No other action
    /// type covers the ones below it: [`OrderPlaced`](Self::OrderPlaced) does not include
    /// [`OrderPlacedRequireApproval`](Self::OrderPlacedRequireApproval).
    ///
    /// A plugin's action type is [`Unknown`](Self::Unknown). 16 of the 47 are missing from the
    /// published list at <https://docs.pretix.eu/en/latest/api/resources/webhooks.html>; a
    /// self-hosted pretix may be too old for some of them.
    pub enum ActionType {
        /// An order was placed.
        OrderPlaced = "pretix.event.order.placed",
        /// An order that requires approval was placed.
        OrderPlacedRequireApproval = "pretix.event.order.placed.require_approval",
        /// An order was paid in full.
        OrderPaid = "pretix.event.order.paid",
        /// An order was canceled.
        OrderCanceled = "pretix.event.order.canceled",
        /// A canceled order was reactivated.
        OrderReactivated = "pretix.event.order.reactivated",
        /// An order expired unpaid.
        OrderExpired = "pretix.event.order.expired",
        /// The payment deadline of an order changed.
        OrderExpiryChanged = "pretix.event.order.expirychanged",
        /// The information in an order changed, such as names and answers.
        OrderModified = "pretix.event.order.modified",
        /// The contact address of an order changed.
        OrderContactChanged = "pretix.event.order.contact.changed",
        /// The content of an order changed, such as a price or a position.
        OrderChangedAny = "pretix.event.order.changed.*",
        /// A refund was created.
        OrderRefundCreated = "pretix.event.order.refund.created",
        /// A refund was made outside of pretix, for example by the payment provider.
        OrderRefundCreatedExternally = "pretix.event.order.refund.created.externally",
        /// A customer requested a refund.
        OrderRefundRequested = "pretix.event.order.refund.requested",
        /// A refund was completed.
        OrderRefundDone = "pretix.event.order.refund.done",
        /// A refund was canceled.
        OrderRefundCanceled = "pretix.event.order.refund.canceled",
        /// A refund failed.
        OrderRefundFailed = "pretix.event.order.refund.failed",
        /// A payment was confirmed.
        OrderPaymentConfirmed = "pretix.event.order.payment.confirmed",
        /// An order was approved.
        OrderApproved = "pretix.event.order.approved",
        /// An order was denied.
        OrderDenied = "pretix.event.order.denied",
        /// A test mode order was deleted. Other orders can't be deleted.
        OrderDeleted = "pretix.event.order.deleted",
        /// A ticket was scanned, for entry or exit.
        CheckIn = "pretix.event.checkin",
        /// A check-in was reverted.
        CheckInReverted = "pretix.event.checkin.reverted",
        /// An event was created, or copied from another.
        EventAdded = "pretix.event.added",
        /// An event's details changed.
        EventChanged = "pretix.event.changed",
        /// An event was deleted.
        EventDeleted = "pretix.event.deleted",
        /// A date was added to an event series.
        SubEventAdded = "pretix.subevent.added",
        /// A date of an event series changed.
        SubEventChanged = "pretix.subevent.changed",
        /// A date of an event series was deleted.
        SubEventDeleted = "pretix.subevent.deleted",
        /// A product or one of its parts was added, changed, or deleted.
        ItemAny = "pretix.event.item.*",
        /// A quota was added, changed, deleted, opened, or closed, but not its availability.
        QuotaAny = "pretix.event.quota.*",
        /// A shop went live.
        LiveActivated = "pretix.event.live.activated",
        /// A shop was taken offline.
        LiveDeactivated = "pretix.event.live.deactivated",
        /// A shop was put into test mode.
        TestmodeActivated = "pretix.event.testmode.activated",
        /// A shop left test mode.
        TestmodeDeactivated = "pretix.event.testmode.deactivated",
        /// A waiting list entry was added.
        WaitingListAdded = "pretix.event.orders.waitinglist.added",
        /// A waiting list entry changed.
        WaitingListChanged = "pretix.event.orders.waitinglist.changed",
        /// A waiting list entry was deleted.
        WaitingListDeleted = "pretix.event.orders.waitinglist.deleted",
        /// A waiting list entry received a voucher.
        WaitingListVoucherAssigned = "pretix.event.orders.waitinglist.voucher_assigned",
        /// A voucher was added.
        VoucherAdded = "pretix.voucher.added",
        /// A voucher was changed, but not redeemed.
        VoucherChanged = "pretix.voucher.changed",
        /// A voucher was deleted.
        VoucherDeleted = "pretix.voucher.deleted",
        /// A customer account was created.
        CustomerCreated = "pretix.customer.created",
        /// A customer account changed.
        CustomerChanged = "pretix.customer.changed",
        /// A customer account was anonymized.
        CustomerAnonymized = "pretix.customer.anonymized",
        /// A gift card was created.
        GiftCardCreated = "pretix.giftcards.created",
        /// A gift card changed.
        GiftCardModified = "pretix.giftcards.modified",
        /// A gift card's balance changed.
        GiftCardTransactionAny = "pretix.giftcards.transaction.*",
    }
}

/// The concrete action of a notification.
///
/// ```
/// use webhook_sdk::pretix::{Action, ActionType};
///
/// let action = Action::from("pretix.event.order.changed.price");
/// assert_eq!(action.subscription(), Some(ActionType::OrderChangedAny));
/// assert_eq!(action.as_str(), "pretix.event.order.changed.price");
/// ```
///
/// A webhook that subscribed to a `.*` name receives the concrete action, so compare
/// [`subscription`](Self::subscription) with an [`ActionType`], not the text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Action(String);

impl Action {
    /// The known action type that covers this action.
    ///
    /// `None` if only a plugin's action type can cover it. See
    /// [`subscriptions`](Self::subscriptions).
    pub fn subscription(&self) -> Option<ActionType> {
        self.subscriptions()
            .find(|action_type| !action_type.is_unknown())
    }

    /// All names that pretix looks up for this action. The first registered one wins.
    ///
    /// ```
    /// use webhook_sdk::pretix::Action;
    ///
    /// let action = Action::from("pretix.event.quota.opened");
    /// let names: Vec<_> = action.subscriptions().map(|name| name.to_string()).collect();
    /// assert_eq!(names, ["pretix.event.quota.opened", "pretix.event.quota.*", "pretix.event.*"]);
    /// ```
    ///
    /// Not all of them are valid action types; see [`ActionType`]. There are none for an action of
    /// more than 255 bytes, which pretix can't store.
    pub fn subscriptions(&self) -> impl Iterator<Item = ActionType> + '_ {
        let name = self.0.as_str();
        let name = if name.len() <= MAX_LENGTH { name } else { "" };
        let itself = name.contains('.').then(|| ActionType::from(name));
        let mut rest = name;
        let above = iter::from_fn(move || {
            (rest, _) = rest.rsplit_once('.')?;
            rest.contains('.')
                .then(|| ActionType::from(format!("{rest}.*")))
        });
        itself.into_iter().chain(above)
    }
}

text_type!(Action, display);

/// The size of the database column for actions in pretix 2026.8.0.
const MAX_LENGTH: usize = 255;
