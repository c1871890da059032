use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::Url;
use uuid::Uuid;

use crate::testing::clock::Clock;
use crate::testing::lune::builder::Settings;
use crate::testing::lune::delivery::LuneFakeDelivery;
use crate::testing::lune::event::LuneFakeEvent;
use crate::testing::lune::webhook::{LuneFakeWebhook, LuneWebhookSeed, timestamp};
use crate::testing::table::Table;

/// Everything that a fake remembers.
pub(super) struct State {
    settings: Arc<Settings>,
    clock: Clock,
    endpoints: Table<Endpoint>,
    webhooks_so_far: u64,
    events_so_far: u64,
    deliveries: Vec<LuneFakeDelivery>,
    acknowledgements_to_lose: u32,
    routes: HashMap<String, String>,
    signing_time: Option<DateTime<Utc>>,
}

struct Endpoint {
    webhook: LuneFakeWebhook,
    queue: Vec<Queued>,
}

struct Queued {
    /// Unique among all events, raw ones too.
    number: u64,
    event: LuneFakeEvent,
}

/// The events that go to one webhook in one request.
pub(super) struct Batch {
    pub(super) webhook: LuneFakeWebhook,
    pub(super) events: Vec<LuneFakeEvent>,
    pub(super) place: Place,
}

/// What a batch leaves to be marked when it has ended.
#[derive(Clone)]
pub(super) struct Place {
    webhook_id: String,
    pub(super) account_ids: Vec<String>,
    numbers: Vec<u64>,
}

impl Place {
    /// The batch's accounts, each at its webhook.
    pub(super) fn accounts(&self) -> impl Iterator<Item = (String, String)> {
        let accounts = self.account_ids.iter();
        accounts.map(|account| (self.webhook_id.clone(), account.clone()))
    }
}

/// The accounts, each at a webhook, that are held up.
pub(super) type HeldUp = HashSet<(String, String)>;

impl State {
    pub(super) fn new(settings: Arc<Settings>) -> Self {
        Self {
            clock: Clock::starting_at(settings.start_time),
            settings,
            endpoints: Table::new(),
            webhooks_so_far: 0,
            events_so_far: 0,
            deliveries: Vec::new(),
            acknowledgements_to_lose: 0,
            routes: HashMap::new(),
            signing_time: None,
        }
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    pub(super) fn advance(&mut self, by: Duration) {
        self.clock.advance(by);
    }

    pub(super) fn insert(&mut self, seed: LuneWebhookSeed) -> &LuneFakeWebhook {
        self.webhooks_so_far += 1;
        let number = self.webhooks_so_far;
        let webhook = LuneFakeWebhook {
            id: seed.id.unwrap_or_else(|| format!("webhook{number:025}")),
            url: seed.url,
            enabled: seed.enabled,
            test_mode: self.settings.test_mode,
            account_ids: seed.account_ids,
            created_at: self.clock.tick(),
            secret: seed.secret.unwrap_or_else(random_secret),
            old_secrets: Vec::new(),
        };
        let id = webhook.id.clone();
        let queue = Vec::new();
        &self
            .endpoints
            .insert(id, Endpoint { webhook, queue })
            .webhook
    }

    pub(super) fn len(&self) -> usize {
        self.endpoints.len()
    }

    pub(super) fn webhooks(&self) -> impl Iterator<Item = &LuneFakeWebhook> {
        self.endpoints.rows().map(|endpoint| &endpoint.webhook)
    }

    pub(super) fn webhook(&self, id: &str) -> Option<&LuneFakeWebhook> {
        Some(&self.endpoints.find(id)?.webhook)
    }

    pub(super) fn update(
        &mut self,
        id: &str,
        change: impl FnOnce(&mut LuneFakeWebhook),
    ) -> Option<&LuneFakeWebhook> {
        let webhook = &mut self.endpoints.find_mut(id)?.webhook;
        change(webhook);
        Some(webhook)
    }

    pub(super) fn rotate(&mut self, id: &str) -> Option<&LuneFakeWebhook> {
        let keep = self.settings.keep_old_secrets;
        self.update(id, |webhook| {
            let old = std::mem::replace(&mut webhook.secret, random_secret());
            if keep {
                webhook.old_secrets.push(old);
            }
        })
    }

    /// Removes a webhook and what waits for it; whether there was one.
    pub(super) fn delete(&mut self, id: &str) -> bool {
        self.endpoints.remove(id).is_some()
    }

    /// Queues the event that `make` makes of the next id and sequence.
    pub(super) fn emit(
        &mut self,
        account_id: &str,
        make: impl FnOnce(&str, &str) -> LuneFakeEvent,
    ) -> LuneFakeEvent {
        self.events_so_far += 1;
        let number = self.events_so_far;
        let event = make(&format!("event{number:027}"), &timestamp(self.clock.tick()));
        let concerned: Vec<String> = self
            .webhooks()
            .filter(|webhook| webhook.enabled && webhook.concerns(account_id))
            .map(|webhook| webhook.id.clone())
            .collect();
        for id in concerned {
            if let Some(endpoint) = self.endpoints.find_mut(&id) {
                let event = event.clone();
                endpoint.queue.push(Queued { number, event });
            }
        }
        event
    }

    pub(super) fn pending(&self, webhook_id: &str) -> Vec<LuneFakeEvent> {
        let queue = self.endpoints.find(webhook_id).map(|found| &found.queue);
        let queued = queue.into_iter().flatten();
        queued.map(|queued| queued.event.clone()).collect()
    }

    pub(super) fn deliveries(&self) -> &[LuneFakeDelivery] {
        &self.deliveries
    }

    pub(super) fn lose_acknowledgements(&mut self, count: u32) {
        self.acknowledgements_to_lose = count;
    }

    pub(super) fn route(&mut self, host: &str, address: &str) {
        let host = host.to_ascii_lowercase();
        self.routes.insert(host, address.to_owned());
    }

    pub(super) fn sign_at(&mut self, time: Option<DateTime<Utc>>) {
        self.signing_time = time;
    }

    pub(super) fn signing_time(&self) -> DateTime<Utc> {
        self.signing_time.unwrap_or_else(Utc::now)
    }

    /// The next batch of each webhook for which something waits that isn't held up.
    pub(super) fn next_batches(&self, held_up: &HeldUp) -> Vec<Batch> {
        let endpoints = self.endpoints.rows();
        endpoints
            .filter(|endpoint| endpoint.webhook.enabled)
            .filter_map(|endpoint| self.next_batch(endpoint, held_up))
            .collect()
    }

    fn next_batch(&self, endpoint: &Endpoint, held_up: &HeldUp) -> Option<Batch> {
        let webhook = &endpoint.webhook;
        let mut waiting = endpoint
            .queue
            .iter()
            .filter(|queued| {
                let account = queued.event.account_id.clone();
                !held_up.contains(&(webhook.id.clone(), account))
            })
            .peekable();
        let first = &waiting.peek()?.event.account_id;
        let chosen: Vec<_> = waiting
            .filter(|queued| self.settings.mix_accounts || queued.event.account_id == *first)
            .take(self.settings.batch_limit)
            .collect();
        let mut account_ids: Vec<String> = Vec::new();
        for Queued { event, .. } in &chosen {
            if !account_ids.contains(&event.account_id) {
                account_ids.push(event.account_id.clone());
            }
        }
        Some(Batch {
            webhook: webhook.clone(),
            events: chosen.iter().map(|queued| queued.event.clone()).collect(),
            place: Place {
                webhook_id: webhook.id.clone(),
                account_ids,
                numbers: chosen.iter().map(|queued| queued.number).collect(),
            },
        })
    }

    /// Notes how a batch has ended: with the receiver's status, or without one.
    pub(super) fn finish(
        &mut self,
        place: &Place,
        mut delivery: LuneFakeDelivery,
        status: Option<http::StatusCode>,
    ) -> LuneFakeDelivery {
        delivery.response_status_code = status.map(|status| status.as_u16());
        if status.is_some_and(|status| status.is_success()) {
            let left = self.acknowledgements_to_lose.checked_sub(1);
            delivery.acknowledged = left.is_none();
            self.acknowledgements_to_lose = left.unwrap_or_default();
        }
        if delivery.acknowledged
            && let Some(endpoint) = self.endpoints.find_mut(&place.webhook_id)
        {
            let queue = &mut endpoint.queue;
            queue.retain(|queued| !place.numbers.contains(&queued.number));
        }
        self.deliveries.push(delivery.clone());
        delivery
    }

    /// Where a webhook's URL leads by the routes.
    pub(super) fn address(&self, url: &str) -> String {
        self.routed(url).unwrap_or_else(|| url.to_owned())
    }

    fn routed(&self, url: &str) -> Option<String> {
        let mut url = Url::parse(url).ok()?;
        let address = Url::parse(self.routes.get(url.host_str()?)?).ok()?;
        url.set_scheme(address.scheme()).ok()?;
        url.set_host(address.host_str()).ok()?;
        url.set_port(address.port()).ok()?;
        Some(url.into())
    }
}

/// 64 hex digits: two random UUIDs, 244 bits of chance.
fn random_secret() -> String {
    format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}
