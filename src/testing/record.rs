use std::fmt;
use std::sync::{Arc, Mutex};

use http::{Method, StatusCode};
use wiremock::Request;

use crate::testing::lock::lock;

/// A request that a fake has received, and how it answered.
///
/// Cheap to clone. `Debug` shows method, path, query and status; never a header or the body.
#[derive(Clone)]
pub struct RecordedRequest {
    request: Arc<Request>,
    status: Option<StatusCode>,
}

impl RecordedRequest {
    /// The request's method.
    pub fn method(&self) -> &Method {
        &self.request.method
    }

    /// The path, percent-encoded as it was sent.
    pub fn path(&self) -> &str {
        self.request.url.path()
    }

    /// The query without its `?`, percent-encoded as it was sent.
    pub fn query(&self) -> Option<&str> {
        self.request.url.query()
    }

    /// Path and query, such as `/v1/webhooks?page=2`.
    pub fn path_and_query(&self) -> String {
        match self.query() {
            Some(query) => format!("{}?{query}", self.path()),
            None => self.path().to_owned(),
        }
    }

    /// The status answered, or `None` if a fault closed the connection instead.
    pub fn status(&self) -> Option<StatusCode> {
        self.status
    }

    /// Everything else: headers and body. Its `Debug` shows them.
    pub fn request(&self) -> &Request {
        &self.request
    }
}

impl fmt::Debug for RecordedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordedRequest")
            .field("method", self.method())
            .field("path_and_query", &self.path_and_query())
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

/// The list of recorded requests; it stays empty if recording is off.
pub(crate) struct Record {
    on: bool,
    requests: Mutex<Vec<RecordedRequest>>,
}

impl Record {
    pub(crate) fn new(on: bool) -> Self {
        Self {
            on,
            requests: Mutex::new(Vec::new()),
        }
    }

    pub(crate) fn push(&self, request: &Request, status: Option<StatusCode>) {
        if self.on {
            let request = Arc::new(request.clone());
            lock(&self.requests).push(RecordedRequest { request, status });
        }
    }

    pub(crate) fn requests(&self) -> Vec<RecordedRequest> {
        lock(&self.requests).clone()
    }

    pub(crate) fn clear(&self) {
        lock(&self.requests).clear();
    }
}
