use std::fmt;
use std::sync::Arc;

use http::{Method, StatusCode};
use wiremock::Request;

/// A request that a fake has received, and its response status.
///
/// Cloning is cheap. `Debug` shows the method, path, query, and status, but never headers or the
/// body.
#[derive(Clone)]
pub struct RecordedRequest {
    pub(super) request: Arc<Request>,
    pub(super) status: Option<StatusCode>,
}

impl RecordedRequest {
    /// The request's method.
    pub fn method(&self) -> &Method {
        &self.request.method
    }

    /// The path, percent-encoded as it was received.
    pub fn path(&self) -> &str {
        self.request.url.path()
    }

    /// The query without `?`, percent-encoded as it was received.
    pub fn query(&self) -> Option<&str> {
        self.request.url.query()
    }

    /// The response status, or `None` if a fault closed the connection.
    pub fn status(&self) -> Option<StatusCode> {
        self.status
    }

    /// The complete request, including headers and body. Its `Debug` shows them.
    pub fn request(&self) -> &Request {
        &self.request
    }
}

impl fmt::Debug for RecordedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordedRequest")
            .field("method", self.method())
            .field("path", &self.path())
            .field("query", &self.query())
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}
