use std::fmt;
use std::sync::Arc;

use http::header;
use http::request::Parts;
use http_body::Body;
use tokio::time::{Instant, timeout};

use super::body::BodyLimits;
use super::guard::catch_panic;
use super::key::Scope;
use super::proof::{By, Proof};
use super::shared::Shared;
use super::source::Check;
use super::{Authenticated, Delivery, Observation, Refusal, Source};

/// Receives the deliveries of one service.
///
/// ```
/// # #[cfg(feature = "preo")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use http::{Request, Response};
/// use webhook_sdk::receiver::Receiver;
/// use webhook_sdk::signature::Signer;
/// use webhook_sdk::{Secret, preo};
///
/// let secret = Secret::from("from the create call");
/// let receiver = Receiver::new(preo::Source::new(preo::verifier(&secret)?));
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
    pub(super) shared: Arc<Shared<S>>,
}

impl<S: Source> Receiver<S> {
    /// Authenticates, reads, verifies, and decodes a request.
    ///
    /// It doesn't check the method and the path: that is up to the router. It must be called within
    /// a tokio runtime with timers enabled. Dropping the future is safe at any point: nothing has
    /// been claimed yet.
    ///
    /// # Errors
    ///
    /// Returns a [`Refusal`] with the response status. It has already been logged and observed.
    pub async fn receive<B: Body>(&self, parts: &Parts, body: B) -> Result<Delivery<S>, Refusal> {
        let started = Instant::now();
        let accepted = catch_panic(self.accept(parts, body)).await;
        let accepted = accepted.unwrap_or(Err(Refusal::Panicked));
        if let Err(refusal) = &accepted {
            let refused = Observation::Refused(refusal.clone());
            self.shared.observe(&refused, started, None);
        }
        accepted
    }

    /// The source.
    pub fn source(&self) -> &S {
        &self.shared.source
    }

    async fn accept<B: Body>(&self, parts: &Parts, body: B) -> Result<Delivery<S>, Refusal> {
        let Shared {
            source,
            limits,
            buffer,
            ..
        } = &*self.shared;
        let authentication = source.authenticate(parts).await?;
        let content_type = parts.headers.get(header::CONTENT_TYPE);
        if !source.accepts(content_type.map(|value| value.to_str().unwrap_or_default())) {
            return Err(Refusal::UnsupportedMediaType);
        }
        let body_limits = BodyLimits {
            max_bytes: limits.max_body_bytes,
            buffer,
        };
        let limit = limits.body_timeout;
        let read = timeout(limit, body_limits.read(&parts.headers, body));
        let body = read.await.unwrap_or(Err(Refusal::BodyTimeout { limit }))?;
        let by = match authentication.check {
            Check::Signature(verification) => verification
                .finish(&body.bytes)
                .map(|verified| By::Signature(verified.without_payload())),
            Check::Passed(name) => Ok(By::Credentials(name)),
        };
        if authentication.unknown_tenant {
            return Err(Refusal::UnknownTenant);
        }
        let (by, tenant) = (by?, authentication.tenant);
        let proof = Arc::new(Proof { by, tenant });
        let owner = match &proof.by {
            By::Signature(verified) => verified.owner(),
            By::Credentials(_) => authentication.owner.as_deref(),
        };
        let scope = Scope([
            &self.shared.scope_name,
            source.name(),
            proof.tenant.as_deref().unwrap_or_default(),
            owner.unwrap_or_default(),
        ]);
        let events = source.decode(&Authenticated {
            parts,
            body: &body.bytes,
            proof: &proof,
            scope,
        })?;
        Ok(Delivery {
            shared: Arc::clone(&self.shared),
            proof,
            events,
            _permit: body.permit,
        })
    }
}

impl<S> Clone for Receiver<S> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<S: Source> fmt::Debug for Receiver<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver")
            .field("source", &self.shared.source.name())
            .field("name", &self.shared.name)
            .field("limits", &self.shared.limits)
            .finish_non_exhaustive()
    }
}
