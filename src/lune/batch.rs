use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use thiserror::Error;

use super::{Event, EventError, json};

/// The events of one delivery, in the order Lune sent them.
///
/// ```
/// use webhook_sdk::lune::{Batch, EventData};
///
/// let batch = Batch::from_slice(br#"{"events": [
///     {"event_id": "ev1", "event_type": "order.paid", "data": "not an order"},
///     {"event_id": "ev2", "event_type": "order.paid", "data": {"order": {"id": "or1"}}}
/// ]}"#)?;
///
/// assert!(matches!(batch.events()[0].data(), EventData::Undecodable(_)));
/// assert!(matches!(batch.events()[1].data(), EventData::Order(_)));
/// # Ok::<(), webhook_sdk::lune::BatchError>(())
/// ```
///
/// Each event is decoded separately: an event with an unexpected field or invalid UTF-8 doesn't
/// affect the others. Only decode verified bodies, and limit their size first.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    events: Vec<Event>,
}

impl Batch {
    /// The maximum number of events: 100,000, our default, because Lune publishes none.
    ///
    /// It bounds the memory of a batch whose events are much smaller than Lune's.
    pub const MAX_EVENTS: usize = 100_000;

    /// Decodes the body of a delivery.
    ///
    /// # Errors
    ///
    /// Returns an error if the body isn't a JSON object with an array `events` of at most
    /// [`MAX_EVENTS`](Self::MAX_EVENTS). The content of an event never causes an error here; see
    /// [`EventData::Undecodable`](super::EventData::Undecodable).
    pub fn from_slice(body: &[u8]) -> Result<Self, BatchError> {
        let events = Self::decode_located(body)?;
        Ok(Self {
            events: events.into_iter().map(|(_, event)| event).collect(),
        })
    }

    /// Decodes the body, and locates each event in it.
    pub(super) fn decode_located(body: &[u8]) -> Result<Vec<(Range<usize>, Event)>, BatchError> {
        let (text, invalid) = readable(body);
        // A derived struct would also accept an array.
        if !body.trim_ascii_start().starts_with(b"{") {
            return Err(match serde_json::from_str::<IgnoredAny>(&text) {
                Ok(_) => BatchError::NotAnObject,
                Err(error) => BatchError::malformed(&error),
            });
        }
        let fields: Body<'_> =
            serde_json::from_str(&text).map_err(|error| BatchError::malformed(&error))?;
        let events = fields.events.ok_or(BatchError::NoEvents)?;
        let events: RawEvents<'_> =
            serde_json::from_str(events.get()).map_err(|_| BatchError::EventsNotArray)?;
        if events.are_too_many {
            return Err(BatchError::TooManyEvents);
        }
        let located = events.events.into_iter().map(|raw| {
            let start = raw.get().as_ptr() as usize - text.as_ptr() as usize;
            let range = start..start + raw.get().len();
            let first = invalid.partition_point(|position| *position < start);
            let event = match invalid.get(first) {
                Some(position) if *position < range.end => {
                    Event::undecodable(raw, EventError::NotUtf8)
                }
                _ => Event::from_raw(raw),
            };
            (range, event)
        });
        Ok(located.collect())
    }

    /// The events, in the order they were sent.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// Returns the events, in the order they were sent.
    pub fn into_events(self) -> Vec<Event> {
        self.events
    }

    /// The number of events.
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether there are no events.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }
}

impl IntoIterator for Batch {
    type Item = Event;
    type IntoIter = std::vec::IntoIter<Event>;

    fn into_iter(self) -> Self::IntoIter {
        self.events.into_iter()
    }
}

impl<'a> IntoIterator for &'a Batch {
    type Item = &'a Event;
    type IntoIter = std::slice::Iter<'a, Event>;

    fn into_iter(self) -> Self::IntoIter {
        self.events.iter()
    }
}

/// An error from decoding a batch.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BatchError {
    /// The body is not JSON, or contains `events` twice.
    #[error("the body is invalid JSON at line {line}, column {column}")]
    Malformed {
        /// The line, counted from 1.
        line: usize,
        /// The column in bytes, counted from 1, or 0 at the start of the line.
        column: usize,
    },
    /// The body is JSON, but not an object.
    #[error("the body isn't a JSON object")]
    NotAnObject,
    /// The object has no `events`.
    #[error("the body has no `events`")]
    NoEvents,
    /// `events` isn't an array.
    #[error("`events` isn't an array")]
    EventsNotArray,
    /// `events` has more than [`Batch::MAX_EVENTS`] items.
    #[error("`events` has more than {} items", Batch::MAX_EVENTS)]
    TooManyEvents,
}

impl BatchError {
    fn malformed(error: &serde_json::Error) -> Self {
        Self::Malformed {
            line: error.line(),
            column: error.column(),
        }
    }
}

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow, default, deserialize_with = "json::some_raw")]
    events: Option<&'a RawValue>,
}

/// As many events as a batch may have.
#[derive(Default)]
struct RawEvents<'a> {
    events: Vec<&'a RawValue>,
    are_too_many: bool,
}

impl<'de> Deserialize<'de> for RawEvents<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(EventsVisitor)
    }
}

struct EventsVisitor;

impl<'de> Visitor<'de> for EventsVisitor {
    type Value = RawEvents<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut raw = RawEvents::default();
        while raw.events.len() < Batch::MAX_EVENTS {
            match items.next_element()? {
                Some(event) => raw.events.push(event),
                None => return Ok(raw),
            }
        }
        while items.next_element::<IgnoredAny>()?.is_some() {
            raw.are_too_many = true;
        }
        Ok(raw)
    }
}

/// The body as text of the same length, with `?` for each invalid UTF-8 byte.
///
/// This way, one event with such a byte doesn't affect the others: all positions stay the same.
fn readable(body: &[u8]) -> (Cow<'_, str>, Vec<usize>) {
    if let Ok(text) = std::str::from_utf8(body) {
        return (Cow::Borrowed(text), Vec::new());
    }
    let (mut text, mut invalid) = (String::with_capacity(body.len()), Vec::new());
    for chunk in body.utf8_chunks() {
        text.push_str(chunk.valid());
        for _ in chunk.invalid() {
            invalid.push(text.len());
            text.push('?');
        }
    }
    (Cow::Owned(text), invalid)
}
