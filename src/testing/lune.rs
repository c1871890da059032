use std::time::Duration;

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use regex::Regex;
use serde_json::{Map, Value, json};
use wiremock::Request;

use super::delivery::FakeDelivery;
use super::drf;
use super::emission::Emission;
use super::fake::{Fake, FakeBuilder};
use super::service::{
    Access, Call, Draft, Emitted, FakeService, Reply, Route, State, random_secret,
};
use crate::client::{Operation, sealed::Sealed};
use crate::lune::{AccountType, LuneClient, WebhookWithSecret, scheme};
use crate::signature::{DigestEncoding, Part, Scheme, Signer};
use crate::{RetryPolicy, Secret};

const ACCOUNT: HeaderName = HeaderName::from_static("lune-account");
const REQUEST_ID: HeaderName = HeaderName::from_static("cf-ray");
const SIGNATURE: HeaderName = HeaderName::from_static("lune-hmac");
const VERSION: HeaderName = HeaderName::from_static("lune-version");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
/// The published maximum size of a request: 100 kB.
const MAX_BODY: usize = 100_000;
/// The published number of characters of a secret that are returned after its creation.
const SHOWN: usize = 4;
/// The published pattern of a webhook's URL, verbatim except for `(?-u:…)`, because it is ASCII.
const URL: &str =
    r"(?-u:^https:\/\/[-a-zA-Z0-9@:%._\+~#=]{2,256}\.[a-z]{2,6}\b([-a-zA-Z0-9@:%_\+.~#?&\/\/=]*)$)";

/// A fake of Lune that stores webhooks and delivers signed batches of events.
///
/// ```
/// use serde_json::json;
/// use webhook_sdk::lune::WebhookWithSecret;
/// use webhook_sdk::testing::LuneFake;
/// use wiremock::{Mock, MockServer, ResponseTemplate, matchers::method};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let receiver = MockServer::start().await;
/// let failure = Mock::given(method("POST")).respond_with(ResponseTemplate::new(500));
/// failure.up_to_n_times(1).mount(&receiver).await;
/// Mock::given(method("POST")).respond_with(ResponseTemplate::new(204)).mount(&receiver).await;
///
/// let lune = LuneFake::start().await;
/// lune.seed(WebhookWithSecret::example().url(receiver.uri()));
///
/// let refused = lune.emit("order.paid", json!({ "order": { "id": "or_1" } })).await;
/// assert_eq!(refused[0].response_status, Some(500));
///
/// let redelivered = lune.deliver_due().await;
/// assert_eq!(redelivered[0].id, refused[0].id);
/// assert_eq!(redelivered[0].response_status, Some(204));
/// # }
/// ```
pub type LuneFake = Fake<Lune>;

/// The behavior of [`LuneFake`].
///
/// Paths, fields, the pattern of URLs, both forms of a secret, the maximum size of a request, and
/// the format of errors and deliveries follow the published pages,
/// <https://docs.lune.co/api-reference/webhooks> and
/// <https://docs.lune.co/general-concepts/webhooks>: events of one account in order, at least once,
/// a batch acknowledged by one 2xx within 30 seconds and sent again otherwise, one request at a
/// time to a webhook. A webhook created through the API has a public `https` URL, so its deliveries
/// need a [`route`](Fake::route) to the receiver of the test; a [seed](Fake::seed) can have any
/// URL.
///
/// # Unpublished, our default
///
/// The following isn't on those pages. Code that relies on it relies on this fake, not on Lune.
///
/// - Errors in the documented format are 400 `validation_error`, also for an unknown account and
///   for a body that isn't JSON, 400 `api_version_invalid` for a `Lune-Version` that isn't a date,
///   400 `webhook_limit_reached`, 401 `unauthorised`, and 401 `invalid_selected_account_id`. 404,
///   405, 413, 415 and 429 are plain text. A 429 has a `Retry-After` only with
///   [`Fault::rate_limited`](super::Fault::rate_limited).
/// - A list for several accounts contains the webhooks that get events of any of them, including
///   those without a limit, oldest first.
/// - `Lune-Account` is validated, but has no other effect.
/// - An event is delivered to the webhooks that are enabled when it is emitted. A disabled webhook
///   keeps its queued events; a deleted one loses them.
/// - A batch holds up to 100 events of one account, oldest first. A batch that isn't acknowledged
///   blocks only the accounts in it. It is due again at once, with a new signature.
/// - [`emit`](Fake::emit) also sends all earlier queued events of the webhooks that get the event,
///   to keep the order.
/// - The signature is lowercase hexadecimal. Redirects aren't followed. Credentials in a URL are
///   sent with HTTP Basic authentication.
pub struct Lune {
    organisation: String,
    accounts: Vec<String>,
    account_type: AccountType,
    version: String,
    max_webhooks: usize,
    batch_limit: usize,
    mix_accounts: bool,
    scheme: Scheme,
    keep_old_secrets: bool,
    /// Old secrets that are still active, by webhook, oldest first.
    old_secrets: Vec<(String, Secret)>,
    timeout: Duration,
    url: Regex,
    responses: u64,
}

impl FakeBuilder<Lune> {
    /// Sets the organization's id in the signature header.
    pub fn organisation(mut self, id: impl Into<String>) -> Self {
        self.service.organisation = id.into();
        self
    }

    /// Sets the organization's accounts. By default, any id is accepted.
    ///
    /// Other ids in `account_ids` or `Lune-Account` are rejected.
    pub fn accounts<I: Into<String>>(mut self, ids: impl IntoIterator<Item = I>) -> Self {
        self.service.accounts = ids.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the mode of the key, which is the `account_type` of webhooks. Defaults to live.
    pub fn account_type(mut self, account_type: AccountType) -> Self {
        self.service.account_type = account_type;
        self
    }

    /// Sets the maximum number of webhooks. Unlimited by default.
    ///
    /// Lune publishes that there is a limit, but not its value.
    pub fn max_webhooks(mut self, webhooks: usize) -> Self {
        self.service.max_webhooks = webhooks;
        self
    }

    /// Sets the maximum number of events in a batch. Defaults to 100; 0 counts as 1.
    ///
    /// Lune publishes that there is a limit, but not its value.
    pub fn batch_limit(mut self, events: usize) -> Self {
        self.service.batch_limit = events.max(1);
        self
    }

    /// Sets whether a batch can contain events of several accounts. Defaults to false.
    ///
    /// Lune doesn't publish which of the two it does.
    pub fn mix_accounts(mut self, mix: bool) -> Self {
        self.service.mix_accounts = mix;
        self
    }

    /// Writes signatures in padded standard base64 instead of lowercase hexadecimal.
    ///
    /// Lune doesn't publish which of the two it does.
    #[expect(clippy::expect_used, reason = "a constant scheme")]
    pub fn base64_signatures(mut self) -> Self {
        self.service.scheme = Scheme::builder(SIGNATURE.as_str())
            .fields("v1")
            .timestamp_field("timestamp")
            .encoding(DigestEncoding::Base64)
            .sign([Part::Timestamp, Part::literal("."), Part::Body])
            .build()
            .expect("a constant scheme");
        self
    }

    /// Sets whether a rotated secret stays active, so that deliveries have several `v1` fields.
    ///
    /// By default, it is invalid at once, as published. Lune has reserved the right to send several
    /// `v1` fields. That of the oldest secret comes first.
    pub fn keep_old_secrets(mut self, keep: bool) -> Self {
        self.service.keep_old_secrets = keep;
        self
    }

    /// Sets the timeout of a receiver, in real time. Defaults to 30 s, as published.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.service.timeout = timeout;
        self
    }
}

/// The scope of a Lune event.
#[derive(Clone)]
#[expect(unnameable_types, reason = "set by methods of the emission")]
pub struct LuneScope {
    account_id: String,
}

impl Default for LuneScope {
    fn default() -> Self {
        Self {
            account_id: "acc_1".to_owned(),
        }
    }
}

impl Emission<'_, Lune> {
    /// Sets the account of the event. Defaults to `acc_1`.
    pub fn account_id(mut self, id: impl Into<String>) -> Self {
        self.emitted.scope.account_id = id.into();
        self
    }
}

#[expect(private_interfaces, reason = "sealed")]
impl FakeService for Lune {
    type Client = LuneClient;
    type Webhook = WebhookWithSecret;
    type Scope = LuneScope;

    const ORDERED: bool = true;

    #[expect(clippy::expect_used, reason = "a constant pattern")]
    fn new() -> Self {
        Self {
            organisation: "organisation-0000000000000000001".to_owned(),
            accounts: Vec::new(),
            account_type: AccountType::Live,
            version: "2024-08-08".to_owned(),
            max_webhooks: usize::MAX,
            batch_limit: 100,
            mix_accounts: false,
            scheme: scheme(),
            keep_old_secrets: false,
            old_secrets: Vec::new(),
            timeout: Duration::from_secs(30),
            url: Regex::new(URL).expect("a constant pattern"),
            responses: 0,
        }
    }

    fn operations() -> &'static [Operation] {
        LuneClient::OPERATIONS
    }

    fn client(&self, base_url: &str, access: &Access) -> Result<LuneClient, crate::Error> {
        let wait = Duration::from_millis(1);
        LuneClient::builder(access.auth())
            .base_url(base_url)
            .requests_per_second(None)
            .retry(RetryPolicy::new().shortest_wait(wait).longest_wait(wait))
            .build()
    }

    fn answer(state: &mut State<Self>, request: &Request, route: &Route) -> Reply {
        let mut reply = state.perform(request, route).unwrap_or_else(|reply| reply);
        state.service.responses += 1;
        let id = format!("{:016x}-FAKE", state.service.responses);
        let asked = request.headers.get(VERSION).cloned();
        let version = asked.or_else(|| HeaderValue::from_str(&state.service.version).ok());
        let id = HeaderValue::from_str(&id).ok();
        let headers = [(REQUEST_ID, id), (VERSION, version)];
        let headers = headers
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)));
        reply.headers_mut().extend(headers);
        reply
    }

    fn throttled(_: Option<u64>) -> Reply {
        plain(StatusCode::TOO_MANY_REQUESTS)
    }

    fn id(webhook: &WebhookWithSecret) -> String {
        webhook.id.clone()
    }

    fn set_id(webhook: &mut WebhookWithSecret, number: u64) {
        webhook.id = format!("webhook{number:025}");
    }

    fn url(webhook: &WebhookWithSecret) -> &str {
        webhook.url.as_str()
    }

    fn is_enabled(webhook: &WebhookWithSecret) -> bool {
        webhook.enabled
    }

    fn event(state: &mut State<Self>, emitted: &Emitted<LuneScope>) -> Option<Draft> {
        state.events += 1;
        let id = format!("event{:027}", state.events);
        let sequence = state.event_time(emitted.late);
        let account_id = &emitted.scope.account_id;
        Some(Draft {
            payload: json!({
                "api_version": "v1",
                "event_id": id,
                "event_type": emitted.event,
                "sequence": sequence.to_rfc3339_opts(SecondsFormat::Millis, true),
                "account_id": account_id,
                "data": emitted.data,
            }),
            id,
            lane: account_id.clone(),
        })
    }

    fn wants(&self, webhook: &WebhookWithSecret, draft: &Draft, _: &Emitted<LuneScope>) -> bool {
        gets_events_of(webhook, &draft.lane)
    }

    fn batch(&self, waiting: &[&FakeDelivery]) -> Vec<usize> {
        let Some(first) = waiting.first() else {
            return Vec::new();
        };
        let waiting = waiting.iter().enumerate();
        let fits = waiting.filter(|(_, event)| self.mix_accounts || event.lane == first.lane);
        let places = fits.map(|(place, _)| place);
        places.take(self.batch_limit).collect()
    }

    fn body(payloads: &[&str]) -> String {
        format!(r#"{{"events":[{}]}}"#, payloads.join(","))
    }

    fn proof_header(&self) -> HeaderName {
        SIGNATURE
    }

    fn proof(
        &self,
        webhook: &WebhookWithSecret,
        body: &[u8],
        time: DateTime<Utc>,
        forged: bool,
    ) -> Option<HeaderValue> {
        let wrong = Secret::from("another secret");
        let old = self.old_secrets.iter().filter(|(id, _)| *id == webhook.id);
        let secrets = old.map(|(_, secret)| secret).chain([&webhook.secret]);
        let mut value = String::new();
        for secret in secrets {
            let secret = if forged { &wrong } else { secret };
            let signer = Signer::new(self.scheme.clone(), secret).ok()?;
            let signer = signer.field("organisation", self.organisation.as_str());
            let mut headers = HeaderMap::new();
            signer.sign_at(&mut headers, body, time).ok()?;
            let header = headers.get(SIGNATURE)?.to_str().ok()?;
            let (start, digest) = header.rsplit_once(",v1=")?;
            if value.is_empty() {
                value.push_str(start);
            }
            value.push_str(",v1=");
            value.push_str(digest);
        }
        HeaderValue::from_str(&value).ok()
    }

    fn headers() -> HeaderMap {
        HeaderMap::from_iter([(CONTENT_TYPE, drf::JSON)])
    }

    fn timeout(&self, _: &WebhookWithSecret) -> Duration {
        self.timeout
    }

    fn retry_delay(&self, _: u32) -> Option<Duration> {
        Some(Duration::ZERO)
    }
}

impl State<Lune> {
    fn perform(&mut self, request: &Request, route: &Route) -> Result<Reply, Reply> {
        let call = match route {
            Route::Operation(call) => call,
            Route::WrongMethod(allowed) => {
                let reply = plain(StatusCode::METHOD_NOT_ALLOWED);
                return Err(drf::allowing(reply, allowed));
            }
            Route::Nowhere => return Err(not_found()),
        };
        self.authorize(request)?;
        let id = call.parameter(0);
        if !call.parameters.is_empty() && !self.webhooks.contains(id) {
            return Err(not_found());
        }
        match call.operation {
            "list_webhooks" => Ok(self.list(request)),
            "create_webhook" => self.create(request),
            "retrieve_webhook" => self.show(id),
            "update_webhook" => self.update(call, request),
            "delete_webhook" => {
                self.remove(id);
                Ok(drf::empty(StatusCode::NO_CONTENT))
            }
            "rotate_webhook_secret" => self.rotate(id),
            _ => Err(plain(StatusCode::NOT_IMPLEMENTED)),
        }
    }

    fn authorize(&self, request: &Request) -> Result<(), Reply> {
        if self.access.given(request) != Some(self.access.token.as_bytes()) {
            let message = "The API key is missing or invalid.";
            return Err(coded(StatusCode::UNAUTHORIZED, "unauthorised", message));
        }
        if let Some(version) = request.headers.get(VERSION) {
            let date = version.to_str().unwrap_or_default();
            if NaiveDate::parse_from_str(date, "%Y-%m-%d").is_err() {
                let message = "The API version isn't a date, such as 2024-08-08.";
                let code = "api_version_invalid";
                return Err(coded(StatusCode::BAD_REQUEST, code, message));
            }
        }
        match request.headers.get(ACCOUNT) {
            Some(account) if !self.is_account(&String::from_utf8_lossy(account.as_bytes())) => {
                let message = "The selected account doesn't exist.";
                let code = "invalid_selected_account_id";
                Err(coded(StatusCode::UNAUTHORIZED, code, message))
            }
            _ => Ok(()),
        }
    }

    fn is_account(&self, id: &str) -> bool {
        let accounts = &self.service.accounts;
        accounts.is_empty() || accounts.iter().any(|account| account == id)
    }

    fn list(&self, request: &Request) -> Reply {
        let parameters = request.url.query_pairs();
        let accounts = parameters.filter(|(name, _)| name == "account_id");
        let accounts: Vec<_> = accounts.map(|(_, id)| id).collect();
        let wanted = |webhook: &&WebhookWithSecret| {
            let mut ids = accounts.iter();
            accounts.is_empty() || ids.any(|id| gets_events_of(webhook, id))
        };
        let webhooks = self.webhooks.iter().filter(wanted);
        let webhooks: Vec<_> = webhooks.map(without_secret).collect();
        drf::json(StatusCode::OK, &webhooks.into())
    }

    fn show(&self, id: &str) -> Result<Reply, Reply> {
        let webhook = self.webhooks.get(id).ok_or_else(not_found)?;
        Ok(drf::json(StatusCode::OK, &without_secret(webhook)))
    }

    fn create(&mut self, request: &Request) -> Result<Reply, Reply> {
        let body = object(request)?;
        let url = self.url(&body)?;
        let account_ids = self.account_ids(&body)?.unwrap_or_default();
        if self.webhooks.len() >= self.service.max_webhooks {
            let message = "The organization has as many webhooks as it may have.";
            let code = "webhook_limit_reached";
            return Err(coded(StatusCode::BAD_REQUEST, code, message));
        }
        let mut webhook = WebhookWithSecret {
            id: String::new(),
            url: url.into(),
            enabled: true,
            account_type: self.service.account_type.clone(),
            account_ids: account_ids.into(),
            created_at: self.clock.tick(),
            secret: random_secret().into(),
        };
        Lune::set_id(&mut webhook, self.webhooks.next_number());
        let webhook = self.insert(webhook);
        Ok(drf::json(StatusCode::OK, &view(&webhook)))
    }

    fn update(&mut self, call: &Call, request: &Request) -> Result<Reply, Reply> {
        // 415 is only published for create.
        let body = object(request).map_err(|reply| match reply.status() {
            StatusCode::UNSUPPORTED_MEDIA_TYPE => invalid("The body must be JSON."),
            _ => reply,
        })?;
        let url = self.url(&body)?;
        let enabled = match body.get("enabled") {
            Some(Value::Bool(enabled)) => *enabled,
            Some(_) => return Err(invalid("enabled must be a boolean.")),
            None => return Err(invalid("enabled is required.")),
        };
        let account_ids = self.account_ids(&body)?;
        let id = call.parameter(0);
        let webhook = self.webhooks.get_mut(id).ok_or_else(not_found)?;
        webhook.url = url.into();
        webhook.enabled = enabled;
        if let Some(account_ids) = account_ids {
            webhook.account_ids = account_ids.into();
        }
        self.show(id)
    }

    fn rotate(&mut self, id: &str) -> Result<Reply, Reply> {
        let webhook = self.webhooks.get_mut(id).ok_or_else(not_found)?;
        let old = std::mem::replace(&mut webhook.secret, random_secret().into());
        if self.service.keep_old_secrets {
            self.service.old_secrets.push((id.to_owned(), old));
        }
        Ok(drf::json(StatusCode::OK, &view(webhook)))
    }

    fn url(&self, body: &Map<String, Value>) -> Result<String, Reply> {
        match body.get("url") {
            Some(Value::String(url)) if self.service.url.is_match(url) => Ok(url.clone()),
            Some(Value::String(_)) => Err(invalid("url must match the pattern of an HTTPS URL.")),
            Some(_) => Err(invalid("url must be a string.")),
            None => Err(invalid("url is required.")),
        }
    }

    /// The accounts that the webhook is limited to, at least one, if the body has them.
    fn account_ids(&self, body: &Map<String, Value>) -> Result<Option<Vec<String>>, Reply> {
        let Some(value) = body.get("account_ids") else {
            return Ok(None);
        };
        let ids: Vec<String> = serde_json::from_value(value.clone())
            .map_err(|_| invalid("account_ids must be an array of strings."))?;
        if ids.is_empty() {
            return Err(invalid("account_ids must have at least 1 item."));
        }
        match ids.iter().position(|id| !self.is_account(id)) {
            Some(place) => Err(invalid(&format!("account_ids[{place}] is no account."))),
            None => Ok(Some(ids)),
        }
    }
}

/// The format of create and rotate.
fn view(webhook: &WebhookWithSecret) -> Value {
    json!(webhook)
}

/// The format of all other responses, with the last characters of the secret.
fn without_secret(webhook: &WebhookWithSecret) -> Value {
    let secret: Vec<char> = webhook.secret.expose().chars().collect();
    let shown = secret.len().saturating_sub(SHOWN);
    let mut view = view(webhook);
    view["secret"] = secret.iter().skip(shown).collect::<String>().into();
    view
}

fn gets_events_of(webhook: &WebhookWithSecret, account_id: &str) -> bool {
    webhook.account_ids.is_empty() || webhook.account_ids.iter().any(|id| id == account_id)
}

fn object(request: &Request) -> Result<Map<String, Value>, Reply> {
    let content_type = request.headers.get(CONTENT_TYPE);
    let essence = content_type
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .unwrap_or_default();
    if !essence.trim().eq_ignore_ascii_case("application/json") {
        return Err(plain(StatusCode::UNSUPPORTED_MEDIA_TYPE));
    }
    if request.body.len() > MAX_BODY {
        return Err(plain(StatusCode::PAYLOAD_TOO_LARGE));
    }
    serde_json::from_slice(&request.body).map_err(|_| invalid("The body must be a JSON object."))
}

/// The published format of an error, in which `errors` repeats `error`.
fn coded(status: StatusCode, code: &str, message: &str) -> Reply {
    let error = json!({ "error_code": code, "message": message });
    drf::json(status, &json!({ "error": error, "errors": [error] }))
}

fn invalid(message: &str) -> Reply {
    coded(StatusCode::BAD_REQUEST, "validation_error", message)
}

fn not_found() -> Reply {
    plain(StatusCode::NOT_FOUND)
}

/// The reason phrase of the status, for responses without a documented body.
fn plain(status: StatusCode) -> Reply {
    let words = status.canonical_reason().unwrap_or_default();
    drf::with_body(status, TEXT, words.to_owned())
}
