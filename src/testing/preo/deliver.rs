use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use http::header::{CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderValue};
use serde_json::Value;
use sha2::Sha256;

use crate::testing::answer::JSON;
use crate::testing::courier::{Parcel, Sent};
use crate::testing::lock::lock;
use crate::testing::preo::api::Api;
use crate::testing::preo::builder::Settings;
use crate::testing::preo::delivery::{PreoFakeDelivery, PreoFakeDeliveryStatus as Status};
use crate::testing::preo::state::{Place, State};
use crate::testing::preo::webhook::PreoFakeWebhook;

const AGENT: HeaderValue =
    HeaderValue::from_static(concat!("webhook-sdk-preo-fake/", env!("CARGO_PKG_VERSION")));

/// An event on its way to all who are subscribed to it; await it to send.
///
/// Made by [`PreoFake::emit`](super::PreoFake::emit). An endpoint without an organization or
/// edition gets the events of all, which is unpublished and our default. `Debug` shows no data.
#[must_use = "nothing is sent until it is awaited"]
pub struct PreoEmission<'a> {
    api: &'a Api,
    event: String,
    data: Value,
    organization_id: Option<String>,
    edition_id: Option<String>,
}

impl<'a> PreoEmission<'a> {
    pub(super) fn new(api: &'a Api, event: String, data: Value) -> Self {
        Self {
            api,
            event,
            data,
            organization_id: None,
            edition_id: None,
        }
    }

    /// Leaves out the endpoints of other organizations.
    pub fn organization_id(mut self, id: impl Into<String>) -> Self {
        self.organization_id = Some(id.into());
        self
    }

    /// Leaves out the endpoints of other editions.
    pub fn edition_id(mut self, id: impl Into<String>) -> Self {
        self.edition_id = Some(id.into());
        self
    }

    async fn send(self) -> Vec<PreoFakeDelivery> {
        let places = self.add(&mut lock(&self.api.state));
        self.api.attempt_all(places).await
    }

    fn add(&self, state: &mut State) -> Vec<Place> {
        let targets: Vec<String> = state
            .webhooks()
            .filter(|webhook| self.concerns(webhook))
            .map(|webhook| webhook.id.clone())
            .collect();
        targets
            .iter()
            .filter_map(|id| state.add_delivery(id, &self.event, &self.data))
            .collect()
    }

    fn concerns(&self, webhook: &PreoFakeWebhook) -> bool {
        webhook.is_subscribed_to(&self.event)
            && overlap(&self.organization_id, &webhook.organization_id)
            && overlap(&self.edition_id, &webhook.edition_id)
    }
}

impl<'a> IntoFuture for PreoEmission<'a> {
    type Output = Vec<PreoFakeDelivery>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

impl fmt::Debug for PreoEmission<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PreoEmission")
            .field("event", &self.event)
            .finish_non_exhaustive()
    }
}

impl Api {
    pub(super) async fn deliver(
        &self,
        webhook_id: &str,
        event: &str,
        data: &Value,
    ) -> Option<PreoFakeDelivery> {
        let place = lock(&self.state).add_delivery(webhook_id, event, data)?;
        self.attempt_all(vec![place]).await.pop()
    }

    pub(super) async fn run_due_retries(&self) -> Vec<PreoFakeDelivery> {
        let due = lock(&self.state).due();
        self.attempt_all(due).await
    }

    /// Sends a delivery that [`begin_attempt`] has prepared.
    pub(super) fn dispatch(&self, place: Place, parcel: Parcel) -> Sent<()> {
        let state = Arc::clone(&self.state);
        self.courier.dispatch(parcel, move |status| {
            lock(&state).finish_attempt(&place, status);
        })
    }

    async fn attempt_all(&self, places: Vec<Place>) -> Vec<PreoFakeDelivery> {
        let under_way: Vec<(Place, Sent<()>)> = places
            .into_iter()
            .filter_map(|place| {
                let parcel = begin_attempt(&mut lock(&self.state), &place, &self.settings)?;
                Some((place.clone(), self.dispatch(place, parcel)))
            })
            .collect();
        let mut ended = Vec::with_capacity(under_way.len());
        for (place, sent) in under_way {
            sent.wait().await;
            ended.extend(lock(&self.state).delivery(&place).cloned());
        }
        ended
    }
}

/// Marks a delivery as under way and signs it with the secret of now.
pub(super) fn begin_attempt(
    state: &mut State,
    place: &Place,
    settings: &Settings,
) -> Option<Parcel> {
    let (webhook, delivery) = state.delivery_mut(place)?;
    if delivery.attempts > 0 {
        delivery.status = Status::Retrying;
    }
    delivery.next_retry_at = None;
    delivery.signature = signature(&webhook.secret, &delivery.payload);
    let mut headers = HeaderMap::from_iter([(CONTENT_TYPE, JSON), (USER_AGENT, AGENT)]);
    if !delivery.signature.is_empty() {
        let signature = HeaderValue::from_str(&delivery.signature).ok()?;
        headers.insert(settings.signature_header.clone(), signature);
    }
    Some(Parcel {
        url: webhook.url.clone(),
        headers,
        body: delivery.payload.clone(),
        timeout: match webhook.timeout_seconds {
            0 => settings.default_timeout,
            seconds => Duration::from_secs(seconds.into()),
        },
    })
}

/// Lower-case hex of the HMAC-SHA256, or nothing without a secret.
fn signature(secret: &str, payload: &str) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        return String::new();
    };
    if secret.is_empty() {
        return String::new();
    }
    mac.update(payload.as_bytes());
    HEXLOWER.encode(&mac.finalize().into_bytes())
}

/// Whether an event of `wanted` concerns an endpoint of `own`; none is all.
fn overlap(wanted: &Option<String>, own: &Option<String>) -> bool {
    wanted.is_none() || own.is_none() || wanted == own
}
