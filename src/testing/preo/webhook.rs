use std::fmt;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::testing::drf;
use crate::testing::preo::validate::EVENTS;

/// The time-out of an endpoint that was created without one, in seconds.
pub(super) const TIMEOUT_SECONDS: u32 = 10;

/// An endpoint in the state of a [`PreoFake`](super::PreoFake), at one moment.
///
/// `Debug` shows no secret and no URL.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PreoFakeWebhook {
    /// Such as `endpoint-000001`, counted in the order of creation.
    pub id: String,
    /// The organization, never changed after creation.
    pub organization_id: Option<String>,
    /// The name.
    pub name: String,
    /// Where events are delivered.
    pub url: String,
    /// The edition, if it is limited to one.
    pub edition_id: Option<String>,
    /// The events subscribed to.
    pub events: Vec<String>,
    /// Whether events are delivered.
    pub is_active: bool,
    /// How long the receiver may take, in seconds; 0 is the fake's default.
    pub timeout_seconds: u32,
    /// The secret that signs deliveries; if empty, they are unsigned.
    pub secret: String,
    /// When it was created.
    pub created: DateTime<Utc>,
    /// When it was last changed, rotation included.
    pub modified: DateTime<Utc>,
}

impl PreoFakeWebhook {
    /// As it is shown alone.
    pub(super) fn detail(&self) -> WebhookView<'_> {
        WebhookView {
            secret: Some(&self.secret),
            ..self.view()
        }
    }

    /// As a list shows it: without the secret.
    pub(super) fn view(&self) -> WebhookView<'_> {
        WebhookView {
            id: &self.id,
            organization_id: self.organization_id.as_deref(),
            name: &self.name,
            url: &self.url,
            edition_id: self.edition_id.as_deref(),
            events: &self.events,
            is_active: self.is_active,
            timeout_seconds: self.timeout_seconds,
            created: drf::timestamp(self.created),
            modified: drf::timestamp(self.modified),
            secret: None,
        }
    }

    pub(super) fn is_subscribed_to(&self, event: &str) -> bool {
        self.is_active && self.events.iter().any(|subscribed| subscribed == event)
    }
}

impl fmt::Debug for PreoFakeWebhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PreoFakeWebhook")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("events", &self.events)
            .field("is_active", &self.is_active)
            .finish_non_exhaustive()
    }
}

#[derive(Serialize)]
pub(super) struct WebhookView<'a> {
    id: &'a str,
    organization_id: Option<&'a str>,
    name: &'a str,
    url: &'a str,
    edition_id: Option<&'a str>,
    events: &'a [String],
    is_active: bool,
    timeout_seconds: u32,
    created: String,
    modified: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<&'a str>,
}

/// An endpoint to add to a [`PreoFake`](super::PreoFake) without a request.
///
/// ```
/// use webhook_sdk::testing::PreoWebhookSeed;
///
/// let seed = PreoWebhookSeed::new("http://127.0.0.1:8080/preo")
///     .organization_id("org_2")
///     .events(["consent.given", "consent.withdrawn"])
///     .timeout_seconds(3);
/// # let _ = seed;
/// ```
///
/// Nothing is validated. `Debug` shows no secret and no URL.
#[derive(Clone)]
#[must_use = "a seed does nothing until it is inserted into a fake"]
pub struct PreoWebhookSeed {
    pub(super) id: Option<String>,
    pub(super) organization_id: Option<String>,
    pub(super) name: String,
    pub(super) url: String,
    pub(super) edition_id: Option<String>,
    pub(super) events: Vec<String>,
    pub(super) is_active: bool,
    pub(super) timeout_seconds: u32,
    pub(super) secret: Option<String>,
}

impl PreoWebhookSeed {
    /// An active endpoint at `url`, of organization `org_1`, subscribed to all published events.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            id: None,
            organization_id: Some("org_1".to_owned()),
            name: "Webhook".to_owned(),
            url: url.into(),
            edition_id: None,
            events: EVENTS.map(str::to_owned).into(),
            is_active: true,
            timeout_seconds: TIMEOUT_SECONDS,
            secret: None,
        }
    }

    /// One of many, at a host name that is reserved never to exist.
    pub(super) fn numbered(number: usize) -> Self {
        Self::new(format!("https://receiver.invalid/{number}")).name(format!("Webhook {number:06}"))
    }

    /// The id; the next of the fake's own if not set.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// The organization.
    pub fn organization_id(mut self, id: impl Into<String>) -> Self {
        self.organization_id = Some(id.into());
        self
    }

    /// No organization: the null that the published page allows in answers.
    pub fn without_organization(mut self) -> Self {
        self.organization_id = None;
        self
    }

    /// The name.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The edition; none if not set.
    pub fn edition_id(mut self, id: impl Into<String>) -> Self {
        self.edition_id = Some(id.into());
        self
    }

    /// The events subscribed to, unknown ones too.
    pub fn events<E: Into<String>>(mut self, events: impl IntoIterator<Item = E>) -> Self {
        self.events = events.into_iter().map(Into::into).collect();
        self
    }

    /// Whether events are delivered.
    pub fn is_active(mut self, active: bool) -> Self {
        self.is_active = active;
        self
    }

    /// How long the receiver may take, in seconds; 0 is the fake's default.
    pub fn timeout_seconds(mut self, seconds: u32) -> Self {
        self.timeout_seconds = seconds;
        self
    }

    /// The secret, random if not set; with an empty one, deliveries are unsigned.
    pub fn secret(mut self, secret: impl Into<String>) -> Self {
        self.secret = Some(secret.into());
        self
    }
}

impl fmt::Debug for PreoWebhookSeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PreoWebhookSeed")
            .field("name", &self.name)
            .field("events", &self.events)
            .finish_non_exhaustive()
    }
}
