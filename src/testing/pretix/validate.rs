use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::testing::answer::Answer;
use crate::testing::drf;
use crate::testing::drf::field::{self, Checked, Fields};
use crate::testing::pretix::builder::{Organizer, Settings};
use crate::testing::pretix::url::is_url;
use crate::testing::pretix::webhook::{PretixFakeWebhook, PretixWebhookSeed};

/// The bound of `target_url`, in characters.
const MAX_URL: usize = 1024;
/// The bound of `comment`, in characters.
const MAX_COMMENT: usize = 255;

const SERVER_ERROR_PAGE: &str = "<!doctype html>\n<html lang=\"en\">\n<head><title>Internal Server Error\
    </title></head>\n<body><h1>Internal Server Error</h1></body>\n</html>\n";

/// What a request sets of a webhook's fields.
pub(super) struct Changes {
    enabled: Option<bool>,
    target_url: Option<String>,
    all_events: Option<bool>,
    limit_events: Option<Vec<String>>,
    action_types: Option<Vec<String>>,
    comment: Option<Option<String>>,
}

/// Whose fields a request sets, and whether it must set all that are required.
pub(super) struct Target<'a> {
    pub(super) organizer: &'a Organizer,
    pub(super) old: Option<&'a PretixFakeWebhook>,
    pub(super) whole: bool,
}

impl Changes {
    /// What the body asks for, or the answer to what is wrong with it.
    pub(super) fn parse(
        body: &Map<String, Value>,
        target: &Target<'_>,
        settings: &Settings,
    ) -> Result<Self, Answer> {
        if body.get("action_types").is_some_and(breaks_the_server) {
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            return Err(drf::page(status, SERVER_ERROR_PAGE));
        }
        let events = |value: &Value| limit_events(value, &target.organizer.events);
        let actions = |value: &Value| action_types(value, settings);
        let mut fields = Fields::of(body);
        let changes = Self {
            enabled: fields.optional("enabled", field::boolean),
            target_url: fields.present(target.whole, "target_url", target_url),
            all_events: fields.optional("all_events", field::boolean),
            limit_events: fields.present(target.whole, "limit_events", events),
            action_types: fields.present(target.whole, "action_types", actions),
            comment: fields.nullable("comment", comment),
        };
        let errors = fields.into_errors();
        if !errors.is_empty() {
            return Err(drf::invalid(errors));
        }
        if changes.contradict(target.old) {
            let message = "You can set either limit_events or all_events.";
            return Err(drf::invalid(drf::non_field(message)));
        }
        Ok(changes)
    }

    pub(super) fn apply(self, webhook: &mut PretixFakeWebhook) {
        replace(&mut webhook.enabled, self.enabled);
        replace(&mut webhook.target_url, self.target_url);
        replace(&mut webhook.all_events, self.all_events);
        replace(&mut webhook.limit_events, self.limit_events);
        replace(&mut webhook.action_types, self.action_types);
        replace(&mut webhook.comment, self.comment);
    }

    /// A new webhook, enabled and for all events unless the request says otherwise.
    pub(super) fn into_seed(self, organizer: &Organizer) -> PretixWebhookSeed {
        let mut seed = PretixWebhookSeed::new("").organizer(&organizer.slug);
        self.apply(&mut seed.webhook);
        seed
    }

    /// Whether all events and some of them are asked for at once.
    ///
    /// What the request leaves out counts as it is, and for a new webhook as nothing, so that one
    /// can be created for some events and, by default, for all.
    fn contradict(&self, old: Option<&PretixFakeWebhook>) -> bool {
        let all = self.all_events.or(old.map(|old| old.all_events));
        let limited = self.limit_events.as_ref();
        let limited = limited.or(old.map(|old| &old.limit_events));
        all == Some(true) && limited.is_some_and(|events| !events.is_empty())
    }
}

fn target_url(value: &Value) -> Checked<String> {
    if !value.is_string() {
        return Err(json!(["Enter a valid URL."]));
    }
    let url = field::text(value, Some(MAX_URL))?;
    if is_url(&url) {
        Ok(url)
    } else {
        Err(json!(["Enter a valid URL."]))
    }
}

fn comment(value: &Value) -> Checked<String> {
    match value.as_str() {
        Some(text) if text.trim().is_empty() => Ok(String::new()),
        _ => field::text(value, Some(MAX_COMMENT)),
    }
}

/// Of several unknown events, the first one is named.
fn limit_events(value: &Value, known: &[String]) -> Checked<Vec<String>> {
    let Some(slugs) = items(value).filter(|_| !value.is_string()) else {
        let got = field::type_name(value);
        let message = format!("Expected a list of items but got type \"{got}\".");
        return Err(json!([message]));
    };
    for slug in &slugs {
        if !slug
            .as_str()
            .is_some_and(|slug| known.iter().any(|k| k == slug))
        {
            let message = format!("Object with slug={} does not exist.", printed(slug));
            return Err(json!([message]));
        }
    }
    let named = |event: &&String| slugs.iter().any(|slug| slug.as_str() == Some(event));
    Ok(known.iter().filter(named).cloned().collect())
}

/// Of several unknown action types, the first one is named.
fn action_types(value: &Value, settings: &Settings) -> Checked<Vec<String>> {
    let mut names = Vec::new();
    for item in items(value).unwrap_or_default() {
        match item.as_str().filter(|name| settings.is_action_type(name)) {
            Some(name) => names.push(name.to_owned()),
            None => {
                let message = format!("Invalid action type \"{}\".", printed(&item));
                return Err(json!([message]));
            }
        }
    }
    names.sort();
    Ok(names)
}

/// Where pretix fails with a 500 over `action_types`: what can't be gone through or looked up.
fn breaks_the_server(value: &Value) -> bool {
    match value {
        Value::Bool(_) | Value::Number(_) => true,
        Value::Array(items) => items.iter().any(|item| item.is_array() || item.is_object()),
        Value::Null | Value::String(_) | Value::Object(_) => false,
    }
}

/// What Python goes through: the items of a list, the keys of an object, the letters of a text.
fn items(value: &Value) -> Option<Vec<Value>> {
    match value {
        Value::Array(items) => Some(items.clone()),
        Value::Object(fields) => Some(fields.keys().map(|key| json!(key)).collect()),
        Value::String(text) => Some(text.chars().map(|c| json!(c)).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

/// As Python prints it.
fn printed(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        Value::Array(items) => format!("[{}]", joined(items.iter().map(quoted))),
        Value::Object(fields) => {
            let fields = fields
                .iter()
                .map(|(key, value)| format!("'{key}': {}", quoted(value)));
            format!("{{{}}}", joined(fields))
        }
    }
}

fn quoted(value: &Value) -> String {
    match value {
        Value::String(text) => format!("'{text}'"),
        other => printed(other),
    }
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}

fn replace<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}
