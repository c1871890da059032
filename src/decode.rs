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

/// The maximum length of a path and of a member name, in characters; our limits.
const MAX_PATH: usize = 256;
const MAX_NAME: usize = 64;

/// What errors say of the expected type. Any other expectation could quote the JSON.
const EXPECTATIONS: [&str; 20] = [
    "a string",
    "a boolean",
    "a character",
    "a map",
    "an object",
    "a sequence",
    "an RFC 3339 formatted date and time string",
    "i8",
    "i16",
    "i32",
    "i64",
    "i128",
    "isize",
    "u8",
    "u16",
    "u32",
    "u64",
    "usize",
    "f32",
    "f64",
];

/// Whose type is decoded.
#[derive(Clone, Copy)]
#[allow(dead_code, reason = "clients use one, receivers the other")]
pub(crate) enum Type {
    /// A type of this crate, whose own errors quote nothing.
    Ours,
    /// A type of the user, whose own errors can quote the JSON in any form.
    Any,
}

/// Decodes JSON. Errors contain the path.
pub(crate) fn json<'a, T: Deserialize<'a>>(json: &'a [u8], whose: Type) -> Result<T, JsonError> {
    // Tracking the path takes time, so only JSON that failed to decode is read again.
    serde_json::from_slice(json).map_err(|error| {
        let mut deserializer = serde_json::Deserializer::from_slice(json);
        match serde_path_to_error::deserialize::<_, T>(&mut deserializer) {
            Err(traced) => JsonError::new(&path_text(traced.path()), traced.inner(), whose),
            // The value is valid, but followed by other characters.
            Ok(_) => JsonError::new("", &error, whose),
        }
    })
}

impl JsonError {
    #[cfg(feature = "lune")]
    pub(crate) fn missing(field: &str) -> Self {
        Self(format!("missing field `{field}`"))
    }

    fn new(path: &str, error: &serde_json::Error, whose: Type) -> Self {
        let (line, column) = (error.line(), error.column());
        Self(match error.classify() {
            Category::Eof => format!("the JSON breaks off at line {line} column {column}"),
            Category::Syntax | Category::Io => format!("not JSON at line {line} column {column}"),
            Category::Data if path.is_empty() => expected(&error.to_string(), whose),
            Category::Data => format!("{path}: {}", expected(&error.to_string(), whose)),
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
/// The rest of a message can quote the JSON, and a type's own error can imitate serde's. So only
/// fixed words are shown, and the name of a missing field only of our own types.
fn expected(message: &str, whose: Type) -> String {
    let end = message.rfind(" at line ").unwrap_or(message.len());
    let message = &message[..end];
    if message.starts_with("missing field `") {
        return match whose {
            Type::Ours => message.to_owned(),
            Type::Any => "a missing field".to_owned(),
        };
    }
    let is_serde = ["invalid type: ", "invalid value: "]
        .iter()
        .any(|prefix| message.starts_with(prefix));
    let expected = match message.rsplit_once(", expected ") {
        Some((_, name)) if is_serde && name.starts_with("struct ") => "an object",
        Some((_, known)) if is_serde && EXPECTATIONS.contains(&known) => known,
        _ => return "an invalid value".to_owned(),
    };
    match message.starts_with("invalid type: null") {
        true => format!("expected {expected}, found null"),
        false => format!("expected {expected}"),
    }
}
