//! A notification's body as Python writes it.

use std::io;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::ser::Formatter;
use serde_json::{Map, Value, json};

/// What a notification says: its id first, the action last.
pub(super) struct Body<'a> {
    pub(super) notification_id: u64,
    pub(super) organizer: Option<&'a str>,
    pub(super) event: Option<&'a Value>,
    pub(super) data: &'a Map<String, Value>,
    pub(super) action: &'a str,
}

/// The names that have a place of their own.
const PLACED: [&str; 4] = ["notification_id", "organizer", "event", "action"];

impl Body<'_> {
    /// The JSON text, with a space after each separator and everything but ASCII escaped.
    pub(super) fn text(&self) -> String {
        let mut text = Vec::new();
        let mut serializer = serde_json::Serializer::with_formatter(&mut text, Python);
        match self.serialize(&mut serializer) {
            Ok(()) => String::from_utf8(text).unwrap_or_default(),
            Err(_) => String::new(),
        }
    }
}

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("notification_id", &self.notification_id)?;
        if let Some(organizer) = self.organizer {
            map.serialize_entry("organizer", organizer)?;
        }
        if let Some(event) = self.event {
            map.serialize_entry("event", event)?;
        }
        for (name, value) in self.data {
            if !PLACED.contains(&name.as_str()) {
                map.serialize_entry(name, value)?;
            }
        }
        map.serialize_entry("action", &json!(self.action))?;
        map.end()
    }
}

struct Python;

impl Formatter for Python {
    fn begin_array_value<W: ?Sized + io::Write>(
        &mut self,
        w: &mut W,
        first: bool,
    ) -> io::Result<()> {
        separate(w, first)
    }

    fn begin_object_key<W: ?Sized + io::Write>(
        &mut self,
        w: &mut W,
        first: bool,
    ) -> io::Result<()> {
        separate(w, first)
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, w: &mut W) -> io::Result<()> {
        w.write_all(b": ")
    }

    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        w: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        for c in fragment.chars() {
            if c.is_ascii() {
                w.write_all(&[c as u8])?;
                continue;
            }
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(w, "\\u{unit:04x}")?;
            }
        }
        Ok(())
    }
}

fn separate<W: ?Sized + io::Write>(w: &mut W, first: bool) -> io::Result<()> {
    if first { Ok(()) } else { w.write_all(b", ") }
}
