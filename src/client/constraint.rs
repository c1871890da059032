//! Validates requests against the OpenAPI documents before they are sent.

use std::borrow::Cow;

use http::Method;
use serde_json::{Map, Value};

use crate::error::{Error, FieldError};

/// An operation of an OpenAPI document.
#[derive(Debug)]
#[expect(
    unnameable_types,
    reason = "sealed: only generated code has a table of operations"
)]
pub struct Operation {
    pub(crate) id: &'static str,
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) query: &'static [Constraint],
    pub(crate) body: &'static [Constraint],
}

/// A check of one field.
#[derive(Debug)]
pub(crate) struct Constraint {
    pub(crate) field: &'static str,
    pub(crate) rule: Rule,
}

/// An inclusive bound. Lengths are in characters.
#[allow(
    dead_code,
    reason = "which ones occur depends on the documents that are enabled"
)]
#[derive(Debug)]
pub(crate) enum Rule {
    MinLength(u64),
    MaxLength(u64),
    Minimum(i64),
    Maximum(i64),
    MinItems(u64),
    MaxItems(u64),
}

impl Operation {
    /// Rejects a request that doesn't match the operation.
    pub(crate) fn check(&self, request: &reqwest::Request, base_path: &str) -> Result<(), Error> {
        debug_assert_eq!(request.method(), self.method);
        let mut errors = Vec::new();
        self.check_path(request.url().path(), base_path, &mut errors);
        for constraint in self.query {
            for (name, value) in request.url().query_pairs() {
                if name == constraint.field {
                    constraint.check_text(&value, &mut errors);
                }
            }
        }
        if !self.body.is_empty() {
            let body = request
                .body()
                .and_then(reqwest::Body::as_bytes)
                .unwrap_or_default();
            let fields: Map<String, Value> = serde_json::from_slice(body).unwrap_or_default();
            self.check_body(&fields, &mut errors);
        }
        if errors.is_empty() {
            Ok(())
        } else {
            Err(Error::invalid_fields(errors))
        }
    }

    pub(crate) fn check_body(&self, fields: &Map<String, Value>, errors: &mut Vec<FieldError>) {
        for constraint in self.body {
            if let Some(value) = fields.get(constraint.field) {
                constraint.check(value, errors);
            }
        }
    }

    /// An empty id, `.`, or `..` would make the URL refer to another resource.
    ///
    /// Parsing a URL already resolves the last two, so they are only visible in the number of
    /// segments.
    fn check_path(&self, path: &str, base_path: &str, errors: &mut Vec<FieldError>) {
        let mut sent = path.strip_prefix(base_path).unwrap_or(path).split('/');
        let reshaped = sent.clone().count() != self.path.split('/').count();
        for template in self.path.split('/') {
            let segment = sent.next().unwrap_or_default();
            let parameter = template
                .strip_prefix('{')
                .and_then(|name| name.strip_suffix('}'));
            if let Some(name) = parameter.filter(|_| reshaped || segment.is_empty()) {
                errors.push(FieldError::new(name, "must not be empty, `.`, or `..`"));
            }
        }
    }
}

impl Constraint {
    fn check_text(&self, text: &str, errors: &mut Vec<FieldError>) {
        let value = match (&self.rule, text.parse::<i64>()) {
            (Rule::Minimum(_) | Rule::Maximum(_), Ok(number)) => Value::from(number),
            _ => Value::from(text),
        };
        self.check(&value, errors);
    }

    fn check(&self, value: &Value, errors: &mut Vec<FieldError>) {
        if let Some(message) = self.rule.broken_by(value) {
            errors.push(FieldError::new(self.field, message));
        }
    }
}

impl Rule {
    fn broken_by(&self, value: &Value) -> Option<Cow<'static, str>> {
        let length = |value: &Value| value.as_str().map(|text| text.chars().count() as u64);
        let trimmed_length =
            |value: &Value| value.as_str().map(|text| trim(text).chars().count() as u64);
        let items = |value: &Value| value.as_array().map(|items| items.len() as u64);
        let number = |value: &Value| match value.as_u64() {
            Some(number) => Some(i64::try_from(number).unwrap_or(i64::MAX)),
            None => value.as_i64(),
        };
        let message = match *self {
            Self::MinLength(1) if length(value)? < 1 => return Some("must not be empty".into()),
            Self::MinLength(bound) if length(value)? < bound => {
                format!("must have at least {bound} characters")
            }
            Self::MaxLength(bound) if trimmed_length(value)? > bound => {
                format!("must have at most {bound} characters")
            }
            Self::Minimum(bound) if number(value)? < bound => format!("must be at least {bound}"),
            Self::Maximum(bound) if number(value)? > bound => format!("must be at most {bound}"),
            Self::MinItems(bound) if items(value)? < bound => {
                format!("must have at least {bound} items")
            }
            Self::MaxItems(bound) if items(value)? > bound => {
                format!("must have at most {bound} items")
            }
            _ => return None,
        };
        Some(message.into())
    }
}

/// A text without the whitespace at its ends, as Python's `str.strip` defines it.
///
/// Django REST framework removes it before it counts; recorded for pretix 2026.8.0, and inferred for
/// Preo.
pub(crate) fn trim(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c))
}
