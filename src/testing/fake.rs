use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use http::{HeaderName, header};
use serde_json::Value;
use uuid::Uuid;
use wiremock::MockServer;

use super::access::Access;
use super::clock::Clock;
use super::delivery::FakeDelivery;
use super::emission::Emission;
use super::fault::Fault;
use super::recorded::RecordedRequest;
use super::server::Shared;
use super::service::{FakeService, State};
use crate::RetryPolicy;
use crate::client::sealed::Sealed;

/// A stateful fake of a service on a loopback port.
///
/// ```
/// use serde_json::json;
/// use webhook_sdk::testing::{Fault, PreoFake};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), webhook_sdk::Error> {
/// let preo = PreoFake::start().await;
/// let client = preo.client();
///
/// preo.fail_next(1, Fault::status(503));
/// let page = client.list_webhooks().send().await?;
/// assert_eq!(page.count, 0);
/// assert_eq!(preo.requests().len(), 2);
///
/// let deliveries = preo.emit("consent.given", json!({ "id": "c_1" })).await;
/// assert!(deliveries.is_empty(), "nobody is subscribed");
/// # Ok(())
/// # }
/// ```
///
/// All fakes have the same controls. `Preo`, `Pretix`, and `Lune` document what each fake does and
/// which of it is published.
///
/// # Time
///
/// The clock of a fake advances by one millisecond with each change, and by
/// [`advance`](Self::advance), but never with real time. Signatures use the system clock, because
/// receivers check it. There are no automatic retries: advance the clock, then call
/// [`deliver_due`](Self::deliver_due).
///
/// # Where it delivers
///
/// A fake only delivers to `localhost` and loopback addresses, so that tests don't reach other
/// servers. An attempt to deliver elsewhere fails without a status. [`route`](Self::route)
/// redirects deliveries for a public host to a local receiver, and
/// [`deliver_anywhere`](FakeBuilder::deliver_anywhere) removes the restriction. An `https` receiver
/// requires one of the crate's TLS features.
///
/// Several fakes can run at the same time, and share nothing. Dropping a fake closes its port and
/// aborts its deliveries. `Debug` shows no credentials or secrets.
pub struct Fake<S: FakeService> {
    shared: Arc<Shared<S>>,
    base_url: String,
    credentials: String,
    _server: MockServer,
}

impl<S: FakeService> Fake<S> {
    /// Starts a fake with the defaults.
    ///
    /// # Panics
    ///
    /// Panics if the machine has no free port or thread.
    pub async fn start() -> Self {
        Self::builder().start().await
    }

    /// Returns a builder for a fake with other settings.
    pub fn builder() -> FakeBuilder<S> {
        FakeBuilder {
            service: S::new(),
            access: Access {
                token: Uuid::new_v4().simple().to_string(),
                header: header::AUTHORIZATION,
                scheme: S::Client::AUTH_SCHEME.to_owned(),
            },
            clock: Clock::new(),
            timeout: S::TIMEOUT,
            anywhere: false,
        }
    }

    /// Returns a client for this fake.
    ///
    /// It has the defaults of the service's client, but a backoff of one millisecond and no rate
    /// limit.
    #[expect(clippy::expect_used, reason = "the settings are the fake's own")]
    pub fn client(&self) -> S::Client {
        let state = self.shared.state();
        let client = state.service.client(state.access.auth());
        let wait = Duration::from_millis(1);
        client
            .base_url(&self.base_url)
            .retry(RetryPolicy::new().min_backoff(wait).max_backoff(wait))
            .build()
            .expect("a client for the fake")
    }

    /// The base URL for a client, such as `http://127.0.0.1:41873`.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The token or key that it accepts. Random unless set with the builder.
    pub fn credentials(&self) -> &str {
        &self.credentials
    }

    /// Adds a webhook directly, and returns it.
    ///
    /// If its id is taken, empty, or 0, it gets the next free one. Nothing is validated, so that a
    /// webhook can contain values of a later version of the service.
    pub fn seed(&self, webhook: S::Webhook) -> S::Webhook {
        self.shared.state().insert(webhook)
    }

    /// The current state of a webhook, including its secret if it has one.
    pub fn webhook(&self, id: impl ToString) -> Option<S::Webhook> {
        self.shared.state().webhook(&id.to_string()).cloned()
    }

    /// The current state of all webhooks, oldest first.
    pub fn webhooks(&self) -> Vec<S::Webhook> {
        let state = self.shared.state();
        let webhooks = state.webhooks.iter();
        webhooks.map(|(_, webhook)| webhook.clone()).collect()
    }

    /// All requests so far, oldest first.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.shared.requests()
    }

    /// Applies a fault to the next requests, regardless of their operation.
    ///
    /// Faults are queued. Each request gets the first fault that applies to it.
    pub fn fail_next(&self, requests: u64, fault: Fault) {
        self.shared.faults().push(None, requests, fault);
    }

    /// Applies a fault to the next requests for one operation, such as `create_webhook`.
    ///
    /// # Panics
    ///
    /// Panics if the client has no method with this name.
    pub fn fail_next_on(&self, operation: &str, requests: u64, fault: Fault) {
        let known = S::Client::OPERATIONS.iter().map(|operation| operation.id);
        let Some(id) = known.clone().find(|id| *id == operation) else {
            let known: Vec<_> = known.collect();
            panic!("no operation {operation:?}: it is one of {known:?}");
        };
        self.shared.faults().push(Some(id), requests, fault);
    }

    /// The number of requests that queued faults still apply to.
    pub fn pending_faults(&self) -> u64 {
        self.shared.faults().pending()
    }

    /// Removes queued faults and the rate limit.
    pub fn clear_faults(&self) {
        self.shared.faults().clear();
    }

    /// Responds with 429 to every request after `allowed` others.
    ///
    /// It counts requests, not time, so that a test needs no clock: after one 429, it starts over.
    /// Requests with a fault aren't counted. With `None`, there is no `Retry-After`.
    pub fn limit_rate(&self, allowed: u32, retry_after: impl Into<Option<Duration>>) {
        self.shared.faults().limit(allowed, retry_after.into());
    }

    /// Delivers an event to every enabled and subscribed webhook.
    ///
    /// Nothing is sent until the value is awaited. Awaiting it waits for the first attempts to
    /// complete, and returns the deliveries, oldest webhook first. The event can be any text.
    pub fn emit(&self, event: impl Into<String>, data: Value) -> Emission<'_, S> {
        Emission::new(&self.shared, event.into(), data)
    }

    /// Attempts all due deliveries, and returns them.
    ///
    /// Those are the [queued](Emission::queued) ones and the failed ones whose next attempt is due.
    pub async fn deliver_due(&self) -> Vec<FakeDelivery> {
        self.shared.deliver(None).await
    }

    /// Waits until no delivery is in flight.
    pub async fn wait_idle(&self) {
        self.shared.idle().await;
    }

    /// The current state of the deliveries to one webhook, oldest first.
    pub fn deliveries(&self, webhook_id: impl ToString) -> Vec<FakeDelivery> {
        let webhook_id = webhook_id.to_string();
        let state = self.shared.state();
        let deliveries = state.deliveries.values();
        let own = deliveries.filter(|delivery| delivery.webhook_id == webhook_id);
        own.cloned().collect()
    }

    /// Redirects deliveries for a host to another address, such as a local receiver.
    ///
    /// `address` has a scheme, host, and port, such as `http://127.0.0.1:8080`. Path, query and
    /// credentials are those of the webhook's URL.
    pub fn route(&self, host: &str, address: &str) {
        let host = host.to_ascii_lowercase();
        self.shared.state().routes.insert(host, address.to_owned());
    }

    /// The server's time.
    pub fn now(&self) -> DateTime<Utc> {
        self.shared.state().clock.now()
    }

    /// Advances the server's time, at most to the end of the year 9999.
    pub fn advance(&self, by: Duration) {
        self.shared.state().clock.advance(by);
    }

    pub(crate) fn shared(&self) -> &Shared<S> {
        &self.shared
    }
}

impl<S: FakeService> Drop for Fake<S> {
    fn drop(&mut self) {
        self.shared.stop();
    }
}

impl<S: FakeService> fmt::Debug for Fake<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fake")
            .field("base_url", &self.base_url)
            .finish_non_exhaustive()
    }
}

/// A builder for a [`Fake`].
///
/// ```
/// use webhook_sdk::testing::LuneFake;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let lune = LuneFake::builder().credentials("k_1").batch_limit(2).start().await;
/// assert_eq!(lune.credentials(), "k_1");
/// # }
/// ```
///
/// `Debug` shows no credentials.
#[must_use = "nothing runs until `start` is called"]
pub struct FakeBuilder<S: FakeService> {
    pub(crate) service: S,
    access: Access,
    clock: Clock,
    timeout: Duration,
    anywhere: bool,
}

impl<S: FakeService> FakeBuilder<S> {
    /// Sets the token or key that the server accepts. Random by default.
    pub fn credentials(mut self, credentials: impl Into<String>) -> Self {
        self.access.token = credentials.into();
        self
    }

    /// Sets where credentials are expected. Defaults to what the service's client sends.
    ///
    /// With an empty scheme, the whole header value is the token.
    pub fn auth(mut self, header: HeaderName, scheme: impl Into<String>) -> Self {
        self.access.header = header;
        self.access.scheme = scheme.into();
        self
    }

    /// Sets the server's initial time. Defaults to 2027-01-01T00:00:00Z.
    pub fn start_time(mut self, time: DateTime<Utc>) -> Self {
        self.clock = Clock::starting_at(time);
        self
    }

    /// Sets how long a delivery waits for the response, in real time.
    ///
    /// Defaults to 30 s for pretix and Lune, and to 10 s for Preo. A positive `timeout_seconds` of
    /// a Preo webhook takes precedence.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets whether deliveries can leave the machine. Defaults to false.
    pub fn deliver_anywhere(mut self, anywhere: bool) -> Self {
        self.anywhere = anywhere;
        self
    }

    /// Starts the server on a free port of 127.0.0.1.
    ///
    /// # Panics
    ///
    /// Panics if the machine has no free port or thread.
    pub async fn start(self) -> Fake<S> {
        // `MockServer::start` takes a server from a pool, where it keeps listening after being
        // dropped.
        let server = MockServer::builder()
            .disable_request_recording()
            .start()
            .await;
        let credentials = self.access.token.clone();
        let mut state = State::new(self.service, self.access, self.clock, self.timeout);
        let base_url = server.uri();
        state.base_url.clone_from(&base_url);
        let shared = Arc::new(Shared::new(state, self.anywhere));
        shared.mount(&server).await;
        Fake {
            shared,
            base_url,
            credentials,
            _server: server,
        }
    }
}

impl<S: FakeService> fmt::Debug for FakeBuilder<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeBuilder").finish_non_exhaustive()
    }
}
