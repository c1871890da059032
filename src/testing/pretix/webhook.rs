use std::fmt;

use serde::Serialize;

/// A webhook in the state of a [`PretixFake`](super::PretixFake), at one moment.
///
/// `Debug` shows no URL, which may hold a password.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PretixFakeWebhook {
    /// Counted over all organizers, in the order of creation.
    pub id: i64,
    /// The organizer that it belongs to.
    #[serde(skip)]
    pub organizer: String,
    /// Whether notifications are delivered; false after a delete and after the receiver's 410.
    pub enabled: bool,
    /// Where notifications are delivered, with the credentials.
    pub target_url: String,
    /// Whether it is called for all events.
    pub all_events: bool,
    /// The events for which it is called if not for all.
    pub limit_events: Vec<String>,
    /// What it is called for, sorted.
    pub action_types: Vec<String>,
    /// A note.
    pub comment: Option<String>,
}

impl PretixFakeWebhook {
    /// Whether it is called for what happens in `event`, or in no event.
    pub(super) fn is_called_for(&self, action_type: &str, event: Option<&str>) -> bool {
        let concerned = |slug: &str| self.all_events || self.limit_events.iter().any(|s| s == slug);
        self.enabled
            && self.action_types.iter().any(|known| known == action_type)
            && event.is_none_or(concerned)
    }
}

impl fmt::Debug for PretixFakeWebhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PretixFakeWebhook")
            .field("id", &self.id)
            .field("organizer", &self.organizer)
            .field("enabled", &self.enabled)
            .field("all_events", &self.all_events)
            .field("limit_events", &self.limit_events)
            .field("action_types", &self.action_types)
            .finish_non_exhaustive()
    }
}

/// A webhook to add to a [`PretixFake`](super::PretixFake) without a request.
///
/// ```
/// use webhook_sdk::testing::PretixWebhookSeed;
///
/// let seed = PretixWebhookSeed::new("http://user:password@127.0.0.1:8080/pretix")
///     .limit_events(["democon"])
///     .action_types(["pretix.event.order.paid", "pretix.event.order.changed.*"]);
/// # let _ = seed;
/// ```
///
/// Nothing is validated, so that it can hold what a plugin or an older version left behind. `Debug`
/// shows no URL.
#[derive(Clone)]
#[must_use = "a seed does nothing until it is inserted into a fake"]
pub struct PretixWebhookSeed {
    pub(super) webhook: PretixFakeWebhook,
    pub(super) id: Option<i64>,
}

impl PretixWebhookSeed {
    /// An enabled webhook of the fake's own organizer, for all events and for no action.
    pub fn new(target_url: impl Into<String>) -> Self {
        Self {
            webhook: PretixFakeWebhook {
                id: 0,
                organizer: String::new(),
                enabled: true,
                target_url: target_url.into(),
                all_events: true,
                limit_events: Vec::new(),
                action_types: Vec::new(),
                comment: None,
            },
            id: None,
        }
    }

    /// One of many, at a host name that is reserved never to exist.
    pub(super) fn numbered(number: usize) -> Self {
        Self::new(format!("https://receiver.invalid/{number}"))
            .action_types(["pretix.event.order.paid"])
    }

    /// The id; the next of the fake's own if not set.
    pub fn id(mut self, id: i64) -> Self {
        self.id = Some(id);
        self
    }

    /// The organizer; the fake's first one if not set.
    pub fn organizer(mut self, slug: impl Into<String>) -> Self {
        self.webhook.organizer = slug.into();
        self
    }

    /// Whether notifications are delivered.
    pub fn enabled(mut self, enabled: bool) -> Self {
        self.webhook.enabled = enabled;
        self
    }

    /// Limits it to these events, and sets `all_events` to false.
    pub fn limit_events<S: Into<String>>(mut self, slugs: impl IntoIterator<Item = S>) -> Self {
        self.webhook.limit_events = slugs.into_iter().map(Into::into).collect();
        self.webhook.all_events = false;
        self
    }

    /// Sets `all_events`, even to what contradicts the events that it is limited to.
    pub fn all_events(mut self, all: bool) -> Self {
        self.webhook.all_events = all;
        self
    }

    /// What it is called for, unknown names too.
    pub fn action_types<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.webhook.action_types = names.into_iter().map(Into::into).collect();
        self.webhook.action_types.sort();
        self
    }

    /// A note.
    pub fn comment(mut self, comment: impl Into<Option<String>>) -> Self {
        self.webhook.comment = comment.into();
        self
    }
}

impl fmt::Debug for PretixWebhookSeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PretixWebhookSeed")
            .field("action_types", &self.webhook.action_types)
            .finish_non_exhaustive()
    }
}
