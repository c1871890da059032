mod api;
mod builder;
mod deliver;
mod delivery;
mod error;
mod event;
mod route;
mod state;
mod validate;
mod webhook;

pub use builder::LuneFakeBuilder;
pub use delivery::LuneFakeDelivery;
pub use event::LuneFakeEvent;
pub use route::LuneOperation;
pub use webhook::{LuneFakeWebhook, LuneWebhookSeed};

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::testing::controls::controls;
use crate::testing::host::Host;
use crate::testing::lock::lock;
use api::Api;

/// A Lune server on loopback that keeps state and delivers signed batches.
///
/// ```
/// use serde_json::json;
/// use webhook_sdk::testing::{LuneFake, LuneWebhookSeed};
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
/// let hook = lune.insert(LuneWebhookSeed::new(receiver.uri()));
/// lune.emit("acc_1", "order.paid", json!({"order": {"id": "or_1"}}));
/// lune.emit("acc_1", "order.completed", json!({"order": {"id": "or_1"}}));
///
/// let refused = lune.deliver_due().await;
/// assert_eq!(refused[0].response_status_code, Some(500));
/// assert_eq!(lune.pending(&hook.id).len(), 2);
///
/// let redelivered = lune.deliver_due().await;
/// assert_eq!(redelivered[0].event_ids, refused[0].event_ids);
/// assert!(redelivered[0].acknowledged && lune.pending(&hook.id).is_empty());
/// # }
/// ```
///
/// Paths, fields, the pattern of URLs, both forms of a secret, the 100 kB of a request, and the
/// shape of errors and of deliveries are those of the published pages,
/// <https://docs.lune.co/api-reference/webhooks> and <https://docs.lune.co/general-concepts/webhooks>:
/// events of one account in order, at least once, a batch acknowledged by one 2xx within 30 seconds
/// and sent again otherwise, one request at a time to a webhook.
///
/// # Unpublished, our default
///
/// What follows is not on those pages. Code that relies on it relies on this fake, not on Lune.
///
/// - Errors of the documented shape are 400 `validation_error`, also for an unknown account and for
///   a body that isn't JSON, 400 `api_version_invalid` for a `Lune-Version` that is no date, 400
///   `webhook_limit_reached`, 401 `unauthorised`, and 401 `invalid_selected_account_id`. 404, 413,
///   415 and 429 are plain text; a 429 names no wait unless
///   [`Fault::rate_limited`](crate::testing::Fault::rate_limited) asks for it.
/// - A list asked for several accounts has the webhooks that push events of any of them, those
///   without a limit included. It starts with the oldest.
/// - `Lune-Account` is checked and changes nothing else.
/// - An event goes to the webhooks that are enabled when it is emitted. A webhook that is disabled
///   keeps what waits for it; one that is deleted loses it.
/// - A batch holds up to 100 events of one account ([`mix_accounts`](LuneFakeBuilder::mix_accounts)
///   puts those of several in one), oldest first. A batch that isn't acknowledged holds up the
///   accounts in it and no other.
/// - The signature is in lower-case hex. Redeliveries are signed anew, with the secret and the time
///   of that moment. Its time is the machine's, unless [`sign_at`](Self::sign_at) sets it.
/// - No redirect is followed. Credentials in a URL are sent in HTTP Basic authentication.
/// - Ids, sequences and the times in answers are those of a clock that only this fake moves.
///
/// # Where it delivers
///
/// Only to `localhost` and loopback addresses, so that no test reaches a stranger; an attempt to go
/// elsewhere ends without a status. Lune accepts only public `https` URLs, so a webhook that is
/// created through the API needs a [`route`](Self::route) to the receiver of the test, whereas
/// [`insert`](Self::insert) takes any URL. [`deliver_anywhere`](LuneFakeBuilder::deliver_anywhere)
/// lifts the restriction.
///
/// Nothing is delivered but by a call of [`deliver_due`](Self::deliver_due): there is no timer.
/// Dropping the fake closes its port and ends what is under way. `Debug` shows no key and no secret.
pub struct LuneFake {
    host: Host<Api>,
    base_url: String,
}

impl LuneFake {
    /// Starts a fake with the defaults of [`builder`](Self::builder).
    ///
    /// # Panics
    ///
    /// If the machine has no free port or thread.
    pub async fn start() -> Self {
        Self::builder().start().await
    }

    /// Starts a fake with other settings.
    pub fn builder() -> LuneFakeBuilder {
        LuneFakeBuilder::new()
    }

    /// The server's address, such as `http://127.0.0.1:41873`; the API is under `/v1`.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The only API key that it accepts; random unless the builder sets it.
    pub fn key(&self) -> &str {
        &self.api().settings.key
    }

    /// The organisation's id, as it stands in the signature header.
    pub fn organisation(&self) -> &str {
        &self.api().settings.organisation
    }

    /// Adds one webhook without a request, and returns it.
    ///
    /// A seed is not validated. A webhook of the same id gives way to it.
    pub fn insert(&self, seed: LuneWebhookSeed) -> LuneFakeWebhook {
        lock(&self.api().state).insert(seed).clone()
    }

    /// The webhook as it is now, with its whole secret.
    pub fn webhook(&self, id: &str) -> Option<LuneFakeWebhook> {
        lock(&self.api().state).webhook(id).cloned()
    }

    /// All webhooks as they are now, oldest first.
    pub fn webhooks(&self) -> Vec<LuneFakeWebhook> {
        lock(&self.api().state).webhooks().cloned().collect()
    }

    /// Queues an event of an account for each webhook that it concerns.
    ///
    /// The type may be any text and the data any JSON. Nothing is sent before
    /// [`deliver_due`](Self::deliver_due).
    pub fn emit(&self, account_id: &str, event_type: &str, data: Value) -> LuneFakeEvent {
        lock(&self.api().state).emit(account_id, |id, sequence| {
            LuneFakeEvent::new(id, sequence, account_id, event_type, &data)
        })
    }

    /// Queues this JSON in the place of a whole event, however odd it is.
    ///
    /// The account decides which webhooks it goes to and what waits behind it; it isn't added to
    /// the JSON, and no id is either.
    pub fn emit_raw(&self, account_id: &str, event: &Value) -> LuneFakeEvent {
        lock(&self.api().state).emit(account_id, |_, _| LuneFakeEvent::raw(account_id, event))
    }

    /// Sends what waits until nothing does or all that does is held up, and returns what was sent.
    ///
    /// Each webhook gets one request at a time, each account's events come in order, and an account
    /// whose batch isn't acknowledged is held up until the next call. Webhooks don't wait for each
    /// other, though a batch to one goes out when those to the others have ended.
    pub async fn deliver_due(&self) -> Vec<LuneFakeDelivery> {
        self.api().deliver_due().await
    }

    /// The events that wait for a webhook to acknowledge them, oldest first.
    pub fn pending(&self, webhook_id: &str) -> Vec<LuneFakeEvent> {
        lock(&self.api().state).pending(webhook_id)
    }

    /// All that was sent so far, oldest first.
    pub fn deliveries(&self) -> Vec<LuneFakeDelivery> {
        lock(&self.api().state).deliveries().to_vec()
    }

    /// Loses the next acknowledgements: the batches are sent again although they were answered 2xx.
    ///
    /// This is how a receiver meets the same event twice.
    pub fn lose_acknowledgements(&self, count: u32) {
        lock(&self.api().state).lose_acknowledgements(count);
    }

    /// Delivers what goes to a host to another address instead, such as that of a local receiver.
    ///
    /// `address` gives scheme, host and port, such as `http://127.0.0.1:8080`; path, query and
    /// credentials are those of the webhook's URL. A later route for the same host replaces it.
    pub fn route(&self, host: &str, address: &str) {
        lock(&self.api().state).route(host, address);
    }

    /// Signs as if it were this time; `None` is the machine's time again.
    pub fn sign_at(&self, time: impl Into<Option<DateTime<Utc>>>) {
        lock(&self.api().state).sign_at(time.into());
    }

    /// The server's time, which ids of sequence and the times in answers are made of.
    pub fn now(&self) -> DateTime<Utc> {
        lock(&self.api().state).now()
    }

    /// Moves the server's time forward, up to the end of the year 9999.
    ///
    /// It moves by a millisecond with each change as well, and never with real time.
    pub fn advance(&self, by: Duration) {
        lock(&self.api().state).advance(by);
    }

    /// Refuses every request after `allowed` others with 429.
    ///
    /// It counts requests, not time, so that a test needs no clock: one refusal, and it counts
    /// anew. Requests that meet an injected fault are not counted. Lune's published default is 15
    /// requests a second.
    pub fn limit_rate(&self, allowed: u32) {
        self.host.limit(allowed, None);
    }

    controls!(LuneOperation);

    fn api(&self) -> &Api {
        self.host.service()
    }
}

impl fmt::Debug for LuneFake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LuneFake")
            .field("base_url", &self.base_url())
            .finish_non_exhaustive()
    }
}
