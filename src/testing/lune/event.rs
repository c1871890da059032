use std::fmt;
use std::sync::Arc;

use serde_json::{Value, json};

/// An event that a [`LuneFake`](super::LuneFake) was told to deliver.
///
/// Cheap to clone. `Debug` shows no data.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LuneFakeEvent {
    /// Its `event_id`: 32 characters, counted; empty for a raw event without one.
    pub event_id: String,
    /// The account that it belongs to.
    pub account_id: String,
    /// The JSON as it stands in each batch.
    pub json: Arc<str>,
}

impl LuneFakeEvent {
    pub(super) fn new(
        event_id: &str,
        sequence: &str,
        account_id: &str,
        event_type: &str,
        data: &Value,
    ) -> Self {
        let event = json!({
            "api_version": "v1",
            "event_id": event_id,
            "event_type": event_type,
            "sequence": sequence,
            "account_id": account_id,
            "data": data,
        });
        Self::raw(account_id, &event)
    }

    pub(super) fn raw(account_id: &str, event: &Value) -> Self {
        let event_id = event.get("event_id").and_then(Value::as_str);
        Self {
            event_id: event_id.unwrap_or_default().to_owned(),
            account_id: account_id.to_owned(),
            json: event.to_string().into(),
        }
    }
}

impl fmt::Debug for LuneFakeEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LuneFakeEvent")
            .field("event_id", &self.event_id)
            .field("account_id", &self.account_id)
            .finish_non_exhaustive()
    }
}
