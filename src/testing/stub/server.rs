use std::fmt;
use std::sync::{Arc, Mutex};

use serde_json::json;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

use super::expected::Expected;
use crate::client::{ClientBuilder, Service};
use crate::testing::server::lock;

/// A server for stubs that explains unmatched requests.
///
/// An unmatched request gets 501. When the server is dropped, the test fails with a list of these
/// requests, each with the closest stub and the differences:
///
/// ```should_panic
/// use webhook_sdk::preo::stub;
/// use webhook_sdk::testing::StubServer;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let server = StubServer::start().await;
/// stub::delete_webhook("wh_1").succeeds().mount(&server).await;
///
/// // DELETE /v1/webhooks/wh_2: no stub matches; closest is `delete_webhook`: `id` is "wh_2", not "wh_1"
/// let _ = server.preo().delete_webhook("wh_2").send().await;
/// # }
/// ```
///
/// A [`MockServer`] of wiremock works too, without the explanation. Use it for mocks other than
/// stubs: this server would treat their requests as unmatched.
pub struct StubServer {
    server: MockServer,
    stubs: Arc<Stubs>,
}

/// A server for stubs: a [`StubServer`] or a [`MockServer`] of wiremock.
#[expect(private_bounds, reason = "sealed")]
pub trait StubHost: Registry {
    /// The underlying server.
    fn wiremock(&self) -> &MockServer;
}

pub(crate) trait Registry {
    fn register(&self, stub: &Arc<Expected>);
}

/// The stubs of a server, and the requests that none of them matched.
#[derive(Default)]
struct Stubs {
    mounted: Mutex<Vec<Arc<Expected>>>,
    unmatched: Mutex<Vec<String>>,
}

impl StubServer {
    /// Starts a server on a free port.
    pub async fn start() -> Self {
        let server = MockServer::start().await;
        let stubs = Arc::new(Stubs::default());
        let mounted = stubs.clone();
        // It is the first mock, but never matches if a stub does. As the last one, wiremock would
        // move it when sorting by priority, and then confuse scoped mocks with others.
        Mock::given(move |request: &Request| !mounted.match_any(request))
            .respond_with(Explanation(stubs.clone()))
            .with_priority(1)
            .mount(&server)
            .await;
        Self { server, stubs }
    }

    /// The base URL, such as `http://127.0.0.1:41873`.
    pub fn uri(&self) -> String {
        self.server.uri()
    }

    /// Returns and clears the unmatched requests, each with the closest stub.
    ///
    /// A test that expects an unmatched request must call it, or it fails.
    pub fn take_unmatched(&self) -> Vec<String> {
        std::mem::take(&mut *lock(&self.stubs.unmatched))
    }

    /// Returns a Preo client for this server.
    #[cfg(feature = "preo")]
    pub fn preo(&self) -> crate::preo::PreoClient {
        self.client(crate::preo::PreoClient::builder("token"))
    }

    /// Returns a pretix client for this server, with the organizer `bigevents`.
    #[cfg(feature = "pretix")]
    pub fn pretix(&self) -> crate::pretix::PretixClient {
        self.client(crate::pretix::PretixClient::builder("token", "bigevents"))
    }

    /// Returns a Lune client for this server, without a rate limit.
    #[cfg(feature = "lune")]
    pub fn lune(&self) -> crate::lune::LuneClient {
        self.client(crate::lune::LuneClient::builder("key").requests_per_second(None))
    }

    fn client<S: Service>(&self, builder: ClientBuilder<S>) -> S {
        match builder.base_url(self.uri()).build() {
            Ok(client) => client,
            Err(error) => panic!("no client for {}: {error}", self.uri()),
        }
    }
}

impl StubHost for StubServer {
    fn wiremock(&self) -> &MockServer {
        &self.server
    }
}

impl StubHost for MockServer {
    fn wiremock(&self) -> &MockServer {
        self
    }
}

impl Registry for StubServer {
    fn register(&self, stub: &Arc<Expected>) {
        lock(&self.stubs.mounted).push(stub.clone());
    }
}

impl Registry for MockServer {
    fn register(&self, _stub: &Arc<Expected>) {}
}

impl Drop for StubServer {
    fn drop(&mut self) {
        let unmatched = self.take_unmatched();
        if unmatched.is_empty() {
            return;
        }
        let report = unmatched.join("\n");
        if std::thread::panicking() {
            eprintln!("{report}");
        } else {
            panic!("{report}");
        }
    }
}

impl fmt::Debug for StubServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StubServer")
            .field("uri", &self.uri())
            .finish_non_exhaustive()
    }
}

struct Explanation(Arc<Stubs>);

impl Respond for Explanation {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let text = self.0.explain(request);
        let mut unmatched = lock(&self.0.unmatched);
        if !unmatched.contains(&text) {
            unmatched.push(text.clone());
        }
        let error = json!({ "error_code": "no_stub_matches", "message": text });
        ResponseTemplate::new(501).set_body_json(json!({ "detail": text, "error": error }))
    }
}

impl Stubs {
    fn match_any(&self, request: &Request) -> bool {
        lock(&self.mounted).iter().any(|stub| stub.matches(request))
    }

    fn explain(&self, request: &Request) -> String {
        let url = &request.url;
        let query = url.query().map(|query| format!("?{query}"));
        let sent = format!(
            "{} {}{}",
            request.method,
            url.path(),
            query.unwrap_or_default()
        );
        let mounted = lock(&self.mounted);
        let compared = mounted
            .iter()
            .filter(|stub| !stub.is_removed())
            .map(|stub| (stub, stub.differences(request)));
        let closest = compared
            .min_by_key(|(stub, differences)| (!stub.is_operation(request), differences.len()));
        let Some((stub, differences)) = closest else {
            return format!("{sent}: no stub matches; none is mounted");
        };
        let id = stub.operation.id;
        if differences.is_empty() {
            return format!(
                "{sent}: no stub matches; `{id}` has reached its maximum number of requests"
            );
        }
        let differences = differences.join("; ");
        format!("{sent}: no stub matches; closest is `{id}`: {differences}")
    }
}
