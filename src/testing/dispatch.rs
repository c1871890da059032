//! How a fake creates deliveries, selects those to send, and records the outcome.

use std::collections::HashSet;
use std::sync::Arc;

use chrono::{TimeDelta, Utc};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use reqwest::Url;

use super::clock::later;
use super::delivery::{Defect, FakeDelivery, FakeDeliveryStatus as Status};
use super::sender::{Outgoing, Pace};
use super::service::{Emitted, FakeService, State};

impl<S: FakeService> State<S> {
    /// Adds a delivery for each webhook that gets an event, and returns their keys.
    pub(crate) fn emit(&mut self, emitted: &Emitted<S::Scope>, defect: Option<Defect>) -> Vec<u64> {
        let Some(draft) = S::event(self, emitted) else {
            return Vec::new();
        };
        let wants = |(id, webhook): &&(String, S::Webhook)| match &emitted.to {
            Some(wanted) => id == wanted,
            None => S::is_enabled(webhook) && self.service.wants(webhook, &draft, emitted),
        };
        let webhooks = self.webhooks.iter().filter(wants);
        let ids: Vec<_> = webhooks.map(|(id, _)| id.clone()).collect();
        let created = self.clock.now();
        let mut keys = Vec::new();
        for webhook_id in ids {
            self.last_delivery += 1;
            let key = self.last_delivery;
            let id = match draft.id.as_str() {
                "" => format!("dl_{key}"),
                id => id.to_owned(),
            };
            let payload = match emitted.raw {
                true => emitted.data.to_string(),
                false => S::payload(&draft, &id).to_string(),
            };
            let delivery = FakeDelivery {
                id,
                webhook_id,
                event: emitted.event.clone(),
                payload: payload.into(),
                status: Status::Pending,
                attempts: 0,
                response_status: None,
                last_attempt_at: None,
                next_attempt_at: Some(created),
                created,
                lane: draft.lane.clone(),
                signature: String::new(),
                in_flight: false,
                defect,
            };
            self.deliveries.insert(key, delivery);
            keys.push(key);
        }
        keys
    }

    /// Starts all possible attempts, of the `wanted` or else all due deliveries.
    ///
    /// A delivery is only attempted once per pass.
    pub(crate) fn begin_round(&mut self, wanted: Option<&[u64]>, before: &[u64]) -> Vec<Outgoing> {
        let groups = match S::ORDERED {
            true => self.next_batches(wanted, before),
            false => self.next_singles(wanted, before),
        };
        let attempts = groups.into_iter().filter_map(|keys| self.begin(&keys));
        attempts.collect()
    }

    fn next_singles(&mut self, wanted: Option<&[u64]>, before: &[u64]) -> Vec<Vec<u64>> {
        let now = self.clock.now();
        let webhooks = self.webhooks.iter();
        let enabled = webhooks.filter(|(_, webhook)| S::is_enabled(webhook));
        let enabled: HashSet<_> = enabled.map(|(id, _)| id.as_str()).collect();
        let mut keys = Vec::new();
        for (key, delivery) in &mut self.deliveries {
            let due = match wanted {
                Some(wanted) => wanted.contains(key),
                None => delivery.next_attempt_at.is_some_and(|due| due <= now),
            };
            if !due || delivery.in_flight || before.contains(key) {
                continue;
            }
            if wanted.is_some() || enabled.contains(delivery.webhook_id.as_str()) {
                keys.push(vec![*key]);
            } else if S::DROPS_IF_DISABLED {
                delivery.status = Status::Dropped;
                delivery.next_attempt_at = None;
            }
        }
        keys
    }

    /// The oldest deliveries of each webhook, except for lanes with a failed delivery.
    fn next_batches(&self, wanted: Option<&[u64]>, before: &[u64]) -> Vec<Vec<u64>> {
        let named = |id: &str| {
            let named = |key| {
                self.deliveries
                    .get(key)
                    .is_some_and(|one| one.webhook_id == id)
            };
            wanted.is_none_or(|keys| keys.iter().any(named))
        };
        let mut batches = Vec::new();
        for (id, webhook) in &self.webhooks {
            if !S::is_enabled(webhook) || !named(id) {
                continue;
            }
            let own: Vec<_> = self
                .deliveries
                .iter()
                .filter(|(_, delivery)| delivery.webhook_id == *id)
                .filter(|(_, delivery)| delivery.status != Status::Delivered)
                .collect();
            if own.iter().any(|(_, delivery)| delivery.in_flight) {
                continue;
            }
            let failed = |lane: &str| {
                let mut lane = own.iter().filter(|(_, delivery)| delivery.lane == lane);
                lane.any(|(key, _)| before.contains(key))
            };
            let waiting: Vec<_> = own
                .iter()
                .filter(|(_, delivery)| !failed(&delivery.lane))
                .collect();
            let deliveries: Vec<_> = waiting.iter().map(|(_, delivery)| *delivery).collect();
            let chosen = self.service.batch(&deliveries);
            if !chosen.is_empty() {
                batches.push(chosen.iter().map(|place| *waiting[*place].0).collect());
            }
        }
        batches
    }

    /// Marks deliveries to one webhook as in flight, and builds their request.
    pub(crate) fn begin(&mut self, keys: &[u64]) -> Option<Outgoing> {
        let mut payloads = Vec::new();
        let mut defect = None;
        let mut webhook_id = String::new();
        for key in keys {
            let delivery = self.deliveries.get_mut(key)?;
            delivery.in_flight = true;
            delivery.next_attempt_at = None;
            defect = defect.or(delivery.defect.take());
            payloads.push(Arc::clone(&delivery.payload));
            webhook_id.clone_from(&delivery.webhook_id);
        }
        let webhook = self.webhook(&webhook_id)?;
        let payloads: Vec<&str> = payloads.iter().map(|payload| &**payload).collect();
        let mut body = S::body(&payloads).into_bytes();
        let is = |wanted| defect == Some(wanted);
        if let Some(Defect::Oversized(bytes)) = defect {
            body.resize(bytes.max(body.len()), b' ');
        }
        let mut time = Utc::now();
        if is(Defect::Stale) {
            time -= TimeDelta::hours(1);
        }
        let forged = is(Defect::Forged);
        let proof = self.service.proof(webhook, &body, time, forged);
        let proof = proof.filter(|_| !is(Defect::Unsigned));
        if is(Defect::Altered) {
            body.push(b' ');
        }
        let headers = S::HEADERS.iter().map(|(name, value)| {
            let name = HeaderName::from_static(name);
            (name, HeaderValue::from_static(value))
        });
        let mut headers: HeaderMap = headers.collect();
        let json = HeaderValue::from_static("application/json");
        headers.insert(header::CONTENT_TYPE, json);
        let mut signature = "";
        if let Some((name, value)) = &proof {
            signature = value.to_str().unwrap_or_default();
            for _ in 0..=u8::from(is(Defect::SignedTwice)) {
                headers.append(name, value.clone());
            }
        }
        let outgoing = Outgoing {
            deliveries: keys.to_vec(),
            url: self.address(S::url(webhook)),
            headers,
            body,
            timeout: S::timeout(webhook).unwrap_or(self.timeout),
            pace: match defect {
                Some(Defect::Slow(time)) => Pace::Slow(time),
                Some(Defect::CutOff) => Pace::CutOff,
                _ => Pace::AtOnce,
            },
            copies: 1 + u8::from(is(Defect::Duplicated)),
        };
        for key in keys {
            if let Some(delivery) = self.deliveries.get_mut(key) {
                signature.clone_into(&mut delivery.signature);
            }
        }
        Some(outgoing)
    }

    /// Applies the routes to a URL, and removes its credentials.
    fn address(&self, text: &str) -> String {
        let Ok(mut url) = Url::parse(text) else {
            return text.to_owned();
        };
        let route = url.host_str().and_then(|host| self.routes.get(host));
        if let Some(address) = route.and_then(|address| Url::parse(address).ok()) {
            url.set_scheme(address.scheme()).ok();
            url.set_host(address.host_str()).ok();
            url.set_port(address.port()).ok();
        }
        if S::PROOF_IN_URL {
            url.set_username("").ok();
            url.set_password(None).ok();
        }
        url.into()
    }

    /// Records the result of an attempt: the response status, if there was one.
    pub(crate) fn finish(&mut self, keys: &[u64], status: Option<StatusCode>) {
        let now = self.clock.tick();
        for key in keys {
            let Some(delivery) = self.deliveries.get_mut(key) else {
                continue;
            };
            delivery.in_flight = false;
            delivery.attempts = delivery.attempts.saturating_add(1);
            delivery.response_status = status.map(|status| status.as_u16());
            delivery.last_attempt_at = Some(now);
            let mut webhooks = self.webhooks.iter_mut();
            let webhook = webhooks.find(|(id, _)| *id == delivery.webhook_id);
            let last = match (webhook, status) {
                (Some((_, webhook)), Some(status)) => S::hear(webhook, status),
                _ => false,
            };
            let delay = self.service.retry_delay(delivery.attempts);
            delivery.status = match (status, delay) {
                (Some(status), _) if status.is_success() => Status::Delivered,
                (_, Some(delay)) if !last => {
                    delivery.next_attempt_at = Some(later(now, delay));
                    Status::Failed
                }
                _ => Status::Dropped,
            };
        }
    }
}
