use std::time::Duration;

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::{Value, json};
use wiremock::Request;

use super::body::repeated;
use super::delivery::FakeDelivery;
use super::emission::Emission;
use super::error_format::{ErrorFormat, coded};
use super::fake::{Fake, FakeBuilder};
use super::reply::{self, Reply};
use super::route::{Call, Route};
use super::service::{Draft, Emitted, FakeService, State, random_secret, signature};
use crate::client::{Auth, ClientBuilder};
use crate::lune::{
    AccountType, LuneClient, WebhookCreate, WebhookUpdate, WebhookWithSecret, scheme,
};
use crate::signature::{Scheme, Signer};
use crate::text::debug_fields;
use crate::{FieldError, Secret};

const ACCOUNT: &str = "lune-account";
const REQUEST_ID: HeaderName = HeaderName::from_static("cf-ray");
const VERSION: HeaderName = HeaderName::from_static("lune-version");
/// The published maximum size of a request: 100 kB.
const MAX_BODY: usize = 100_000;
/// The published number of characters of a secret that are returned after its creation.
const SHOWN: usize = 4;

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
/// - Errors in the documented format are 400 `validation_error`, also for an unknown or repeated
///   account and for a body that isn't JSON, 400 `api_version_invalid` for a `Lune-Version` that
///   isn't a date, 401 `unauthorised`, and 401 `invalid_selected_account_id`. 404, 405, 413, 415 and
///   429 are plain text. A 429 has a `Retry-After` only with
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
    batch_limit: usize,
    mix_accounts: bool,
    scheme: Scheme,
    responses: u64,
}

debug_fields! { Lune { organisation } }

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

    /// Sets how deliveries are signed. Defaults to [`lune::scheme`](crate::lune::scheme), in
    /// lowercase hexadecimal.
    ///
    /// Lune doesn't publish the encoding.
    pub fn scheme(mut self, scheme: Scheme) -> Self {
        self.service.scheme = scheme;
        self
    }
}

/// The scope of a Lune event.
#[derive(Clone, Debug)]
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

    const ERRORS: ErrorFormat = ErrorFormat::Coded;
    const ORDERED: bool = true;

    fn new() -> Self {
        Self {
            organisation: "organisation-0000000000000000001".to_owned(),
            accounts: Vec::new(),
            account_type: AccountType::Live,
            batch_limit: 100,
            mix_accounts: false,
            scheme: scheme(),
            responses: 0,
        }
    }

    fn client(&self, auth: Auth) -> ClientBuilder<LuneClient> {
        LuneClient::builder(auth).requests_per_second(None)
    }

    fn answer(state: &mut State<Self>, request: &Request, route: &Route) -> Reply {
        let mut reply = state.answer(request, route).unwrap_or_else(|reply| reply);
        state.service.responses += 1;
        let id = format!("{:016x}-FAKE", state.service.responses);
        if let Ok(id) = HeaderValue::from_str(&id) {
            reply.headers_mut().insert(REQUEST_ID, id);
        }
        let version = request.headers.get(VERSION).cloned();
        let version = version.unwrap_or(HeaderValue::from_static("2024-08-08"));
        reply.headers_mut().insert(VERSION, version);
        reply
    }

    fn authorize(state: &State<Self>, request: &Request) -> Result<(), Reply> {
        if state.access.token(request) != Some(state.access.token.as_bytes()) {
            return Err(state.unauthorized("The API key is missing or invalid."));
        }
        let text = |name: &str| {
            let value = request.headers.get(name)?.as_bytes();
            Some(String::from_utf8_lossy(value).into_owned())
        };
        let is_date = |date: String| NaiveDate::parse_from_str(&date, "%Y-%m-%d").is_ok();
        if !text(VERSION.as_str()).is_none_or(is_date) {
            let message = "The API version isn't a date, such as 2024-08-08.";
            let status = StatusCode::BAD_REQUEST;
            return Err(coded(status, "api_version_invalid", message));
        }
        if !text(ACCOUNT).is_none_or(|id| state.service.is_account(&id)) {
            let message = "The selected account doesn't exist.";
            let status = StatusCode::UNAUTHORIZED;
            return Err(coded(status, "invalid_selected_account_id", message));
        }
        Ok(())
    }

    fn perform(state: &mut State<Self>, call: &Call, request: &Request) -> Result<Reply, Reply> {
        let id = call.parameter(0);
        if !call.parameters.is_empty() {
            state.find(id)?;
        }
        if request.body.len() > MAX_BODY {
            return Err(Self::ERRORS.error(StatusCode::PAYLOAD_TOO_LARGE));
        }
        match call.operation.id {
            "list_webhooks" => Ok(state.list(request)),
            "create_webhook" => state.create(State::<Self>::body(call, request)?),
            "retrieve_webhook" => state.show(StatusCode::OK, id),
            "update_webhook" => {
                let body = State::<Self>::body(call, request);
                // 415 is only published for create.
                let body = body.map_err(|reply| match reply.status() {
                    StatusCode::UNSUPPORTED_MEDIA_TYPE => {
                        Self::ERRORS.with_message(StatusCode::BAD_REQUEST, "The body must be JSON.")
                    }
                    _ => reply,
                });
                state.update(id, body?)
            }
            "delete_webhook" => Ok(state.remove(id)),
            "rotate_webhook_secret" => state.rotate(id),
            _ => Err(reply::empty(StatusCode::NOT_IMPLEMENTED)),
        }
    }

    /// With the last characters of the secret, as in all responses but create and rotate.
    fn view(webhook: &WebhookWithSecret) -> Value {
        let secret: Vec<char> = webhook.secret.expose().chars().collect();
        let shown = secret.len().saturating_sub(SHOWN);
        let mut view = json!(webhook);
        view["secret"] = secret.iter().skip(shown).collect::<String>().into();
        view
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
        let account = waiting.first().map(|first| &first.lane);
        let fits = |place: &usize| self.mix_accounts || Some(&waiting[*place].lane) == account;
        let places = (0..waiting.len()).filter(fits);
        places.take(self.batch_limit).collect()
    }

    fn body(payloads: &[&str]) -> String {
        format!(r#"{{"events":[{}]}}"#, payloads.join(","))
    }

    fn proof(
        &self,
        webhook: &WebhookWithSecret,
        body: &[u8],
        time: DateTime<Utc>,
        forged: bool,
    ) -> Option<(HeaderName, HeaderValue)> {
        let wrong = Secret::from("another secret");
        let secret = if forged { &wrong } else { &webhook.secret };
        let signer = Signer::new(self.scheme.clone(), secret).ok()?;
        let signer = signer.field("organisation", self.organisation.as_str());
        signature(&signer, &self.scheme, body, time)
    }

    fn retry_delay(&self, _: u32) -> Option<Duration> {
        Some(Duration::ZERO)
    }
}

impl State<Lune> {
    fn list(&self, request: &Request) -> Reply {
        let parameters = request.url.query_pairs();
        let accounts = parameters.filter(|(name, _)| name == "account_id");
        let accounts: Vec<_> = accounts.map(|(_, id)| id).collect();
        let wanted = |webhook: &&WebhookWithSecret| {
            let mut ids = accounts.iter();
            accounts.is_empty() || ids.any(|id| gets_events_of(webhook, id))
        };
        let webhooks = self.webhooks.iter().map(|(_, webhook)| webhook);
        let webhooks = webhooks.filter(wanted);
        let webhooks: Vec<_> = webhooks.map(Lune::view).collect();
        reply::json(StatusCode::OK, &webhooks.into())
    }

    fn create(&mut self, body: WebhookCreate) -> Result<Reply, Reply> {
        let account_ids = body.account_ids.unwrap_or_default();
        self.service.check(&account_ids)?;
        let webhook = WebhookWithSecret {
            id: String::new(),
            url: body.url.into(),
            enabled: true,
            account_type: self.service.account_type.clone(),
            account_ids,
            created_at: self.clock.tick(),
            secret: random_secret(),
        };
        let webhook = self.insert(webhook);
        Ok(reply::json(StatusCode::OK, &json!(webhook)))
    }

    fn update(&mut self, id: &str, body: WebhookUpdate) -> Result<Reply, Reply> {
        let webhook = self.find(id)?;
        self.service
            .check(body.account_ids.as_deref().unwrap_or_default())?;
        self.replace(WebhookWithSecret {
            url: body.url.into(),
            enabled: body.enabled,
            account_ids: body.account_ids.unwrap_or(webhook.account_ids),
            ..webhook
        });
        self.show(StatusCode::OK, id)
    }

    fn rotate(&mut self, id: &str) -> Result<Reply, Reply> {
        let mut webhook = self.find(id)?;
        webhook.secret = random_secret();
        let reply = reply::json(StatusCode::OK, &json!(webhook));
        self.replace(webhook);
        Ok(reply)
    }
}

impl Lune {
    fn is_account(&self, id: &str) -> bool {
        self.accounts.is_empty() || self.accounts.iter().any(|account| account == id)
    }

    fn check(&self, account_ids: &[String]) -> Result<(), Reply> {
        let unknown = account_ids.iter().position(|id| !self.is_account(id));
        let (place, message) = match (unknown, repeated(account_ids)) {
            (Some(place), _) => (place, "is no account"),
            (None, Some(place)) => (place, "is repeated"),
            (None, None) => return Ok(()),
        };
        let field = format!("account_ids.{place}");
        Err(Self::ERRORS.invalid(&[FieldError::new(field, message)]))
    }
}

fn gets_events_of(webhook: &WebhookWithSecret, account_id: &str) -> bool {
    webhook.account_ids.is_empty() || webhook.account_ids.iter().any(|id| id == account_id)
}
