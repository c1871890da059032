use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use http::Method;
use percent_encoding::percent_decode_str;
use serde_json::Value;
use wiremock::{Match, Request};

use crate::testing::error_format::ErrorFormat;

/// The operation of a stub.
pub(crate) struct StubOperation {
    pub(crate) id: &'static str,
    pub(crate) method: Method,
    /// The path, with parameters in braces.
    pub(crate) path: &'static str,
    /// The success status.
    pub(crate) status: u16,
    pub(crate) errors: ErrorFormat,
}

/// The requests that a stub matches.
pub(crate) struct Expected {
    pub(super) operation: StubOperation,
    pub(super) path: Vec<(&'static str, String)>,
    pub(super) query: Vec<(&'static str, Vec<String>)>,
    pub(super) body: Option<Value>,
    /// `None` if the field must be absent.
    pub(super) fields: Vec<(Cow<'static, str>, Option<Value>)>,
    pub(super) matchers: Vec<Box<dyn Match>>,
    /// How many more requests the stub responds to.
    left: AtomicU64,
    removed: AtomicBool,
}

impl Expected {
    pub(super) fn new(operation: StubOperation) -> Self {
        Self {
            operation,
            path: Vec::new(),
            query: Vec::new(),
            body: None,
            fields: Vec::new(),
            matchers: Vec::new(),
            left: AtomicU64::new(u64::MAX),
            removed: AtomicBool::new(false),
        }
    }

    pub(super) fn limit(&self, times: u64) {
        self.left.store(times, Ordering::Relaxed);
    }

    pub(super) fn count(&self) {
        self.left.fetch_sub(1, Ordering::Relaxed);
    }

    pub(super) fn is_used_up(&self) -> bool {
        self.left.load(Ordering::Relaxed) == 0
    }

    pub(super) fn remove(&self) {
        self.removed.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_removed(&self) -> bool {
        self.removed.load(Ordering::Relaxed)
    }

    pub(super) fn matches(&self, request: &Request) -> bool {
        !self.is_removed() && !self.is_used_up() && self.differences(request).is_empty()
    }

    /// Whether a request is for the stub's operation.
    pub(super) fn is_operation(&self, request: &Request) -> bool {
        let literal = |(template, segment)| parameter(template).is_some() || template == segment;
        request.method == self.operation.method
            && self
                .segments(request)
                .is_some_and(|mut both| both.all(literal))
    }

    /// The differences between a request and the expected one, or none if it matches.
    pub(super) fn differences(&self, request: &Request) -> Vec<String> {
        if !self.is_operation(request) {
            let StubOperation { method, path, .. } = &self.operation;
            return vec![format!("it is for {method} {path}")];
        }
        let mut differences = Vec::new();
        self.compare_path(request, &mut differences);
        self.compare_query(request, &mut differences);
        self.compare_body(request, &mut differences);
        let mut matchers = self.matchers.iter();
        if !matchers.all(|matcher| matcher.matches(request)) {
            differences.push("a matcher added with `and` doesn't match".to_owned());
        }
        differences
    }

    /// The segments of the operation's path, each with that of the request, whose path can have a
    /// prefix.
    fn segments<'a>(
        &'a self,
        request: &'a Request,
    ) -> Option<impl Iterator<Item = (&'a str, &'a str)>> {
        let template = self.operation.path.split('/').skip(1);
        let sent = request.url.path().split('/').skip(1);
        let before = sent.clone().count().checked_sub(template.clone().count())?;
        Some(template.zip(sent.skip(before)))
    }

    fn compare_path(&self, request: &Request, differences: &mut Vec<String>) {
        for (template, segment) in self.segments(request).into_iter().flatten() {
            let segment = percent_decode_str(segment).decode_utf8_lossy();
            let mut expected = self.path.iter();
            let expected = expected.find(|(name, _)| Some(*name) == parameter(template));
            if let Some((name, value)) = expected.filter(|(_, value)| *value != segment) {
                differences.push(format!("`{name}` is {segment:?}, not {value:?}"));
            }
        }
    }

    fn compare_query(&self, request: &Request, differences: &mut Vec<String>) {
        for (name, expected) in &self.query {
            let pairs = request.url.query_pairs().filter(|(key, _)| key == name);
            let values: Vec<_> = pairs.map(|(_, value)| value).collect();
            if values != *expected {
                let found = match values.is_empty() {
                    true => "isn't there".to_owned(),
                    false => format!("is {:?}", values.join(", ")),
                };
                let expected = expected.join(", ");
                differences.push(format!("`{name}` {found}, not {expected:?}"));
            }
        }
    }

    fn compare_body(&self, request: &Request, differences: &mut Vec<String>) {
        let body = || serde_json::from_slice::<Value>(&request.body).unwrap_or_default();
        if let Some(expected) = &self.body {
            let body = body();
            if body != *expected {
                differences.push(format!("the body is {body}, not {expected}"));
            }
        }
        if self.fields.is_empty() {
            return;
        }
        let body = body();
        for (name, expected) in &self.fields {
            let found = body.get(&**name);
            if found != expected.as_ref() {
                let shown =
                    |value: Option<&Value>| value.map_or("absent".to_owned(), ToString::to_string);
                let (found, expected) = (shown(found), shown(expected.as_ref()));
                differences.push(format!("`{name}` is {found}, not {expected}"));
            }
        }
    }
}

/// The name of the parameter in a segment of a path template.
fn parameter(segment: &str) -> Option<&str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}
