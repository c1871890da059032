use std::fmt;
use std::marker::PhantomData;

use serde::Serialize;
use serde_json::Value;
use wiremock::matchers::{method, path};
use wiremock::{Match, Mock, MockBuilder, ResponseTemplate};

/// Stands for one operation of a service in a test, with an answer of the right type.
///
/// Each service has one for each operation, made from the same document as the client. It becomes
/// a [`Mock`], which is mounted on a server of wiremock.
///
/// ```
/// use webhook_sdk::preo::{PreoClient, WebhookPage, stub};
/// use wiremock::MockServer;
/// use wiremock::matchers::query_param;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = MockServer::start().await;
/// let empty: WebhookPage = serde_json::from_str(r#"{"count": 0, "results": []}"#)?;
/// stub::list_webhooks()
///     .and(query_param("is_active", "true"))
///     .answers(&empty)
///     .expect(1)
///     .mount(&server)
///     .await;
///
/// let preo = PreoClient::builder("token").base_url(server.uri()).build()?;
/// let page = preo.list_webhooks().is_active(true).send().await?;
/// assert_eq!(page.count, 0);
/// # Ok(())
/// # }
/// ```
#[must_use]
pub struct Stub<T> {
    mock: MockBuilder,
    answer: PhantomData<fn(T)>,
}

impl<T> Stub<T> {
    pub(crate) fn new(verb: &str, operation_path: String) -> Self {
        Self {
            mock: Mock::given(method(verb)).and(path(operation_path)),
            answer: PhantomData,
        }
    }

    /// Stands only for requests that this matcher lets through too.
    pub fn and(self, matcher: impl Match + 'static) -> Self {
        Self {
            mock: self.mock.and(matcher),
            answer: self.answer,
        }
    }

    /// Answers with an error, or with anything else that isn't of the operation's type.
    pub fn fails(self, status: u16, body: &Value) -> Mock {
        self.mock
            .respond_with(ResponseTemplate::new(status).set_body_json(body))
    }
}

impl<T: Serialize> Stub<T> {
    /// Answers 200 with this value, secrets included.
    pub fn answers(self, answer: &T) -> Mock {
        self.mock
            .respond_with(ResponseTemplate::new(200).set_body_json(answer))
    }
}

impl Stub<()> {
    /// Answers 204.
    pub fn succeeds(self) -> Mock {
        self.mock.respond_with(ResponseTemplate::new(204))
    }
}

impl<T> fmt::Debug for Stub<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stub").finish_non_exhaustive()
    }
}
