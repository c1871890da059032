mod expected;
mod server;

pub(crate) use self::expected::{Expected, StubOperation};
pub use self::server::{StubHost, StubServer};

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use serde::Serialize;
use serde_json::Value;
use wiremock::{Match, Mock, MockGuard, Request, ResponseTemplate, Times};

use super::error_format::ErrorFormat;
use super::fault::whole_seconds;
use super::reply;
use crate::FieldError;

/// A typed stub for one operation.
///
/// Each service has a module `stub` with a function for each operation. Its arguments and setters
/// select the requests that the stub matches. Without any, it matches every request of the
/// operation.
///
/// ```
/// use std::time::Duration;
/// use webhook_sdk::preo::{WebhookSummary, stub};
/// use webhook_sdk::testing::{StubServer, page_of};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = StubServer::start().await;
/// stub::list_webhooks()
///     .is_active(true)
///     .answers(page_of([WebhookSummary::example().name("Orders")]))
///     .expect(1)
///     .mount(&server)
///     .await;
/// stub::delete_webhook("wh_1").not_found().mount(&server).await;
///
/// let preo = server.preo();
/// let webhooks = preo.list_webhooks().is_active(true).all().await?;
/// assert_eq!(webhooks[0].name, "Orders");
/// assert!(preo.delete_webhook("wh_1").send().await.unwrap_err().is_not_found());
/// # Ok(())
/// # }
/// ```
///
/// A path matches if it ends with that of the operation, so that a client can have a base URL with
/// a path. Query parameters and headers without a setter are ignored.
#[must_use = "a stub needs a response"]
pub struct Stub<O, T> {
    expected: Expected,
    types: PhantomData<fn() -> (O, T)>,
}

/// A stub with its response, ready to be mounted on a server.
///
/// It converts into a [`Mock`] of wiremock.
#[must_use = "a stub does nothing until it is mounted"]
pub struct AnsweringStub {
    expected: Arc<Expected>,
    mock: Mock,
}

impl<O, T> Stub<O, T> {
    pub(crate) fn new(operation: StubOperation) -> Self {
        Self {
            expected: Expected::new(operation),
            types: PhantomData,
        }
    }

    pub(crate) fn path(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        self.expected.path.push((name, value.to_string()));
        self
    }

    pub(crate) fn query<V: fmt::Display>(
        mut self,
        name: &'static str,
        values: impl IntoIterator<Item = V>,
    ) -> Self {
        let values = values.into_iter().map(|value| value.to_string());
        self.expected.query.push((name, values.collect()));
        self
    }

    pub(crate) fn field(mut self, name: &'static str, value: impl Serialize) -> Self {
        self.expected.fields.push((name.into(), Some(json(value))));
        self
    }

    pub(crate) fn fields(mut self, value: impl Serialize) -> Self {
        if let Value::Object(fields) = json(value) {
            let fields = fields.into_iter();
            let fields = fields.map(|(name, value)| (name.into(), Some(value)));
            self.expected.fields.extend(fields);
        }
        self
    }

    pub(crate) fn no_field(mut self, name: &'static str) -> Self {
        self.expected.fields.push((name.into(), None));
        self
    }

    pub(crate) fn whole_body(mut self, value: impl Serialize) -> Self {
        self.expected.body = Some(json(value));
        self
    }

    /// Adds another matcher of wiremock, which requests must also match.
    pub fn and(mut self, matcher: impl Match + 'static) -> Self {
        self.expected.matchers.push(Box::new(matcher));
        self
    }

    /// Responds with 400: a field is invalid.
    pub fn invalid(self, field: &str, message: &str) -> AnsweringStub {
        let format = self.format();
        let reply = format.invalid(&[FieldError::new(field, message)]);
        self.responds_with(reply::template(*reply, None))
    }

    /// Responds with 401: the token is wrong.
    pub fn unauthorized(self) -> AnsweringStub {
        self.fails(401)
    }

    /// Responds with 403: the token lacks a permission.
    pub fn forbidden(self) -> AnsweringStub {
        self.fails(403)
    }

    /// Responds with 404: the resource doesn't exist.
    pub fn not_found(self) -> AnsweringStub {
        self.fails(404)
    }

    /// Responds with 429 and a `Retry-After` in whole seconds, rounded up.
    pub fn rate_limited(self, wait: Duration) -> AnsweringStub {
        let reply = self.format().error(StatusCode::TOO_MANY_REQUESTS);
        let seconds = whole_seconds(wait).to_string();
        let response = reply::template(*reply, None).insert_header("retry-after", seconds);
        self.responds_with(response)
    }

    /// Responds with an error in the service's format. An invalid status becomes 500.
    pub fn fails(self, status: u16) -> AnsweringStub {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let reply = self.format().error(status);
        self.responds_with(reply::template(*reply, None))
    }

    fn format(&self) -> ErrorFormat {
        self.expected.operation.errors
    }

    /// Responds with any response.
    pub fn responds_with(self, response: ResponseTemplate) -> AnsweringStub {
        let expected = Arc::new(self.expected);
        let matched = expected.clone();
        let answered = expected.clone();
        let mock = Mock::given(move |request: &Request| matched.matches(request)).respond_with(
            move |_: &Request| {
                answered.count();
                response.clone()
            },
        );
        AnsweringStub { expected, mock }
    }
}

impl<O, T: Serialize> Stub<O, T> {
    /// Responds with this value and the operation's success status.
    ///
    /// Secrets in the value are sent.
    pub fn answers(self, value: impl Into<T>) -> AnsweringStub {
        let response = ResponseTemplate::new(self.expected.operation.status);
        let value = json(value.into());
        self.responds_with(response.set_body_json(value))
    }
}

impl<O> Stub<O, ()> {
    /// Responds with the operation's success status and no body.
    pub fn succeeds(self) -> AnsweringStub {
        let response = ResponseTemplate::new(self.expected.operation.status);
        self.responds_with(response)
    }
}

impl AnsweringStub {
    /// Sets how often the stub must be called, checked when the server is dropped.
    pub fn expect(mut self, times: impl Into<Times>) -> Self {
        self.mock = self.mock.expect(times);
        self
    }

    /// Stops matching after this many requests.
    pub fn up_to_n_times(self, times: u64) -> Self {
        self.expected.limit(times);
        self
    }

    /// Sets the priority, from 1 (highest) to 255. Defaults to 5.
    pub fn with_priority(mut self, priority: u8) -> Self {
        self.mock = self.mock.with_priority(priority);
        self
    }

    /// Mounts the stub on a server until the server is dropped.
    pub async fn mount(self, server: &impl StubHost) {
        server.register(&self.expected);
        self.mock.mount(server.wiremock()).await;
    }

    /// Mounts the stub on a server until the guard is dropped.
    pub async fn mount_as_scoped(self, server: &impl StubHost) -> StubGuard {
        server.register(&self.expected);
        StubGuard {
            _guard: self.mock.mount_as_scoped(server.wiremock()).await,
            _expected: OutOfScope(self.expected),
        }
    }
}

/// Keeps a scoped stub mounted; see [`AnsweringStub::mount_as_scoped`].
#[must_use = "the stub is removed when its guard is dropped"]
pub struct StubGuard {
    _expected: OutOfScope,
    _guard: MockGuard,
}

/// wiremock keeps a mock that is out of scope, so its stub has to be disabled.
struct OutOfScope(Arc<Expected>);

impl Drop for OutOfScope {
    fn drop(&mut self) {
        self.0.remove();
    }
}

impl fmt::Debug for StubGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StubGuard").finish_non_exhaustive()
    }
}

impl From<AnsweringStub> for Mock {
    fn from(stub: AnsweringStub) -> Self {
        stub.mock
    }
}

impl<O, T> fmt::Debug for Stub<O, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stub({})", self.expected.operation.id)
    }
}

impl fmt::Debug for AnsweringStub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AnsweringStub({})", self.expected.operation.id)
    }
}

/// An item of a paginated list.
pub trait PageItem: Sized {
    /// The type of a page.
    type Page;

    /// Creates the only page of a list.
    fn page_of(items: Vec<Self>) -> Self::Page;
}

/// Creates the only page of a list with these items.
pub fn page_of<T: PageItem>(items: impl IntoIterator<Item = T>) -> T::Page {
    T::page_of(items.into_iter().collect())
}

/// The types of this crate and parameter values can always be serialized.
fn json(value: impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}
