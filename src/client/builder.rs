use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use http::header::{HeaderName, HeaderValue};
use url::{Host, Url};

use super::rate_limit::RateLimit;
use super::{Auth, ErrorResponse, Operation, RetryPolicy, Settings, Transport};
use crate::error::Error;

/// A service with a client.
///
/// Only the clients of this crate implement it.
pub trait Service: Sized + sealed::Sealed {
    /// The settings specific to this service.
    type Extra: Clone + fmt::Debug + Send + Sync + 'static;
}

pub(crate) mod sealed {
    use std::num::NonZeroU32;

    use super::{Built, Error, ErrorResponse, HeaderName, HeaderValue, Operation, Service, Url};

    /// The service's part of the builder.
    #[expect(
        unnameable_types,
        reason = "sealed: only this crate's clients implement it"
    )]
    pub trait Sealed: Sized {
        /// The published base URL, without the path prefix of all operations.
        const BASE_URL: &'static str;
        /// The path prefix, which the client adds.
        const API_PATH: &'static str;
        /// The authentication scheme of a plain token.
        const AUTH_SCHEME: &'static str;
        const REQUEST_ID: HeaderName;
        const OPERATIONS: &'static [Operation];
        /// The header for an idempotency key, if the service supports one.
        const IDEMPOTENCY_KEY: Option<HeaderName> = None;
        const REQUESTS_PER_SECOND: Option<NonZeroU32> = None;

        /// The URL that the document's paths are relative to, given the user's base URL.
        fn root(base: Url, _extra: &<Self as Service>::Extra) -> Result<Url, Error>
        where
            Self: Service,
        {
            Ok(base)
        }

        /// The headers that this service needs with every request.
        fn headers(
            _extra: &<Self as Service>::Extra,
        ) -> Result<Vec<(HeaderName, HeaderValue)>, Error>
        where
            Self: Service,
        {
            Ok(Vec::new())
        }

        /// Explains an error status, if this service gives it a specific meaning.
        fn hint(_response: &ErrorResponse<'_>, _extra: &<Self as Service>::Extra) -> Option<String>
        where
            Self: Service,
        {
            None
        }

        fn from_built(built: Built, extra: <Self as Service>::Extra) -> Result<Self, Error>
        where
            Self: Service;
    }
}

/// A builder for a client.
///
/// Settings are validated by [`build`](Self::build).
///
/// Calls need a tokio runtime with I/O and timers enabled; without one, they panic.
///
/// # Logs
///
/// Calls are reported to [`tracing`] under the target `webhook_sdk`. No field contains a payload, a
/// query string, a token, or a secret.
///
/// | | Level | Fields |
/// |---|---|---|
/// | span `webhook_sdk.call`, one for each call | `INFO` | `operation`, `method`, `host`, `path`; at the end `status`, `request_id`, `attempts`, `elapsed_ms` |
/// | event `request failed, will retry` | `WARN` | `operation`, `attempt` (the number of the failed attempt), `reason`, `status`, `request_id`, `wait_ms` |
/// | event `call failed`, once for each failed call | `WARN` | `operation`, `attempts`, `reason`, `status`, `request_id` |
/// | event `unknown value`, for an event or action type that this version doesn't know, perhaps a typo | `WARN` | `operation`, `field`, `value` |
/// | event `duplicates not checked`, when `ensure_webhook` couldn't list webhooks after it created one | `WARN` | `operation`, `reason` |
///
/// `operation` is the name of the client's method, and `reason` the kind of the error. `status` and
/// `request_id` are left out when there was no response. A call that is dropped ends its span without
/// an event.
pub struct ClientBuilder<S: Service> {
    auth: Auth,
    base_url: String,
    plain_http: bool,
    user_agent: String,
    timeout: Duration,
    deadline: Duration,
    max_response_bytes: usize,
    retry: RetryPolicy,
    requests_per_second: Option<NonZeroU32>,
    http: reqwest::ClientBuilder,
    pub(crate) extra: S::Extra,
}

impl<S: Service> fmt::Debug for ClientBuilder<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("auth", &self.auth)
            .field("timeout", &self.timeout)
            .field("deadline", &self.deadline)
            .field("max_response_bytes", &self.max_response_bytes)
            .field("retry", &self.retry)
            .field("requests_per_second", &self.requests_per_second)
            .field("extra", &self.extra)
            .finish_non_exhaustive()
    }
}

/// The parts of a generated client.
#[derive(Debug)]
#[expect(
    unnameable_types,
    reason = "sealed: only this crate's clients are built from it"
)]
pub struct Built {
    pub(crate) base_url: String,
    pub(crate) http: reqwest::Client,
    pub(crate) transport: Transport,
}

impl<S: Service> ClientBuilder<S> {
    pub(crate) fn new(auth: Auth, extra: S::Extra) -> Self {
        Self {
            auth,
            base_url: S::BASE_URL.to_owned(),
            plain_http: false,
            user_agent: String::new(),
            timeout: Duration::from_secs(30),
            deadline: Duration::from_secs(120),
            max_response_bytes: 16 * 1024 * 1024,
            retry: RetryPolicy::new(),
            requests_per_second: S::REQUESTS_PER_SECOND,
            http: reqwest::Client::builder(),
            extra,
        }
    }

    /// Sets the base URL. Defaults to the service's published one.
    ///
    /// The client adds the path of the API, such as `/v1`. A path in the base URL, such as that of
    /// a reverse proxy, is kept in front of it. The URL must be `https`, except for a loopback
    /// host.
    #[must_use]
    pub fn base_url(mut self, base_url: impl Into<String>) -> Self {
        self.base_url = base_url.into();
        self
    }

    /// Allows plain `http` to any host, which exposes the token to the network.
    #[must_use]
    pub fn danger_allow_plain_http(mut self) -> Self {
        self.plain_http = true;
        self
    }

    /// Adds the application's name to the `User-Agent` header, before `webhook-sdk/<version>`.
    #[must_use]
    pub fn user_agent(mut self, product: impl Into<String>) -> Self {
        self.user_agent = product.into();
        self
    }

    /// Sets the timeout of one attempt, from connecting to the last byte. Defaults to 30 s.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets the timeout of a whole call, including retries and backoff. Defaults to 120 s.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Sets the maximum size of a response body, in bytes. Defaults to 16 MiB.
    #[must_use]
    pub fn max_response_bytes(mut self, bytes: usize) -> Self {
        self.max_response_bytes = bytes;
        self
    }

    /// Sets the retry policy. Defaults to two retries.
    #[must_use]
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// Sets the maximum number of requests per second, or `None` for no limit.
    ///
    /// Retries count toward the limit. Defaults to the service's published limit, if there is one.
    /// A delayed request still has to finish within the deadline of its call.
    #[must_use]
    pub fn requests_per_second(mut self, requests: impl Into<Option<NonZeroU32>>) -> Self {
        self.requests_per_second = requests.into();
        self
    }

    /// Sets the HTTP client, to configure proxies, certificates, or the connection pool.
    ///
    /// ```
    /// use std::time::Duration;
    /// use webhook_sdk::preo::PreoClient;
    /// use webhook_sdk::reqwest;
    ///
    /// let http = reqwest::Client::builder().pool_idle_timeout(Duration::from_secs(30));
    /// let preo = PreoClient::builder("token").http(http).build()?;
    /// # let _ = preo;
    /// # Ok::<_, webhook_sdk::Error>(())
    /// ```
    ///
    /// It must be the builder of the re-exported [`reqwest`](crate::reqwest), version 0.13.
    ///
    /// **Don't use `connection_verbose` in production**: it logs all bytes of a connection at
    /// `TRACE`, including the token and secrets. The `Debug` output of reqwest shows default
    /// headers that aren't marked as sensitive.
    ///
    /// Redirects are never followed, even if the builder allows them: a redirect could change the
    /// method or send the token to another host. A plain `http` base URL on a loopback host is
    /// accessed without a proxy.
    #[must_use]
    pub fn http(mut self, builder: reqwest::ClientBuilder) -> Self {
        self.http = builder;
        self
    }

    /// Validates the settings and builds the client.
    ///
    /// # Errors
    ///
    /// Returns an error with [`Error::is_configuration`] if the token is empty, has
    /// whitespace around it, or isn't a valid header value, if the base URL isn't an absolute
    /// `https` URL (`http` is allowed for loopback), ends with the path of the API, or has a query, a
    /// fragment, or credentials, if a
    /// timeout or the size limit is zero, if the user agent isn't a valid header value, if TLS
    /// can't be set up, or if a service-specific setting is invalid.
    pub fn build(self) -> Result<S, Error> {
        let base = parse_base_url(&self.base_url, self.plain_http)?;
        if base.path().trim_end_matches('/').ends_with(S::API_PATH) {
            return Err(Error::configuration(format!(
                "the base URL ends with the path of the API, which the client adds; leave out `{}`",
                S::API_PATH
            )));
        }
        let base = S::root(base, &self.extra)?;
        for (name, limit) in [("timeout", self.timeout), ("deadline", self.deadline)] {
            if limit.is_zero() {
                return Err(Error::configuration(format!(
                    "`{name}` is zero, which leaves no time for a call"
                )));
            }
        }
        if self.max_response_bytes == 0 {
            return Err(Error::configuration(
                "`max_response_bytes` is zero, which leaves no room for a response",
            ));
        }
        let mut http = self.http.redirect(reqwest::redirect::Policy::none());
        if base.scheme() == "http" && is_loopback(&base) {
            // A proxy would see the token, and couldn't reach the loopback interface of this
            // machine.
            http = http.no_proxy();
        }
        let http = http.build().map_err(|error| {
            Error::configuration("the HTTP client can't be set up").with_source(error.without_url())
        })?;
        let base_path = base.path().trim_end_matches('/').to_owned();
        let transport = Transport(Arc::new(Settings {
            origin: base.origin(),
            base_path,
            auth: self.auth.credential(S::AUTH_SCHEME)?,
            headers: S::headers(&self.extra)?,
            user_agent: user_agent(&self.user_agent)?,
            request_id: S::REQUEST_ID,
            operations: S::OPERATIONS,
            timeout: self.timeout,
            deadline: self.deadline,
            max_response_bytes: self.max_response_bytes,
            retry: self.retry,
            idempotency_key: S::IDEMPOTENCY_KEY,
            rate_limit: self.requests_per_second.map(RateLimit::new),
            hint: {
                let extra = self.extra.clone();
                Box::new(move |response| S::hint(response, &extra))
            },
        }));
        let base_url = base.as_str().trim_end_matches('/').to_owned();
        S::from_built(
            Built {
                base_url,
                http,
                transport,
            },
            self.extra,
        )
    }
}

fn parse_base_url(text: &str, plain_http: bool) -> Result<Url, Error> {
    let wrong = |what: &str| Error::configuration(format!("the base URL {what}"));
    let url = Url::parse(text).map_err(|error| {
        wrong("isn't an absolute URL, such as `https://host`").with_source(error)
    })?;
    match url.scheme() {
        "https" => {}
        "http" if plain_http || is_loopback(&url) => {}
        "http" => {
            return Err(wrong(
                "uses plain http to a non-loopback host, which exposes the token; use https, or \
                 `danger_allow_plain_http`",
            ));
        }
        _ => return Err(wrong("is neither http nor https")),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("has credentials in it; pass them to `builder`"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong(
            "has a query or a fragment, which can't be kept; leave it out",
        ));
    }
    Ok(url)
}

pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(domain)) => domain == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn user_agent(product: &str) -> Result<HeaderValue, Error> {
    let own = concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"));
    let text = if product.is_empty() {
        own.to_owned()
    } else {
        format!("{product} {own}")
    };
    HeaderValue::try_from(text).map_err(|_| {
        Error::configuration("the user agent contains a character that isn't allowed in a header")
    })
}
