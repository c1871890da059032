use serde::Deserialize;

use super::path;
use crate::pretix::Action;

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
    /// The path of the event: `…/events/{event}/`.
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

/// A notification that a date of an event series was added, changed or deleted.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct SubEventNotification {
    /// The id of the log entry.
    pub notification_id: u64,
    /// The action.
    pub action: Action,
    /// The organizer's slug.
    pub organizer: String,
    /// The slug of the event series.
    pub event: String,
    /// The id of the date.
    pub subevent: u64,
}

impl SubEventNotification {
    /// The path of the date: `…/events/{event}/subevents/{subevent}/`.
    pub fn refetch_path(&self) -> Option<String> {
        path::of_event(
            &self.organizer,
            &self.event,
            &["subevents", &self.subevent.to_string()],
        )
    }

    pub(super) fn organizer(&self) -> Option<&str> {
        Some(&self.organizer)
    }

    pub(super) fn event(&self) -> Option<&str> {
        Some(&self.event)
    }
}
