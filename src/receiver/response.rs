use http::{HeaderValue, Response, StatusCode, header};

/// A response without a body. A 503 includes `Retry-After`.
pub(super) fn respond<B: Default>(status: StatusCode) -> Response<B> {
    let mut response = Response::new(B::default());
    *response.status_mut() = status;
    if status == StatusCode::SERVICE_UNAVAILABLE {
        let wait = HeaderValue::from_static(RETRY_AFTER_SECONDS);
        response.headers_mut().insert(header::RETRY_AFTER, wait);
    }
    response
}

/// Our default. None of the services publishes a value.
const RETRY_AFTER_SECONDS: &str = "30";
