use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::request::Parts;
use http::{HeaderMap, HeaderName};
use serde::de::DeserializeOwned;

use super::key::Scope;
use super::{DecodeError, Event, EventKey, Refusal};
use crate::signature::{Verification, Verified};

/// A service that sends deliveries: how it authenticates and what it sends.
///
/// [`preo::Source`](crate::preo::Source), [`lune::Source`](crate::lune::Source) and
/// [`pretix::Source`](crate::pretix::Source) implement it. For another service:
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
///     fn decode(&self, delivery: &Authenticated<'_>) -> Result<Vec<Event<Self::Event>>, DecodeError> {
///         let key = delivery.event_key(&[delivery.header("x-forge-delivery")?]);
///         Ok(vec![delivery.event(key, delivery.json()?)])
///     }
/// }
/// ```
pub trait Source: Send + Sync + 'static {
    /// What an [`Event`] of this service holds.
    type Event: Send;

    /// The service's name, for logs and event keys.
    fn name(&self) -> &str;

    /// The default limit on a body, in bytes; 1 MiB unless overridden.
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

    /// Checks the head of a request, before any of its body is read.
    ///
    /// An implementation can be an `async fn`.
    ///
    /// # Errors
    ///
    /// The reason, which is logged and observed; the sender gets its status alone.
    fn authenticate(
        &self,
        parts: &Parts,
    ) -> impl Future<Output = Result<Authentication, Refusal>> + Send;

    /// Decodes an authenticated body into its events, in the order in which to handle them.
    ///
    /// # Errors
    ///
    /// When the body isn't what the service documents.
    fn decode(&self, delivery: &Authenticated<'_>) -> Result<Vec<Event<Self::Event>>, DecodeError>;
}

/// How far the head of a request authenticates it.
///
/// A [`Verification`] converts into one: the body must then match a signature.
#[derive(Debug)]
pub struct Authentication {
    pub(super) check: Check,
    pub(super) tenant: Option<Arc<str>>,
    pub(super) owner: Option<Arc<str>>,
    pub(super) unknown_tenant: bool,
}

#[derive(Debug)]
pub(super) enum Check {
    Signature(Verification),
    Passed(Arc<str>),
}

impl Authentication {
    /// The request has shown accepted credentials of this name.
    pub fn credentials(name: impl Into<Arc<str>>) -> Self {
        Self::of(Check::Passed(name.into()))
    }

    /// The tenant whose keys were used; events of different tenants never count as duplicates.
    #[must_use]
    pub fn tenant(mut self, tenant: impl Into<Arc<str>>) -> Self {
        self.tenant = Some(tenant.into());
        self
    }

    /// The sender within the tenant that the credentials belong to, if they can be of several.
    ///
    /// A signature's owner is that of its [`Key`](crate::signature::Key::owner).
    #[must_use]
    pub fn owner(mut self, owner: impl Into<Arc<str>>) -> Self {
        self.owner = Some(owner.into());
        self
    }

    fn of(check: Check) -> Self {
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
        Self::of(Check::Signature(verification))
    }
}

/// An authenticated request, for [`Source::decode`].
pub struct Authenticated<'a> {
    pub(super) parts: &'a Parts,
    pub(super) body: &'a Bytes,
    pub(super) proof: &'a Arc<Proof>,
    pub(super) scope: Scope,
}

impl Authenticated<'_> {
    /// The head of the request. A header counts as authentic only if the scheme signs it.
    pub fn parts(&self) -> &Parts {
        self.parts
    }

    /// All headers of the request.
    pub fn headers(&self) -> &HeaderMap {
        &self.parts.headers
    }

    /// The value of a header that must occur once.
    ///
    /// # Errors
    ///
    /// When the header is missing, repeated, or not visible ASCII.
    pub fn header(&self, name: &str) -> Result<&str, DecodeError> {
        let refuse = |what| DecodeError::new(format!("the header {name} {what}"));
        let name =
            HeaderName::from_bytes(name.as_bytes()).map_err(|_| refuse("has an invalid name"))?;
        let mut values = self.parts.headers.get_all(&name).iter();
        let value = values.next().ok_or_else(|| refuse("is missing"))?;
        if values.next().is_some() {
            return Err(refuse("is repeated"));
        }
        value.to_str().map_err(|_| refuse("is not visible ASCII"))
    }

    /// The body, as it was sent.
    pub fn body(&self) -> &Bytes {
        self.body
    }

    /// Decodes the body as JSON.
    ///
    /// # Errors
    ///
    /// When the body isn't JSON or doesn't fit the type; the error names the JSON path and no value.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, DecodeError> {
        DecodeError::or_json(self.body)
    }

    /// The result of the verification; `None` for credentials.
    pub fn verified(&self) -> Option<&Verified<()>> {
        self.proof.verified()
    }

    /// The tenant whose keys authenticated the request.
    pub fn tenant(&self) -> Option<&str> {
        self.proof.tenant.as_deref()
    }

    /// The de-duplication key of an event that the sender names by these parts, such as `&[id]`.
    ///
    /// Take them from authenticated content only. The key also holds the receiver's name, the
    /// source's name and the tenant, so no sender can use up another's. Parts longer than 128
    /// bytes are replaced by their digest; if all are empty, the key is the digest of the body.
    pub fn event_key(&self, id: &[&str]) -> EventKey {
        match id.iter().all(|part| part.is_empty()) {
            true => self.digest_key(self.body),
            false => self.scope.key(id),
        }
    }

    /// The de-duplication key of an event without an id: the SHA-256 digest of these bytes.
    pub fn digest_key(&self, bytes: &[u8]) -> EventKey {
        self.scope.digest(bytes)
    }

    /// Makes an event; its [raw](Event::raw) bytes are the whole body until set otherwise.
    pub fn event<T>(&self, key: EventKey, data: T) -> Event<T> {
        Event::new(key, data, self.body.clone(), Arc::clone(self.proof))
    }
}

/// What authenticated a delivery.
pub(super) struct Proof {
    pub(super) by: By,
    pub(super) tenant: Option<Arc<str>>,
}

pub(super) enum By {
    Signature(Verified<()>),
    Credentials(Arc<str>),
}

impl Proof {
    pub(super) fn verified(&self) -> Option<&Verified<()>> {
        match &self.by {
            By::Signature(verified) => Some(verified),
            By::Credentials(_) => None,
        }
    }

    pub(super) fn key_name(&self) -> &str {
        match &self.by {
            By::Signature(verified) => verified.key_name(),
            By::Credentials(name) => name,
        }
    }

    pub(super) fn timestamp(&self) -> Option<DateTime<Utc>> {
        self.verified().and_then(Verified::timestamp)
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
