use std::sync::Arc;

use data_encoding::{BASE64, HEXLOWER};
use hmac::{Hmac, KeyInit, Mac};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue};
use sha2::Sha256;

use crate::testing::answer::JSON;
use crate::testing::courier::{Parcel, Sent};
use crate::testing::lock::lock;
use crate::testing::lune::api::Api;
use crate::testing::lune::delivery::LuneFakeDelivery;
use crate::testing::lune::event::LuneFakeEvent;
use crate::testing::lune::state::{Batch, HeldUp, Place};
use crate::testing::lune::webhook::LuneFakeWebhook;

const SIGNATURE: HeaderName = HeaderName::from_static("lune-hmac");

impl Api {
    pub(super) async fn deliver_due(&self) -> Vec<LuneFakeDelivery> {
        let _turn = self.turn.lock().await;
        // A call that was dropped may have left a request in flight.
        self.courier.settled().await;
        let mut held_up = HeldUp::new();
        let mut deliveries = Vec::new();
        loop {
            let batches = lock(&self.state).next_batches(&held_up);
            if batches.is_empty() {
                return deliveries;
            }
            let under_way: Vec<_> = batches
                .into_iter()
                .map(|batch| self.dispatch(batch))
                .collect();
            for (place, sent) in under_way {
                let delivery = sent.wait().await;
                if !delivery.as_ref().is_some_and(|sent| sent.acknowledged) {
                    held_up.extend(place.accounts());
                }
                deliveries.extend(delivery);
            }
        }
    }

    /// Sends a batch, signed with the secrets and the time of now.
    fn dispatch(&self, batch: Batch) -> (Place, Sent<LuneFakeDelivery>) {
        let Batch {
            webhook,
            events,
            place,
        } = batch;
        let body = body(&events);
        let (url, time) = {
            let state = lock(&self.state);
            (state.address(&webhook.url), state.signing_time())
        };
        let signature = self.signature(&webhook, time.timestamp(), &body);
        let mut headers = HeaderMap::from_iter([(CONTENT_TYPE, JSON)]);
        headers.extend(
            HeaderValue::from_str(&signature)
                .ok()
                .map(|value| (SIGNATURE, value)),
        );
        let parcel = Parcel {
            url,
            headers,
            body: body.clone(),
            timeout: self.settings.timeout,
        };
        let delivery = LuneFakeDelivery {
            webhook_id: webhook.id,
            account_ids: place.account_ids.clone(),
            event_ids: events.into_iter().map(|event| event.event_id).collect(),
            body: body.into(),
            signature,
            response_status_code: None,
            acknowledged: false,
        };
        let state = Arc::clone(&self.state);
        let marked = place.clone();
        let sent = self.courier.dispatch(parcel, move |status| {
            lock(&state).finish(&marked, delivery, status)
        });
        (place, sent)
    }

    fn signature(&self, webhook: &LuneFakeWebhook, timestamp: i64, body: &str) -> String {
        let organisation = &self.settings.organisation;
        let mut header = format!("timestamp={timestamp},organisation={organisation}");
        for secret in webhook.old_secrets.iter().chain([&webhook.secret]) {
            let digest = digest(secret, timestamp, body);
            header.push_str(",v1=");
            header.push_str(&if self.settings.base64_signatures {
                BASE64.encode(&digest)
            } else {
                HEXLOWER.encode(&digest)
            });
        }
        header
    }
}

fn body(events: &[LuneFakeEvent]) -> String {
    let events: Vec<&str> = events.iter().map(|event| &*event.json).collect();
    format!(r#"{{"events":[{}]}}"#, events.join(","))
}

/// The HMAC-SHA256 of timestamp, dot and body; empty if there can be none.
fn digest(secret: &str, timestamp: i64, body: &str) -> Vec<u8> {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        return Vec::new();
    };
    mac.update(timestamp.to_string().as_bytes());
    mac.update(b".");
    mac.update(body.as_bytes());
    mac.finalize().into_bytes().to_vec()
}
