use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request};

use crate::Secret;
use crate::signature::{Scheme, Signer};

/// Creates a signed POST request with a JSON body, for tests without a network.
///
/// ```
/// # #[cfg(all(feature = "preo", feature = "receiver"))]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use webhook_sdk::receiver::Receiver;
/// use webhook_sdk::testing::signed_request;
/// use webhook_sdk::{Secret, preo};
///
/// let secret = Secret::from("swordfish");
/// let receiver = Receiver::new(preo::Source::new(preo::verifier(&secret)?));
///
/// let request = signed_request(preo::scheme(), &secret, r#"{"id":"c_1"}"#);
/// let (response, events) = receiver.test(request).await;
/// assert_eq!(response.status(), 204);
/// assert_eq!(events[0]["id"], "c_1");
/// # Ok(())
/// # }
/// # #[cfg(not(all(feature = "preo", feature = "receiver")))]
/// # fn main() {}
/// ```
///
/// It works with any [`Scheme`]. Use [`sign`] for a scheme that also signs other headers.
///
/// # Panics
///
/// Same as [`sign`].
pub fn signed_request(scheme: Scheme, secret: &Secret, body: impl Into<Bytes>) -> Request<Bytes> {
    sign(post(body.into()), scheme, secret)
}

/// Signs a request with the current time, replacing an existing signature.
///
/// Headers that the scheme signs must already be set.
///
/// # Panics
///
/// Panics if the secret isn't a valid key, or if a signed header is missing.
pub fn sign<B: AsRef<[u8]>>(
    mut request: Request<B>,
    scheme: Scheme,
    secret: &Secret,
) -> Request<B> {
    let body = request.body().as_ref().to_vec();
    let signer = match Signer::new(scheme, secret) {
        Ok(signer) => signer,
        Err(error) => panic!("the secret makes no key: {error}"),
    };
    if let Err(error) = signer.sign(request.headers_mut(), &body) {
        panic!("the request can't be signed: {error}");
    }
    request
}

/// Creates a POST request with a JSON body and credentials, like pretix.
#[cfg(feature = "pretix")]
pub fn credentialed_request(
    credentials: &crate::pretix::Credentials,
    body: impl Into<Bytes>,
) -> Request<Bytes> {
    let (user, password) = (credentials.user(), credentials.password().expose());
    let pair = data_encoding::BASE64.encode(format!("{user}:{password}").as_bytes());
    let mut request = post(body.into());
    if let Ok(value) = HeaderValue::try_from(format!("Basic {pair}")) {
        let name = http::header::AUTHORIZATION;
        request.headers_mut().insert(name, value);
    }
    request
}

fn post(body: Bytes) -> Request<Bytes> {
    let mut request = Request::new(body);
    *request.method_mut() = http::Method::POST;
    let json = HeaderValue::from_static("application/json");
    request.headers_mut().insert(CONTENT_TYPE, json);
    request
}

#[cfg(feature = "receiver")]
mod receive {
    use std::sync::{Mutex, PoisonError};

    use bytes::Bytes;
    use http::{Request, Response};
    use http_body_util::Full;

    use crate::receiver::{Event, Receiver, Source};

    impl<S: Source> Receiver<S> {
        /// Passes a request to the receiver, with a handler that accepts every event.
        ///
        /// Returns the response and the events that the handler got. A duplicate or a refused
        /// request has none. See [`signed_request`](crate::testing::signed_request) for an example.
        pub async fn test(&self, request: Request<Bytes>) -> (Response<()>, Vec<Event<S::Event>>) {
            let (parts, body) = request.into_parts();
            let delivery = match self.receive(&parts, Full::new(body)).await {
                Ok(delivery) => delivery,
                Err(refusal) => return (refusal.response(), Vec::new()),
            };
            let events = Mutex::new(Vec::new());
            let outcome = delivery
                .handle(async |event| {
                    let mut events = events.lock().unwrap_or_else(PoisonError::into_inner);
                    events.push(event);
                })
                .await;
            let events = events.into_inner().unwrap_or_else(PoisonError::into_inner);
            (outcome.response(), events)
        }
    }
}
