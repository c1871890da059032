use serde_json::{Map, Value};

use crate::testing::drf::field::{self, Checked, Fields};
use crate::testing::preo::webhook::{PreoFakeWebhook, PreoWebhookSeed, TIMEOUT_SECONDS};

/// The published events, all of them.
pub(super) const EVENTS: [&str; 8] = [
    "consent.given",
    "consent.skipped",
    "consent.withdrawn",
    "consent.expired",
    "purchase.action",
    "wallet.apple.pass-added",
    "wallet.apple.pass-removed",
    "wallet.google.pass-added",
];

/// The published bound of `name`, in characters.
const MAX_NAME: usize = 120;
/// The published bound of `url`, in characters.
const MAX_URL: usize = 200;
/// The published bound of `timeout_seconds`.
const MAX_TIMEOUT: u32 = 2_147_483_647;

/// What an update changes.
pub(super) struct Changes {
    name: Option<String>,
    url: Option<String>,
    events: Option<Vec<String>>,
    edition_id: Option<Option<String>>,
    is_active: Option<bool>,
    timeout_seconds: Option<u32>,
}

impl Changes {
    /// What the body of an update asks for, or what is wrong with each field.
    pub(super) fn parse(body: &Map<String, Value>) -> Result<Self, Map<String, Value>> {
        let mut fields = Fields::of(body);
        let changes = Self {
            name: fields.optional("name", name),
            url: fields.optional("url", url),
            events: fields.optional("events", events),
            edition_id: fields.nullable("edition_id", id),
            is_active: fields.optional("is_active", field::boolean),
            timeout_seconds: fields.optional("timeout_seconds", timeout_seconds),
        };
        let errors = fields.into_errors();
        if errors.is_empty() {
            Ok(changes)
        } else {
            Err(errors)
        }
    }

    pub(super) fn apply(self, webhook: &mut PreoFakeWebhook) {
        replace(&mut webhook.name, self.name);
        replace(&mut webhook.url, self.url);
        replace(&mut webhook.events, self.events);
        replace(&mut webhook.edition_id, self.edition_id);
        replace(&mut webhook.is_active, self.is_active);
        replace(&mut webhook.timeout_seconds, self.timeout_seconds);
    }
}

/// The endpoint that the body of a create describes, or what is wrong with each field.
pub(super) fn new_webhook(
    body: &Map<String, Value>,
) -> Result<PreoWebhookSeed, Map<String, Value>> {
    let mut fields = Fields::of(body);
    let organization_id = fields.required("organization_id", id);
    let name = fields.required("name", name);
    let url = fields.required("url", url);
    let events = fields.required("events", events);
    let edition_id = fields.nullable("edition_id", id).flatten();
    let is_active = fields.optional("is_active", field::boolean);
    let timeout_seconds = fields.optional("timeout_seconds", timeout_seconds);
    let errors = fields.into_errors();
    match (name, url, events) {
        (Some(name), Some(url), Some(events)) if errors.is_empty() => Ok(PreoWebhookSeed {
            id: None,
            organization_id,
            name,
            url,
            edition_id,
            events,
            is_active: is_active.unwrap_or(true),
            timeout_seconds: timeout_seconds.unwrap_or(TIMEOUT_SECONDS),
            secret: None,
        }),
        _ => Err(errors),
    }
}

fn id(value: &Value) -> Checked<String> {
    field::text(value, None)
}

fn name(value: &Value) -> Checked<String> {
    field::text(value, Some(MAX_NAME))
}

fn url(value: &Value) -> Checked<String> {
    field::url(value, MAX_URL)
}

fn events(value: &Value) -> Checked<Vec<String>> {
    field::list(value, |event| field::choice(event, &EVENTS))
}

fn timeout_seconds(value: &Value) -> Checked<u32> {
    field::integer(value, 0, MAX_TIMEOUT)
}

fn replace<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}
