use std::collections::HashMap;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use chrono::{DateTime, Utc};
use data_encoding::BASE64;
use http::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, LOCATION, RETRY_AFTER, USER_AGENT,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use percent_encoding::percent_decode_str;
use reqwest::Url;
use serde_json::{Map, Value, json};
use wiremock::Request;

use super::drf::{self, Checked, Fields};
use super::fake::{Fake, FakeBuilder};
use super::fault::Fault;
use super::service::{Access, Call, Draft, Emitted, FakeService, Reply, Route, State};
use super::store::later;
use crate::client::{Operation, sealed::Sealed};
use crate::pretix::{Action, ActionType, PretixClient, Webhook};
use crate::{RetryPolicy, Secret};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("x-idempotency-key");
/// How long the response for an idempotency key is kept.
const KEY_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);
/// The default and maximum page size.
const PAGE_SIZE: usize = 50;
/// The maximum length of `target_url`, in characters.
const MAX_URL: usize = 1024;
/// The maximum length of `comment`, in characters.
const MAX_COMMENT: usize = 255;

/// A fake of pretix that stores webhooks and delivers notifications.
///
/// ```
/// use serde_json::json;
/// use webhook_sdk::Secret;
/// use webhook_sdk::pretix::{ActionType, Credentials, EventScope, TargetUrl, WebhookCreate};
/// use webhook_sdk::testing::PretixFake;
/// use wiremock::{Mock, MockServer, ResponseTemplate, matchers::{basic_auth, method}};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let receiver = MockServer::start().await;
/// Mock::given(method("POST"))
///     .and(basic_auth("pretix", "swordfish"))
///     .respond_with(ResponseTemplate::new(204))
///     .mount(&receiver)
///     .await;
///
/// let pretix = PretixFake::start().await;
/// let credentials = Credentials::new("pretix", Secret::from("swordfish"))?;
/// let target = TargetUrl::new(&receiver.uri(), &credentials)?;
/// let body = WebhookCreate::builder()
///     .target_url(target)
///     .events(EventScope::All)
///     .action_types([ActionType::OrderPaid])
///     .build();
/// pretix.client().create_webhook(body).send().await?;
///
/// let order = json!({ "event": "democon", "code": "ABC23" });
/// let deliveries = pretix.emit("pretix.event.order.paid", order).await;
/// assert_eq!(deliveries[0].response_status, Some(204));
/// # Ok(())
/// # }
/// ```
pub type PretixFake = Fake<Pretix>;

/// The behavior of [`PretixFake`].
///
/// It follows recorded responses of pretix 2026.8.0, including defaults, messages, contradictory
/// fields, HTML pages, redirects for a missing trailing slash, and repeated responses for an
/// idempotency key.
///
/// # Where it differs from pretix
///
/// - Messages are in English regardless of `Accept-Language`, and JSON parse errors have different
///   messages. An invalid value that isn't a string is shown as JSON.
/// - Bodies must be JSON in UTF-8: no forms, no multipart, no other character set, no `NaN`.
/// - Numbers in a path or query must have ASCII digits.
/// - `OPTIONS` responds with 405, `webhooks.json` with 404, and any `Host` is accepted.
/// - There is no other API, so only [`emit`](Fake::emit) causes notifications.
/// - It never responds with 409 by itself, because it handles one request at a time: pass
///   [`key_in_use`](Fake::key_in_use) to [`fail_next`](Fake::fail_next).
/// - Notifications are compact JSON in UTF-8, with fields in alphabetical order.
///
/// # Deliveries
///
/// [`emit`](Fake::emit) takes a concrete action, such as `pretix.event.order.changed.price`, and
/// the fields of the notification except `notification_id`, `organizer` and `action`. Some of them
/// have an effect: a string `event` skips the webhooks that are limited to other events (except for
/// `pretix.event.deleted`, which all webhooks get), a string `organizer` (or `issuer_slug`, as for
/// gift cards) sets another organizer, and a number `notification_id` repeats an earlier
/// notification. An action that nobody can subscribe to isn't delivered.
///
/// The credentials in the target URL are sent with HTTP Basic authentication. 2xx is a success, 410
/// disables the webhook, and everything else is retried after each of
/// [`RETRY_DELAYS`](Self::RETRY_DELAYS). Retries to a disabled webhook are dropped.
pub struct Pretix {
    organizer: String,
    /// The events of each organizer, in the server's order.
    events: HashMap<String, Vec<String>>,
    /// Additional tokens, and what they give access to.
    tokens: Vec<(String, Opens)>,
    action_types: Vec<String>,
    /// The organizers of webhooks of other organizers.
    owners: HashMap<i64, String>,
    kept: HashMap<Key, (DateTime<Utc>, Reply)>,
    timeout: Duration,
}

/// An idempotency key and its caller.
type Key = (Vec<u8>, Vec<u8>);

#[derive(Clone)]
enum Opens {
    Organizer(String),
    /// Nothing: a permission is missing.
    Nothing,
    Revoked,
}

impl Pretix {
    /// The delay after each failed attempt. After the last one, there are no more attempts.
    ///
    /// Source: pretix 2026.8.0.
    pub const RETRY_DELAYS: [Duration; 11] = {
        const MINUTE: u64 = 60;
        const HOUR: u64 = 60 * MINUTE;
        [
            Duration::from_secs(5),
            Duration::from_secs(30),
            Duration::from_secs(60),
            Duration::from_secs(5 * MINUTE),
            Duration::from_secs(20 * MINUTE),
            Duration::from_secs(HOUR),
            Duration::from_secs(4 * HOUR),
            Duration::from_secs(6 * HOUR),
            Duration::from_secs(12 * HOUR),
            Duration::from_secs(12 * HOUR),
            Duration::from_secs(24 * HOUR),
        ]
    };

    fn is_action_type(&self, name: &str) -> bool {
        !ActionType::from(name).is_unknown() || self.action_types.iter().any(|more| more == name)
    }

    fn organizer_of(&self, webhook: &Webhook) -> &str {
        self.owners.get(&webhook.id).unwrap_or(&self.organizer)
    }
}

impl FakeBuilder<Pretix> {
    /// The fake's organizer and its events, in the server's order.
    ///
    /// By default `bigevents` with `democon` and `secondcon`.
    pub fn organizer<S: Into<String>>(
        mut self,
        slug: impl Into<String>,
        events: impl IntoIterator<Item = S>,
    ) -> Self {
        self.service.organizer = slug.into();
        let events = events.into_iter().map(Into::into).collect();
        self.service
            .events
            .insert(self.service.organizer.clone(), events);
        self
    }

    /// Adds an organizer with its own token.
    pub fn other_organizer<S: Into<String>>(
        mut self,
        slug: impl Into<String>,
        token: impl Into<String>,
        events: impl IntoIterator<Item = S>,
    ) -> Self {
        let slug = slug.into();
        let events = events.into_iter().map(Into::into).collect();
        self.service.events.insert(slug.clone(), events);
        self.token(token, Opens::Organizer(slug))
    }

    /// Adds a token of a team without the permission to change the organizer's settings.
    pub fn limited_token(self, token: impl Into<String>) -> Self {
        self.token(token, Opens::Nothing)
    }

    /// Adds a token that was revoked.
    pub fn revoked_token(self, token: impl Into<String>) -> Self {
        self.token(token, Opens::Revoked)
    }

    fn token(mut self, token: impl Into<String>, opens: Opens) -> Self {
        self.service.tokens.push((token.into(), opens));
        self
    }

    /// Adds action types, as a plugin does.
    pub fn action_types<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        let names = names.into_iter().map(Into::into);
        self.service.action_types.extend(names);
        self
    }

    /// Sets the timeout of a receiver, in real time. Defaults to 30 s, like pretix.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.service.timeout = timeout;
        self
    }
}

impl Fake<Pretix> {
    /// The slug of the fake's organizer.
    pub fn organizer(&self) -> String {
        self.shared().state().service.organizer.clone()
    }

    /// Adds a webhook of another organizer, unlike [`Fake::seed`].
    pub fn seed_for(&self, organizer: &str, webhook: Webhook) -> Webhook {
        let mut state = self.shared().state();
        let webhook = state.insert(webhook);
        let owners = &mut state.service.owners;
        owners.insert(webhook.id, organizer.to_owned());
        webhook
    }

    /// Deletes an event of the fake's organizer, without a notification.
    ///
    /// Like in pretix, a webhook that was limited to this event only then has no events.
    pub fn delete_event(&self, slug: &str) {
        let mut state = self.shared().state();
        let State {
            service, webhooks, ..
        } = &mut *state;
        if let Some(events) = service.events.get_mut(&service.organizer) {
            events.retain(|event| event != slug);
        }
        for webhook in webhooks.iter_mut() {
            if service.organizer_of(webhook) == service.organizer {
                let kept = webhook.limit_events.iter().filter(|event| *event != slug);
                webhook.limit_events = kept.cloned().collect();
            }
        }
    }

    /// pretix's response while a request with the same idempotency key is in flight.
    ///
    /// It is a 409 with `Retry-After`. pretix uses 5 seconds.
    pub fn key_in_use(retry_after: Duration) -> Fault {
        let body = json!({ "detail": "Concurrent request with idempotency key." });
        let seconds = HeaderValue::from(retry_after.as_secs());
        Fault::status(409).json(&body).header(RETRY_AFTER, seconds)
    }
}

#[expect(private_interfaces, reason = "sealed")]
impl FakeService for Pretix {
    type Client = PretixClient;
    type Webhook = Webhook;
    type Scope = ();

    const ROOT: &'static str = "/api/v1/organizers/{organizer}";
    const AUTH_SCHEME: &'static str = "Token";
    const PROOF_IN_URL: bool = true;
    const DROPS_IF_DISABLED: bool = true;

    fn new() -> Self {
        let organizer = "bigevents".to_owned();
        let events = ["democon", "secondcon"].map(str::to_owned).to_vec();
        Self {
            events: HashMap::from([(organizer.clone(), events)]),
            organizer,
            tokens: Vec::new(),
            action_types: Vec::new(),
            owners: HashMap::new(),
            kept: HashMap::new(),
            timeout: Duration::from_secs(30),
        }
    }

    fn operations() -> &'static [Operation] {
        PretixClient::OPERATIONS
    }

    fn client(&self, base_url: &str, access: &Access) -> Result<PretixClient, crate::Error> {
        let wait = Duration::from_millis(1);
        PretixClient::builder(access.auth(), self.organizer.as_str())
            .base_url(base_url)
            .retry(RetryPolicy::new().shortest_wait(wait).longest_wait(wait))
            .build()
    }

    /// Keeps the response for an idempotency key, and returns it for every request with that key.
    fn answer(state: &mut State<Self>, request: &Request, route: &Route) -> Reply {
        let header = |name: &HeaderName| {
            let value = request.headers.get(name)?;
            Some(value.as_bytes().to_vec())
        };
        let key = header(&IDEMPOTENCY_KEY).filter(|_| !request.method.is_safe());
        let key = key.map(|key| (key, header(&AUTHORIZATION).unwrap_or_default()));
        let now = state.clock.now();
        let kept = key.as_ref().and_then(|key| state.service.kept.get(key));
        if let Some((since, reply)) = kept
            && now < later(*since, KEY_LIFETIME)
        {
            return reply.clone();
        }
        let reply = state.perform(request, route).unwrap_or_else(|reply| reply);
        // A response that can differ the next time isn't kept.
        let passing = [409, 429, 500, 503].contains(&reply.status().as_u16());
        if let Some(key) = key.filter(|_| !passing) {
            state.service.kept.insert(key, (now, reply.clone()));
        }
        reply
    }

    fn throttled(seconds: Option<u64>) -> Reply {
        drf::throttled(seconds)
    }

    fn id(webhook: &Webhook) -> String {
        webhook.id.to_string()
    }

    fn set_id(webhook: &mut Webhook, number: u64) {
        webhook.id = i64::try_from(number).unwrap_or(i64::MAX);
    }

    fn url(webhook: &Webhook) -> &str {
        webhook.target_url.expose()
    }

    fn is_enabled(webhook: &Webhook) -> bool {
        webhook.enabled
    }

    fn event(state: &mut State<Self>, emitted: &Emitted<()>) -> Option<Draft> {
        let action = Action::from(emitted.event.as_str());
        let mut names = action.subscriptions();
        let subscription = names.find(|name| state.service.is_action_type(name.as_str()))?;
        state.clock.tick();
        let mut fields = emitted.data.as_object().cloned().unwrap_or_default();
        // The ids of a real server have gaps, which leaves room for late events.
        state.events += 10;
        let id = state.events - if emitted.late { 15 } else { 0 };
        let id = fields.get("notification_id").cloned().unwrap_or(id.into());
        if !fields.contains_key("issuer_slug") {
            let organizer = fields.entry("organizer");
            organizer.or_insert_with(|| state.service.organizer.as_str().into());
        }
        fields.insert("notification_id".to_owned(), id.clone());
        fields.insert("action".to_owned(), emitted.event.as_str().into());
        Some(Draft {
            id: id.to_string(),
            lane: subscription.to_string(),
            payload: fields.into(),
        })
    }

    fn wants(&self, webhook: &Webhook, draft: &Draft, emitted: &Emitted<()>) -> bool {
        let text = |name: &str| draft.payload.get(name).and_then(Value::as_str);
        let organizer = text("organizer").or_else(|| text("issuer_slug"));
        // No webhook is limited to a deleted event.
        let event = text("event").filter(|_| emitted.event != "pretix.event.deleted");
        let types = &webhook.action_types;
        organizer == Some(self.organizer_of(webhook))
            && types.iter().any(|known| known.as_str() == draft.lane)
            && (webhook.all_events
                || event.is_none_or(|event| webhook.limit_events.iter().any(|own| own == event)))
    }

    fn proof_header(&self) -> HeaderName {
        AUTHORIZATION
    }

    fn proof(
        &self,
        webhook: &Webhook,
        _: &[u8],
        _: DateTime<Utc>,
        forged: bool,
    ) -> Option<HeaderValue> {
        let url = Url::parse(webhook.target_url.expose()).ok()?;
        if url.username().is_empty() && url.password().is_none() {
            return None;
        }
        let decoded = |text| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let (user, password) = (url.username(), url.password().unwrap_or_default());
        let password = match forged {
            true => "another password".to_owned(),
            false => decoded(password),
        };
        let pair = Secret::from(format!("{}:{password}", decoded(user)));
        let pair = BASE64.encode(pair.expose().as_bytes());
        HeaderValue::try_from(format!("Basic {pair}")).ok()
    }

    fn headers() -> HeaderMap {
        HeaderMap::from_iter([
            (
                USER_AGENT,
                HeaderValue::from_static("python-requests/2.34.2"),
            ),
            (ACCEPT_ENCODING, HeaderValue::from_static("gzip, deflate")),
            (ACCEPT, HeaderValue::from_static("*/*")),
            (CONTENT_TYPE, drf::JSON),
        ])
    }

    fn timeout(&self, _: &Webhook) -> Duration {
        self.timeout
    }

    fn retry_delay(&self, attempts: u32) -> Option<Duration> {
        let place = usize::try_from(attempts).ok()?.checked_sub(1)?;
        Self::RETRY_DELAYS.get(place).copied()
    }

    fn hear(webhook: &mut Webhook, status: StatusCode) -> bool {
        let gone = status == StatusCode::GONE;
        webhook.enabled &= !gone;
        gone
    }
}

impl State<Pretix> {
    fn perform(&mut self, request: &Request, route: &Route) -> Result<Reply, Reply> {
        let url = &request.url;
        if url.query_pairs().any(|(_, value)| value.contains('\0')) {
            return Err(drf::page(StatusCode::BAD_REQUEST));
        }
        if let Route::Nowhere = route {
            return Err(nowhere(request));
        }
        negotiate(request)?;
        let opens = self.opens(request)?;
        let organizer = organizer_in(request);
        match &opens {
            Opens::Organizer(own) if *own == organizer => {}
            _ => return Err(forbidden()),
        }
        let call = match route {
            Route::Operation(call) => call,
            Route::WrongMethod(allowed) => {
                let allowed = format!("{allowed}, HEAD, OPTIONS");
                return Err(drf::method_not_allowed(request, &allowed));
            }
            Route::Nowhere => return Err(nowhere(request)),
        };
        let id = match call.operation {
            "list_webhooks" => return Ok(self.list(request, &organizer)),
            "create_webhook" => return self.create(request, &organizer),
            _ => self.find(call, &organizer)?,
        };
        match call.operation {
            "update_webhook" => self.update(request, &organizer, &id, true)?,
            "replace_webhook" => self.update(request, &organizer, &id, false)?,
            "delete_webhook" => {
                self.change(&id, |webhook| webhook.enabled = false);
                return Ok(drf::empty(StatusCode::NO_CONTENT));
            }
            _ => {}
        }
        let webhook = self.webhooks.get(&id).ok_or_else(no_match)?;
        Ok(drf::json(StatusCode::OK, &view(webhook)))
    }

    fn opens(&self, request: &Request) -> Result<Opens, Reply> {
        let refused = |message| drf::unauthorized("Token", message);
        if self.access.scheme.is_empty() {
            let own = self.access.given(request) == Some(self.access.token.as_bytes());
            return match own {
                true => Ok(Opens::Organizer(self.service.organizer.clone())),
                false => Err(refused("Invalid token.")),
            };
        }
        let header = request.headers.get(&self.access.header);
        let header = header.map_or(&[][..], HeaderValue::as_bytes);
        let mut words = header
            .split(|byte| byte.is_ascii_whitespace())
            .filter(|word| !word.is_empty());
        let scheme = words.next().unwrap_or_default();
        let own = scheme.eq_ignore_ascii_case(self.access.scheme.as_bytes());
        if !own && !scheme.eq_ignore_ascii_case(b"token") && !scheme.eq_ignore_ascii_case(b"device")
        {
            // Without credentials, pretix reads the body before it rejects the request.
            drf::body(request)?;
            return Err(refused("Authentication credentials were not provided."));
        }
        match (words.next(), words.next()) {
            (None, _) => Err(refused("Invalid token header. No credentials provided.")),
            (Some(_), Some(_)) => Err(refused(
                "Invalid token header. Token string should not contain spaces.",
            )),
            (Some(token), None) if own => {
                let fakes = Opens::Organizer(self.service.organizer.clone());
                let others = self.service.tokens.iter();
                let mut tokens = others
                    .map(|(known, opens)| (known, opens.clone()))
                    .chain([(&self.access.token, fakes)]);
                match tokens.find(|(known, _)| known.as_bytes() == token) {
                    Some((_, Opens::Revoked)) => Err(refused("Token inactive or deleted.")),
                    Some((_, opens)) => Ok(opens),
                    None => Err(refused("Invalid token.")),
                }
            }
            _ => Err(refused("Invalid token.")),
        }
    }

    fn list(&self, request: &Request, organizer: &str) -> Reply {
        let query = |name| drf::query(&request.url, name);
        let enabled = match query("enabled").unwrap_or_default().to_lowercase().as_str() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        };
        let mut rows: Vec<&Webhook> = self
            .webhooks
            .iter()
            .filter(|webhook| self.service.organizer_of(webhook) == organizer)
            .filter(|webhook| enabled.is_none_or(|enabled| enabled == webhook.enabled))
            .collect();
        rows.sort_by_key(|webhook| webhook.id);
        let size = query("page_size").and_then(|size| size.parse().ok());
        let size = size.filter(|size| *size > 0).unwrap_or(PAGE_SIZE);
        drf::list(request, &self.address, size.min(PAGE_SIZE), &rows, |row| {
            view(row)
        })
    }

    fn create(&mut self, request: &Request, organizer: &str) -> Result<Reply, Reply> {
        let last = self.webhooks.iter().map(|webhook| webhook.id).max();
        let mut webhook = Webhook {
            id: last.unwrap_or(0).saturating_add(1),
            enabled: true,
            target_url: serde_json::from_value(json!("")).map_err(|_| no_match())?,
            all_events: true,
            limit_events: [].into(),
            action_types: [].into(),
            comment: None,
        };
        let body = drf::object(request)?;
        // For a new webhook, only the fields of the request can be contradictory, not defaults.
        let changes = self.changes(&body, organizer, false)?;
        let limited = changes.limit_events.as_ref();
        if changes.all_events == Some(true) && limited.is_some_and(|events| !events.is_empty()) {
            return Err(contradiction());
        }
        changes.apply(&mut webhook)?;
        self.clock.tick();
        let webhook = self.insert(webhook);
        if organizer != self.service.organizer {
            let owners = &mut self.service.owners;
            owners.insert(webhook.id, organizer.to_owned());
        }
        Ok(drf::json(StatusCode::CREATED, &view(&webhook)))
    }

    fn update(
        &mut self,
        request: &Request,
        organizer: &str,
        id: &str,
        partial: bool,
    ) -> Result<(), Reply> {
        let body = drf::object(request)?;
        let mut webhook = self.webhooks.get(id).cloned().ok_or_else(no_match)?;
        let mut changes = self.changes(&body, organizer, partial)?;
        // pretix also validates the stored webhook, which can have action types of a removed
        // plugin.
        let mut stored = webhook.action_types.iter().map(ActionType::as_str);
        if let Some(unknown) = stored.find(|name| !self.service.is_action_type(name)) {
            let message = format!("Invalid action type \"{unknown}\".");
            return Err(refusal("action_types", &message));
        }
        if let Some(names) = &mut changes.action_types {
            // pretix compares sets: it adds new action types and removes missing ones.
            names.dedup();
            let old = &webhook.action_types;
            let kept = old.iter().filter(|old| names.contains(old)).cloned();
            let kept: Vec<_> = kept.collect();
            names.retain(|name| !old.contains(name));
            names.extend(kept);
            names.sort();
        }
        changes.apply(&mut webhook)?;
        if webhook.all_events && !webhook.limit_events.is_empty() {
            return Err(contradiction());
        }
        self.change(id, |row| *row = webhook);
        Ok(())
    }

    fn change(&mut self, id: &str, change: impl FnOnce(&mut Webhook)) {
        if let Some(webhook) = self.webhooks.get_mut(id) {
            change(webhook);
            self.clock.tick();
        }
    }

    /// The id of the organizer's webhook in a path.
    fn find(&self, call: &Call, organizer: &str) -> Result<String, Reply> {
        let id = call.parameter(1).trim();
        let digits = id.strip_prefix(['+', '-']).unwrap_or(id);
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(drf::not_found());
        }
        let id = id.parse::<i64>().map_err(|_| no_match())?.to_string();
        let webhook = self.webhooks.get(&id);
        webhook
            .filter(|webhook| self.service.organizer_of(webhook) == organizer)
            .map(|_| id)
            .ok_or_else(no_match)
    }

    /// The fields of the body, or the error response.
    fn changes(
        &self,
        body: &Map<String, Value>,
        organizer: &str,
        partial: bool,
    ) -> Result<Changes, Reply> {
        if body.get("action_types").is_some_and(breaks_the_server) {
            return Err(drf::page(StatusCode::INTERNAL_SERVER_ERROR));
        }
        let events = self.service.events.get(organizer);
        let events = events.map(Vec::as_slice).unwrap_or_default();
        let mut fields = Fields::of(body, partial);
        let changes = Changes {
            enabled: fields.optional("enabled", boolean),
            target_url: fields.required("target_url", target_url),
            all_events: fields.optional("all_events", boolean),
            limit_events: fields.required("limit_events", |value| limit_events(value, events)),
            action_types: fields.required("action_types", |value| self.action_types(value)),
            comment: fields.nullable("comment", comment),
        };
        fields.finish()?;
        Ok(changes)
    }

    /// If there are several unknown action types, the message contains the first one.
    fn action_types(&self, value: &Value) -> Checked<Vec<ActionType>> {
        let mut names = Vec::new();
        for item in items(value).unwrap_or_default() {
            match item.as_str() {
                Some(name) if self.service.is_action_type(name) => names.push(name.into()),
                _ => {
                    return Err(json!([format!(
                        "Invalid action type \"{}\".",
                        printed(&item)
                    )]));
                }
            }
        }
        names.sort();
        Ok(names)
    }
}

/// The webhook fields that a request sets.
struct Changes {
    enabled: Option<bool>,
    target_url: Option<String>,
    all_events: Option<bool>,
    limit_events: Option<Vec<String>>,
    action_types: Option<Vec<ActionType>>,
    comment: Option<Option<String>>,
}

impl Changes {
    fn apply(self, webhook: &mut Webhook) -> Result<(), Reply> {
        if let Some(url) = self.target_url {
            let url = serde_json::from_value(url.into());
            webhook.target_url = url.map_err(|_| refusal("target_url", "Enter a valid URL."))?;
        }
        webhook.enabled = self.enabled.unwrap_or(webhook.enabled);
        webhook.all_events = self.all_events.unwrap_or(webhook.all_events);
        webhook.comment = self.comment.unwrap_or_else(|| webhook.comment.take());
        if let Some(events) = self.limit_events {
            webhook.limit_events = events.into();
        }
        if let Some(names) = self.action_types {
            webhook.action_types = names.into();
        }
        Ok(())
    }
}

fn view(webhook: &Webhook) -> Value {
    let mut view = json!(webhook);
    view["comment"] = json!(webhook.comment);
    view
}

fn organizer_in(request: &Request) -> String {
    let segment = request.url.path().split('/').nth(4).unwrap_or_default();
    percent_decode_str(segment).decode_utf8_lossy().into_owned()
}

/// Django redirects to the path with a trailing slash if it exists and no body is lost.
fn nowhere(request: &Request) -> Reply {
    let path = request.url.path();
    let segments: Vec<_> = path.split('/').collect();
    let known = match segments.as_slice() {
        ["", "api", "v1", "organizers", organizer, "webhooks"] => !organizer.is_empty(),
        ["", "api", "v1", "organizers", organizer, "webhooks", id] => {
            !organizer.is_empty() && !id.is_empty()
        }
        _ => false,
    };
    let writes = [Method::POST, Method::PUT, Method::PATCH].contains(&request.method);
    if !known || writes {
        return drf::page(StatusCode::NOT_FOUND);
    }
    let query = request.url.query().map(|query| format!("?{query}"));
    let location = format!("{path}/{}", query.unwrap_or_default());
    let mut reply = drf::page(StatusCode::MOVED_PERMANENTLY);
    reply.body_mut().clear();
    if let Ok(location) = HeaderValue::try_from(location) {
        reply.headers_mut().insert(LOCATION, location);
    }
    reply
}

/// Rejects a request that doesn't accept JSON.
fn negotiate(request: &Request) -> Result<(), Reply> {
    if drf::query(&request.url, "format").is_some_and(|format| format != "json") {
        return Err(drf::not_found());
    }
    let Some(accept) = request.headers.get(ACCEPT) else {
        return Ok(());
    };
    let accept = String::from_utf8_lossy(accept.as_bytes()).to_ascii_lowercase();
    let mut ranges = accept
        .split(',')
        .map(|range| range.split(';').next().unwrap_or_default().trim());
    if ranges.any(|range| ["application/json", "application/*", "*/*"].contains(&range)) {
        return Ok(());
    }
    let message = "Could not satisfy the request Accept header.";
    Err(drf::detail(StatusCode::NOT_ACCEPTABLE, message))
}

fn forbidden() -> Reply {
    let message = "You do not have permission to perform this action.";
    drf::detail(StatusCode::FORBIDDEN, message)
}

fn no_match() -> Reply {
    let message = "No WebHook matches the given query.";
    drf::detail(StatusCode::NOT_FOUND, message)
}

fn contradiction() -> Reply {
    let message = "You can set either limit_events or all_events.";
    drf::invalid(drf::non_field(message))
}

fn refusal(field: &str, message: &str) -> Reply {
    drf::invalid(Map::from_iter([(field.to_owned(), json!([message]))]))
}

fn boolean(value: &Value) -> Checked<bool> {
    let word = match value {
        Value::String(word) => word.trim().to_ascii_lowercase(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        _ => String::new(),
    };
    match word.as_str() {
        "true" | "t" | "yes" | "y" | "on" | "1" => Ok(true),
        "false" | "f" | "no" | "n" | "off" | "0" => Ok(false),
        _ => Err(json!(["Must be a valid boolean."])),
    }
}

fn comment(value: &Value) -> Checked<String> {
    let text = match value {
        Value::Number(number) => json!(number.to_string()),
        Value::String(text) => json!(strip(text)),
        other => other.clone(),
    };
    drf::text(&text, MAX_COMMENT)
}

fn target_url(value: &Value) -> Checked<String> {
    let Value::String(text) = value else {
        return Err(json!(["Enter a valid URL."]));
    };
    let url = drf::text(&json!(strip(text)), MAX_URL)?;
    match url.as_str() {
        "" => Err(json!(["This field may not be blank."])),
        url if is_url(url) => Ok(url.to_owned()),
        _ => Err(json!(["Enter a valid URL."])),
    }
}

/// Trims what Python considers whitespace.
fn strip(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c))
}

/// If there are several unknown events, the message contains the first one.
fn limit_events(value: &Value, known: &[String]) -> Checked<Vec<String>> {
    let Some(slugs) = items(value).filter(|_| !value.is_string()) else {
        let got = drf::type_name(value);
        let message = format!("Expected a list of items but got type \"{got}\".");
        return Err(json!([message]));
    };
    let is = |slug: &Value, event: &String| slug.as_str() == Some(event);
    let mut unknown = slugs
        .iter()
        .filter(|slug| !known.iter().any(|event| is(slug, event)));
    if let Some(slug) = unknown.next() {
        let message = format!("Object with slug={} does not exist.", printed(slug));
        return Err(json!([message]));
    }
    let named = |event: &&String| slugs.iter().any(|slug| is(slug, event));
    Ok(known.iter().filter(named).cloned().collect())
}

/// Whether pretix fails with a 500 because `action_types` can't be iterated or looked up.
fn breaks_the_server(value: &Value) -> bool {
    match value {
        Value::Bool(_) | Value::Number(_) => true,
        Value::Array(items) => items.iter().any(|item| item.is_array() || item.is_object()),
        Value::Null | Value::String(_) | Value::Object(_) => false,
    }
}

/// What Python iterates over: the items of a list, the keys of an object, the characters of a
/// string.
fn items(value: &Value) -> Option<Vec<Value>> {
    match value {
        Value::Array(items) => Some(items.clone()),
        Value::Object(fields) => Some(fields.keys().map(|key| json!(key)).collect()),
        Value::String(text) => Some(text.chars().map(|c| json!(c)).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

fn printed(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Whether pretix accepts a target URL, according to Django's `URLValidator`.
///
/// A host must have a dot, or be `localhost` or an address. A port has up to five digits of any
/// value.
fn is_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else {
        return false;
    };
    let schemes = ["http", "https", "ftp", "ftps"];
    let known = schemes.iter().any(|name| name.eq_ignore_ascii_case(scheme));
    if !known || text.contains(char::is_whitespace) {
        return false;
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let (userinfo, host) = match authority.rsplit_once('@') {
        Some((userinfo, host)) => (Some(userinfo), host),
        None => (None, authority),
    };
    let (user, password) = match userinfo {
        Some(userinfo) => userinfo.split_once(':').unwrap_or((userinfo, "")),
        None => ("user", ""),
    };
    let userinfo = !user.is_empty() && !user.contains('@') && !password.contains([':', '@']);
    userinfo && is_host_and_port(host)
}

fn is_host_and_port(text: &str) -> bool {
    let is_port = |text: &str| {
        (1..=5).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    if let Some((address, rest)) = text.strip_prefix('[').and_then(|text| text.split_once(']')) {
        let port = rest.strip_prefix(':');
        return address.parse::<Ipv6Addr>().is_ok() && port.map_or(rest.is_empty(), is_port);
    }
    match text.split_once(':') {
        Some((host, port)) => is_host(host) && is_port(port),
        None => is_host(text),
    }
}

fn is_host(host: &str) -> bool {
    if host.eq_ignore_ascii_case("localhost") || host.parse::<Ipv4Addr>().is_ok() {
        return true;
    }
    let name = host.strip_suffix('.').unwrap_or(host);
    let Some((labels, last)) = name.rsplit_once('.') else {
        return false;
    };
    let letters = last.chars().all(|c| c == '-' || is_letter(c)) && last.chars().count() > 1;
    let punycode = last.to_ascii_lowercase().starts_with("xn--")
        && last[4..].bytes().all(|byte| byte.is_ascii_alphanumeric());
    let is_label = |label: &str| {
        let allowed = |c: char| c == '-' || c.is_ascii_digit() || is_letter(c);
        has_label_shape(label) && label.chars().all(allowed)
    };
    host.chars().count() <= 253
        && labels.split('.').all(is_label)
        && has_label_shape(last)
        && (letters || punycode)
}

fn has_label_shape(label: &str) -> bool {
    (1..=63).contains(&label.chars().count()) && !label.starts_with('-') && !label.ends_with('-')
}

/// Django's range of non-ASCII letters ends before the emoji.
fn is_letter(c: char) -> bool {
    c.is_ascii_alphabetic() || ('\u{a1}'..='\u{ffff}').contains(&c)
}
