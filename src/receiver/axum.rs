//! The extractor and the answers for axum.

use axum_core::extract::{FromRef, FromRequest, Request};
use axum_core::response::{IntoResponse, Response};

use super::{Answer, Delivery, Provider, Receiver, Rejection};

/// The extractor, with the [`Receiver`] in the router's state.
///
/// ```
/// # #[cfg(feature = "preo")]
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use axum::Router;
/// use axum::routing::post;
/// use webhook_sdk::receiver::{Answer, Delivery, Receiver};
/// use webhook_sdk::signature::{Key, Keyring, Verifier};
/// use webhook_sdk::{Secret, preo};
///
/// type Deliveries = preo::Deliveries<serde_json::Value>;
///
/// async fn receive(delivery: Delivery<Deliveries>) -> Answer {
///     delivery.handle(async |event| println!("{event}")).await
/// }
///
/// let keyring = Keyring::new(Key::new("2026-11", &Secret::from("from the create call"))?);
/// let deliveries = Deliveries::new(Verifier::new(preo::scheme(), keyring));
/// let router: Router = Router::new()
///     .route("/hooks/preo", post(receive))
///     .with_state(Receiver::new(deliveries));
/// # let _ = router;
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "preo"))]
/// # fn main() {}
/// ```
///
/// axum's own limit on bodies doesn't apply: the receiver's does.
impl<P, S, State> FromRequest<State> for Delivery<P, S>
where
    P: Provider,
    S: Send + Sync + 'static,
    Receiver<P, S>: FromRef<State>,
    State: Send + Sync,
{
    type Rejection = Rejection;

    async fn from_request(request: Request, state: &State) -> Result<Self, Rejection> {
        let (parts, body) = request.into_parts();
        Receiver::from_ref(state).receive(&parts, body).await
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        self.response()
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        self.response()
    }
}
