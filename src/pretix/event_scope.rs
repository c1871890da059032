use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Webhook;

/// The events for which a webhook is called: all, or those that are named.
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
/// If the first is left out when a webhook is created, pretix takes it for true: it calls the
/// webhook for **all** events, whatever the second says, and refuses later changes. If both say
/// something, pretix refuses the request; and to go from some events to all, both have to be sent.
/// A scope is always sent as both. It is a set, because pretix returns the events in an order of its
/// own and drops repeated ones. Source: pretix 2026.8.0.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "Fields", try_from = "Fields")]
pub enum EventScope {
    /// All events of the organizer, also those that don't exist yet.
    All,
    /// The events of these slugs, which must exist and are compared with their case.
    ///
    /// With no slug at all the webhook is called only for what belongs to the organizer and to no
    /// event, such as customers, gift cards and the deletion of an event, which reach every other
    /// webhook as well. pretix also leaves a webhook so when the last of its events is deleted.
    Only(BTreeSet<String>),
}

impl EventScope {
    /// The events of these slugs.
    pub fn only<S: Into<String>>(slugs: impl IntoIterator<Item = S>) -> Self {
        Self::Only(slugs.into_iter().map(Into::into).collect())
    }

    /// Whether a webhook of this scope is called for what happens in the event of this slug.
    #[must_use]
    pub fn includes(&self, slug: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(slugs) => slugs.contains(slug),
        }
    }
}

impl Webhook {
    /// The events for which the webhook is called.
    ///
    /// A webhook that names events and has `all_events` too is called for all of them; pretix
    /// refuses to change it until the contradiction is gone, as after an update of its events.
    #[must_use]
    pub fn events(&self) -> EventScope {
        match self.all_events {
            true => EventScope::All,
            false => EventScope::only(&self.limit_events),
        }
    }
}

/// The scope as pretix writes it.
#[derive(Serialize, Deserialize)]
struct Fields {
    all_events: bool,
    limit_events: BTreeSet<String>,
}

impl From<EventScope> for Fields {
    fn from(scope: EventScope) -> Self {
        let (all_events, limit_events) = match scope {
            EventScope::All => (true, BTreeSet::new()),
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
