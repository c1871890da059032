use serde::Deserialize;

use super::path;
use crate::pretix::Action;

/// That a customer account was created, changed or anonymized.
///
/// It belongs to the organizer, so it comes whatever the webhook's `limit_events` are.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct CustomerNotification {
    /// The id of the log entry behind it.
    pub notification_id: u64,
    /// What happened.
    pub action: Action,
    /// The organizer's slug.
    pub organizer: String,
    /// The customer's identifier, such as `Y9WUVZX`.
    pub customer: String,
}

impl CustomerNotification {
    /// Where to fetch the customer: `/api/v1/organizers/{organizer}/customers/{customer}/`.
    #[must_use]
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

/// That a gift card was created or changed, or its balance was.
///
/// It belongs to the issuing organizer, so it comes whatever the webhook's `limit_events` are.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct GiftCardNotification {
    /// The id of the log entry behind it.
    pub notification_id: u64,
    /// What happened.
    pub action: Action,
    /// The numeric id of the organizer who issued the card.
    pub issuer_id: u64,
    /// The slug of the organizer who issued the card.
    pub issuer_slug: String,
    /// The numeric id of the organizer with whom it was used; only for transactions.
    pub acceptor_id: Option<u64>,
    /// The slug of the organizer with whom it was used; only for transactions.
    pub acceptor_slug: Option<String>,
    /// The card's id, not its code.
    pub giftcard: u64,
}

impl GiftCardNotification {
    /// Where to fetch the card: `/api/v1/organizers/{issuer}/giftcards/{giftcard}/`.
    #[must_use]
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
