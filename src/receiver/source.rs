use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderName};
use serde::de::DeserializeOwned;

use super::key::Scope;
use super::proof::Proof;
use super::{DecodeError, Event, EventKey, Refusal};
use crate::signature::{Verification, Verified};
use crate::{JsonError, decode};

/// A service that sends webhooks: how to authenticate and decode its requests.
///
/// `preo::Source`, `lune::Source`, and `pretix::Source` implement it. For another service:
///
/// ```
/// use http::request::Parts;
/// use webhook_sdk::receiver::{Authenticated, Authentication, DecodeError, Event, Refusal, Source};
/// use webhook_sdk::signature::Verifier;
///
/// struct Forge {
///     verifier: Verifier,
/// }
///
/// impl Source for Forge {
///     type Event = serde_json::Value;
///
///     fn name(&self) -> &str {
///         "forge"
///     }
///
///     async fn authenticate(&self, parts: &Parts) -> Result<Authentication, Refusal> {
///         Ok(self.verifier.begin(&parts.headers)?.into())
///     }
///
///     fn decode(&self, request: &Authenticated<'_>) -> Result<Vec<Event<Self::Event>>, DecodeError> {
///         let key = request.event_key(&[request.header("x-forge-delivery")?]);
///         Ok(vec![request.event(key, request.json()?)])
///     }
/// }
/// ```
pub trait Source: Send + Sync + 'static {
    /// The data of an [`Event`].
    type Event: Send;

    /// The service's name, for logs and event keys.
    fn name(&self) -> &str;

    /// The default limit on a body, in bytes. Defaults to 1 MiB.
    fn max_body_bytes(&self) -> usize {
        1024 * 1024
    }

    /// Whether to accept a body of this content type.
    ///
    /// By default JSON (`application/json`, `application/…+json`), and a request without a content
    /// type.
    fn accepts(&self, content_type: Option<&str>) -> bool {
        content_type.is_none_or(is_json)
    }

    /// Whether [`decode`](Self::decode) sets [positions](EventKey::with_position), which the store
    /// must then support.
    fn skips_stale_events(&self) -> bool {
        false
    }

    /// Checks the head of a request before the body is read.
    ///
    /// An implementation can be an `async fn`.
    ///
    /// # Errors
    ///
    /// Returns the reason for refusing the request. It is logged and observed; the sender only gets
    /// its status.
    fn authenticate(
        &self,
        parts: &Parts,
    ) -> impl Future<Output = Result<Authentication, Refusal>> + Send;

    /// Decodes an authenticated body into events, in the order to handle them.
    ///
    /// # Errors
    ///
    /// Returns an error if the body doesn't match the service's documentation.
    fn decode(&self, request: &Authenticated<'_>) -> Result<Vec<Event<Self::Event>>, DecodeError>;
}

/// The result of authenticating the head of a request.
///
/// Convert a [`Verification`] into it to require that the body matches a signature.
#[derive(Debug)]
pub struct Authentication {
    pub(super) check: Check,
    pub(super) tenant: Option<Arc<str>>,
    pub(super) owner: Option<Arc<str>>,
    pub(super) unknown_tenant: bool,
}

#[derive(Debug)]
pub(super) enum Check {
    /// Boxed, because several futures hold it one after the other.
    Signature(Box<Verification>),
    Passed(Arc<str>),
}

impl Authentication {
    /// Accepts a request because of its credentials.
    pub fn credentials(name: impl Into<Arc<str>>) -> Self {
        Self::with_check(Check::Passed(name.into()))
    }

    /// Sets the tenant. Events of different tenants never count as duplicates.
    #[must_use]
    pub fn tenant(mut self, tenant: impl Into<Arc<str>>) -> Self {
        self.tenant = Some(tenant.into());
        self
    }

    /// Sets the owner of the credentials, if a tenant has several senders.
    ///
    /// A signature's owner is that of its [`Key`](crate::signature::Key::owner).
    #[must_use]
    pub fn owner(mut self, owner: impl Into<Arc<str>>) -> Self {
        self.owner = Some(owner.into());
        self
    }

    fn with_check(check: Check) -> Self {
        Self {
            check,
            tenant: None,
            owner: None,
            unknown_tenant: false,
        }
    }
}

impl From<Verification> for Authentication {
    fn from(verification: Verification) -> Self {
        Self::with_check(Check::Signature(Box::new(verification)))
    }
}

/// An authenticated request, for [`Source::decode`].
pub struct Authenticated<'a> {
    pub(super) parts: &'a Parts,
    pub(super) body: &'a Bytes,
    pub(super) proof: &'a Arc<Proof>,
    pub(super) scope: Scope<'a>,
}

impl Authenticated<'_> {
    /// The head of the request. A header is authentic only if the scheme signs it.
    pub fn parts(&self) -> &Parts {
        self.parts
    }

    /// All headers of the request.
    pub fn headers(&self) -> &HeaderMap {
        &self.parts.headers
    }

    /// The value of a header that must occur exactly once.
    ///
    /// # Errors
    ///
    /// Returns an error if the header is missing, repeated, or not visible ASCII.
    pub fn header(&self, name: &str) -> Result<&str, DecodeError> {
        let refuse = |what| DecodeError::new(format!("the header {name} {what}"));
        let name =
            HeaderName::from_bytes(name.as_bytes()).map_err(|_| refuse("has an invalid name"))?;
        let mut values = self.parts.headers.get_all(&name).iter();
        let value = values.next().ok_or_else(|| refuse("is missing"))?;
        if values.next().is_some() {
            return Err(refuse("is repeated"));
        }
        value.to_str().map_err(|_| refuse("isn't visible ASCII"))
    }

    /// The body as it was received.
    pub fn body(&self) -> &Bytes {
        self.body
    }

    /// Decodes the body as JSON.
    ///
    /// # Errors
    ///
    /// Returns an error if the body isn't JSON or doesn't match the type. The error contains the
    /// JSON path, but no value.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, JsonError> {
        decode::json(self.body, decode::Type::Any)
    }

    /// The result of the verification; `None` for credentials.
    pub fn verified(&self) -> Option<&Verified<()>> {
        self.proof.verified()
    }

    /// The tenant whose keys authenticated the request.
    pub fn tenant(&self) -> Option<&str> {
        self.proof.tenant.as_deref()
    }

    /// The deduplication key of an event with this id, such as `&[id]`.
    ///
    /// Build the id from authenticated content only. The key also contains the receiver's name, the
    /// source's name, and the tenant, so senders can't interfere with each other. An id longer than
    /// 128 bytes, in which `:`, `%`, and `~` count three times, is replaced by its digest. If all
    /// parts are empty, the key is the digest of the body.
    pub fn event_key(&self, id: &[&str]) -> EventKey {
        match id.iter().all(|part| part.is_empty()) {
            true => self.digest_key(self.body),
            false => self.scope.key(id),
        }
    }

    /// The deduplication key of an event without an id: the SHA-256 digest of these bytes.
    pub fn digest_key(&self, bytes: &[u8]) -> EventKey {
        self.scope.digest(bytes)
    }

    /// Creates an event. Its [raw](Event::raw) bytes are the whole body by default.
    pub fn event<T>(&self, key: EventKey, data: T) -> Event<T> {
        Event::new(key, data, self.body.clone(), Arc::clone(self.proof))
    }
}

impl fmt::Debug for Authenticated<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authenticated")
            .field("key_name", &self.proof.key_name())
            .field("tenant", &self.tenant())
            .field("timestamp", &self.proof.timestamp())
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    let Some((kind, subtype)) = essence.split_once('/') else {
        return false;
    };
    let format = subtype.rsplit('+').next().unwrap_or_default();
    kind.eq_ignore_ascii_case("application") && format.eq_ignore_ascii_case("json")
}
