use serde::{Deserialize, Serialize};

use super::Webhook;
use crate::Unordered;

/// The events that a webhook is called for: all, or a list.
///
/// ```
/// use webhook_sdk::pretix::{EventScope, WebhookUpdate};
///
/// let all = WebhookUpdate::new().events(EventScope::All);
/// assert_eq!(
///     serde_json::to_string(&all)?,
///     r#"{"all_events":true,"limit_events":[]}"#,
/// );
/// let one = WebhookUpdate::new().events(EventScope::only(["democon"]));
/// assert_eq!(
///     serde_json::to_string(&one)?,
///     r#"{"all_events":false,"limit_events":["democon"]}"#,
/// );
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// pretix has two fields for it, `all_events` and `limit_events`, which can contradict each other.
/// If `all_events` is omitted when a webhook is created, pretix uses true: it calls the webhook for
/// **all** events, even if `limit_events` is set, and rejects later changes. If both are set,
/// pretix rejects the request. To change from some events to all, both must be sent. Therefore, a
/// scope always sends both fields. It compares as a set, because pretix reorders the events and
/// drops duplicates. Source: pretix 2026.8.0.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Fields", try_from = "Fields")]
pub enum EventScope {
    /// All events of the organizer, including future ones.
    All,
    /// The events with these slugs, which must exist and are case-sensitive.
    ///
    /// Without any slug, the webhook is only called for actions that belong to the organizer, such
    /// as those of customers and gift cards and the deletion of an event. Every other webhook gets
    /// these too. A webhook also ends up in this state if the last of its events is deleted.
    Only(Unordered<String>),
}

impl EventScope {
    /// Creates a scope of the events with these slugs.
    pub fn only<S: Into<String>>(slugs: impl IntoIterator<Item = S>) -> Self {
        Self::Only(slugs.into_iter().map(Into::into).collect())
    }

    /// Whether the scope includes the event with this slug.
    pub fn includes(&self, slug: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(slugs) => slugs.iter().any(|known| known == slug),
        }
    }
}

impl Webhook {
    /// The events that the webhook is called for.
    ///
    /// A webhook with both `limit_events` and `all_events` is called for all events. pretix rejects
    /// other changes to it until an update of its events resolves the contradiction.
    pub fn events(&self) -> EventScope {
        match self.all_events {
            true => EventScope::All,
            false => EventScope::Only(self.limit_events.clone()),
        }
    }
}

/// The scope in the format of pretix.
#[derive(Serialize, Deserialize)]
struct Fields {
    all_events: bool,
    limit_events: Unordered<String>,
}

impl From<EventScope> for Fields {
    fn from(scope: EventScope) -> Self {
        let (all_events, limit_events) = match scope {
            EventScope::All => (true, Unordered::default()),
            EventScope::Only(slugs) => (false, slugs),
        };
        Self {
            all_events,
            limit_events,
        }
    }
}

impl TryFrom<Fields> for EventScope {
    type Error = &'static str;

    fn try_from(fields: Fields) -> Result<Self, Self::Error> {
        match (fields.all_events, fields.limit_events) {
            (true, slugs) if slugs.is_empty() => Ok(Self::All),
            (true, _) => Err("`all_events` is true and `limit_events` names events"),
            (false, slugs) => Ok(Self::Only(slugs)),
        }
    }
}
