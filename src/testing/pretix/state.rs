use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use http::StatusCode;

use crate::testing::answer::Answer;
use crate::testing::clock::{Clock, later};
use crate::testing::pretix::builder::{Organizer, Settings};
use crate::testing::pretix::delivery::{
    PretixFakeDelivery, PretixFakeDeliveryStatus as Status, RETRY_DELAYS,
};
use crate::testing::pretix::webhook::{PretixFakeWebhook, PretixWebhookSeed};

/// How long an answer is kept under its idempotency key.
const KEY_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// Everything that a fake remembers.
pub(super) struct State {
    clock: Clock,
    organizers: Vec<Organizer>,
    webhooks: BTreeMap<i64, PretixFakeWebhook>,
    webhooks_so_far: i64,
    deliveries: Vec<PretixFakeDelivery>,
    notifications_so_far: u64,
    answers: HashMap<Key, (DateTime<Utc>, Answer)>,
}

/// An idempotency key of one caller.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) key: Vec<u8>,
    pub(super) caller: Vec<u8>,
}

/// Where a delivery is kept.
#[derive(Clone, Copy)]
pub(super) struct Place(usize);

impl State {
    pub(super) fn new(settings: &Arc<Settings>) -> Self {
        Self {
            clock: Clock::starting_at(settings.start_time),
            organizers: settings.organizers.clone(),
            webhooks: BTreeMap::new(),
            webhooks_so_far: 0,
            deliveries: Vec::new(),
            notifications_so_far: 0,
            answers: HashMap::new(),
        }
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    pub(super) fn advance(&mut self, by: Duration) {
        self.clock.advance(by);
    }

    pub(super) fn organizer(&self, slug: &str) -> Option<&Organizer> {
        self.organizers
            .iter()
            .find(|organizer| organizer.slug == slug)
    }

    /// Takes an event away, from the webhooks that are limited to it too.
    pub(super) fn delete_event(&mut self, organizer: &str, event: &str) {
        for known in &mut self.organizers {
            if known.slug == organizer {
                known.events.retain(|slug| slug != event);
            }
        }
        for webhook in self.webhooks.values_mut() {
            if webhook.organizer == organizer {
                webhook.limit_events.retain(|slug| slug != event);
            }
        }
    }

    pub(super) fn insert(&mut self, seed: PretixWebhookSeed) -> &PretixFakeWebhook {
        self.clock.tick();
        let id = seed.id.unwrap_or(self.webhooks_so_far.saturating_add(1));
        self.webhooks_so_far = self.webhooks_so_far.max(id);
        let mut webhook = PretixFakeWebhook { id, ..seed.webhook };
        if let Some(own) = self
            .organizers
            .first()
            .filter(|_| webhook.organizer.is_empty())
        {
            webhook.organizer.clone_from(&own.slug);
        }
        match self.webhooks.entry(id) {
            Entry::Vacant(place) => place.insert(webhook),
            Entry::Occupied(mut place) => {
                place.insert(webhook);
                place.into_mut()
            }
        }
    }

    pub(super) fn webhooks(&self) -> impl Iterator<Item = &PretixFakeWebhook> {
        self.webhooks.values()
    }

    pub(super) fn webhook(&self, id: i64) -> Option<&PretixFakeWebhook> {
        self.webhooks.get(&id)
    }

    /// Lets `change` happen to a webhook.
    pub(super) fn update(
        &mut self,
        id: i64,
        change: impl FnOnce(&mut PretixFakeWebhook),
    ) -> Option<&PretixFakeWebhook> {
        let webhook = self.webhooks.get_mut(&id)?;
        change(webhook);
        self.clock.tick();
        Some(webhook)
    }

    /// The answer that was given under this key before.
    pub(super) fn repeated(&self, key: &Key) -> Option<Answer> {
        let (since, answer) = self.answers.get(key)?;
        (self.clock.now() < later(*since, KEY_LIFETIME)).then(|| answer.clone())
    }

    /// Keeps an answer under its key, but for those that may be different the next time.
    pub(super) fn keep(&mut self, key: Key, answer: &Answer) {
        let passing = [
            StatusCode::CONFLICT,
            StatusCode::TOO_MANY_REQUESTS,
            StatusCode::INTERNAL_SERVER_ERROR,
            StatusCode::SERVICE_UNAVAILABLE,
        ];
        if !passing.contains(&answer.status()) {
            self.answers.insert(key, (self.clock.now(), answer.clone()));
        }
    }

    pub(super) fn next_notification(&mut self) -> u64 {
        self.notifications_so_far += 1;
        self.notifications_so_far
    }

    pub(super) fn deliveries(&self) -> impl Iterator<Item = &PretixFakeDelivery> {
        self.deliveries.iter()
    }

    pub(super) fn delivery(&self, place: Place) -> Option<&PretixFakeDelivery> {
        self.deliveries.get(place.0)
    }

    /// Adds a delivery that no attempt has been made for.
    pub(super) fn add_delivery(
        &mut self,
        webhook_id: i64,
        notification_id: u64,
        action: &str,
        body: &str,
    ) -> Place {
        let place = Place(self.deliveries.len());
        self.deliveries.push(PretixFakeDelivery {
            notification_id,
            webhook_id,
            action: action.to_owned(),
            body: body.to_owned(),
            status: Status::Failed,
            attempts: 0,
            response_status_code: None,
            next_retry_at: None,
        });
        place
    }

    /// The failed deliveries whose time has come.
    pub(super) fn due(&self) -> Vec<Place> {
        let now = self.clock.now();
        let due =
            |delivery: &PretixFakeDelivery| delivery.next_retry_at.is_some_and(|at| at <= now);
        let deliveries = self.deliveries.iter().enumerate();
        deliveries
            .filter(|(_, delivery)| due(delivery))
            .map(|(place, _)| Place(place))
            .collect()
    }

    /// Marks a delivery as under way and tells its target and body, if the webhook still wants it.
    pub(super) fn begin_attempt(&mut self, place: Place) -> Option<(String, String)> {
        let delivery = self.deliveries.get_mut(place.0)?;
        delivery.next_retry_at = None;
        let webhook = self.webhooks.get(&delivery.webhook_id);
        let Some(webhook) = webhook.filter(|webhook| webhook.enabled) else {
            delivery.status = Status::Dropped;
            return None;
        };
        delivery.status = Status::UnderWay;
        Some((webhook.target_url.clone(), delivery.body.clone()))
    }

    /// Notes how an attempt has ended: with the receiver's status, or without one.
    pub(super) fn finish_attempt(&mut self, place: Place, status_code: Option<StatusCode>) {
        let now = self.clock.tick();
        let Some(delivery) = self.deliveries.get_mut(place.0) else {
            return;
        };
        delivery.attempts = delivery.attempts.saturating_add(1);
        delivery.response_status_code = status_code.map(|status| status.as_u16());
        delivery.status = Status::Dropped;
        match status_code {
            Some(status) if status.is_success() => delivery.status = Status::Delivered,
            Some(StatusCode::GONE) => {
                if let Some(webhook) = self.webhooks.get_mut(&delivery.webhook_id) {
                    webhook.enabled = false;
                }
            }
            _ => {
                let retry = (delivery.attempts - 1) as usize;
                if let Some(delay) = RETRY_DELAYS.get(retry) {
                    delivery.status = Status::Failed;
                    delivery.next_retry_at = Some(later(now, *delay));
                }
            }
        }
    }
}
