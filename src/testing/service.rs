#![expect(
    private_interfaces,
    reason = "sealed: `FakeService` is implemented by this crate's fakes and nothing else"
)]

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use http::header::{ALLOW, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;
use wiremock::Request;

use super::access::Access;
use super::body;
use super::clock::Clock;
use super::delivery::FakeDelivery;
use super::error_format::ErrorFormat;
use super::reply::{self, Reply};
use super::route::{Call, Route};
use super::sender::Outgoing;
use crate::Secret;
use crate::client::{Auth, ClientBuilder, Service};
use crate::signature::{Scheme, Signer};

/// A service that has a [`Fake`](super::Fake).
///
/// It is only implemented for `Preo`, `Pretix`, and `Lune`.
pub trait FakeService: Sized + Send + 'static {
    /// The client of the service.
    type Client: Service;
    /// A webhook in the state of the fake.
    type Webhook: Clone + Send + 'static;
    /// The scope of an event.
    #[doc(hidden)]
    type Scope: Clone + Default + Send + 'static;

    #[doc(hidden)]
    const ERRORS: ErrorFormat;
    /// The base path of the document.
    #[doc(hidden)]
    const ROOT: &'static str = "";
    /// Headers of every delivery.
    #[doc(hidden)]
    const HEADERS: &'static [(&'static str, &'static str)] = &[];
    /// How long a delivery waits for the response, unless the fake or the webhook sets it.
    #[doc(hidden)]
    const TIMEOUT: Duration = Duration::from_secs(30);
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
    fn client(&self, auth: Auth) -> ClientBuilder<Self::Client>;

    /// Responds to a request.
    #[doc(hidden)]
    fn answer(state: &mut State<Self>, request: &Request, route: &Route) -> Reply {
        state.answer(request, route).unwrap_or_else(|reply| reply)
    }
    /// Checks the credentials of a request.
    #[doc(hidden)]
    fn authorize(state: &State<Self>, request: &Request) -> Result<(), Reply> {
        match state.access.token(request) {
            Some(token) if token == state.access.token.as_bytes() => Ok(()),
            _ => Err(state.unauthorized("Invalid token.")),
        }
    }
    /// Performs an operation.
    #[doc(hidden)]
    fn perform(state: &mut State<Self>, call: &Call, request: &Request) -> Result<Reply, Reply>;
    /// A webhook as the API shows it.
    #[doc(hidden)]
    fn view(webhook: &Self::Webhook) -> Value;

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
    /// The header that authenticates a delivery, if the webhook has a secret. If `forged`, it is
    /// wrong.
    #[doc(hidden)]
    fn proof(
        &self,
        webhook: &Self::Webhook,
        body: &[u8],
        time: DateTime<Utc>,
        forged: bool,
    ) -> Option<(HeaderName, HeaderValue)>;
    #[doc(hidden)]
    fn timeout(_webhook: &Self::Webhook) -> Option<Duration> {
        None
    }
    /// The delay after this many failed attempts, or `None` if there are no more attempts.
    #[doc(hidden)]
    fn retry_delay(&self, attempts: u32) -> Option<Duration>;
    /// Applies a receiver's status to its webhook, and returns whether it is final.
    #[doc(hidden)]
    fn hear(_webhook: &mut Self::Webhook, _status: StatusCode) -> bool {
        false
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
    pub(crate) base_url: String,
    pub(crate) clock: Clock,
    pub(crate) timeout: Duration,
    /// Webhooks with their ids, oldest first.
    pub(crate) webhooks: Vec<(String, S::Webhook)>,
    /// How many webhooks there have been.
    pub(crate) last_webhook: u64,
    pub(crate) deliveries: BTreeMap<u64, FakeDelivery>,
    pub(crate) last_delivery: u64,
    pub(crate) events: u64,
    /// Deliveries started by an operation.
    pub(crate) outbox: Vec<Outgoing>,
    /// Where deliveries for a host go.
    pub(crate) routes: HashMap<String, String>,
}

impl<S: FakeService> State<S> {
    pub(crate) fn new(service: S, access: Access, clock: Clock, timeout: Duration) -> Self {
        Self {
            service,
            access,
            base_url: String::new(),
            clock,
            timeout,
            webhooks: Vec::new(),
            last_webhook: 0,
            deliveries: BTreeMap::new(),
            last_delivery: 0,
            events: 0,
            outbox: Vec::new(),
            routes: HashMap::new(),
        }
    }

    pub(crate) fn answer(&mut self, request: &Request, route: &Route) -> Result<Reply, Reply> {
        if let Route::Nowhere = route {
            return Err(S::ERRORS.nowhere());
        }
        S::authorize(self, request)?;
        match route {
            Route::Operation(call) => S::perform(self, call, request),
            Route::WrongMethod(allowed) => {
                let mut reply = S::ERRORS.error(StatusCode::METHOD_NOT_ALLOWED);
                if let Ok(allowed) = HeaderValue::from_str(allowed) {
                    reply.headers_mut().insert(ALLOW, allowed);
                }
                Err(reply)
            }
            Route::Nowhere => Err(S::ERRORS.nowhere()),
        }
    }

    pub(crate) fn unauthorized(&self, message: &str) -> Reply {
        let mut reply = S::ERRORS.with_message(StatusCode::UNAUTHORIZED, message);
        if let Ok(scheme) = HeaderValue::from_str(&self.access.scheme)
            && !scheme.is_empty()
        {
            reply.headers_mut().insert(WWW_AUTHENTICATE, scheme);
        }
        reply
    }

    pub(crate) fn body<T: DeserializeOwned>(call: &Call, request: &Request) -> Result<T, Reply> {
        body::decode(request, call.operation, S::ERRORS)
    }

    pub(crate) fn webhook(&self, id: &str) -> Option<&S::Webhook> {
        let mut webhooks = self.webhooks.iter();
        let (_, webhook) = webhooks.find(|(known, _)| known == id)?;
        Some(webhook)
    }

    /// The webhook with this id, or a 404.
    pub(crate) fn find(&self, id: &str) -> Result<S::Webhook, Reply> {
        let webhook = self.webhook(id).cloned();
        webhook.ok_or_else(|| S::ERRORS.error(StatusCode::NOT_FOUND))
    }

    pub(crate) fn show(&self, status: StatusCode, id: &str) -> Result<Reply, Reply> {
        Ok(reply::json(status, &S::view(&self.find(id)?)))
    }

    /// Adds a webhook, with the next free id if its own is taken or empty.
    pub(crate) fn insert(&mut self, mut webhook: S::Webhook) -> S::Webhook {
        self.last_webhook += 1;
        let mut number = self.last_webhook;
        let mut id = S::id(&webhook);
        while ["", "0"].contains(&id.as_str()) || self.webhook(&id).is_some() {
            S::set_id(&mut webhook, number);
            number += 1;
            id = S::id(&webhook);
        }
        self.webhooks.push((id, webhook.clone()));
        webhook
    }

    /// Stores the new state of a webhook.
    pub(crate) fn replace(&mut self, webhook: S::Webhook) {
        let id = S::id(&webhook);
        let mut webhooks = self.webhooks.iter_mut();
        if let Some((_, stored)) = webhooks.find(|(known, _)| *known == id) {
            *stored = webhook;
        }
    }

    /// Removes a webhook and its deliveries.
    pub(crate) fn remove(&mut self, id: &str) -> Reply {
        self.webhooks.retain(|(known, _)| known != id);
        self.deliveries
            .retain(|_, delivery| delivery.webhook_id != id);
        reply::empty(StatusCode::NO_CONTENT)
    }

    /// The time of the next event: now, or before the previous one.
    pub(crate) fn event_time(&mut self, late: bool) -> DateTime<Utc> {
        let now = self.clock.tick();
        match late {
            true => now - TimeDelta::hours(1),
            false => now,
        }
    }
}

/// 64 random hexadecimal digits.
pub(crate) fn random_secret() -> Secret {
    format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple()).into()
}

/// The signature header of a body.
pub(crate) fn signature(
    signer: &Signer,
    scheme: &Scheme,
    body: &[u8],
    time: DateTime<Utc>,
) -> Option<(HeaderName, HeaderValue)> {
    let mut headers = HeaderMap::new();
    signer.sign_at(&mut headers, body, time).ok()?;
    let name = scheme.header();
    Some((name.clone(), headers.remove(name)?))
}
