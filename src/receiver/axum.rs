//! The extractor and the responses for axum.

use axum_core::extract::{FromRef, FromRequest, Request};
use axum_core::response::{IntoResponse, Response};

use super::{Delivery, Outcome, Receiver, Refusal, Source};

/// Extracts a [`Delivery`], with the [`Receiver`] as the router's state.
///
/// ```
/// # #[cfg(feature = "preo")]
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use axum::Router;
/// use axum::routing::post;
/// use webhook_sdk::receiver::{Delivery, Outcome, Receiver};
/// use webhook_sdk::{Secret, preo};
///
/// type Preo = preo::Source;
///
/// async fn receive(delivery: Delivery<Preo>) -> Outcome {
///     delivery.handle(async |event| println!("{}", event["event"])).await
/// }
///
/// let verifier = preo::verifier(&Secret::from("from the create call"))?;
/// let source = Preo::new(verifier);
/// let router: Router = Router::new()
///     .route("/hooks/preo", post(receive))
///     .with_state(Receiver::new(source));
/// # let _ = router;
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "preo"))]
/// # fn main() {}
/// ```
///
/// axum's default body limit doesn't apply. The receiver's limit does.
impl<S, State> FromRequest<State> for Delivery<S>
where
    S: Source,
    Receiver<S>: FromRef<State>,
    State: Send + Sync,
{
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &State) -> Result<Self, Refusal> {
        let (parts, body) = request.into_parts();
        Receiver::from_ref(state).receive(&parts, body).await
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        self.response()
    }
}

impl IntoResponse for Outcome {
    fn into_response(self) -> Response {
        self.response()
    }
}
