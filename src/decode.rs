//! Decodes JSON with errors that contain a path but no values.

use std::fmt;

use serde::Deserialize;
use serde_json::error::Category;
use serde_path_to_error::{Path, Segment};

/// An error from decoding JSON, which contains the JSON path but no value.
///
/// For example, `events[2]: expected a string`. Keys that look like field names are shown; any
/// other key is shown as `*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonError(String);

/// The maximum length of a path and of an expectation, in characters; our limits.
const MAX_PATH: usize = 256;
const MAX_EXPECTED: usize = 128;
const MAX_NAME: usize = 64;

/// Decodes JSON. Errors contain the path.
pub(crate) fn json<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Result<T, JsonError> {
    // Tracking the path takes time, so only JSON that failed to decode is read again.
    serde_json::from_slice(json).map_err(|error| {
        let mut deserializer = serde_json::Deserializer::from_slice(json);
        match serde_path_to_error::deserialize::<_, T>(&mut deserializer) {
            Err(traced) => JsonError::new(&path_text(traced.path()), traced.inner()),
            // The value is valid, but followed by other characters.
            Ok(_) => JsonError::new("", &error),
        }
    })
}

impl JsonError {
    fn new(path: &str, error: &serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        Self(match error.classify() {
            Category::Eof => format!("the JSON breaks off at line {line} column {column}"),
            Category::Syntax | Category::Io => format!("not JSON at line {line} column {column}"),
            Category::Data if path.is_empty() => expected(&error.to_string()),
            Category::Data => format!("{path}: {}", expected(&error.to_string())),
        })
    }
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for JsonError {}

fn path_text(path: &Path) -> String {
    let mut text = String::new();
    for segment in path.iter() {
        let name = match segment {
            Segment::Seq { index } => {
                text.push_str(&format!("[{index}]"));
                continue;
            }
            Segment::Map { key } => key,
            Segment::Enum { variant } => variant,
            Segment::Unknown => "*",
        };
        if !text.is_empty() {
            text.push('.');
        }
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
        let shown = name.len() <= MAX_NAME && name.bytes().all(is_plain);
        text.push_str(if shown { name } else { "*" });
    }
    text.truncate(MAX_PATH);
    text
}

/// The part of serde's message that describes the expected type.
///
/// Serde puts the unexpected value before it.
fn expected(message: &str) -> String {
    let end = message.rfind(" at line ").unwrap_or(message.len());
    let message = &message[..end];
    let name = |prefix| {
        let rest: &str = message.strip_prefix(prefix)?;
        rest.strip_suffix('`')
    };
    if let Some(field) = name("missing field `") {
        return format!("missing field `{field}`");
    }
    let (found, expected) = match message.rsplit_once(", expected ") {
        Some((found, expected)) if expected.len() <= MAX_EXPECTED => (found, expected),
        _ => return "an invalid value".to_owned(),
    };
    match found.starts_with("invalid type: null") {
        true => format!("expected {expected}, found null"),
        false => format!("expected {expected}"),
    }
}
