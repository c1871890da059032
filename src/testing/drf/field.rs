use std::num::IntErrorKind;

use reqwest::Url;
use serde_json::{Map, Value, json};

/// A field's value, or what is wrong with it: a list of messages, or an object of such by place.
pub(crate) type Checked<T> = Result<T, Value>;

/// Reads the fields of a request's body and gathers what is wrong with them.
pub(crate) struct Fields<'a> {
    body: &'a Map<String, Value>,
    errors: Map<String, Value>,
}

impl<'a> Fields<'a> {
    pub(crate) fn of(body: &'a Map<String, Value>) -> Self {
        Self {
            body,
            errors: Map::new(),
        }
    }

    pub(crate) fn required<T>(
        &mut self,
        name: &str,
        check: impl FnOnce(&Value) -> Checked<T>,
    ) -> Option<T> {
        if !self.body.contains_key(name) {
            let message = messages(&["This field is required."]);
            self.errors.insert(name.to_owned(), message);
        }
        self.optional(name, check)
    }

    /// Required of a `whole` object, optional of a part.
    pub(crate) fn present<T>(
        &mut self,
        whole: bool,
        name: &str,
        check: impl FnOnce(&Value) -> Checked<T>,
    ) -> Option<T> {
        match whole {
            true => self.required(name, check),
            false => self.optional(name, check),
        }
    }

    pub(crate) fn optional<T>(
        &mut self,
        name: &str,
        check: impl FnOnce(&Value) -> Checked<T>,
    ) -> Option<T> {
        let value = self.body.get(name)?;
        match not_null(value).and_then(check) {
            Ok(value) => Some(value),
            Err(error) => {
                self.errors.insert(name.to_owned(), error);
                None
            }
        }
    }

    /// The outer `None` is an absent field, the inner one is null.
    pub(crate) fn nullable<T>(
        &mut self,
        name: &str,
        check: impl FnOnce(&Value) -> Checked<T>,
    ) -> Option<Option<T>> {
        match self.body.get(name)? {
            Value::Null => Some(None),
            _ => self.optional(name, check).map(Some),
        }
    }

    /// What is wrong with the fields read so far; empty if nothing is.
    pub(crate) fn into_errors(self) -> Map<String, Value> {
        self.errors
    }
}

/// A trimmed text that isn't blank, of at most `max` characters.
pub(crate) fn text(value: &Value, max: Option<usize>) -> Checked<String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return Err(messages(&["Not a valid string."])),
    };
    if text.is_empty() {
        return Err(messages(&["This field may not be blank."]));
    }
    let mut wrong = Vec::new();
    if let Some(max) = max.filter(|max| text.chars().count() > *max) {
        wrong.push(format!(
            "Ensure this field has no more than {max} characters."
        ));
    }
    if text.contains('\0') {
        wrong.push("Null characters are not allowed.".to_owned());
    }
    if wrong.is_empty() {
        Ok(text)
    } else {
        Err(json!(wrong))
    }
}

/// An absolute http or https URL of at most `max` characters.
pub(crate) fn url(value: &Value, max: usize) -> Checked<String> {
    let url = text(value, Some(max))?;
    if is_url(&url) {
        Ok(url)
    } else {
        Err(messages(&["Enter a valid URL."]))
    }
}

/// A boolean, or one of the framework's words for one.
pub(crate) fn boolean(value: &Value) -> Checked<bool> {
    let word = match value {
        Value::Bool(value) => return Ok(*value),
        Value::String(word) => word.trim().to_ascii_lowercase(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    };
    match word.as_str() {
        "true" | "t" | "yes" | "y" | "on" | "1" => Ok(true),
        "false" | "f" | "no" | "n" | "off" | "0" => Ok(false),
        _ => Err(messages(&["Must be a valid boolean."])),
    }
}

/// An integer from `min` to `max`, also as text.
pub(crate) fn integer(value: &Value, min: u32, max: u32) -> Checked<u32> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    };
    let digits = match text.split_once('.') {
        Some((digits, zeros)) if zeros.bytes().all(|byte| byte == b'0') => digits,
        _ => &text,
    };
    let number = match digits.parse::<i64>() {
        Ok(number) => number,
        Err(error) => match error.kind() {
            IntErrorKind::PosOverflow => i64::MAX,
            IntErrorKind::NegOverflow => i64::MIN,
            _ => return Err(messages(&["A valid integer is required."])),
        },
    };
    if number < i64::from(min) {
        let message = format!("Ensure this value is greater than or equal to {min}.");
        return Err(messages(&[&message]));
    }
    match u32::try_from(number) {
        Ok(number) if number <= max => Ok(number),
        _ => {
            let message = format!("Ensure this value is less than or equal to {max}.");
            Err(messages(&[&message]))
        }
    }
}

/// A list of items; an item's error stands under its place, counted from 0.
pub(crate) fn list<T>(value: &Value, item: impl Fn(&Value) -> Checked<T>) -> Checked<Vec<T>> {
    let Value::Array(values) = value else {
        let got = type_name(value);
        let message = format!("Expected a list of items but got type \"{got}\".");
        return Err(messages(&[&message]));
    };
    let mut items = Vec::new();
    let mut errors = Map::new();
    for (place, value) in values.iter().enumerate() {
        match not_null(value).and_then(&item) {
            Ok(item) => items.push(item),
            Err(error) => {
                errors.insert(place.to_string(), error);
            }
        }
    }
    if errors.is_empty() {
        Ok(items)
    } else {
        Err(errors.into())
    }
}

/// One of the `allowed` texts.
pub(crate) fn choice(value: &Value, allowed: &[&str]) -> Checked<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    if allowed.contains(&text.as_str()) {
        return Ok(text);
    }
    Err(messages(&[&format!("\"{text}\" is not a valid choice.")]))
}

/// The framework's name for a JSON type, which is Python's.
pub(crate) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "NoneType",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float",
        Value::Number(_) => "int",
        Value::String(_) => "str",
        Value::Array(_) => "list",
        Value::Object(_) => "dict",
    }
}

fn not_null(value: &Value) -> Checked<&Value> {
    if value.is_null() {
        return Err(messages(&["This field may not be null."]));
    }
    Ok(value)
}

fn messages(messages: &[&str]) -> Value {
    json!(messages)
}

/// Stricter than the parser, which mends what browsers are expected to mend.
fn is_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else {
        return false;
    };
    let http = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    let clean = !text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '\\');
    http && clean && !rest.starts_with(['/', '?', '#', ':']) && Url::parse(text).is_ok()
}
