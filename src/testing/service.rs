#![expect(
    private_interfaces,
    reason = "sealed: `FakeService` is implemented by this crate's fakes and nothing else"
)]

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use reqwest::Url;
use serde_json::Value;
use uuid::Uuid;
use wiremock::Request;

use super::delivery::{Defect, FakeDelivery, FakeDeliveryStatus as Status};
use super::sender::{Outgoing, Pace};
use super::store::{Clock, Rows, later};
use crate::client::{Auth, Operation};

pub(crate) type Reply = Box<Response<Vec<u8>>>;

/// A service that has a [`Fake`](super::Fake).
///
/// It is only implemented for `Preo`, `Pretix` and `Lune`.
pub trait FakeService: Sized + Send + 'static {
    /// The client of the service.
    type Client;
    /// A webhook in the state of the fake.
    type Webhook: Clone + Send + 'static;
    /// The scope of an event.
    #[doc(hidden)]
    type Scope: Clone + Default + Send + 'static;

    /// The base path of the document.
    #[doc(hidden)]
    const ROOT: &'static str = "";
    /// The authentication scheme.
    #[doc(hidden)]
    const AUTH_SCHEME: &'static str = "Bearer";
    /// Whether the events of a lane are sent in order, with one request at a time per webhook.
    #[doc(hidden)]
    const ORDERED: bool = false;
    /// Whether deliveries are authenticated by the user and password in the webhook's URL.
    #[doc(hidden)]
    const PROOF_IN_URL: bool = false;
    /// Whether a delivery is dropped when its webhook is disabled, instead of waiting.
    #[doc(hidden)]
    const DROPS_IF_DISABLED: bool = false;

    #[doc(hidden)]
    fn new() -> Self;
    #[doc(hidden)]
    fn operations() -> &'static [Operation];
    #[doc(hidden)]
    fn client(&self, base_url: &str, access: &Access) -> Result<Self::Client, crate::Error>;

    /// Responds to a request.
    #[doc(hidden)]
    fn answer(state: &mut State<Self>, request: &Request, route: &Route) -> Reply;
    /// The service's 429 response.
    #[doc(hidden)]
    fn throttled(seconds: Option<u64>) -> Reply;

    #[doc(hidden)]
    fn id(webhook: &Self::Webhook) -> String;
    #[doc(hidden)]
    fn set_id(webhook: &mut Self::Webhook, number: u64);
    #[doc(hidden)]
    fn url(webhook: &Self::Webhook) -> &str;
    #[doc(hidden)]
    fn is_enabled(webhook: &Self::Webhook) -> bool;

    /// The event as this service would send it, if it is known.
    #[doc(hidden)]
    fn event(state: &mut State<Self>, emitted: &Emitted<Self::Scope>) -> Option<Draft>;
    /// Whether an enabled webhook gets an event.
    #[doc(hidden)]
    fn wants(&self, webhook: &Self::Webhook, draft: &Draft, emitted: &Emitted<Self::Scope>)
    -> bool;
    /// The payload for one webhook.
    #[doc(hidden)]
    fn payload(draft: &Draft, _id: &str) -> Value {
        draft.payload.clone()
    }

    /// Selects which queued deliveries to one webhook go into the next request.
    #[doc(hidden)]
    fn batch(&self, _waiting: &[&FakeDelivery]) -> Vec<usize> {
        Vec::new()
    }
    #[doc(hidden)]
    fn body(payloads: &[&str]) -> String {
        payloads.concat()
    }
    /// The header that authenticates a delivery.
    #[doc(hidden)]
    fn proof_header(&self) -> HeaderName;
    /// The value of that header, if the webhook has a secret. If `forged`, it is wrong.
    #[doc(hidden)]
    fn proof(
        &self,
        webhook: &Self::Webhook,
        body: &[u8],
        time: DateTime<Utc>,
        forged: bool,
    ) -> Option<HeaderValue>;
    #[doc(hidden)]
    fn headers() -> HeaderMap;
    #[doc(hidden)]
    fn timeout(&self, webhook: &Self::Webhook) -> Duration;
    /// The delay after this many failed attempts, or `None` if there are no more attempts.
    #[doc(hidden)]
    fn retry_delay(&self, attempts: u32) -> Option<Duration>;
    /// Applies a receiver's status to its webhook, and returns whether it is final.
    #[doc(hidden)]
    fn hear(_webhook: &mut Self::Webhook, _status: StatusCode) -> bool {
        false
    }
}

/// How clients authenticate.
pub(crate) struct Access {
    pub(crate) token: String,
    pub(crate) header: HeaderName,
    pub(crate) scheme: String,
}

impl Access {
    /// How a client of the crate authenticates.
    pub(crate) fn auth(&self) -> Auth {
        let token = self.token.as_str();
        match self.scheme.as_str() {
            "" => Auth::header(self.header.as_str(), token),
            scheme if self.header == AUTHORIZATION => Auth::scheme(scheme, token),
            scheme => Auth::header(self.header.as_str(), format!("{scheme} {token}")),
        }
    }

    /// The token of a request, if it has the right scheme.
    pub(crate) fn given<'a>(&self, request: &'a Request) -> Option<&'a [u8]> {
        let value = request.headers.get(&self.header)?.as_bytes();
        if self.scheme.is_empty() {
            return Some(value);
        }
        let (scheme, token) = value.split_at_checked(self.scheme.len())?;
        let token = token.strip_prefix(b" ")?;
        let matches = scheme.eq_ignore_ascii_case(self.scheme.as_bytes());
        matches.then_some(token)
    }
}

/// The result of routing a request.
pub(crate) enum Route {
    Operation(Call),
    /// The allowed methods.
    WrongMethod(String),
    Nowhere,
}

/// An operation with its path parameters, in order.
pub(crate) struct Call {
    pub(crate) operation: &'static str,
    pub(crate) parameters: Vec<String>,
}

impl Call {
    pub(crate) fn parameter(&self, index: usize) -> &str {
        self.parameters.get(index).map_or("", String::as_str)
    }
}

/// The event and options of an emission.
pub(crate) struct Emitted<T> {
    pub(crate) event: String,
    pub(crate) data: Value,
    pub(crate) scope: T,
    /// Sends it only to this webhook, regardless of its subscriptions.
    pub(crate) to: Option<String>,
    /// `data` is the whole payload.
    pub(crate) raw: bool,
    /// It happened before the previous event.
    pub(crate) late: bool,
}

/// An event before its webhooks are selected.
pub(crate) struct Draft {
    /// Empty if each delivery has its own id.
    pub(crate) id: String,
    /// If the service doesn't order deliveries, the subscribed name.
    pub(crate) lane: String,
    pub(crate) payload: Value,
}

/// The state of a fake.
pub(crate) struct State<S: FakeService> {
    pub(crate) service: S,
    pub(crate) access: Access,
    /// The server's base URL.
    pub(crate) address: String,
    pub(crate) clock: Clock,
    pub(crate) webhooks: Rows<S::Webhook>,
    pub(crate) deliveries: BTreeMap<u64, FakeDelivery>,
    pub(crate) events: u64,
    /// Deliveries started by an operation.
    pub(crate) outbox: Vec<Attempt>,
    routes: HashMap<String, String>,
    next_delivery: u64,
}

/// One request to a receiver.
pub(crate) struct Attempt {
    pub(crate) keys: Vec<u64>,
    pub(crate) outgoing: Outgoing,
}

impl<S: FakeService> State<S> {
    pub(crate) fn new(service: S, access: Access, clock: Clock) -> Self {
        Self {
            service,
            access,
            address: String::new(),
            clock,
            webhooks: Rows::new(),
            deliveries: BTreeMap::new(),
            events: 0,
            outbox: Vec::new(),
            routes: HashMap::new(),
            next_delivery: 1,
        }
    }

    /// The time of the next event: now, or before the previous one.
    pub(crate) fn event_time(&mut self, late: bool) -> DateTime<Utc> {
        let now = self.clock.tick();
        match late {
            true => now - TimeDelta::hours(1),
            false => now,
        }
    }

    /// Adds a webhook, with the next free id if its own is taken or empty.
    pub(crate) fn insert(&mut self, mut webhook: S::Webhook) -> S::Webhook {
        let mut number = self.webhooks.next_number();
        let free = |id: String| !["", "0"].contains(&id.as_str()) && !self.webhooks.contains(&id);
        while !free(S::id(&webhook)) {
            S::set_id(&mut webhook, number);
            number += 1;
        }
        self.webhooks.insert(S::id(&webhook), webhook.clone());
        webhook
    }

    /// Removes a webhook and its deliveries, and returns whether it existed.
    pub(crate) fn remove(&mut self, id: &str) -> bool {
        self.deliveries
            .retain(|_, delivery| delivery.webhook_id != id);
        self.webhooks.remove(id).is_some()
    }

    pub(crate) fn route(&mut self, host: &str, address: &str) {
        let host = host.to_ascii_lowercase();
        self.routes.insert(host, address.to_owned());
    }

    /// Adds a delivery for each webhook that gets an event.
    pub(crate) fn emit(&mut self, emitted: &Emitted<S::Scope>, defect: Option<Defect>) -> Vec<u64> {
        let Some(draft) = S::event(self, emitted) else {
            return Vec::new();
        };
        let wants = |webhook: &&S::Webhook| match &emitted.to {
            Some(id) => S::id(webhook) == *id,
            None => S::is_enabled(webhook) && self.service.wants(webhook, &draft, emitted),
        };
        let ids: Vec<String> = self.webhooks.iter().filter(wants).map(S::id).collect();
        ids.into_iter()
            .map(|webhook_id| self.add_delivery(webhook_id, &draft, emitted, defect))
            .collect()
    }

    fn add_delivery(
        &mut self,
        webhook_id: String,
        draft: &Draft,
        emitted: &Emitted<S::Scope>,
        defect: Option<Defect>,
    ) -> u64 {
        let key = self.next_delivery;
        self.next_delivery += 1;
        let id = match draft.id.as_str() {
            "" => format!("dl_{key}"),
            id => id.to_owned(),
        };
        let payload = match emitted.raw {
            true => emitted.data.to_string(),
            false => S::payload(draft, &id).to_string(),
        };
        let now = self.clock.now();
        let delivery = FakeDelivery {
            id,
            webhook_id,
            event: emitted.event.clone(),
            payload: payload.into(),
            status: Status::Pending,
            attempts: 0,
            response_status: None,
            last_attempt_at: None,
            next_attempt_at: Some(now),
            created: now,
            lane: draft.lane.clone(),
            signature: String::new(),
            in_flight: false,
            defect,
        };
        self.deliveries.insert(key, delivery);
        key
    }

    /// Starts all possible attempts, of the `wanted` or else all due deliveries.
    ///
    /// A delivery is only attempted once per pass.
    pub(crate) fn begin_round(&mut self, wanted: Option<&[u64]>, before: &[u64]) -> Vec<Attempt> {
        let groups = match S::ORDERED {
            true => self.next_batches(wanted, before),
            false => self.next_singles(wanted, before),
        };
        let attempts = groups.into_iter().filter_map(|keys| self.begin(&keys));
        attempts.collect()
    }

    fn next_singles(&mut self, wanted: Option<&[u64]>, before: &[u64]) -> Vec<Vec<u64>> {
        let now = self.clock.now();
        let mut keys = Vec::new();
        for (key, delivery) in &mut self.deliveries {
            let due = match wanted {
                Some(wanted) => wanted.contains(key),
                None => delivery.next_attempt_at.is_some_and(|due| due <= now),
            };
            if !due || delivery.in_flight || before.contains(key) {
                continue;
            }
            let webhook = self.webhooks.get(&delivery.webhook_id);
            if wanted.is_some() || webhook.is_some_and(S::is_enabled) {
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
        let targets = |id: &str| {
            wanted.is_none_or(|keys| {
                let wanted = keys.iter().filter_map(|key| self.deliveries.get(key));
                wanted.into_iter().any(|delivery| delivery.webhook_id == id)
            })
        };
        let enabled = self.webhooks.iter().filter(|hook| S::is_enabled(hook));
        let mut batches = Vec::new();
        for id in enabled.map(S::id).filter(|id| targets(id)) {
            let own: Vec<_> = self
                .deliveries
                .iter()
                .filter(|(_, delivery)| delivery.webhook_id == id)
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
    pub(crate) fn begin(&mut self, keys: &[u64]) -> Option<Attempt> {
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
        let payloads: Vec<&str> = payloads.iter().map(|payload| &**payload).collect();
        let outgoing = self.outgoing(&webhook_id, S::body(&payloads), defect)?;
        let proof = outgoing.headers.get(self.service.proof_header());
        let proof = proof.and_then(|value| value.to_str().ok()).unwrap_or("");
        for key in keys {
            if let Some(delivery) = self.deliveries.get_mut(key) {
                proof.clone_into(&mut delivery.signature);
            }
        }
        Some(Attempt {
            keys: keys.to_vec(),
            outgoing,
        })
    }

    fn outgoing(
        &self,
        webhook_id: &str,
        mut body: String,
        defect: Option<Defect>,
    ) -> Option<Outgoing> {
        let webhook = self.webhooks.get(webhook_id)?;
        let is = |wanted| defect == Some(wanted);
        if let Some(Defect::Oversized(bytes)) = defect {
            body.push_str(&" ".repeat(bytes.saturating_sub(body.len())));
        }
        let mut time = Utc::now();
        if is(Defect::Stale) {
            time -= TimeDelta::hours(1);
        }
        let proof = self
            .service
            .proof(webhook, body.as_bytes(), time, is(Defect::Forged));
        if is(Defect::Altered) {
            body.push(' ');
        }
        let mut headers = S::headers();
        if let Some(proof) = proof.filter(|_| !is(Defect::Unsigned)) {
            if is(Defect::SignedTwice) {
                headers.append(self.service.proof_header(), proof.clone());
            }
            headers.append(self.service.proof_header(), proof);
        }
        Some(Outgoing {
            url: self.address(S::url(webhook)),
            headers,
            body: body.into_bytes(),
            timeout: self.service.timeout(webhook),
            pace: match defect {
                Some(Defect::Slow(time)) => Pace::Slow(time),
                Some(Defect::CutOff) => Pace::CutOff,
                _ => Pace::AtOnce,
            },
            copies: 1 + u8::from(is(Defect::Duplicated)),
        })
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
            let webhook = self.webhooks.get_mut(&delivery.webhook_id);
            let last = match (webhook, status) {
                (Some(webhook), Some(status)) => S::hear(webhook, status),
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

/// 64 random hexadecimal digits.
pub(crate) fn random_secret() -> String {
    format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}
