use serde::Deserialize;

use super::path;
use crate::pretix::Action;

/// A notification about an order, for example that it was placed or paid.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct OrderNotification {
    /// The id of the log entry.
    pub notification_id: u64,
    /// The action.
    pub action: Action,
    /// The organizer's slug.
    pub organizer: String,
    /// The event's slug.
    pub event: String,
    /// The order's code.
    ///
    /// It was present in every recorded notification. For a deleted order, pretix 2026.8.0 takes it
    /// from a log entry, so it could be missing.
    pub code: Option<String>,
}

impl OrderNotification {
    /// The path of the order: `…/events/{event}/orders/{code}/`.
    pub fn refetch_path(&self) -> Option<String> {
        order_path(&self.organizer, &self.event, self.code.as_deref())
    }

    pub(super) fn organizer(&self) -> Option<&str> {
        Some(&self.organizer)
    }

    pub(super) fn event(&self) -> Option<&str> {
        Some(&self.event)
    }
}

/// A notification that a ticket was scanned, or a scan was reverted.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct CheckInNotification {
    /// The id of the log entry.
    pub notification_id: u64,
    /// The action.
    pub action: Action,
    /// The organizer's slug.
    pub organizer: String,
    /// The event's slug.
    pub event: String,
    /// The code of the order that the ticket belongs to.
    pub code: Option<String>,
    /// The ticket's id, unique on the server.
    pub orderposition_id: Option<u64>,
    /// The ticket's number within the order, from 1.
    pub orderposition_positionid: Option<u64>,
    /// The id of the check-in list.
    pub checkin_list: Option<u64>,
    /// `entry` or `exit`, or `None` for a reverted check-in (source code of pretix 2026.8.0).
    #[serde(rename = "type")]
    pub direction: Option<String>,
    /// Whether it was the ticket's first scan. pretix 2026.8.0 always sends `null`.
    pub first_checkin: Option<bool>,
}

impl CheckInNotification {
    /// The path of the ticket's order: `…/events/{event}/orders/{code}/`.
    pub fn refetch_path(&self) -> Option<String> {
        order_path(&self.organizer, &self.event, self.code.as_deref())
    }

    pub(super) fn organizer(&self) -> Option<&str> {
        Some(&self.organizer)
    }

    pub(super) fn event(&self) -> Option<&str> {
        Some(&self.event)
    }
}

fn order_path(organizer: &str, event: &str, code: Option<&str>) -> Option<String> {
    path::of_event(organizer, event, &["orders", code?])
}
