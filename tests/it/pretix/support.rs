//! What the tests of pretix share: what a real one was asked and answered, and a client.

use std::time::Duration;

use serde_json::Value;
use webhook_sdk::pretix::{Credentials, PretixClient, TargetUrl};
use webhook_sdk::{Auth, ClientBuilder, RetryPolicy, Secret};

/// One recorded exchange; `tests/data/pretix/ORIGIN.md` describes its fields.
pub(crate) struct Exchange {
    pub(crate) case: String,
    pub(crate) method: String,
    pub(crate) path: String,
    /// What was sent, byte for byte or as JSON; `None` where the fixture can't hold it.
    pub(crate) request: Option<Vec<u8>>,
    /// The headers that differ from the usual ones; `None` where one was not sent.
    pub(crate) request_headers: Vec<(String, Option<String>)>,
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Option<Value>,
    pub(crate) text: Option<String>,
}

impl Exchange {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let header = self.headers.iter().find(|(known, _)| known == name);
        header.map(|(_, value)| value.as_str())
    }

    /// The answer's body as it was sent, but for the spelling of JSON.
    pub(crate) fn answer(&self) -> Vec<u8> {
        match (&self.body, &self.text) {
            (Some(body), _) => serde_json::to_vec(body).unwrap(),
            (None, Some(text)) => text.clone().into_bytes(),
            (None, None) => Vec::new(),
        }
    }
}

/// All exchanges in the order in which they were made.
pub(crate) fn exchanges() -> Vec<Exchange> {
    let mut exchanges: Vec<Exchange> = Vec::new();
    for line in include_str!("../../data/pretix/exchanges.jsonl").lines() {
        let mut line: Value = serde_json::from_str(line).unwrap();
        if let Some(results) = line.pointer_mut("/body/results")
            && let Some(case) = results.get("same_as").and_then(Value::as_str)
        {
            let earlier = exchanges.iter().find(|earlier| earlier.case == case);
            let same = earlier.unwrap().body.as_ref().unwrap()["results"].clone();
            *results = same;
        }
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let pairs = |value: &Value| {
            let pairs = value.as_object().cloned().unwrap_or_default();
            pairs
                .into_iter()
                .map(|(name, value)| (name, value.as_str().map(str::to_owned)))
                .collect::<Vec<_>>()
        };
        let request = match (line.get("request"), line.get("request_text")) {
            (Some(json), _) => Some(serde_json::to_vec(json).unwrap()),
            (None, Some(raw)) => Some(text(raw).into_bytes()),
            (None, None) => None,
        };
        exchanges.push(Exchange {
            case: text(&line["case"]),
            method: text(&line["method"]),
            path: text(&line["path"]),
            request,
            request_headers: pairs(&line["request_headers"]),
            status: u16::try_from(line["status"].as_u64().unwrap()).unwrap(),
            headers: pairs(&line["headers"])
                .into_iter()
                .map(|(name, value)| (name, value.unwrap()))
                .collect(),
            body: line.get("body").cloned(),
            text: line.get("text").map(text),
        });
    }
    assert_eq!(exchanges.len(), 271);
    exchanges
}

pub(crate) const TOKEN: &str = "pretix-token-9f8e7d6c";
pub(crate) const PASSWORD: &str = "correct-horse-battery-staple";

/// A client that retries as by default, without its waits.
pub(crate) fn pretix(base_url: &str) -> ClientBuilder<PretixClient> {
    pretix_as(TOKEN, "bigevents", base_url)
}

pub(crate) fn pretix_as(
    auth: impl Into<Auth>,
    organizer: &str,
    base_url: &str,
) -> ClientBuilder<PretixClient> {
    let wait = Duration::from_millis(1);
    PretixClient::builder(auth, organizer)
        .base_url(base_url)
        .retry(RetryPolicy::new().min_backoff(wait).max_backoff(wait))
}

/// A target with credentials, which are nowhere to be shown.
pub(crate) fn target() -> TargetUrl {
    let credentials = Credentials::new("pretix", Secret::from(PASSWORD)).unwrap();
    TargetUrl::new("https://example.org/hook", &credentials).unwrap()
}
