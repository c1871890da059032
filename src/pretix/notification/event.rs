use serde::Deserialize;

use super::path;
use crate::pretix::Action;

/// That an event was added, changed or deleted, or its shop went live or into test mode.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct EventNotification {
    /// The id of the log entry behind it.
    pub notification_id: u64,
    /// What happened.
    pub action: Action,
    /// The organizer's slug.
    pub organizer: String,
    /// The event's slug; `null` if it was deleted through the API.
    ///
    /// Then only the organizer's list of events shows which one is gone. Such a notification goes
    /// to every webhook that subscribed to deletions, whatever its `limit_events`.
    pub event: Option<String>,
}

impl EventNotification {
    /// Where to fetch the event: `…/events/{event}/`.
    #[must_use]
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

/// That a date of an event series was added, changed or deleted.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct SubEventNotification {
    /// The id of the log entry behind it.
    pub notification_id: u64,
    /// What happened.
    pub action: Action,
    /// The organizer's slug.
    pub organizer: String,
    /// The slug of the event series.
    pub event: String,
    /// The id of the date.
    pub subevent: u64,
}

impl SubEventNotification {
    /// Where to fetch the date: `…/events/{event}/subevents/{subevent}/`.
    #[must_use]
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
