//! Tests against a real pretix, ignored by default. `tests/pretix-server/server.py` installs and starts one:
//!
//! ```sh
//! eval "$(tests/pretix-server/server.py up)"
//! cargo test --all-features --test it pretix::live -- --ignored
//! tests/pretix-server/server.py stop
//! ```

mod deliveries;
mod operations;
mod random;
mod refusals;
mod retries;

use std::env;
use std::time::{SystemTime, UNIX_EPOCH};

use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::sync::{Mutex, MutexGuard};
use webhook_sdk::pretix::{ActionType, PretixClient, TargetUrl, WebhookUpdate};
use webhook_sdk::{Auth, ClientBuilder, RetryPolicy};

/// A real pretix, which one test at a time has to itself.
struct Live {
    base_url: String,
    organizer: String,
    event: String,
    second_event: String,
    _alone: MutexGuard<'static, ()>,
}

impl Live {
    /// The pretix that the environment names.
    async fn find() -> Self {
        static ALONE: Mutex<()> = Mutex::const_new(());
        Self {
            base_url: variable("PRETIX_BASE_URL"),
            organizer: variable("PRETIX_ORGANIZER"),
            event: variable("PRETIX_EVENT"),
            second_event: variable("PRETIX_SECOND_EVENT"),
            _alone: ALONE.lock().await,
        }
    }

    fn builder(&self, auth: impl Into<Auth>, organizer: &str) -> ClientBuilder<PretixClient> {
        PretixClient::builder(auth, organizer)
            .base_url(&self.base_url)
            // With sqlite, the test server can't always do two things at a time.
            .retry(RetryPolicy::new().max_retries(5))
    }

    fn client(&self) -> PretixClient {
        self.client_with(variable("PRETIX_TOKEN"))
    }

    fn client_with(&self, auth: impl Into<Auth>) -> PretixClient {
        self.builder(auth, &self.organizer).build().unwrap()
    }

    /// A request without the client, for what the client has no way to say.
    fn raw(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!(
            "{}/api/v1/organizers/{}/{path}",
            self.base_url, self.organizer
        );
        let client = Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none());
        let token = format!("Token {}", variable("PRETIX_TOKEN"));
        client
            .build()
            .unwrap()
            .request(method, url)
            .header("authorization", token)
    }

    async fn raw_json(&self, method: Method, path: &str, body: &Value) -> (u16, Value) {
        let response = self.raw(method, path).json(body).send().await.unwrap();
        let status = response.status().as_u16();
        (status, response.json().await.unwrap_or_default())
    }

    /// Gives the event a name that it hasn't had, which pretix notifies of.
    async fn rename_event(&self) {
        let name = json!({"name": {"en": unique("Conference")}});
        let path = format!("events/{}/", self.event);
        let (status, event) = self.raw_json(Method::PATCH, &path, &name).await;
        assert_eq!(status, 200, "{event}");
    }

    /// Disables every webhook, so that no test is told of what another does.
    async fn disable_all(&self) {
        let pretix = self.client();
        let mut ids = Vec::new();
        let mut webhooks = pretix.list_webhooks().enabled(true).stream();
        while let Some(webhook) = webhooks.try_next().await.unwrap() {
            // A webhook that contradicts itself can't be changed, but deleted it can.
            ids.push(webhook.id);
        }
        for id in ids {
            pretix.delete_webhook(id).send().await.unwrap();
        }
    }
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| {
        panic!("{name} isn't set: start a server with tests/pretix-server/server.py")
    })
}

fn unique(what: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    format!("{what} {}", now.as_nanos())
}

/// Where nothing is ever delivered: only an action that no test causes leads there.
fn nowhere() -> TargetUrl {
    TargetUrl::without_credentials("https://receiver.example/hook").unwrap()
}

const NEVER: [ActionType; 1] = [ActionType::CustomerAnonymized];

fn update() -> WebhookUpdate {
    WebhookUpdate::new()
}
