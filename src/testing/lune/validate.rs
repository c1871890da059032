use regex::Regex;
use serde_json::{Map, Value};

use crate::testing::answer::Answer;
use crate::testing::lune::error::invalid;

/// The published pattern of a webhook's URL, word for word but for `(?-u:…)`: it is of ASCII.
const URL: &str =
    r"(?-u:^https:\/\/[-a-zA-Z0-9@:%._\+~#=]{2,256}\.[a-z]{2,6}\b([-a-zA-Z0-9@:%_\+.~#?&\/\/=]*)$)";

/// The compiled pattern.
pub(super) struct Pattern(Regex);

impl Pattern {
    #[expect(clippy::expect_used, reason = "the pattern is constant")]
    pub(super) fn new() -> Self {
        Self(Regex::new(URL).expect("a constant pattern"))
    }
}

pub(super) fn url(body: &Map<String, Value>, pattern: &Pattern) -> Result<String, Answer> {
    match body.get("url") {
        Some(Value::String(url)) if pattern.0.is_match(url) => Ok(url.clone()),
        Some(Value::String(_)) => Err(invalid("url must match the pattern of an HTTPS URL.")),
        Some(_) => Err(invalid("url must be a string.")),
        None => Err(invalid("url is required.")),
    }
}

pub(super) fn enabled(body: &Map<String, Value>) -> Result<bool, Answer> {
    match body.get("enabled") {
        Some(Value::Bool(enabled)) => Ok(*enabled),
        Some(_) => Err(invalid("enabled must be a boolean.")),
        None => Err(invalid("enabled is required.")),
    }
}

/// The limit to accounts, at least one, if the body has one.
pub(super) fn account_ids(
    body: &Map<String, Value>,
    is_account: impl Fn(&str) -> bool,
) -> Result<Option<Vec<String>>, Answer> {
    let Some(value) = body.get("account_ids") else {
        return Ok(None);
    };
    let ids: Vec<String> = serde_json::from_value(value.clone())
        .map_err(|_| invalid("account_ids must be an array of strings."))?;
    if ids.is_empty() {
        return Err(invalid("account_ids must have at least 1 item."));
    }
    match ids.iter().position(|id| !is_account(id)) {
        Some(place) => Err(invalid(&format!("account_ids[{place}] is no account."))),
        None => Ok(Some(ids)),
    }
}
