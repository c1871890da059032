use std::cmp::Ordering;
use std::time::Duration;

use chrono::{DateTime, Utc};
use http::{HeaderName, HeaderValue, StatusCode};
use reqwest::Url;
use serde_json::{Value, json};
use wiremock::Request;

use super::body::repeated;
use super::delivery::{FakeDelivery, FakeDeliveryStatus};
use super::emission::Emission;
use super::error_format::ErrorFormat;
use super::example::example;
use super::fake::{Fake, FakeBuilder};
use super::page::{page, query};
use super::reply::{self, Reply};
use super::route::Call;
use super::service::{Draft, Emitted, FakeService, State, random_secret, signature};
use super::stub::{PageItem, page_of};
use crate::client::{Auth, ClientBuilder};
use crate::preo::{
    DeliveryStatus, PreoClient, Webhook, WebhookCreate, WebhookEvent, WebhookOrdering, WebhookPage,
    WebhookSummary, WebhookUpdate, scheme,
};
use crate::signature::{Scheme, Signer};
use crate::{FieldError, RedactedUrl, Secret};

/// The published default page size.
const PAGE_SIZE: usize = 100;
const TIMEOUT_SECONDS: u64 = 10;

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
/// Paths, fields, limits, filters, and the format of pages follow the published page,
/// <https://preo-docs-v2.pages.dev/api/management/webhooks>. The fake rejects everything that this
/// crate's OpenAPI document doesn't allow.
///
/// # Unpublished, our default
///
/// The following isn't on that page. Code that relies on it relies on this fake, not on Preo.
///
/// - Authentication: `Authorization: Bearer <token>`, otherwise 401.
/// - Create responds with 201, delete with 204.
/// - Errors have the format of Django REST framework: `{"url": ["Enter a valid URL."]}`,
///   `{"events": {"0": ["\"x\" is not a valid choice."]}}`, `{"detail": "Not found."}`. An unknown
///   path responds with 404 and HTML, a page past the end with 404 and `{"detail": "Invalid
///   page."}`.
/// - Empty strings are accepted, because the page has no minimum length. So is any absolute URL. A
///   repeated event is refused.
/// - Lists start with the oldest row, and orderings are stable. If a parameter is repeated, the
///   last value counts.
/// - For a list of deliveries, only `status`, `ordering`, and the page have an effect. `modified`
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
#[derive(Debug)]
pub struct Preo {
    scheme: Scheme,
    max_page_size: usize,
    max_attempts: u32,
    retry_delay: Duration,
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
}

/// The scope of a Preo event.
#[derive(Clone, Debug, Default)]
#[expect(unnameable_types, reason = "set by methods of the emission")]
pub struct PreoScope {
    organization_id: Option<String>,
    edition_id: Option<String>,
}

impl Emission<'_, Preo> {
    /// Skips the webhooks of other organizations.
    ///
    /// A webhook without an organization gets the events of all organizations; our default.
    pub fn organization_id(mut self, id: impl Into<String>) -> Self {
        self.emitted.scope.organization_id = Some(id.into());
        self
    }

    /// Skips the webhooks of other editions.
    ///
    /// A webhook without an edition gets the events of all editions; our default.
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

    const ERRORS: ErrorFormat = ErrorFormat::Drf;
    const HEADERS: &'static [(&'static str, &'static str)] = &[(
        "user-agent",
        concat!("webhook-sdk-preo-fake/", env!("CARGO_PKG_VERSION")),
    )];
    const TIMEOUT: Duration = Duration::from_secs(TIMEOUT_SECONDS);

    fn new() -> Self {
        Self {
            scheme: scheme(),
            max_page_size: usize::MAX,
            max_attempts: 5,
            retry_delay: Duration::from_secs(60),
        }
    }

    fn client(&self, auth: Auth) -> ClientBuilder<PreoClient> {
        PreoClient::builder(auth)
    }

    fn perform(state: &mut State<Self>, call: &Call, request: &Request) -> Result<Reply, Reply> {
        let id = call.parameter(0);
        if !call.parameters.is_empty() {
            state.find(id)?;
        }
        match call.operation.id {
            "list_webhooks" => state.list(request),
            "create_webhook" => state.create(State::<Self>::body(call, request)?),
            "retrieve_webhook" => state.show(StatusCode::OK, id),
            "update_webhook" => state.update(id, State::<Self>::body(call, request)?),
            "delete_webhook" => Ok(state.remove(id)),
            "rotate_webhook_secret" => {
                let mut webhook = state.find(id)?;
                webhook.secret = Some(random_secret());
                state.modify(webhook)
            }
            "list_webhook_deliveries" => state.list_deliveries(id, request),
            "retrieve_webhook_delivery" => state.show_delivery(state.find_delivery(call)?),
            "retry_webhook_delivery" => state.retry(state.find_delivery(call)?),
            _ => Err(reply::empty(StatusCode::NOT_IMPLEMENTED)),
        }
    }

    fn view(webhook: &Webhook) -> Value {
        let mut view = json!(webhook);
        view["organization_id"] = json!(webhook.organization_id);
        view["edition_id"] = json!(webhook.edition_id);
        view
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
        let overlap = |wanted: &Option<String>, own: &Option<String>| {
            wanted.is_none() || own.is_none() || wanted == own
        };
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

    fn proof(
        &self,
        webhook: &Webhook,
        body: &[u8],
        time: DateTime<Utc>,
        forged: bool,
    ) -> Option<(HeaderName, HeaderValue)> {
        let wrong = Secret::from("another secret");
        let secret = webhook.secret.as_ref()?;
        let secret = if forged { &wrong } else { secret };
        let signer = Signer::new(self.scheme.clone(), secret).ok()?;
        signature(&signer, &self.scheme, body, time)
    }

    fn timeout(webhook: &Webhook) -> Option<Duration> {
        let seconds = webhook.timeout_seconds.filter(|seconds| *seconds > 0);
        seconds.map(Duration::from_secs)
    }

    fn retry_delay(&self, attempts: u32) -> Option<Duration> {
        (attempts < self.max_attempts).then_some(self.retry_delay)
    }
}

impl State<Preo> {
    fn list(&self, request: &Request) -> Result<Reply, Reply> {
        let edition = query(request, "edition_id");
        let organization = query(request, "organization_id");
        let active = flag(request, "is_active")?;
        let mut rows: Vec<&Webhook> = self
            .webhooks
            .iter()
            .map(|(_, webhook)| webhook)
            .filter(|row| edition.is_none() || edition == row.edition_id)
            .filter(|row| organization.is_none() || organization == row.organization_id)
            .filter(|row| active.is_none_or(|active| active == Preo::is_enabled(row)))
            .collect();
        sort(&mut rows, request, |a, b, key| match key {
            WebhookOrdering::Created => a.created.cmp(&b.created),
            WebhookOrdering::Modified => a.modified.cmp(&b.modified),
            _ => a.name.cmp(&b.name),
        })?;
        self.page(request, &rows, |row| without(Preo::view(row), &["secret"]))
    }

    fn page<T>(
        &self,
        request: &Request,
        rows: &[T],
        view: impl Fn(&T) -> Value,
    ) -> Result<Reply, Reply> {
        let size = match query(request, "page_size") {
            None => PAGE_SIZE,
            Some(size) if size.bytes().all(|byte| byte.is_ascii_digit()) => {
                size.parse().unwrap_or(usize::MAX)
            }
            Some(_) => 0,
        };
        if size == 0 {
            return Err(invalid("page_size", "A positive integer is required."));
        }
        let size = size.min(self.service.max_page_size);
        page(request, &self.base_url, size, rows, view)
    }

    fn create(&mut self, body: WebhookCreate) -> Result<Reply, Reply> {
        check(Some(&body.url), &body.events)?;
        let created = self.clock.tick();
        let webhook = Webhook {
            id: String::new(),
            organization_id: Some(body.organization_id),
            name: body.name,
            url: body.url,
            edition_id: body.edition_id.or(None),
            events: body.events,
            is_active: body.is_active.or(Some(true)),
            timeout_seconds: body.timeout_seconds.or(Some(TIMEOUT_SECONDS)),
            secret: Some(random_secret()),
            created,
            modified: created,
        };
        let webhook = self.insert(webhook);
        self.show(StatusCode::CREATED, &webhook.id)
    }

    fn update(&mut self, id: &str, body: WebhookUpdate) -> Result<Reply, Reply> {
        check(
            body.url.as_ref(),
            body.events.as_deref().unwrap_or_default(),
        )?;
        let webhook = self.find(id)?;
        self.modify(Webhook {
            name: body.name.unwrap_or(webhook.name),
            url: body.url.unwrap_or(webhook.url),
            edition_id: body.edition_id.or(webhook.edition_id),
            events: body.events.unwrap_or(webhook.events),
            is_active: body.is_active.or(webhook.is_active),
            timeout_seconds: body.timeout_seconds.or(webhook.timeout_seconds),
            ..webhook
        })
    }

    fn modify(&mut self, mut webhook: Webhook) -> Result<Reply, Reply> {
        webhook.modified = self.clock.tick();
        let id = webhook.id.clone();
        self.replace(webhook);
        self.show(StatusCode::OK, &id)
    }

    fn list_deliveries(&self, id: &str, request: &Request) -> Result<Reply, Reply> {
        flag(request, "is_active")?;
        let status = query(request, "status");
        let wanted = |row: &&FakeDelivery| {
            let status = status.as_deref();
            row.webhook_id == id
                && status.is_none_or(|status| delivery_status(row).as_str() == status)
        };
        let mut rows: Vec<_> = self.deliveries.values().filter(wanted).collect();
        let modified = |row: &FakeDelivery| row.last_attempt_at.unwrap_or(row.created);
        sort(&mut rows, request, |a, b, key| match key {
            WebhookOrdering::Created => a.created.cmp(&b.created),
            WebhookOrdering::Modified => modified(a).cmp(&modified(b)),
            _ => Ordering::Equal,
        })?;
        let hidden = ["endpoint_id", "payload", "signature"];
        self.page(request, &rows, |row| without(view_delivery(row), &hidden))
    }

    /// The key of a delivery.
    fn find_delivery(&self, call: &Call) -> Result<u64, Reply> {
        let (webhook_id, id) = (call.parameter(0), call.parameter(1));
        let mut deliveries = self.deliveries.iter();
        let found = deliveries.find(|(_, row)| row.webhook_id == webhook_id && row.id == id);
        found.map(|(key, _)| *key).ok_or_else(no_delivery)
    }

    fn show_delivery(&self, key: u64) -> Result<Reply, Reply> {
        let delivery = self.deliveries.get(&key).ok_or_else(no_delivery)?;
        Ok(reply::json(StatusCode::OK, &view_delivery(delivery)))
    }

    fn retry(&mut self, key: u64) -> Result<Reply, Reply> {
        let delivery = self.deliveries.get(&key).ok_or_else(no_delivery)?;
        if delivery.status == FakeDeliveryStatus::Delivered {
            let message = "Only a failed delivery can be retried.";
            return Err(Preo::ERRORS.with_message(StatusCode::BAD_REQUEST, message));
        }
        if !delivery.in_flight {
            let attempt = self.begin(&[key]);
            self.outbox.extend(attempt);
        }
        self.show_delivery(key)
    }
}

/// Checks what the types of a body don't.
fn check(url: Option<&RedactedUrl>, events: &[WebhookEvent]) -> Result<(), Reply> {
    let mut errors = Vec::new();
    if url.is_some_and(|url| !is_url(url.as_str())) {
        errors.push(FieldError::new("url", "Enter a valid URL."));
    }
    for (index, event) in events.iter().enumerate() {
        if event.is_unknown() {
            let message = format!("\"{event}\" is not a valid choice.");
            errors.push(FieldError::new(format!("events.{index}"), message));
        }
    }
    if let Some(index) = repeated(events) {
        let field = format!("events.{index}");
        errors.push(FieldError::new(field, "This event is repeated."));
    }
    match errors.is_empty() {
        true => Ok(()),
        false => Err(Preo::ERRORS.invalid(&errors)),
    }
}

fn is_url(text: &str) -> bool {
    let clean = !text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '\\');
    clean && Url::parse(text).is_ok()
}

fn no_delivery() -> Reply {
    Preo::ERRORS.error(StatusCode::NOT_FOUND)
}

fn invalid(field: &str, message: &str) -> Reply {
    Preo::ERRORS.invalid(&[FieldError::new(field, message)])
}

/// `true` or `false` in a query.
fn flag(request: &Request, name: &str) -> Result<Option<bool>, Reply> {
    let flag = query(request, name).map(|flag| flag.parse());
    flag.transpose()
        .map_err(|_| invalid(name, "Must be a valid boolean."))
}

/// Sorts rows by the keys in a request. The sort is stable.
///
/// An unknown key is an error in the format of django-filter, which the published page resembles.
fn sort<T>(
    rows: &mut [&T],
    request: &Request,
    compare: impl Fn(&T, &T, &WebhookOrdering) -> Ordering,
) -> Result<(), Reply> {
    let pairs = request.url.query_pairs();
    let Some((_, ordering)) = pairs.filter(|(name, _)| name == "ordering").last() else {
        return Ok(());
    };
    for text in ordering.split(',').rev() {
        if WebhookOrdering::from(text).is_unknown() {
            let message =
                format!("Select a valid choice. {text} is not one of the available choices.");
            return Err(invalid("ordering", &message));
        }
        let ascending = text.trim_start_matches('-');
        let key = WebhookOrdering::from(ascending);
        rows.sort_by(|a, b| match ascending == text {
            true => compare(a, b, &key),
            false => compare(b, a, &key),
        });
    }
    Ok(())
}

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

/// A list shows a webhook without its secret.
impl PageItem for Webhook {
    type Page = WebhookPage;

    fn page_of(items: Vec<Self>) -> WebhookPage {
        let summary = |webhook| example::<WebhookSummary>(&json!(webhook).to_string());
        page_of(items.into_iter().map(summary))
    }
}
