mod action;
mod api;
mod body;
mod builder;
mod deliver;
mod delivery;
mod route;
mod state;
mod url;
mod validate;
mod webhook;

pub use builder::PretixFakeBuilder;
pub use delivery::{PretixFakeDelivery, PretixFakeDeliveryStatus};
pub use route::PretixOperation;
pub use webhook::{PretixFakeWebhook, PretixWebhookSeed};

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};
use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};
use serde_json::{Value, json};

use crate::testing::controls::controls;
use crate::testing::fault::{Fault, whole_seconds};
use crate::testing::host::Host;
use crate::testing::lock::lock;
use api::Api;

/// A pretix server on loopback that keeps webhooks and delivers notifications to them.
///
/// ```
/// use reqwest::Client;
/// use serde_json::{Value, json};
/// use webhook_sdk::testing::{PretixFake, PretixWebhookSeed};
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
/// let target = format!("http://pretix:swordfish@{}/hook", receiver.address());
/// let hook = pretix.insert(PretixWebhookSeed::new(target).action_types(["pretix.event.order.paid"]));
/// let order = json!({"event": "democon", "code": "ABC23"});
/// let deliveries = pretix.emit("pretix.event.order.paid", order).await;
/// assert_eq!(deliveries[0].response_status_code, Some(204));
///
/// let url = format!("{}/api/v1/organizers/bigevents/webhooks/{}/", pretix.base_url(), hook.id);
/// let request = Client::new().get(url).header("authorization", format!("Token {}", pretix.token()));
/// let shown: Value = request.send().await?.json().await?;
/// assert_eq!(shown["enabled"], true);
/// # Ok(())
/// # }
/// ```
///
/// It answers as pretix 2026.8.0 was recorded to answer: defaults, messages, contradictions, HTML
/// pages, redirects for want of the last slash, and answers repeated under an idempotency key.
///
/// # Where it differs from pretix
///
/// - Messages are in English whatever `Accept-Language` says, and the words of a JSON parse error
///   are others.
/// - Bodies are JSON in UTF-8: no form, no multipart, no other character set, no `NaN`.
/// - `OPTIONS` answers 405, `webhooks.json` 404, and any `Host` is right.
/// - There is no other API, so nothing causes a notification but [`emit`](Self::emit).
/// - The words of HTML pages are the fake's own.
/// - A request is never answered with 409 of itself, because the fake does one thing at a time:
///   inject [`key_in_use`](Self::key_in_use).
///
/// # Deliveries
///
/// A notification goes to each enabled webhook of the organizer that is subscribed to its action
/// and not limited to other events, with the credentials in the target URL as HTTP Basic
/// authentication. 2xx is success, 410 disables the webhook, and everything else is tried again
/// after each of [`RETRY_DELAYS`](Self::RETRY_DELAYS), by the clock that only the test moves.
///
/// It delivers only to `localhost` and loopback addresses, so that no test reaches a stranger; an
/// attempt to go elsewhere fails without a status.
/// [`deliver_anywhere`](PretixFakeBuilder::deliver_anywhere) lifts this. An `https` receiver needs
/// one of the crate's TLS features.
///
/// Dropping the fake closes its port and ends what is under way. `Debug` shows no token.
pub struct PretixFake {
    host: Host<Api>,
}

impl PretixFake {
    /// How long after each failed attempt the next one is due; after the last there is none.
    ///
    /// Source: pretix 2026.8.0.
    pub const RETRY_DELAYS: [Duration; 11] = delivery::RETRY_DELAYS;

    /// Starts a fake with the defaults of [`builder`](Self::builder).
    ///
    /// # Panics
    ///
    /// If the machine has no free port or thread.
    pub async fn start() -> Self {
        Self::builder().start().await
    }

    /// Starts a fake with other settings.
    pub fn builder() -> PretixFakeBuilder {
        PretixFakeBuilder::new()
    }

    /// The server's address, such as `http://127.0.0.1:41873`; the API is under `/api/v1`.
    pub fn base_url(&self) -> &str {
        self.host.base_url()
    }

    /// The slug of its organizer.
    pub fn organizer(&self) -> &str {
        self.api().settings.slug()
    }

    /// The token for its organizer; random unless the builder sets it.
    pub fn token(&self) -> &str {
        self.api().settings.token()
    }

    /// Adds one webhook without a request, and returns it.
    ///
    /// A seed is not validated. A webhook of the same id gives way to it.
    pub fn insert(&self, seed: PretixWebhookSeed) -> PretixFakeWebhook {
        lock(&self.api().state).insert(seed).clone()
    }

    /// Adds `count` webhooks without a request, and returns their ids.
    ///
    /// Their URLs lead nowhere: an attempt to deliver there fails.
    pub fn seed_webhooks(&self, count: usize) -> Vec<i64> {
        let mut state = lock(&self.api().state);
        let seeds = (1..=count).map(PretixWebhookSeed::numbered);
        seeds.map(|seed| state.insert(seed).id).collect()
    }

    /// The webhook as it is now, of whatever organizer.
    pub fn webhook(&self, id: i64) -> Option<PretixFakeWebhook> {
        lock(&self.api().state).webhook(id).cloned()
    }

    /// All webhooks of all organizers as they are now, by id.
    pub fn webhooks(&self) -> Vec<PretixFakeWebhook> {
        lock(&self.api().state).webhooks().cloned().collect()
    }

    /// Deletes an event of its organizer, without a notification.
    ///
    /// A webhook that is limited to this event alone is limited to none then, as at pretix.
    pub fn delete_event(&self, slug: &str) {
        lock(&self.api().state).delete_event(self.organizer(), slug);
    }

    /// The deliveries to one webhook as they are now, oldest first.
    pub fn deliveries(&self, webhook_id: i64) -> Vec<PretixFakeDelivery> {
        let state = lock(&self.api().state);
        let deliveries = state.deliveries();
        deliveries
            .filter(|delivery| delivery.webhook_id == webhook_id)
            .cloned()
            .collect()
    }

    /// Notifies the webhooks of something that has happened, such as `pretix.event.order.paid`.
    ///
    /// `data` is what the notification holds beside its id, the organizer and the action, as a JSON
    /// object. Some of its fields count: a text under `event` leaves out the webhooks that are
    /// limited to other events, one under `organizer` (or `issuer_slug`, as for gift cards) names
    /// another organizer than the fake's own, and a number under `notification_id` repeats an
    /// earlier notification.
    ///
    /// Nothing is sent until the value is awaited; it then waits for the first attempts to end and
    /// returns the deliveries, none if nobody is subscribed.
    pub async fn emit(&self, action: &str, data: Value) -> Vec<PretixFakeDelivery> {
        self.api().emit(action, &data).await
    }

    /// Retries the failed deliveries whose `next_retry_at` has come.
    ///
    /// Nothing else retries: move the clock with [`advance`](Self::advance), then call this. A
    /// delivery to a webhook that is disabled by now is dropped. Waits for the attempts to end and
    /// returns their deliveries, none if nothing was due.
    pub async fn run_due_retries(&self) -> Vec<PretixFakeDelivery> {
        self.api().run_due_retries().await
    }

    /// Waits until no attempt is under way, as after an [`emit`](Self::emit) that was given up.
    pub async fn settled(&self) {
        self.api().courier.settled().await;
    }

    /// The server's time.
    pub fn now(&self) -> DateTime<Utc> {
        lock(&self.api().state).now()
    }

    /// Moves the server's time forward, up to the end of the year 9999.
    ///
    /// It moves by a millisecond with each change as well, and never with real time.
    pub fn advance(&self, by: Duration) {
        lock(&self.api().state).advance(by);
    }

    /// What pretix answers while the first request with the same idempotency key is under way.
    ///
    /// 409 with a `Retry-After` of this many seconds, rounded up; pretix says 5.
    pub fn key_in_use(retry_after: Duration) -> Fault {
        let body = json!({ "detail": "Concurrent request with idempotency key." });
        Fault::status(StatusCode::CONFLICT)
            .json(&body)
            .header(RETRY_AFTER, HeaderValue::from(whole_seconds(retry_after)))
    }

    /// Refuses every request after `allowed` others with 429 and `Retry-After`.
    ///
    /// Only the hosted pretix does this. It counts requests, not time, so that a test needs no
    /// clock: one refusal, and it counts anew. Requests that meet an injected fault are not counted.
    pub fn limit_rate(&self, allowed: u32, retry_after: Duration) {
        self.host.limit(allowed, Some(retry_after));
    }

    controls!(PretixOperation);

    fn api(&self) -> &Api {
        self.host.service()
    }
}

impl fmt::Debug for PretixFake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PretixFake")
            .field("base_url", &self.base_url())
            .finish_non_exhaustive()
    }
}
