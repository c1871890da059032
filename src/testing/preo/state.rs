use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::testing::clock::{Clock, later};
use crate::testing::drf;
use crate::testing::preo::builder::Settings;
use crate::testing::preo::delivery::{PreoFakeDelivery, PreoFakeDeliveryStatus as Status};
use crate::testing::preo::webhook::{PreoFakeWebhook, PreoWebhookSeed};
use crate::testing::table::Table;

/// Everything that a fake remembers.
pub(super) struct State {
    settings: Arc<Settings>,
    clock: Clock,
    endpoints: Table<Endpoint>,
    webhooks_so_far: u64,
    deliveries_so_far: u64,
}

struct Endpoint {
    webhook: PreoFakeWebhook,
    deliveries: Table<PreoFakeDelivery>,
}

/// Where a delivery is kept.
#[derive(Clone)]
pub(super) struct Place {
    webhook_id: String,
    delivery_id: String,
}

impl Place {
    pub(super) fn new(webhook_id: &str, delivery_id: &str) -> Self {
        Self {
            webhook_id: webhook_id.to_owned(),
            delivery_id: delivery_id.to_owned(),
        }
    }
}

#[derive(Serialize)]
struct Payload<'a> {
    id: &'a str,
    event: &'a str,
    created: String,
    data: &'a Value,
}

impl State {
    pub(super) fn new(settings: Arc<Settings>) -> Self {
        Self {
            clock: Clock::starting_at(settings.start_time),
            settings,
            endpoints: Table::new(),
            webhooks_so_far: 0,
            deliveries_so_far: 0,
        }
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    pub(super) fn advance(&mut self, by: Duration) {
        self.clock.advance(by);
    }

    pub(super) fn insert(&mut self, seed: PreoWebhookSeed) -> &PreoFakeWebhook {
        let created = self.clock.tick();
        self.webhooks_so_far += 1;
        let number = self.webhooks_so_far;
        let webhook = PreoFakeWebhook {
            id: seed.id.unwrap_or_else(|| format!("endpoint-{number:06}")),
            organization_id: seed.organization_id,
            name: seed.name,
            url: seed.url,
            edition_id: seed.edition_id,
            events: seed.events,
            is_active: seed.is_active,
            timeout_seconds: seed.timeout_seconds,
            secret: seed.secret.unwrap_or_else(random_secret),
            created,
            modified: created,
        };
        let endpoint = Endpoint {
            webhook,
            deliveries: Table::new(),
        };
        let id = endpoint.webhook.id.clone();
        &self.endpoints.insert(id, endpoint).webhook
    }

    pub(super) fn len(&self) -> usize {
        self.endpoints.len()
    }

    pub(super) fn webhooks(&self) -> impl Iterator<Item = &PreoFakeWebhook> {
        self.endpoints.rows().map(|endpoint| &endpoint.webhook)
    }

    pub(super) fn webhook(&self, id: &str) -> Option<&PreoFakeWebhook> {
        Some(&self.endpoints.find(id)?.webhook)
    }

    /// Lets `change` happen to an endpoint, whose time of change moves.
    pub(super) fn update(
        &mut self,
        id: &str,
        change: impl FnOnce(&mut PreoFakeWebhook),
    ) -> Option<&PreoFakeWebhook> {
        let webhook = &mut self.endpoints.find_mut(id)?.webhook;
        change(webhook);
        webhook.modified = self.clock.tick();
        Some(webhook)
    }

    pub(super) fn rotate(&mut self, id: &str) -> Option<&PreoFakeWebhook> {
        self.update(id, |webhook| webhook.secret = random_secret())
    }

    /// Removes an endpoint with its deliveries; whether there was one.
    pub(super) fn delete(&mut self, id: &str) -> bool {
        self.endpoints.remove(id).is_some()
    }

    pub(super) fn deliveries(&self, webhook_id: &str) -> Option<&Table<PreoFakeDelivery>> {
        Some(&self.endpoints.find(webhook_id)?.deliveries)
    }

    pub(super) fn delivery(&self, place: &Place) -> Option<&PreoFakeDelivery> {
        self.deliveries(&place.webhook_id)?.find(&place.delivery_id)
    }

    /// An endpoint together with one of its deliveries, which may be changed.
    pub(super) fn delivery_mut(
        &mut self,
        place: &Place,
    ) -> Option<(&PreoFakeWebhook, &mut PreoFakeDelivery)> {
        let endpoint = self.endpoints.find_mut(&place.webhook_id)?;
        let delivery = endpoint.deliveries.find_mut(&place.delivery_id)?;
        Some((&endpoint.webhook, delivery))
    }

    /// Adds a delivery that no attempt has been made for.
    pub(super) fn add_delivery(
        &mut self,
        webhook_id: &str,
        event: &str,
        data: &Value,
    ) -> Option<Place> {
        let endpoint = self.endpoints.find_mut(webhook_id)?;
        self.deliveries_so_far += 1;
        let id = format!("delivery-{:06}", self.deliveries_so_far);
        let created = self.clock.tick();
        let payload = Payload {
            id: &id,
            event,
            created: drf::timestamp(created),
            data,
        };
        let delivery = PreoFakeDelivery {
            payload: serde_json::to_string(&payload).unwrap_or_default(),
            id: id.clone(),
            endpoint_id: webhook_id.to_owned(),
            event: event.to_owned(),
            signature: String::new(),
            status: Status::Pending,
            attempts: 0,
            response_status_code: None,
            last_attempt_at: None,
            next_retry_at: None,
            created,
        };
        let place = Place::new(webhook_id, &id);
        endpoint.deliveries.insert(id, delivery);
        Some(place)
    }

    /// The failed deliveries to active endpoints whose time has come.
    pub(super) fn due(&self) -> Vec<Place> {
        let now = self.clock.now();
        let endpoints = self.endpoints.rows();
        endpoints
            .filter(|endpoint| endpoint.webhook.is_active)
            .flat_map(|endpoint| endpoint.deliveries.rows())
            .filter(|delivery| delivery.next_retry_at.is_some_and(|due| due <= now))
            .map(|delivery| Place::new(&delivery.endpoint_id, &delivery.id))
            .collect()
    }

    /// Notes how an attempt has ended: with the receiver's status, or without one.
    pub(super) fn finish_attempt(&mut self, place: &Place, status_code: Option<http::StatusCode>) {
        let now = self.clock.tick();
        let settings = Arc::clone(&self.settings);
        let Some((_, delivery)) = self.delivery_mut(place) else {
            return;
        };
        delivery.attempts = delivery.attempts.saturating_add(1);
        delivery.response_status_code = status_code.map(|status| status.as_u16());
        delivery.last_attempt_at = Some(now);
        delivery.next_retry_at = None;
        if status_code.is_some_and(|status| status.is_success()) {
            delivery.status = Status::Success;
        } else if delivery.attempts >= settings.max_attempts {
            delivery.status = Status::Exhausted;
        } else {
            delivery.status = Status::Failed;
            delivery.next_retry_at = Some(later(now, settings.retry_delay));
        }
    }
}

/// 64 hex digits: two random UUIDs, 244 bits of chance.
fn random_secret() -> String {
    format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}
