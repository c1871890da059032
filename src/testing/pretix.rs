use std::collections::HashMap;
use std::net::Ipv6Addr;
use std::time::Duration;

use chrono::{DateTime, Utc};
use data_encoding::BASE64;
use http::header::{AUTHORIZATION, RETRY_AFTER};
use http::{HeaderName, HeaderValue, StatusCode};
use percent_encoding::percent_decode_str;
use regex::Regex;
use reqwest::Url;
use serde::Deserialize;
use serde_json::{Value, json};
use wiremock::Request;

use super::clock::later;
use super::error_format::{ErrorFormat, WHOLE_BODY};
use super::fake::{Fake, FakeBuilder};
use super::fault::Fault;
use super::page::{page, query};
use super::reply::{self, Reply};
use super::route::{Call, Route};
use super::service::{Draft, Emitted, FakeService, State};
use crate::client::{Auth, ClientBuilder, trim};
use crate::optional::not_null;
use crate::pretix::{Action, ActionType, PretixClient, TargetUrl, Webhook};
use crate::text::debug_fields;
use crate::{FieldError, Patch, Secret};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("x-idempotency-key");
/// How long the response for an idempotency key is kept.
const KEY_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);
/// The default and maximum page size.
const PAGE_SIZE: usize = 50;
/// What Django accepts of the URLs in ASCII, with the address of IPv6 in a group.
const URL: &str = r"(?xi-u)
    ^(?:https?|ftps?)://
    (?:[!$-.0-9;->A-~]+(?::[!$-.0-9;->A-~]*)?@)?
    (?:
        localhost
        | \[([0-9a-f:.]+)\]
        | (?:(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])(?:\.|\b)){4}
        | (?:[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?\.)+
          (?:[a-z][-a-z]{0,61}[a-z]|xn--[a-z0-9]{1,59})\.?
    )
    (?::[0-9]{1,5})?
    (?:[/?\#][!-~]*)?$";

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
/// fields, and repeated responses for an idempotency key.
///
/// # Where it differs from pretix
///
/// - It implements what the client can send. A body must be JSON with the types of this crate's
///   OpenAPI document, whereas pretix converts some others, such as `"no"` to false, and responds
///   with 500 to a few. A wrong type, a missing field or an excessive length is a 400 with the
///   field's name, as in pretix, but with another message.
/// - Messages are in English regardless of `Accept-Language`, and JSON parse errors have different
///   messages.
/// - It ignores `Accept` and `Host`, and has no `OPTIONS`, no `webhooks.json`, and no redirect for
///   a missing trailing slash.
/// - There is no other API, so only [`emit`](Fake::emit) causes notifications.
/// - It never responds with 409 by itself, because it handles one request at a time: pass
///   [`key_in_use`](Fake::key_in_use) to [`fail_next`](Fake::fail_next).
/// - Notifications are compact JSON in UTF-8, with fields in alphabetical order.
///
/// # Deliveries
///
/// [`emit`](Fake::emit) takes a concrete action, such as `pretix.event.order.changed.price`, and
/// the fields of the notification except `notification_id`, `organizer`, and `action`. Some of them
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
    /// The organizer's events, in the server's order.
    events: Vec<String>,
    limited_tokens: Vec<String>,
    revoked_tokens: Vec<String>,
    action_types: Vec<String>,
    kept: HashMap<Key, (DateTime<Utc>, Reply)>,
    url: Regex,
}

debug_fields! { Pretix { organizer } }

/// An idempotency key and its caller.
type Key = (Vec<u8>, Vec<u8>);

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
        self.service.events = events.into_iter().map(Into::into).collect();
        self
    }

    /// Adds a token of a team without the permission to change the organizer's settings.
    pub fn limited_token(mut self, token: impl Into<String>) -> Self {
        self.service.limited_tokens.push(token.into());
        self
    }

    /// Adds a token that was revoked.
    pub fn revoked_token(mut self, token: impl Into<String>) -> Self {
        self.service.revoked_tokens.push(token.into());
        self
    }

    /// Adds action types, as a plugin does.
    pub fn action_types<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        let names = names.into_iter().map(Into::into);
        self.service.action_types.extend(names);
        self
    }
}

impl Fake<Pretix> {
    /// The slug of the fake's organizer.
    pub fn organizer(&self) -> String {
        self.shared().state().service.organizer.clone()
    }

    /// Deletes an event of the fake's organizer, without a notification.
    ///
    /// Like in pretix, a webhook that was limited to this event only then has no events.
    pub fn delete_event(&self, slug: &str) {
        let mut state = self.shared().state();
        state.service.events.retain(|event| event != slug);
        for (_, webhook) in &mut state.webhooks {
            let events = webhook.limit_events.iter();
            webhook.limit_events = events.filter(|event| *event != slug).cloned().collect();
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

    const ERRORS: ErrorFormat = ErrorFormat::Drf;
    const ROOT: &'static str = "/api/v1/organizers/{organizer}";
    const HEADERS: &'static [(&'static str, &'static str)] = &[
        ("user-agent", "python-requests/2.34.2"),
        ("accept-encoding", "gzip, deflate"),
        ("accept", "*/*"),
    ];
    const PROOF_IN_URL: bool = true;
    const DROPS_IF_DISABLED: bool = true;

    #[expect(clippy::expect_used, reason = "a constant pattern")]
    fn new() -> Self {
        Self {
            organizer: "bigevents".to_owned(),
            events: ["democon", "secondcon"].map(str::to_owned).to_vec(),
            limited_tokens: Vec::new(),
            revoked_tokens: Vec::new(),
            action_types: Vec::new(),
            kept: HashMap::new(),
            url: Regex::new(URL).expect("a constant pattern"),
        }
    }

    fn client(&self, auth: Auth) -> ClientBuilder<PretixClient> {
        PretixClient::builder(auth, self.organizer.as_str())
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
        let reply = state.answer(request, route).unwrap_or_else(|reply| reply);
        if let Some(key) = key {
            state.service.kept.insert(key, (now, reply.clone()));
        }
        reply
    }

    fn authorize(state: &State<Self>, request: &Request) -> Result<(), Reply> {
        let (scheme, words) = state.access.given(request);
        let is = |name: &str| scheme.eq_ignore_ascii_case(name.as_bytes());
        let own = |token: &[u8]| token == state.access.token.as_bytes();
        let among = |tokens: &[String], token| tokens.iter().any(|known| known.as_bytes() == token);
        let message = match words[..] {
            _ if !is(&state.access.scheme) && !is("device") => {
                "Authentication credentials were not provided."
            }
            [] => "Invalid token header. No credentials provided.",
            [token] if own(token) && organizer_in(request) == state.service.organizer => {
                return Ok(());
            }
            [token] if own(token) || among(&state.service.limited_tokens, token) => {
                return Err(Self::ERRORS.error(StatusCode::FORBIDDEN));
            }
            [token] if among(&state.service.revoked_tokens, token) => "Token inactive or deleted.",
            [_] => "Invalid token.",
            _ => "Invalid token header. Token string should not contain spaces.",
        };
        Err(state.unauthorized(message))
    }

    fn perform(state: &mut State<Self>, call: &Call, request: &Request) -> Result<Reply, Reply> {
        let body = || State::<Self>::body(call, request);
        match call.operation.id {
            "list_webhooks" => return state.list(request),
            "create_webhook" => return state.create(body()?),
            _ => {}
        }
        let id = call.parameter(1).parse::<i64>();
        let id = id.map_err(|_| Self::ERRORS.error(StatusCode::NOT_FOUND))?;
        let id = id.to_string();
        let webhook = state.find(&id).map_err(|_| {
            let message = "No WebHook matches the given query.";
            Self::ERRORS.with_message(StatusCode::NOT_FOUND, message)
        })?;
        match call.operation.id {
            "update_webhook" => state.update(webhook, body()?, true)?,
            "replace_webhook" => state.update(webhook, body()?, false)?,
            "delete_webhook" => {
                state.modify(webhook.enabled(false));
                return Ok(reply::empty(StatusCode::NO_CONTENT));
            }
            _ => {}
        }
        state.show(StatusCode::OK, &id)
    }

    fn view(webhook: &Webhook) -> Value {
        let mut view = json!(webhook);
        view["comment"] = json!(webhook.comment);
        view
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
        let subscription = names.find(|name| state.service.is_action_type(name))?;
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
        organizer == Some(&self.organizer)
            && types.iter().any(|known| known.as_str() == draft.lane)
            && (webhook.all_events
                || event.is_none_or(|event| webhook.limit_events.iter().any(|own| own == event)))
    }

    fn proof(
        &self,
        webhook: &Webhook,
        _: &[u8],
        _: DateTime<Utc>,
        forged: bool,
    ) -> Option<(HeaderName, HeaderValue)> {
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
        let value = HeaderValue::try_from(format!("Basic {pair}")).ok()?;
        Some((AUTHORIZATION, value))
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
    fn list(&self, request: &Request) -> Result<Reply, Reply> {
        let enabled = query(request, "enabled").map(|word| word.to_lowercase());
        let enabled = match enabled.as_deref() {
            Some("true" | "1") => Some(true),
            Some("false" | "0") => Some(false),
            _ => None,
        };
        let webhooks = self.webhooks.iter().map(|(_, webhook)| webhook);
        let wanted = |row: &&Webhook| enabled.is_none_or(|enabled| enabled == row.enabled);
        let mut rows: Vec<_> = webhooks.filter(wanted).collect();
        rows.sort_by_key(|webhook| webhook.id);
        let size = query(request, "page_size").and_then(|size| size.parse().ok());
        let size = size.filter(|size| *size > 0).unwrap_or(PAGE_SIZE);
        let size = size.min(PAGE_SIZE);
        page(request, &self.base_url, size, &rows, |row| {
            Pretix::view(row)
        })
    }

    fn create(&mut self, body: Body) -> Result<Reply, Reply> {
        let last = self.webhooks.iter().map(|(_, webhook)| webhook.id).max();
        // For a new webhook, only the fields of the request can be contradictory, not defaults.
        let contradictory = body.all_events == Some(true)
            && body
                .limit_events
                .as_ref()
                .is_some_and(|events| !events.is_empty());
        let webhook = Webhook::example()
            .id(last.unwrap_or(0).saturating_add(1))
            .enabled(true)
            .all_events(true)
            .comment(None);
        let webhook = self.service.changed(webhook, body, false)?;
        if contradictory {
            return Err(contradiction());
        }
        self.clock.tick();
        let webhook = self.insert(webhook);
        self.show(StatusCode::CREATED, &webhook.id.to_string())
    }

    fn update(&mut self, stored: Webhook, body: Body, partial: bool) -> Result<(), Reply> {
        let old = stored.action_types.clone();
        let mut webhook = self.service.changed(stored, body, partial)?;
        // pretix also validates the stored webhook, which can have action types of a removed
        // plugin.
        if let Some(name) = old.iter().find(|name| !self.service.is_action_type(name)) {
            return Err(Pretix::ERRORS.invalid(&[invalid_action_type(name)]));
        }
        if webhook.all_events && !webhook.limit_events.is_empty() {
            return Err(contradiction());
        }
        // pretix compares sets: it adds new action types and removes missing ones.
        let kept = old
            .into_iter()
            .filter(|old| webhook.action_types.contains(old));
        let mut names: Vec<_> = kept.collect();
        let mut new = webhook.action_types.to_vec();
        new.dedup();
        new.retain(|name| !names.contains(name));
        names.extend(new);
        names.sort();
        webhook.action_types = names.into();
        self.modify(webhook);
        Ok(())
    }

    fn modify(&mut self, webhook: Webhook) {
        self.clock.tick();
        self.replace(webhook);
    }
}

/// The body of a request. pretix doesn't require both fields of a scope, so it isn't the client's
/// type.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Body {
    #[serde(deserialize_with = "not_null")]
    enabled: Option<bool>,
    #[serde(deserialize_with = "not_null")]
    target_url: Option<TargetUrl>,
    #[serde(deserialize_with = "not_null")]
    all_events: Option<bool>,
    #[serde(deserialize_with = "not_null")]
    limit_events: Option<Vec<String>>,
    #[serde(deserialize_with = "not_null")]
    action_types: Option<Vec<ActionType>>,
    comment: Patch<String>,
}

impl Pretix {
    fn is_action_type(&self, name: &ActionType) -> bool {
        !name.is_unknown() || self.action_types.iter().any(|more| more == name.as_str())
    }

    /// The webhook with the fields of a body, or the errors of all fields.
    ///
    /// If there are several unknown events or action types, the message contains the first one.
    fn changed(&self, mut webhook: Webhook, body: Body, partial: bool) -> Result<Webhook, Reply> {
        let mut errors = Vec::new();
        let mut wrong = |field: &str, message: &str| errors.push(FieldError::new(field, message));
        let mut required = |field: &str, missing: bool| {
            if missing && !partial {
                wrong(field, "This field is required.");
            }
        };
        required("target_url", body.target_url.is_none());
        required("limit_events", body.limit_events.is_none());
        required("action_types", body.action_types.is_none());
        if let Some(url) = body.target_url {
            if !self.is_url(url.expose()) {
                wrong("target_url", "Enter a valid URL.");
            }
            webhook.target_url = url;
        }
        if let Some(slugs) = body.limit_events {
            if let Some(slug) = slugs.iter().find(|slug| !self.events.contains(slug)) {
                let message = format!("Object with slug={slug} does not exist.");
                wrong("limit_events", &message);
            }
            let named = self.events.iter().filter(|event| slugs.contains(event));
            webhook.limit_events = named.cloned().collect();
        }
        if let Some(mut names) = body.action_types {
            if let Some(name) = names.iter().find(|name| !self.is_action_type(name)) {
                let error = invalid_action_type(name);
                wrong(&error.field, &error.message);
            }
            names.sort();
            webhook.action_types = names.into();
        }
        if let Patch::Value(comment) = &body.comment
            && comment.contains('\0')
        {
            wrong("comment", "Null characters are not allowed.");
        }
        if !errors.is_empty() {
            return Err(Self::ERRORS.invalid(&errors));
        }
        webhook.enabled = body.enabled.unwrap_or(webhook.enabled);
        webhook.all_events = body.all_events.unwrap_or(webhook.all_events);
        let comment = body.comment.or(webhook.comment);
        webhook.comment = comment.map(|comment| trim(&comment).to_owned());
        Ok(webhook)
    }

    fn is_url(&self, text: &str) -> bool {
        self.url.captures(text).is_some_and(|found| {
            let address = found.get(1).map(|address| address.as_str());
            address.is_none_or(|address| address.parse::<Ipv6Addr>().is_ok())
        })
    }
}

fn invalid_action_type(name: &ActionType) -> FieldError {
    FieldError::new("action_types", format!("Invalid action type \"{name}\"."))
}

fn contradiction() -> Reply {
    let message = "You can set either limit_events or all_events.";
    Pretix::ERRORS.invalid(&[FieldError::new(WHOLE_BODY, message)])
}

fn organizer_in(request: &Request) -> String {
    let segment = request.url.path().split('/').nth(4).unwrap_or_default();
    percent_decode_str(segment).decode_utf8_lossy().into_owned()
}
