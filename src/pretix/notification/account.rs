use serde::Deserialize;

use super::path;
use crate::pretix::Action;

/// A notification that a customer account was created, changed or anonymized.
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
    /// The path of the customer: `/api/v1/organizers/{organizer}/customers/{customer}/`.
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
    /// The path of the card: `/api/v1/organizers/{issuer}/giftcards/{giftcard}/`.
    pub fn refetch_path(&self) -> Option<String> {
        path::of_organizer(
            &self.issuer_slug,
            &["giftcards", &self.giftcard.to_string()],
        )
    }

    pub(super) fn organizer(&self) -> Option<&str> {
        Some(&self.issuer_slug)
    }

    pub(super) fn event(&self) -> Option<&str> {
        None
    }
}
