use std::sync::Arc;

use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderValue};
use serde_json::{Map, Value};

use crate::testing::answer::JSON;
use crate::testing::courier::{Parcel, Sent};
use crate::testing::lock::lock;
use crate::testing::pretix::action;
use crate::testing::pretix::api::Api;
use crate::testing::pretix::body::Body;
use crate::testing::pretix::delivery::PretixFakeDelivery;
use crate::testing::pretix::state::{Place, State};

/// As pretix 2026.8.0 sends it.
const AGENT: HeaderValue = HeaderValue::from_static("python-requests/2.34.2");

impl Api {
    pub(super) async fn emit(&self, action: &str, data: &Value) -> Vec<PretixFakeDelivery> {
        let places = self.add(&mut lock(&self.state), action, data);
        self.attempt_all(places).await
    }

    pub(super) async fn run_due_retries(&self) -> Vec<PretixFakeDelivery> {
        let due = lock(&self.state).due();
        self.attempt_all(due).await
    }

    fn add(&self, state: &mut State, action: &str, data: &Value) -> Vec<Place> {
        let none = Map::new();
        let data = data.as_object().unwrap_or(&none);
        let is_known = |name: &str| self.settings.is_action_type(name);
        let Some(action_type) = action::subscription(action, is_known) else {
            return Vec::new();
        };
        let text = |name: &str| data.get(name).and_then(Value::as_str);
        let named = text("organizer").or_else(|| text("issuer_slug"));
        let organizer = named.unwrap_or_else(|| self.settings.slug());
        let event = text("event");
        let given = data.get("notification_id").and_then(Value::as_u64);
        let notification_id = given.unwrap_or_else(|| state.next_notification());
        let body = Body {
            notification_id,
            organizer: (!data.contains_key("issuer_slug")).then_some(organizer),
            event: data.get("event"),
            data,
            action,
        };
        let body = body.text();
        let targets: Vec<i64> = state
            .webhooks()
            .filter(|webhook| webhook.organizer == organizer)
            .filter(|webhook| webhook.is_called_for(&action_type, event))
            .map(|webhook| webhook.id)
            .collect();
        targets
            .into_iter()
            .map(|id| state.add_delivery(id, notification_id, action, &body))
            .collect()
    }

    async fn attempt_all(&self, places: Vec<Place>) -> Vec<PretixFakeDelivery> {
        let under_way: Vec<(Place, Option<Sent<()>>)> = places
            .into_iter()
            .map(|place| (place, self.attempt(place)))
            .collect();
        let mut ended = Vec::with_capacity(under_way.len());
        for (place, sent) in under_way {
            if let Some(sent) = sent {
                sent.wait().await;
            }
            ended.extend(lock(&self.state).delivery(place).cloned());
        }
        ended
    }

    fn attempt(&self, place: Place) -> Option<Sent<()>> {
        let (url, body) = lock(&self.state).begin_attempt(place)?;
        let parcel = Parcel {
            url,
            headers: headers(),
            body,
            timeout: self.settings.timeout,
        };
        let state = Arc::clone(&self.state);
        Some(self.courier.dispatch(parcel, move |status| {
            lock(&state).finish_attempt(place, status);
        }))
    }
}

/// What pretix sends, but for the credentials in the URL, which the HTTP client sends by itself.
fn headers() -> HeaderMap {
    HeaderMap::from_iter([
        (USER_AGENT, AGENT),
        (ACCEPT_ENCODING, HeaderValue::from_static("gzip, deflate")),
        (ACCEPT, HeaderValue::from_static("*/*")),
        (CONTENT_TYPE, JSON),
    ])
}
