//! The extractor and the answers for axum.

use axum_core::extract::{FromRef, FromRequest, Request};
use axum_core::response::{IntoResponse, Response};

use super::{Answer, Delivery, Provider, Receiver, Rejection};

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
