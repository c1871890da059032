use std::fmt;
use std::sync::Arc;

use http::request::Parts;
use http::{HeaderMap, header};
use http_body::Body;
use tokio::sync::Semaphore;

use super::body::{Bounds, Buffered};
use super::builder::Limits;
use super::delivery::Proof;
use super::{
    Authentication, Delivery, MemoryStore, Provider, ProviderError, ReceiverBuilder, Rejection,
};

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
/// let receiver = Receiver::new(preo::Deliveries::<serde_json::Value>::new(verifier));
///
/// let payload = r#"{"event":"consent.given"}"#;
/// let mut request = Request::post("/hooks/preo").body(payload.to_owned())?;
/// Signer::new(preo::scheme(), &secret)?.sign(request.headers_mut(), payload.as_bytes())?;
///
/// let (parts, body) = request.into_parts();
/// let answer: Response<String> = match receiver.receive(&parts, body).await {
///     Ok(delivery) => delivery.handle(async |event| println!("{event}")).await.response(),
///     Err(rejection) => rejection.response(),
/// };
/// assert_eq!(answer.status(), 204);
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "preo"))]
/// # fn main() {}
/// ```
///
/// A clone is a handle to the same receiver. With the feature `axum` it is the state from which a
/// [`Delivery`] is extracted; any other stack calls [`receive`](Self::receive).
pub struct Receiver<P, S = MemoryStore> {
    inner: Arc<Inner<P, S>>,
}

pub(super) struct Inner<P, S> {
    pub(super) provider: P,
    pub(super) store: S,
    pub(super) limits: Limits,
    room: Semaphore,
}

impl<P: Provider> Receiver<P> {
    /// Starts with the defaults and a store in memory.
    pub fn builder(provider: P) -> ReceiverBuilder<P> {
        ReceiverBuilder::new(provider)
    }

    /// A receiver with the defaults and a store in memory.
    pub fn new(provider: P) -> Self {
        Self::builder(provider).build()
    }
}

impl<P: Provider, S> Receiver<P, S> {
    /// Judges, reads, verifies and decodes a request.
    ///
    /// The method and the path are the router's business. Needs a tokio runtime with its timers on.
    /// Dropping the future is fine at any moment: nothing has been claimed yet.
    ///
    /// # Errors
    ///
    /// A [`Rejection`], which says what to answer. Its reason has been logged.
    pub async fn receive<B: Body>(
        &self,
        parts: &Parts,
        body: B,
    ) -> Result<Delivery<P, S>, Rejection> {
        let result = self.judge(&parts.headers, body).await;
        if let Err(rejection) = &result {
            tracing::warn!(
                provider = self.inner.provider.name(),
                status = rejection.status().as_u16(),
                reason = %rejection,
                "refused a delivery"
            );
        }
        result
    }

    /// The provider.
    pub fn provider(&self) -> &P {
        &self.inner.provider
    }

    pub(super) fn of(builder: ReceiverBuilder<P, S>) -> Self {
        let ReceiverBuilder {
            provider,
            store,
            limits,
        } = builder;
        let room = Semaphore::new(limits.max_buffered_bytes.min(Semaphore::MAX_PERMITS));
        Self {
            inner: Arc::new(Inner {
                provider,
                store,
                limits,
                room,
            }),
        }
    }

    async fn judge<B: Body>(
        &self,
        headers: &HeaderMap,
        body: B,
    ) -> Result<Delivery<P, S>, Rejection> {
        let Inner {
            provider,
            limits,
            room,
            ..
        } = &*self.inner;
        let authentication = provider
            .authenticate(headers)
            .map_err(Rejection::Unauthorized)?;
        if !is_json(headers) {
            return Err(Rejection::UnsupportedMediaType);
        }
        let bounds = Bounds {
            max_bytes: limits.max_body_bytes,
            room,
        };
        let read = authenticate(&bounds, headers, body, authentication);
        let (body, proof) = tokio::time::timeout(limits.body_timeout, read)
            .await
            .unwrap_or(Err(Rejection::TooSlow {
                limit: limits.body_timeout,
            }))?;
        let events = provider
            .decode(&body.bytes)
            .map_err(Rejection::Undecodable)?;
        Ok(Delivery::new(Arc::clone(&self.inner), proof, events))
    }
}

impl<P, S> Clone for Receiver<P, S> {
    fn clone(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
        }
    }
}

impl<P: Provider, S> fmt::Debug for Receiver<P, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver")
            .field("provider", &self.inner.provider.name())
            .field("limits", &self.inner.limits)
            .finish_non_exhaustive()
    }
}

/// Reads the body while it is verified.
async fn authenticate<'a, B: Body>(
    bounds: &Bounds<'a>,
    headers: &HeaderMap,
    body: B,
    authentication: Authentication,
) -> Result<(Buffered<'a>, Proof), Rejection> {
    match authentication {
        Authentication::Signed(verification) => {
            let body = bounds.read(headers, body).await?;
            let verified = verification
                .finish(&body.bytes)
                .map_err(|error| Rejection::Unauthorized(ProviderError::Signature(error)))?
                .without_payload();
            Ok((body, Proof::Signature(verified)))
        }
        Authentication::Credentials(pair) => {
            let body = bounds.read(headers, body).await?;
            Ok((body, Proof::Credentials(pair)))
        }
    }
}

/// A missing content type is let through: that of Preo is unpublished.
fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE) else {
        return true;
    };
    let essence = value.to_str().unwrap_or_default().split(';').next();
    let Some((kind, subtype)) = essence.unwrap_or_default().trim().split_once('/') else {
        return false;
    };
    let format = subtype.rsplit('+').next().unwrap_or_default();
    kind.eq_ignore_ascii_case("application") && format.eq_ignore_ascii_case("json")
}
