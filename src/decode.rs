//! Decodes JSON with errors that contain a path but no values.

use std::fmt;

use serde::Deserialize;
use serde_json::error::Category;
use serde_json::{Value, json};
use serde_path_to_error::Segment;

/// An error from decoding JSON, which contains the JSON path but no value.
///
/// For example, `events[2]: expected a string`. Only the fields of types are named; a key of a map
/// is content, and is shown as `*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonError(String);

/// The maximum length of a path and of a name, in characters, and the number of names; our limits.
const MAX_PATH: usize = 256;
const MAX_NAME: usize = 64;
const MAX_DEPTH: usize = 16;

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
            Err(traced) => JsonError::new(&path_text::<T>(json, &traced), traced.inner(), whose),
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
            Category::Eof => format!("unexpected end of JSON at line {line} column {column}"),
            Category::Syntax | Category::Io => {
                format!("invalid JSON at line {line} column {column}")
            }
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

/// The path, with `*` for each name that the types don't declare: it is content of a map.
fn path_text<'a, T: Deserialize<'a>>(
    json: &[u8],
    error: &serde_path_to_error::Error<serde_json::Error>,
) -> String {
    let path: Vec<&Segment> = error.path().iter().collect();
    let unknown = error.inner().to_string().starts_with("unknown field");
    let value = serde_json::from_slice(json).unwrap_or_default();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    let mut text = String::new();
    for (place, segment) in path.iter().enumerate() {
        let (name, declared) = match segment {
            Segment::Seq { index } => {
                text.push_str(&format!("[{index}]"));
                continue;
            }
            Segment::Map { .. } if unknown && place + 1 == path.len() => ("", false),
            Segment::Map { key } => (&**key, declares::<T>(&value, &path, place)),
            Segment::Enum { variant } => (&**variant, true),
            Segment::Unknown => ("", false),
        };
        if !text.is_empty() {
            text.push('.');
        }
        let shown = declared && name.len() <= MAX_NAME && name.bytes().all(is_plain);
        text.push_str(if shown { name } else { "*" });
    }
    text.truncate(MAX_PATH);
    text
}

/// Whether the name at this place of a path is a field of a type, and not a key of a map.
///
/// Under another name, a field isn't read, but a value of a map fails in the same way. To keep other
/// errors out, only the value at the end of the path is decoded again.
fn declares<'a, T: Deserialize<'a>>(value: &Value, path: &[&Segment], place: usize) -> bool {
    let end = path.iter().try_fold(value, |value, segment| match segment {
        Segment::Seq { index } => value.get(index),
        Segment::Map { key } | Segment::Enum { variant: key } => value.get(key),
        Segment::Unknown => None,
    });
    let Some(end) = end.filter(|_| path.len() <= MAX_DEPTH) else {
        return false;
    };
    let steps = path.iter().enumerate().rev();
    let renamed = steps.fold(end.clone(), |inner, (step, segment)| match segment {
        Segment::Map { key } if step == place => json!({ format!("{key}-"): inner }),
        Segment::Map { key } | Segment::Enum { variant: key } => json!({ key: inner }),
        _ => json!([inner]),
    });
    serde_path_to_error::deserialize::<_, T>(renamed).map_or_else(
        |error| {
            let (message, length) = (error.inner().to_string(), error.path().iter().count());
            length <= place && message.starts_with("missing field")
                || length <= place + 1 && message.starts_with("unknown field")
        },
        |_| true,
    )
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
