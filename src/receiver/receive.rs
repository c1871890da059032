use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::header;
use http::request::Parts;
use http_body::Body;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::body::{Bounds, Buffered};
use super::builder::Limits;
use super::delivery::caught;
use super::key::Scope;
use super::observer::{Observation, Observed, Observer};
use super::source::{By, Check, Proof};
use super::store::AnyStore;
use super::{Authenticated, Authentication, Delivery, ReceiverBuilder, Refusal, Source};
use crate::signature::Verified;

/// Receives the deliveries of one service.
///
/// ```
/// # #[cfg(feature = "preo")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use http::{Request, Response};
/// use webhook_sdk::receiver::Receiver;
/// use webhook_sdk::signature::{Key, Keyring, Signer, Verifier};
/// use webhook_sdk::{Secret, preo};
///
/// let secret = Secret::from("from the create call");
/// let verifier = Verifier::new(preo::scheme(), Keyring::new(Key::new("2026-11", &secret)?));
/// let receiver = Receiver::new(preo::Source::new(verifier));
///
/// let payload = r#"{"event":"consent.given"}"#;
/// let mut request = Request::post("/hooks/preo").body(payload.to_owned())?;
/// Signer::new(preo::scheme(), &secret)?.sign(request.headers_mut(), payload.as_bytes())?;
///
/// let (parts, body) = request.into_parts();
/// let response: Response<String> = match receiver.receive(&parts, body).await {
///     Ok(delivery) => delivery.handle(async |event| println!("{}", event["event"])).await.response(),
///     Err(refusal) => refusal.response(),
/// };
/// assert_eq!(response.status(), 204);
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "preo"))]
/// # fn main() {}
/// ```
///
/// Cloning is cheap, and clones share their state. With the feature `axum`, it is the router state
/// that the [`Delivery`] extractor uses. With any other framework, call [`receive`](Self::receive).
pub struct Receiver<S> {
    inner: Arc<Inner<S>>,
}

pub(super) struct Inner<S> {
    pub(super) source: S,
    pub(super) name: Option<String>,
    pub(super) space: String,
    pub(super) store: AnyStore,
    pub(super) limits: Limits,
    pub(super) observer: Option<Observer>,
    pub(super) room: Arc<Semaphore>,
}

impl<S: Source> Receiver<S> {
    /// Returns a builder with the defaults and an in-memory store.
    pub fn builder(source: S) -> ReceiverBuilder<S> {
        ReceiverBuilder::new(source)
    }

    /// Creates a receiver with the defaults and an in-memory store.
    pub fn new(source: S) -> Self {
        Self::builder(source).assemble()
    }

    /// Authenticates, reads, verifies and decodes a request.
    ///
    /// It doesn't check the method and the path: that is up to the router. It must be called within
    /// a tokio runtime with timers enabled. Dropping the future is safe at any point: nothing has
    /// been claimed yet.
    ///
    /// # Errors
    ///
    /// Returns a [`Refusal`] with the response status. It has already been logged and observed.
    pub async fn receive<B: Body>(&self, parts: &Parts, body: B) -> Result<Delivery<S>, Refusal> {
        let begun = Instant::now();
        let result = caught(|| self.accept(parts, body)).await;
        let result = result.unwrap_or(Err(Refusal::Panicked));
        if let Err(refusal) = &result {
            self.inner.observe(Observed {
                source: self.inner.source.name(),
                receiver: self.inner.name.as_deref(),
                what: Observation::Refused(refusal),
                event: None,
                key_name: None,
                tenant: None,
                duration: begun.elapsed(),
            });
        }
        result
    }

    /// The source.
    pub fn source(&self) -> &S {
        &self.inner.source
    }

    pub(super) fn of(inner: Inner<S>) -> Self {
        Self {
            inner: Arc::new(inner),
        }
    }

    async fn accept<B: Body>(&self, parts: &Parts, body: B) -> Result<Delivery<S>, Refusal> {
        let Inner {
            source,
            limits,
            room,
            ..
        } = &*self.inner;
        let authentication = source.authenticate(parts).await?;
        let content_type = parts.headers.get(header::CONTENT_TYPE);
        if !source.accepts(content_type.map(|value| value.to_str().unwrap_or_default())) {
            return Err(Refusal::UnsupportedMediaType);
        }
        let bounds = Bounds {
            max_bytes: limits.max_body_bytes,
            room,
        };
        let (tenant, owner) = (authentication.tenant.clone(), authentication.owner.clone());
        let read = verify(&bounds, parts, body, authentication);
        let (body, by) = tokio::time::timeout(limits.body_timeout, read)
            .await
            .unwrap_or(Err(Refusal::BodyTimeout {
                limit: limits.body_timeout,
            }))?;
        let Buffered { bytes, room } = body;
        self.decode(parts, bytes, room, Proof { by, tenant }, owner)
    }

    fn decode(
        &self,
        parts: &Parts,
        body: Bytes,
        room: OwnedSemaphorePermit,
        proof: Proof,
        owner: Option<Arc<str>>,
    ) -> Result<Delivery<S>, Refusal> {
        let source = &self.inner.source;
        let scope = Scope::new([
            self.inner.space.as_str(),
            source.name(),
            proof.tenant.as_deref().unwrap_or_default(),
            match &proof.by {
                By::Signature(verified) => verified.owner(),
                By::Credentials(_) => owner.as_deref(),
            }
            .unwrap_or_default(),
        ]);
        let proof = Arc::new(proof);
        let events = source.decode(&Authenticated {
            parts,
            body: &body,
            proof: &proof,
            scope,
        })?;
        Ok(Delivery {
            receiver: Arc::clone(&self.inner),
            proof,
            events,
            _room: room,
        })
    }
}

impl<S> Inner<S> {
    pub(super) fn observe(&self, observed: Observed<'_>) {
        observed.log();
        if let Some(observer) = &self.observer {
            observer(&observed);
        }
    }
}

impl<S> Clone for Receiver<S> {
    fn clone(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
        }
    }
}

impl<S: Source> fmt::Debug for Receiver<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver")
            .field("source", &self.inner.source.name())
            .field("name", &self.inner.name)
            .field("limits", &self.inner.limits)
            .finish_non_exhaustive()
    }
}

/// Reads and verifies the body at the same time.
async fn verify<B: Body>(
    bounds: &Bounds<'_>,
    parts: &Parts,
    body: B,
    authentication: Authentication,
) -> Result<(Buffered, By), Refusal> {
    let headers = &parts.headers;
    match authentication.check {
        Check::Signature(verification) => {
            let body = bounds.read(headers, body).await?;
            let verified = verification.finish(&body.bytes);
            let verified = verified.map(Verified::without_payload);
            if authentication.unknown_tenant {
                return Err(Refusal::UnknownTenant);
            }
            Ok((body, By::Signature(verified?)))
        }
        Check::Passed(name) => {
            let body = bounds.read(headers, body).await?;
            Ok((body, By::Credentials(name)))
        }
    }
}
