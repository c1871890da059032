//! A batch has the events that a naive JSON reader finds, and no error or `Debug` shows their data.
//!
//! An input is the body of a delivery.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use webhook_sdk::lune::{Batch, BatchError, Event, EventData};

const ERRORS: [&str; 4] = [
    "the body is invalid JSON at line #, column #",
    "the body isn't a JSON object",
    "the body has no `events`",
    "`events` isn't an array",
];
const FIELDS: [&str; 6] = [
    "event_id",
    "account_id",
    "sequence",
    "event_type",
    "api_version",
    "data",
];

fuzz_target!(|body: &[u8]| {
    let batch = Batch::from_slice(body);
    if let Err(error) = &batch {
        let words = error.to_string();
        let words = words.split(|c: char| c.is_ascii_digit());
        let words = words.filter(|word| !word.is_empty()).collect::<Vec<_>>();
        assert!(
            ERRORS.contains(&&*words.join("#")) || words.len() == 2,
            "{error}"
        );
    }
    if let Ok(naive) = serde_json::from_slice::<Value>(body) {
        match (naive.get("events"), &batch) {
            (Some(Value::Array(events)), Ok(batch)) => {
                assert_eq!(batch.len(), events.len());
                batch
                    .events()
                    .iter()
                    .zip(events)
                    .for_each(|(event, naive)| agrees(event, naive));
            }
            // The naive reader takes the last of two fields with the same name.
            (_, Err(BatchError::Malformed { .. })) => assert!(times(body, "events") > 1),
            (_, batch) => assert!(batch.is_err()),
        }
    }
    batch.iter().flatten().for_each(shows_no_data);
});

fn agrees(event: &Event, naive: &Value) {
    let raw = event.raw().as_bytes();
    assert_eq!(serde_json::from_slice::<Value>(raw).unwrap(), *naive);
    if naive.is_object() && FIELDS.iter().all(|field| times(raw, field) <= 1) {
        // An empty text is no id.
        let text = |field| naive[field].as_str().filter(|text: &&str| !text.is_empty());
        assert_eq!(
            event.event_type().map(|text| text.as_str()),
            text("event_type")
        );
        assert_eq!(event.sequence().map(|text| text.as_str()), text("sequence"));
        assert_eq!(event.account_id(), text("account_id"));
        assert_eq!(event.raw_data().is_some(), !naive["data"].is_null());
        if naive["event_id"].is_string() {
            assert_eq!(event.event_id(), text("event_id"));
        }
    }
}

/// How often a field can occur, if every escape hides another one.
fn times(json: &[u8], field: &str) -> usize {
    let json = String::from_utf8_lossy(json);
    json.matches(&format!("\"{field}\"")).count() + json.matches('\\').count()
}

fn shows_no_data(event: &Event) {
    let EventData::Order(order) = event.data() else {
        return;
    };
    let metadata = order.metadata.iter().flat_map(|(key, value)| [key, value]);
    let texts = [&order.email, &order.idempotency_key, &order.certificate];
    for text in texts.into_iter().flatten().chain(metadata) {
        // The same text can also be an id, which is shown.
        if text.contains('@') && event.raw().matches(text.as_str()).count() == 1 {
            assert!(!format!("{event:?}").contains(text.as_str()), "{event:?}");
        }
    }
}
