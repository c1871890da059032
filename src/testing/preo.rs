mod api;
mod builder;
mod deliver;
mod delivery;
mod list;
mod route;
mod state;
mod validate;
mod webhook;

pub use builder::PreoFakeBuilder;
pub use deliver::PreoEmission;
pub use delivery::{PreoFakeDelivery, PreoFakeDeliveryStatus};
pub use route::PreoOperation;
pub use webhook::{PreoFakeWebhook, PreoWebhookSeed};

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};
use http::HeaderName;
use serde_json::Value;

use crate::testing::controls::controls;
use crate::testing::host::Host;
use crate::testing::lock::lock;
use api::Api;

/// A Preo server on loopback that keeps state and delivers signed events.
///
/// ```
/// use reqwest::Client;
/// use serde_json::{Value, json};
/// use webhook_sdk::testing::{PreoFake, PreoWebhookSeed};
/// use wiremock::{Mock, MockServer, ResponseTemplate, matchers::method};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let receiver = MockServer::start().await;
/// Mock::given(method("POST")).respond_with(ResponseTemplate::new(204)).mount(&receiver).await;
///
/// let preo = PreoFake::start().await;
/// let hook = preo.insert(PreoWebhookSeed::new(receiver.uri()).events(["purchase.action"]));
/// let deliveries = preo.emit("purchase.action", json!({"purchase": "p_1"})).await;
/// assert_eq!(deliveries[0].response_status_code, Some(204));
///
/// let url = format!("{}/v1/webhooks/{}/deliveries", preo.base_url(), hook.id);
/// let request = Client::new().get(url).bearer_auth(preo.token());
/// let list: Value = request.send().await?.json().await?;
/// assert_eq!(list["results"][0]["status"], "success");
/// assert_eq!(preo.requests()[0].path(), format!("/v1/webhooks/{}/deliveries", hook.id));
/// # Ok(())
/// # }
/// ```
///
/// Paths, fields, bounds, filters and the shape of pages are those of the published page,
/// <https://preo-docs-v2.pages.dev/api/management/webhooks>.
///
/// # Unpublished, our default
///
/// What follows is not on that page. Code that relies on it relies on this fake, not on Preo.
///
/// - Authentication: `Authorization: Bearer <token>`, else 401 with `WWW-Authenticate: Bearer`.
/// - Create answers 201, delete 204.
/// - Errors look as Django REST framework makes them: `{"name": ["This field is required."]}`,
///   `{"events": {"0": ["\"x\" is not a valid choice."]}}`, `{"detail": "Not found."}`. An unknown
///   path answers 404 with HTML, a page past the end 404 with `{"detail": "Invalid page."}`.
/// - Lists start with the oldest row, and rows that an ordering finds equal stay in that order. An
///   unknown `ordering` key answers 400; of a repeated parameter the last counts. `is_active`
///   takes `true`, `false`, `1` and `0` in any case, and any other value is no filter. A
///   `page_size` that isn't a positive number means 100, and there is no upper bound unless
///   [`max_page_size`](PreoFakeBuilder::max_page_size) sets one.
/// - On a list of deliveries only `status`, `ordering` and the page have an effect; `modified`
///   orders by the last attempt, `name` not at all.
/// - `is_active` starts as true and `timeout_seconds` as 10, and 0 means 10 too. `url` is http or
///   https, `events` may be empty, and unknown fields are ignored, `organization_id` in an update
///   with them.
/// - Ids, their order and all times are those of a clock that only this fake moves. A secret is 64
///   random hex digits, and a rotated one replaces its predecessor at once.
/// - A delivery is a POST of `{"id", "event", "created", "data"}`, with the delivery's id. Its
///   signature, in lower-case hex, is the HMAC-SHA256 of the body, in the header
///   `x-preo-signature`. No redirect is followed and only 2xx is success.
/// - A delivery is `pending` until its first attempt has ended, then `success` or `failed`, which
///   has a `next_retry_at` one minute later; `retrying` while a later attempt is under way; and
///   `exhausted` after five attempts. Every attempt is signed with the secret of that moment.
/// - The retry operation answers at once and attempts in the background: wait with
///   [`settled`](Self::settled). It leaves a delivery that is under way alone and answers 400 for
///   one that has succeeded.
///
/// # Where it delivers
///
/// Only to `localhost` and loopback addresses, so that no test reaches a stranger; an attempt to
/// go elsewhere fails without a status. [`deliver_anywhere`](PreoFakeBuilder::deliver_anywhere)
/// lifts this. An `https` receiver needs one of the crate's TLS features.
///
/// Dropping the fake closes its port and ends what is under way. `Debug` shows no token and no
/// secret.
pub struct PreoFake {
    host: Host<Api>,
}

impl PreoFake {
    /// Starts a fake with the defaults of [`builder`](Self::builder).
    ///
    /// # Panics
    ///
    /// If the machine has no free port or thread.
    pub async fn start() -> Self {
        Self::builder().start().await
    }

    /// Starts a fake with other settings.
    pub fn builder() -> PreoFakeBuilder {
        PreoFakeBuilder::new()
    }

    /// The server's address, such as `http://127.0.0.1:41873`; the API is under `/v1/webhooks`.
    pub fn base_url(&self) -> &str {
        self.host.base_url()
    }

    /// The only token that it accepts; random unless the builder sets it.
    pub fn token(&self) -> &str {
        &self.api().settings.token
    }

    /// The header that carries a delivery's signature.
    pub fn signature_header(&self) -> &HeaderName {
        &self.api().settings.signature_header
    }

    /// Adds one endpoint without a request, and returns it.
    ///
    /// A seed is not validated, so that it can hold what a later version of Preo may answer.
    /// An endpoint of the same id gives way to it.
    pub fn insert(&self, seed: PreoWebhookSeed) -> PreoFakeWebhook {
        lock(&self.api().state).insert(seed).clone()
    }

    /// Adds `count` endpoints without a request, and returns their ids, oldest first.
    ///
    /// Their URLs lead nowhere: an attempt to deliver there fails.
    pub fn seed_webhooks(&self, count: usize) -> Vec<String> {
        let mut state = lock(&self.api().state);
        let seeds = (1..=count).map(PreoWebhookSeed::numbered);
        seeds.map(|seed| state.insert(seed).id.clone()).collect()
    }

    /// The endpoint as it is now, with its secret.
    pub fn webhook(&self, id: &str) -> Option<PreoFakeWebhook> {
        lock(&self.api().state).webhook(id).cloned()
    }

    /// All endpoints as they are now, oldest first.
    pub fn webhooks(&self) -> Vec<PreoFakeWebhook> {
        lock(&self.api().state).webhooks().cloned().collect()
    }

    /// The deliveries to one endpoint as they are now, oldest first.
    pub fn deliveries(&self, webhook_id: &str) -> Vec<PreoFakeDelivery> {
        let state = lock(&self.api().state);
        let deliveries = state.deliveries(webhook_id);
        deliveries.map_or_else(Vec::new, |table| table.rows().cloned().collect())
    }

    /// Sends an event to each active endpoint that is subscribed to it.
    ///
    /// Nothing is sent until the value is awaited; it then waits for the first attempts to end and
    /// returns the deliveries in the order of their endpoints. The event may be any text.
    pub fn emit(&self, event: impl Into<String>, data: Value) -> PreoEmission<'_> {
        PreoEmission::new(self.api(), event.into(), data)
    }

    /// Sends an event to one endpoint, active and subscribed or not.
    ///
    /// Waits for the first attempt to end. `None` if there is no such endpoint, or no more.
    pub async fn deliver(
        &self,
        webhook_id: &str,
        event: &str,
        data: Value,
    ) -> Option<PreoFakeDelivery> {
        self.api().deliver(webhook_id, event, &data).await
    }

    /// Retries the failed deliveries whose `next_retry_at` has come, to active endpoints.
    ///
    /// Nothing else retries: move the clock with [`advance`](Self::advance), then call this.
    /// Waits for the attempts to end and returns their deliveries, none if nothing was due.
    pub async fn run_due_retries(&self) -> Vec<PreoFakeDelivery> {
        self.api().run_due_retries().await
    }

    /// Waits until no attempt is under way, as after a call of the retry operation.
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

    /// Refuses every request after `allowed` others with 429 and `Retry-After`.
    ///
    /// It counts requests, not time, so that a test needs no clock: one refusal, and it counts
    /// anew. Requests that meet an injected fault are not counted.
    pub fn limit_rate(&self, allowed: u32, retry_after: Duration) {
        self.host.limit(allowed, Some(retry_after));
    }

    controls!(PreoOperation);

    fn api(&self) -> &Api {
        self.host.service()
    }
}

impl fmt::Debug for PreoFake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PreoFake")
            .field("base_url", &self.base_url())
            .finish_non_exhaustive()
    }
}
