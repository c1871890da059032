use std::cmp::Ordering;
use std::time::Duration;

use chrono::{DateTime, Utc};
use http::header::{CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use reqwest::Url;
use serde_json::{Map, Value, json};
use wiremock::Request;

use super::delivery::{FakeDelivery, FakeDeliveryStatus};
use super::drf::{self, Checked, Fields};
use super::emission::Emission;
use super::fake::{Fake, FakeBuilder};
use super::service::{
    Access, Call, Draft, Emitted, FakeService, Reply, Route, State, random_secret,
};
use crate::client::{Operation, sealed::Sealed};
use crate::preo::{DeliveryStatus, PreoClient, Webhook, WebhookEvent, scheme};
use crate::signature::{Scheme, Signer};
use crate::{RetryPolicy, Secret};

/// The published default page size.
const PAGE_SIZE: usize = 100;
const TIMEOUT_SECONDS: u64 = 10;
const AGENT: HeaderValue =
    HeaderValue::from_static(concat!("webhook-sdk-preo-fake/", env!("CARGO_PKG_VERSION")));

/// A fake of Preo that stores webhooks and delivers signed events.
///
/// ```
/// use serde_json::json;
/// use webhook_sdk::preo::Webhook;
/// use webhook_sdk::testing::PreoFake;
/// use wiremock::{Mock, MockServer, ResponseTemplate, matchers::method};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let receiver = MockServer::start().await;
/// Mock::given(method("POST")).respond_with(ResponseTemplate::new(204)).mount(&receiver).await;
///
/// let preo = PreoFake::start().await;
/// let client = preo.client();
/// let webhook = Webhook::example().url(receiver.uri()).events(["purchase.action"]);
/// let webhook = preo.seed(webhook);
///
/// let deliveries = preo.emit("purchase.action", json!({ "purchase": "p_1" })).await;
/// assert_eq!(deliveries[0].response_status, Some(204));
///
/// let page = client.list_webhook_deliveries(&webhook.id).send().await?;
/// assert_eq!(page.count, 1);
/// # Ok(())
/// # }
/// ```
pub type PreoFake = Fake<Preo>;

/// The behavior of [`PreoFake`].
///
/// Paths, fields, limits, filters and the format of pages follow the published page,
/// <https://preo-docs-v2.pages.dev/api/management/webhooks>. The fake rejects everything that this
/// crate's OpenAPI document doesn't allow.
///
/// # Unpublished, our default
///
/// The following isn't on that page. Code that relies on it relies on this fake, not on Preo.
///
/// - Authentication: `Authorization: Bearer <token>`, otherwise 401.
/// - Create responds with 201, delete with 204.
/// - Errors have the format of Django REST framework: `{"name": ["This field is required."]}`,
///   `{"events": {"0": ["\"x\" is not a valid choice."]}}`, `{"detail": "Not found."}`. An unknown
///   path responds with 404 and HTML, a page past the end with 404 and `{"detail": "Invalid
///   page."}`.
/// - Empty strings are accepted, because the page has no minimum length. So is any absolute URL.
/// - Lists start with the oldest row, and orderings are stable. If a parameter is repeated, the
///   last value counts.
/// - For a list of deliveries, only `status`, `ordering` and the page have an effect. `modified`
///   orders by the last attempt, `name` has no effect.
/// - `is_active` defaults to true and `timeout_seconds` to 10; 0 also means 10. Unknown fields are
///   ignored, and so is `organization_id` in an update.
/// - A secret has 64 random hexadecimal digits. A new secret replaces the old one at once. With an
///   empty secret, deliveries are unsigned.
/// - A delivery is a POST of `{"id", "event", "created", "data"}`, with the delivery's id, signed
///   with [`preo::scheme`](crate::preo::scheme) and the current secret. Redirects aren't followed,
///   and only 2xx is a success.
/// - A delivery is `pending` until its first attempt completes, then `success` or `failed`. It is
///   `retrying` while a later attempt is in flight, and `exhausted` after five attempts, one minute
///   apart.
/// - The retry operation responds at once and makes the attempt in the background: wait with
///   [`Fake::wait_idle`]. It has no effect on a delivery in flight, and responds with 400 if the
///   delivery has succeeded.
pub struct Preo {
    scheme: Scheme,
    max_page_size: usize,
    max_attempts: u32,
    retry_delay: Duration,
    default_timeout: Duration,
}

impl FakeBuilder<Preo> {
    /// Sets how deliveries are signed. Defaults to [`preo::scheme`](crate::preo::scheme).
    pub fn scheme(mut self, scheme: Scheme) -> Self {
        self.service.scheme = scheme;
        self
    }

    /// Sets the maximum page size, regardless of `page_size`. Unlimited by default.
    pub fn max_page_size(mut self, items: usize) -> Self {
        self.service.max_page_size = items.max(1);
        self
    }

    /// Sets after how many failed attempts a delivery is `exhausted`. Defaults to 5.
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.service.max_attempts = attempts;
        self
    }

    /// Sets the delay before the next attempt. Defaults to 60 s of the server's time.
    pub fn retry_delay(mut self, delay: Duration) -> Self {
        self.service.retry_delay = delay;
        self
    }

    /// Sets the timeout of a receiver with `timeout_seconds` 0. Defaults to 10 s of real time.
    pub fn default_timeout(mut self, timeout: Duration) -> Self {
        self.service.default_timeout = timeout;
        self
    }
}

/// The scope of a Preo event.
#[derive(Clone, Default)]
#[expect(unnameable_types, reason = "set by methods of the emission")]
pub struct PreoScope {
    organization_id: Option<String>,
    edition_id: Option<String>,
}

impl Emission<'_, Preo> {
    /// Skips the endpoints of other organizations.
    ///
    /// An endpoint without an organization gets the events of all organizations; our default.
    pub fn organization_id(mut self, id: impl Into<String>) -> Self {
        self.emitted.scope.organization_id = Some(id.into());
        self
    }

    /// Skips the endpoints of other editions.
    ///
    /// An endpoint without an edition gets the events of all editions; our default.
    pub fn edition_id(mut self, id: impl Into<String>) -> Self {
        self.emitted.scope.edition_id = Some(id.into());
        self
    }
}

#[expect(private_interfaces, reason = "sealed")]
impl FakeService for Preo {
    type Client = PreoClient;
    type Webhook = Webhook;
    type Scope = PreoScope;

    fn new() -> Self {
        Self {
            scheme: scheme(),
            max_page_size: usize::MAX,
            max_attempts: 5,
            retry_delay: Duration::from_secs(60),
            default_timeout: Duration::from_secs(TIMEOUT_SECONDS),
        }
    }

    fn operations() -> &'static [Operation] {
        PreoClient::OPERATIONS
    }

    fn client(&self, base_url: &str, access: &Access) -> Result<PreoClient, crate::Error> {
        let wait = Duration::from_millis(1);
        PreoClient::builder(access.auth())
            .base_url(base_url)
            .retry(RetryPolicy::new().shortest_wait(wait).longest_wait(wait))
            .build()
    }

    fn answer(state: &mut State<Self>, request: &Request, route: &Route) -> Reply {
        if matches!(route, Route::Nowhere) {
            return drf::page(StatusCode::NOT_FOUND);
        }
        let refused = |message| drf::unauthorized(&state.access.scheme, message);
        match state.access.given(request) {
            Some(token) if token == state.access.token.as_bytes() => {}
            None if !request.headers.contains_key(&state.access.header) => {
                return refused("Authentication credentials were not provided.");
            }
            _ => return refused("Invalid token."),
        }
        match route {
            Route::Operation(call) => state.perform(call, request).unwrap_or_else(|reply| reply),
            Route::WrongMethod(allowed) => drf::method_not_allowed(request, allowed),
            Route::Nowhere => drf::page(StatusCode::NOT_FOUND),
        }
    }

    fn throttled(seconds: Option<u64>) -> Reply {
        drf::throttled(seconds)
    }

    fn id(webhook: &Webhook) -> String {
        webhook.id.clone()
    }

    fn set_id(webhook: &mut Webhook, number: u64) {
        webhook.id = format!("wh_{number}");
    }

    fn url(webhook: &Webhook) -> &str {
        webhook.url.as_str()
    }

    fn is_enabled(webhook: &Webhook) -> bool {
        webhook.is_active != Some(false)
    }

    fn event(state: &mut State<Self>, emitted: &Emitted<PreoScope>) -> Option<Draft> {
        let created = state.event_time(emitted.late);
        Some(Draft {
            id: String::new(),
            lane: String::new(),
            payload: json!({
                "event": emitted.event,
                "created": created,
                "data": emitted.data,
            }),
        })
    }

    fn wants(&self, webhook: &Webhook, _: &Draft, emitted: &Emitted<PreoScope>) -> bool {
        let subscribed = |event: &WebhookEvent| event.as_str() == emitted.event;
        webhook.events.iter().any(subscribed)
            && overlap(&emitted.scope.organization_id, &webhook.organization_id)
            && overlap(&emitted.scope.edition_id, &webhook.edition_id)
    }

    fn payload(draft: &Draft, id: &str) -> Value {
        let mut payload = draft.payload.clone();
        payload["id"] = json!(id);
        payload
    }

    fn proof_header(&self) -> HeaderName {
        self.scheme.header().clone()
    }

    fn proof(
        &self,
        webhook: &Webhook,
        body: &[u8],
        time: DateTime<Utc>,
        forged: bool,
    ) -> Option<HeaderValue> {
        let wrong = Secret::from("another secret");
        let secret = webhook.secret.as_ref()?;
        let secret = if forged { &wrong } else { secret };
        let signer = Signer::new(self.scheme.clone(), secret).ok()?;
        let mut headers = HeaderMap::new();
        signer.sign_at(&mut headers, body, time).ok()?;
        headers.remove(self.scheme.header())
    }

    fn headers() -> HeaderMap {
        HeaderMap::from_iter([(CONTENT_TYPE, drf::JSON), (USER_AGENT, AGENT)])
    }

    fn timeout(&self, webhook: &Webhook) -> Duration {
        match webhook.timeout_seconds {
            None | Some(0) => self.default_timeout,
            Some(seconds) => Duration::from_secs(seconds),
        }
    }

    fn retry_delay(&self, attempts: u32) -> Option<Duration> {
        (attempts < self.max_attempts).then_some(self.retry_delay)
    }
}

impl State<Preo> {
    fn perform(&mut self, call: &Call, request: &Request) -> Result<Reply, Reply> {
        let id = call.parameter(0);
        if call.operation != "create_webhook"
            && call.operation != "list_webhooks"
            && !self.webhooks.contains(id)
        {
            return Err(drf::not_found());
        }
        match call.operation {
            "list_webhooks" => self.list(request),
            "create_webhook" => self.create(request),
            "retrieve_webhook" => self.show(id, StatusCode::OK),
            "update_webhook" => self.update(id, request),
            "delete_webhook" => {
                self.remove(id);
                Ok(drf::empty(StatusCode::NO_CONTENT))
            }
            "rotate_webhook_secret" => {
                let secret = Secret::from(random_secret());
                self.change(id, |webhook| webhook.secret = Some(secret));
                self.show(id, StatusCode::OK)
            }
            "list_webhook_deliveries" => self.list_deliveries(id, request),
            "retrieve_webhook_delivery" => self.show_delivery(self.find_delivery(call)?),
            "retry_webhook_delivery" => self.retry(self.find_delivery(call)?),
            _ => Err(drf::page(StatusCode::NOT_IMPLEMENTED)),
        }
    }

    fn show(&self, id: &str, status: StatusCode) -> Result<Reply, Reply> {
        let webhook = self.webhooks.get(id).ok_or_else(drf::not_found)?;
        Ok(drf::json(status, &view(webhook)))
    }

    fn list(&self, request: &Request) -> Result<Reply, Reply> {
        let url = &request.url;
        let text = |name| drf::query(url, name);
        let (edition, organization) = (text("edition_id"), text("organization_id"));
        let active = flag(url, "is_active")?;
        let mut rows: Vec<&Webhook> = self
            .webhooks
            .iter()
            .filter(|row| edition.is_none() || edition == row.edition_id)
            .filter(|row| organization.is_none() || organization == row.organization_id)
            .filter(|row| active.is_none_or(|active| active == Preo::is_enabled(row)))
            .collect();
        sort(&mut rows, url, |row, key| match key {
            Key::Created => Sort::Time(row.created),
            Key::Modified => Sort::Time(row.modified),
            Key::Name => Sort::Text(&row.name),
        })?;
        let size = self.page_size(url)?;
        Ok(drf::list(request, &self.address, size, &rows, |row| {
            without(view(row), &["secret"])
        }))
    }

    fn page_size(&self, url: &Url) -> Result<usize, Reply> {
        let size = match drf::query(url, "page_size") {
            None => PAGE_SIZE,
            Some(size) if size.bytes().all(|byte| byte.is_ascii_digit()) => {
                size.parse().unwrap_or(usize::MAX)
            }
            Some(_) => 0,
        };
        match size {
            0 => Err(wrong("page_size", "A positive integer is required.")),
            size => Ok(size.min(self.service.max_page_size)),
        }
    }

    fn create(&mut self, request: &Request) -> Result<Reply, Reply> {
        let body = object(request)?;
        let mut fields = Fields::of(&body, false);
        let organization_id = fields.required("organization_id", |id| drf::text(id, usize::MAX));
        let created = self.clock.tick();
        let mut webhook = Webhook {
            id: String::new(),
            organization_id,
            name: String::new(),
            url: "".into(),
            edition_id: None,
            events: [].into(),
            is_active: Some(true),
            timeout_seconds: Some(TIMEOUT_SECONDS),
            secret: Some(random_secret().into()),
            created,
            modified: created,
        };
        read(fields, &mut webhook)?;
        Preo::set_id(&mut webhook, self.webhooks.next_number());
        let webhook = self.insert(webhook);
        self.show(&webhook.id, StatusCode::CREATED)
    }

    fn update(&mut self, id: &str, request: &Request) -> Result<Reply, Reply> {
        let body = object(request)?;
        let mut webhook = self.webhooks.get(id).cloned().ok_or_else(drf::not_found)?;
        read(Fields::of(&body, true), &mut webhook)?;
        self.change(id, |row| *row = webhook);
        self.show(id, StatusCode::OK)
    }

    fn change(&mut self, id: &str, change: impl FnOnce(&mut Webhook)) {
        if let Some(webhook) = self.webhooks.get_mut(id) {
            change(webhook);
            webhook.modified = self.clock.tick();
        }
    }

    fn list_deliveries(&self, id: &str, request: &Request) -> Result<Reply, Reply> {
        let url = &request.url;
        flag(url, "is_active")?;
        let status = drf::query(url, "status");
        let mut rows: Vec<&FakeDelivery> = self
            .deliveries
            .values()
            .filter(|row| row.webhook_id == id)
            .filter(|row| {
                let wanted = status.as_deref();
                wanted.is_none_or(|wanted| delivery_status(row).as_str() == wanted)
            })
            .collect();
        sort(&mut rows, url, |row, key| match key {
            Key::Created => Sort::Time(row.created),
            Key::Modified => Sort::Time(row.last_attempt_at.unwrap_or(row.created)),
            Key::Name => Sort::Text(""),
        })?;
        let size = self.page_size(url)?;
        Ok(drf::list(request, &self.address, size, &rows, |row| {
            without(view_delivery(row), &["endpoint_id", "payload", "signature"])
        }))
    }

    /// The key of a delivery.
    fn find_delivery(&self, call: &Call) -> Result<u64, Reply> {
        let (webhook_id, id) = (call.parameter(0), call.parameter(1));
        let mut deliveries = self.deliveries.iter();
        let found = deliveries.find(|(_, row)| row.webhook_id == webhook_id && row.id == id);
        found.map(|(key, _)| *key).ok_or_else(drf::not_found)
    }

    fn show_delivery(&self, key: u64) -> Result<Reply, Reply> {
        let delivery = self.deliveries.get(&key).ok_or_else(drf::not_found)?;
        Ok(drf::json(StatusCode::OK, &view_delivery(delivery)))
    }

    fn retry(&mut self, key: u64) -> Result<Reply, Reply> {
        let delivery = self.deliveries.get(&key).ok_or_else(drf::not_found)?;
        if delivery.status == FakeDeliveryStatus::Delivered {
            let message = "Only a failed delivery can be retried.";
            return Err(drf::detail(StatusCode::BAD_REQUEST, message));
        }
        if !delivery.in_flight {
            let attempt = self.begin(&[key]);
            self.outbox.extend(attempt);
        }
        self.show_delivery(key)
    }
}

/// The document requires a body.
fn object(request: &Request) -> Result<Map<String, Value>, Reply> {
    match request.body.is_empty() {
        true => Err(drf::detail(StatusCode::BAD_REQUEST, "A body is required.")),
        false => drf::object(request),
    }
}

/// Reads the fields of both create and update.
fn read(mut fields: Fields<'_>, webhook: &mut Webhook) -> Result<(), Reply> {
    let name = fields.required("name", |name| drf::text(name, 120));
    let url = fields.required("url", url);
    let events = fields.required("events", events);
    let edition_id = fields.nullable("edition_id", |id| drf::text(id, usize::MAX));
    let is_active = fields.optional("is_active", boolean);
    let timeout_seconds = fields.optional("timeout_seconds", timeout_seconds);
    fields.finish()?;
    webhook.name = name.unwrap_or_else(|| std::mem::take(&mut webhook.name));
    if let Some(url) = url {
        webhook.url = url.into();
    }
    if let Some(events) = events {
        webhook.events = events.into();
    }
    webhook.edition_id = edition_id.unwrap_or_else(|| webhook.edition_id.take());
    webhook.is_active = is_active.or(webhook.is_active);
    webhook.timeout_seconds = timeout_seconds.or(webhook.timeout_seconds);
    Ok(())
}

fn url(value: &Value) -> Checked<String> {
    let url = drf::text(value, 200)?;
    let clean = !url.contains(|c: char| c.is_whitespace() || c.is_control() || c == '\\');
    match clean && Url::parse(&url).is_ok() {
        true => Ok(url),
        false => Err(json!(["Enter a valid URL."])),
    }
}

fn events(value: &Value) -> Checked<Vec<WebhookEvent>> {
    let Value::Array(values) = value else {
        let got = drf::type_name(value);
        let message = format!("Expected a list of items but got type \"{got}\".");
        return Err(json!([message]));
    };
    let mut events = Vec::new();
    let mut errors = Map::new();
    for (index, value) in values.iter().enumerate() {
        let text = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        match WebhookEvent::from(text) {
            event if value.is_string() && !event.is_unknown() => events.push(event),
            event => {
                let message = format!("\"{event}\" is not a valid choice.");
                errors.insert(index.to_string(), json!([message]));
            }
        }
    }
    match errors.is_empty() {
        true => Ok(events),
        false => Err(errors.into()),
    }
}

fn boolean(value: &Value) -> Checked<bool> {
    let message = || json!(["Must be a valid boolean."]);
    value.as_bool().ok_or_else(message)
}

fn timeout_seconds(value: &Value) -> Checked<u64> {
    let message = match value.as_i64() {
        Some(seconds) if seconds < 0 => "Ensure this value is greater than or equal to 0.",
        Some(seconds) if seconds <= i64::from(i32::MAX) => return Ok(seconds.unsigned_abs()),
        None if !value.is_u64() => "A valid integer is required.",
        _ => "Ensure this value is less than or equal to 2147483647.",
    };
    Err(json!([message]))
}

/// `true` or `false` in a query.
fn flag(url: &Url, name: &str) -> Result<Option<bool>, Reply> {
    match drf::query(url, name).as_deref() {
        None => Ok(None),
        Some("true") => Ok(Some(true)),
        Some("false") => Ok(Some(false)),
        Some(_) => Err(wrong(name, "Must be a valid boolean.")),
    }
}

fn wrong(name: &str, message: &str) -> Reply {
    drf::invalid(Map::from_iter([(name.to_owned(), json!([message]))]))
}

#[derive(Clone, Copy)]
enum Key {
    Created,
    Modified,
    Name,
}

#[derive(PartialEq, PartialOrd)]
enum Sort<'a> {
    Time(DateTime<Utc>),
    Text(&'a str),
}

/// Sorts rows by the keys in a request. The sort is stable.
///
/// An unknown key is an error in the format of django-filter, which the published page resembles.
fn sort<'a, T>(
    rows: &mut [&'a T],
    url: &Url,
    value: impl Fn(&'a T, Key) -> Sort<'a>,
) -> Result<(), Reply> {
    let ordering = url.query_pairs().filter(|(name, _)| name == "ordering");
    let ordering = ordering.last().map(|(_, ordering)| ordering);
    let mut keys = Vec::new();
    for key in ordering.iter().flat_map(|keys| keys.split(',')) {
        let descending = key.starts_with('-');
        match key.strip_prefix('-').unwrap_or(key) {
            "created" => keys.push((Key::Created, descending)),
            "modified" => keys.push((Key::Modified, descending)),
            "name" => keys.push((Key::Name, descending)),
            _ => {
                let message =
                    format!("Select a valid choice. {key} is not one of the available choices.");
                return Err(wrong("ordering", &message));
            }
        }
    }
    rows.sort_by(|a, b| {
        keys.iter()
            .fold(Ordering::Equal, |found, (key, descending)| {
                found.then_with(|| {
                    let order = value(a, *key).partial_cmp(&value(b, *key));
                    let order = order.unwrap_or(Ordering::Equal);
                    if *descending { order.reverse() } else { order }
                })
            })
    });
    Ok(())
}

/// The endpoint in the format of a single endpoint, including nulls.
fn view(webhook: &Webhook) -> Value {
    let mut view = json!(webhook);
    view["organization_id"] = json!(webhook.organization_id);
    view["edition_id"] = json!(webhook.edition_id);
    view
}

/// The delivery in the format of a single delivery.
fn view_delivery(delivery: &FakeDelivery) -> Value {
    json!({
        "id": delivery.id,
        "endpoint_id": delivery.webhook_id,
        "event": delivery.event,
        "payload": &*delivery.payload,
        "signature": delivery.signature,
        "status": delivery_status(delivery).as_str(),
        "attempts": delivery.attempts,
        "response_status_code": delivery.response_status,
        "last_attempt_at": delivery.last_attempt_at,
        "next_retry_at": delivery.next_attempt_at.filter(|_| delivery.attempts > 0),
        "created": delivery.created,
    })
}

fn delivery_status(delivery: &FakeDelivery) -> DeliveryStatus {
    match delivery.status {
        FakeDeliveryStatus::Pending => DeliveryStatus::Pending,
        FakeDeliveryStatus::Delivered => DeliveryStatus::Success,
        _ if delivery.in_flight => DeliveryStatus::Retrying,
        FakeDeliveryStatus::Failed => DeliveryStatus::Failed,
        FakeDeliveryStatus::Dropped => DeliveryStatus::Exhausted,
    }
}

fn without(mut value: Value, fields: &[&str]) -> Value {
    if let Some(object) = value.as_object_mut() {
        object.retain(|name, _| !fields.contains(&name.as_str()));
    }
    value
}

/// Whether an event with the scope `wanted` matches an endpoint with `own`. `None` matches all.
fn overlap(wanted: &Option<String>, own: &Option<String>) -> bool {
    wanted.is_none() || own.is_none() || wanted == own
}
