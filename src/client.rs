//! Sends the requests of the generated clients.

mod attempt;
mod auth;
mod builder;
mod constraint;
pub(crate) mod ensure;
mod error_response;
pub(crate) mod log;
pub mod pagination;
mod rate_limit;
mod response;
mod retry;
#[cfg(rotation)]
pub(crate) mod rotation;
pub(crate) mod runtime;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::Method;
use http::header::{self, HeaderName, HeaderValue};
use tokio::time::Instant;
use tracing::Instrument;
use uuid::Uuid;

pub use self::auth::Auth;
#[cfg(feature = "testing")]
pub(crate) use self::builder::is_loopback;
pub(crate) use self::builder::{Built, sealed};
pub use self::builder::{ClientBuilder, Service};
pub use self::response::{Response, ResponseParts};
pub use self::retry::RetryPolicy;

#[cfg(all(feature = "testing", feature = "pretix"))]
pub(crate) use self::constraint::trim;
pub(crate) use self::constraint::{Constraint, Operation, Rule};
pub(crate) use self::error_response::{ErrorResponse, Hint};
use self::rate_limit::RateLimit;
pub(crate) use self::response::RawResponse;
use self::runtime::{ClientInfo, OperationInfo};

use crate::error::{Error, Sent};

/// Sends the requests of a generated client.
#[derive(Clone)]
pub(crate) struct Transport(Arc<Settings>);

struct Settings {
    origin: url::Origin,
    base_path: String,
    auth: auth::Credential,
    headers: Vec<(HeaderName, HeaderValue)>,
    user_agent: HeaderValue,
    request_id: HeaderName,
    operations: &'static [Operation],
    timeout: Duration,
    deadline: Duration,
    max_response_bytes: usize,
    retry: RetryPolicy,
    idempotency_key: Option<HeaderName>,
    rate_limit: Option<RateLimit>,
    hint: Box<Hint>,
}

impl Transport {
    /// Sends a request. Dropping the future cancels it.
    pub(crate) async fn exec(
        &self,
        client: &reqwest::Client,
        mut request: reqwest::Request,
        operation: &'static str,
    ) -> Result<RawResponse, Error> {
        let span = log::span(&request, operation);
        if let Err(error) = self.prepare(&mut request, operation) {
            let error = error.with_operation(operation);
            span.in_scope(|| log::failure(&error));
            return Err(error);
        }
        self.call(client, &request, operation)
            .instrument(span)
            .await
    }

    async fn call(
        &self,
        client: &reqwest::Client,
        request: &reqwest::Request,
        operation: &'static str,
    ) -> Result<RawResponse, Error> {
        let started = Instant::now();
        let mut sent = Sent::default();
        let result = self.attempts(client, request, operation, started, &mut sent);
        let result = match result.await {
            Ok(response) => Ok(response.of(operation, sent)),
            Err(error) => Err(error.with_operation(operation).with_sent(sent)),
        };
        log::end(&result, sent.attempts, started.elapsed());
        result
    }

    /// Validates a request and adds the common headers.
    fn prepare(&self, request: &mut reqwest::Request, operation: &str) -> Result<(), Error> {
        let settings = &*self.0;
        if let Some(operation) = settings
            .operations
            .iter()
            .find(|known| known.id == operation)
        {
            operation.check(request, &settings.base_path)?;
        }
        let same_origin = request.url().origin() == settings.origin;
        let writes = !request.method().is_safe();
        let empty = request.body().is_none()
            && matches!(
                *request.method(),
                Method::POST | Method::PUT | Method::PATCH
            );
        let headers = request.headers_mut();
        headers.remove("api-version");
        headers.insert(header::USER_AGENT, settings.user_agent.clone());
        if empty {
            // RFC 9110, section 8.6. Strict servers respond with 411 without it.
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        headers.extend(settings.headers.iter().cloned());
        if same_origin {
            settings.auth.apply(headers);
        }
        if let Some(name) = settings.idempotency_key.clone().filter(|_| writes) {
            let key = HeaderValue::try_from(Uuid::new_v4().to_string());
            headers.extend(key.ok().map(|key| (name, key)));
        }
        Ok(())
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport")
            .field("auth", &self.0.auth)
            .field("timeout", &self.0.timeout)
            .field("deadline", &self.0.deadline)
            .field("max_response_bytes", &self.0.max_response_bytes)
            .field("retry", &self.0.retry)
            .finish_non_exhaustive()
    }
}

/// How generated code sends a request; the same for every service.
pub(crate) trait ClientHooks<Inner> {
    /// Runs before a request is sent. Does nothing.
    fn pre(
        &self,
        _request: &mut reqwest::Request,
        _info: &OperationInfo,
    ) -> impl Future<Output = Result<(), Error>> + Send {
        std::future::ready(Ok(()))
    }

    /// Sends a request.
    fn exec(
        &self,
        request: reqwest::Request,
        info: &OperationInfo,
    ) -> impl Future<Output = Result<RawResponse, Error>> + Send;

    /// Runs after a response was received. Does nothing.
    fn post(
        &self,
        _result: &Result<RawResponse, Error>,
        _info: &OperationInfo,
    ) -> impl Future<Output = Result<(), Error>> + Send {
        std::future::ready(Ok(()))
    }
}

impl<C: ClientInfo<Transport> + Sync> ClientHooks<Transport> for C {
    fn exec(
        &self,
        request: reqwest::Request,
        info: &OperationInfo,
    ) -> impl Future<Output = Result<RawResponse, Error>> + Send {
        self.inner().exec(self.client(), request, info.operation_id)
    }
}
