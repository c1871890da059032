use std::fmt;

use serde::Deserialize;
use serde_json::value::RawValue;
use thiserror::Error;

use super::{AllocationChange, Order, Sequence, json};
use crate::open_enum::open_enum;
use crate::{JsonError, decode};

/// One event of a delivery, with its JSON.
///
/// Decoding is lenient: missing or unexpected content is represented as `None`,
/// [`EventData::Unknown`] or [`EventData::Undecodable`], and [`raw`](Self::raw) returns the
/// complete JSON. `Debug` shows ids, types, and statuses, but no customer data or amounts.
#[derive(Clone)]
pub struct Event {
    ids: Ids,
    event_type: Option<EventType>,
    api_version: Option<ApiVersion>,
    data: EventData,
    raw: Box<RawValue>,
}

impl Event {
    /// Decodes one event from its JSON, for example one saved after a failure.
    ///
    /// ```
    /// use webhook_sdk::lune::{Event, EventData};
    ///
    /// let event = Event::from_slice(
    ///     br#"{"event_id": "ev1", "event_type": "report.ready", "data": {"pages": 3}}"#,
    /// )?;
    ///
    /// assert!(matches!(event.data(), EventData::Unknown));
    /// assert_eq!(event.raw_data(), Some(r#"{"pages": 3}"#));
    /// # Ok::<(), webhook_sdk::lune::EventError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if the bytes aren't JSON.
    pub fn from_slice(json: &[u8]) -> Result<Self, EventError> {
        serde_json::from_slice(json)
            .map(Self::from_raw)
            .map_err(|error| EventError::malformed(&error))
    }

    /// The event's id, which is the same in each redelivery.
    ///
    /// `None` only for an event without an id, which Lune's schema requires.
    pub fn event_id(&self) -> Option<&str> {
        self.ids.event_id.as_deref()
    }

    /// The event's type. `None` only if it is missing, contrary to Lune's schema.
    pub fn event_type(&self) -> Option<&EventType> {
        self.event_type.as_ref()
    }

    /// The account that the event belongs to, if Lune sends it.
    pub fn account_id(&self) -> Option<&str> {
        self.ids.account_id.as_deref()
    }

    /// The event's position within its account. Lune's schema requires it.
    pub fn sequence(&self) -> Option<&Sequence> {
        self.ids.sequence.as_ref()
    }

    /// The API version of the event.
    ///
    /// Data of an unknown version is decoded too, if it matches.
    pub fn api_version(&self) -> Option<&ApiVersion> {
        self.api_version.as_ref()
    }

    /// The event's data.
    pub fn data(&self) -> &EventData {
        &self.data
    }

    /// Returns the event's data.
    pub fn into_data(self) -> EventData {
        self.data
    }

    /// The event's JSON, byte for byte, with `?` for each invalid UTF-8 byte.
    pub fn raw(&self) -> &str {
        self.raw.get()
    }

    /// The JSON of `data`, byte for byte, or `None` if it is missing or `null`.
    pub fn raw_data(&self) -> Option<&str> {
        let envelope: Envelope<'_> = object(&self.raw).ok()??;
        envelope.data.map(RawValue::get)
    }

    /// Decodes `data` as another type, for events that this crate doesn't know.
    ///
    /// # Errors
    ///
    /// Returns an error if there is no `data`, or it doesn't match `T`. The error contains the JSON
    /// path in `data`, but no value.
    pub fn data_json<'a, T: Deserialize<'a>>(&'a self) -> Result<T, JsonError> {
        let data = self.raw_data().ok_or(JsonError::missing("data"))?;
        decode::json(data.as_bytes(), decode::Type::Any)
    }

    /// Whether `event_id` is a string, as Lune documents it.
    #[cfg(feature = "receiver")]
    pub(super) fn has_text_id(&self) -> bool {
        self.ids.is_text
    }

    pub(super) fn from_raw(raw: &RawValue) -> Self {
        match object::<Envelope<'_>>(raw) {
            Ok(Some(envelope)) => {
                let event_type = text(envelope.event_type).map(EventType::from);
                Self {
                    data: EventData::decode(event_type.as_ref(), envelope.data),
                    event_type,
                    api_version: text(envelope.api_version).map(ApiVersion::from),
                    ids: Ids {
                        is_text: envelope.event_id.is_some_and(is_string),
                        event_id: text(envelope.event_id),
                        account_id: text(envelope.account_id.filter(|id| is_string(id))),
                        sequence: text(envelope.sequence.filter(|text| is_string(text)))
                            .map(Sequence::from),
                    },
                    raw: raw.to_owned(),
                }
            }
            Ok(None) => Self::undecodable(raw, EventError::NotAnObject),
            Err(error) => Self::undecodable(raw, EventError::malformed(&error)),
        }
    }

    pub(super) fn undecodable(raw: &RawValue, error: EventError) -> Self {
        Self {
            ids: Ids::default(),
            event_type: None,
            api_version: None,
            data: EventData::Undecodable(error),
            raw: raw.to_owned(),
        }
    }
}

impl PartialEq for Event {
    fn eq(&self, other: &Self) -> bool {
        self.raw.get() == other.raw.get()
    }
}

impl Eq for Event {}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("event_id", &self.ids.event_id)
            .field("event_type", &self.event_type)
            .field("account_id", &self.ids.account_id)
            .field("sequence", &self.ids.sequence)
            .field("api_version", &self.api_version)
            .field("data", &self.data)
            .field("raw_len", &self.raw.get().len())
            .finish()
    }
}

/// The data of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventData {
    /// An order changed its status: one of the seven `order.*` types.
    Order(Box<Order>),
    /// An allocation was created or retired: one of the two `allocation.*` types.
    Allocation(Box<AllocationChange>),
    /// The event's type is unknown. Lune asks receivers to ignore such events.
    Unknown,
    /// The event can't be decoded. [`Event::raw`] returns its JSON.
    Undecodable(EventError),
}

impl EventData {
    fn decode(event_type: Option<&EventType>, data: Option<&RawValue>) -> Self {
        let decoded = match event_type {
            None => Err(EventError::NoType),
            Some(EventType::Unknown(_)) => Ok(Self::Unknown),
            Some(EventType::AllocationNew | EventType::AllocationRetired) => {
                read(data).map(|change| Self::Allocation(Box::new(change)))
            }
            Some(_) => read(data).map(|OrderChange { order }| Self::Order(Box::new(order))),
        };
        decoded.unwrap_or_else(Self::Undecodable)
    }
}

open_enum! {
    /// The type of an event.
    pub enum EventType {
        /// An order was received by Lune.
        OrderReceived = "order.received",
        /// An order's bundles were assigned.
        OrderPlaced = "order.placed",
        /// An order was paid.
        OrderPaid = "order.paid",
        /// An order's credits are being retired.
        OrderRetiring = "order.retiring",
        /// An order was canceled.
        OrderCancelled = "order.cancelled",
        /// An order failed.
        OrderFailed = "order.failed",
        /// An order was completed. Its status is `complete`.
        OrderCompleted = "order.completed",
        /// An allocation was created.
        AllocationNew = "allocation.new",
        /// An allocation was retired.
        AllocationRetired = "allocation.retired",
    }
}

open_enum! {
    /// The API version of an event.
    pub enum ApiVersion {
        /// The only published version.
        V1 = "v1",
    }
}

#[derive(Clone, Default)]
struct Ids {
    event_id: Option<String>,
    #[cfg_attr(
        not(feature = "receiver"),
        allow(dead_code, reason = "only a receiver needs it")
    )]
    is_text: bool,
    account_id: Option<String>,
    sequence: Option<Sequence>,
}

/// An error from decoding an event.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EventError {
    /// The event is not JSON, or contains a field twice.
    #[error("the event is invalid JSON at line {line}, column {column}")]
    Malformed {
        /// The line in the event's text, counted from 1.
        line: usize,
        /// The column in bytes, counted from 1, or 0 at the start of the line.
        column: usize,
    },
    /// The event is JSON, but not an object.
    #[error("the event isn't a JSON object")]
    NotAnObject,
    /// The event's text is not UTF-8.
    #[error("the event isn't UTF-8")]
    NotUtf8,
    /// The event has no `event_type`.
    #[error("the event has no `event_type`")]
    NoType,
    /// The event has no `data`.
    #[error("the event has no `data`")]
    NoData,
    /// `data` doesn't match its type.
    #[error(
        "`data` doesn't match its type from line {line}, column {column} on: read the raw JSON instead"
    )]
    Unfit {
        /// The line in the text of `data`, counted from 1.
        line: usize,
        /// The column in bytes, counted from 1, or 0 at the start of the line.
        column: usize,
    },
}

impl EventError {
    fn malformed(error: &serde_json::Error) -> Self {
        Self::Malformed {
            line: error.line(),
            column: error.column(),
        }
    }

    fn unfit(error: &serde_json::Error) -> Self {
        Self::Unfit {
            line: error.line(),
            column: error.column(),
        }
    }
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    api_version: Option<&'a RawValue>,
    #[serde(borrow)]
    event_id: Option<&'a RawValue>,
    #[serde(borrow)]
    event_type: Option<&'a RawValue>,
    #[serde(borrow)]
    account_id: Option<&'a RawValue>,
    #[serde(borrow)]
    sequence: Option<&'a RawValue>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct OrderChange {
    order: Order,
}

/// Decodes an object, or returns `None`. A derived struct would also accept an array.
fn object<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> serde_json::Result<Option<T>> {
    match raw.get().starts_with('{') {
        true => serde_json::from_str(raw.get()).map(Some),
        false => Ok(None),
    }
}

fn read<T: for<'a> Deserialize<'a>>(data: Option<&RawValue>) -> Result<T, EventError> {
    match object(data.ok_or(EventError::NoData)?) {
        Ok(Some(data)) => Ok(data),
        Ok(None) => Err(EventError::Unfit { line: 1, column: 1 }),
        Err(error) => Err(EventError::unfit(&error)),
    }
}

fn text(field: Option<&RawValue>) -> Option<String> {
    let text = json::scalar_text(field?)?;
    (!text.is_empty()).then(|| text.into_owned())
}

fn is_string(raw: &RawValue) -> bool {
    raw.get().starts_with('"')
}
