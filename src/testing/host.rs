use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::Url;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::testing::answer::Answer;
use crate::testing::fault::{Fault, Faults, RateLimit};
use crate::testing::lock::lock;
use crate::testing::record::{Record, RecordedRequest};

/// What one service's fake answers; faults and recording are the host's part.
pub(crate) trait Service: Send + Sync + 'static {
    /// The operations that a fault can be limited to.
    type Operation: Copy + Eq + Send + Sync;

    /// The operation that a request asks for, if it asks for one.
    fn operation(&self, request: &Request) -> Option<Self::Operation>;

    fn answer(&self, request: &Request) -> Answer;

    /// The 429 of this service, with the wait that it names if it names one.
    fn throttled(&self, seconds: Option<u64>) -> Answer;
}

/// A server on a loopback port of its own, which ends when it is dropped.
pub(crate) struct Host<S: Service> {
    server: MockServer,
    base_url: String,
    desk: Arc<Desk<S>>,
}

impl<S: Service> Host<S> {
    pub(crate) async fn start(record: bool, service: impl FnOnce(Url) -> S) -> Self {
        // `MockServer::start` takes a server from a pool, where it goes on listening after the drop.
        let server = MockServer::builder()
            .disable_request_recording()
            .start()
            .await;
        let base_url = server.uri();
        #[expect(
            clippy::expect_used,
            reason = "an http URL made of a socket address parses"
        )]
        let url = Url::parse(&base_url).expect("the server's own address is a URL");
        let desk = Arc::new(Desk {
            service: service(url),
            faults: Faults::new(),
            limit: Mutex::new(None),
            record: Record::new(record),
        });
        let host = Self {
            server,
            base_url,
            desk,
        };
        host.mount().await;
        host
    }

    pub(crate) fn base_url(&self) -> &str {
        &self.base_url
    }

    pub(crate) fn service(&self) -> &S {
        &self.desk.service
    }

    pub(crate) fn faults(&self) -> &Faults<S::Operation> {
        &self.desk.faults
    }

    pub(crate) fn limit(&self, allowed: u32, retry_after: Option<Duration>) {
        *lock(&self.desk.limit) = Some(RateLimit::new(allowed, retry_after));
    }

    pub(crate) fn unlimited(&self) {
        *lock(&self.desk.limit) = None;
    }

    pub(crate) fn requests(&self) -> Vec<RecordedRequest> {
        self.desk.record.requests()
    }

    /// Forgets the recorded requests, and those that wiremock keeps for each mock.
    pub(crate) async fn forget_requests(&self) {
        self.desk.record.clear();
        self.server.reset().await;
        self.mount().await;
    }

    async fn mount(&self) {
        let closing = Arc::clone(&self.desk);
        Mock::given(move |request: &Request| closing.closes(request))
            .respond_with_err(|_: &Request| ConnectionClosed)
            .mount(&self.server)
            .await;
        let answering = Arc::clone(&self.desk);
        Mock::given(any())
            .respond_with(move |request: &Request| answering.respond(request))
            .mount(&self.server)
            .await;
    }
}

struct Desk<S: Service> {
    service: S,
    faults: Faults<S::Operation>,
    limit: Mutex<Option<RateLimit>>,
    record: Record,
}

impl<S: Service> Desk<S> {
    fn closes(&self, request: &Request) -> bool {
        let operation = self.service.operation(request);
        let Some(fault) = self.faults.take_if(operation, Fault::closes) else {
            return false;
        };
        self.apply(fault, request);
        self.record.push(request, None);
        true
    }

    fn respond(&self, request: &Request) -> ResponseTemplate {
        let operation = self.service.operation(request);
        let answer = self
            .faults
            .take_if(operation, |fault| !fault.closes())
            .or_else(|| lock(&self.limit).as_mut()?.count())
            .and_then(|fault| self.apply(fault, request))
            .unwrap_or_else(|| self.service.answer(request));
        self.record.push(request, Some(answer.status()));
        answer.into()
    }

    fn apply(&self, fault: Fault, request: &Request) -> Option<Answer> {
        fault.apply(
            || self.service.answer(request),
            |seconds| self.service.throttled(seconds),
        )
    }
}

#[derive(Debug, thiserror::Error)]
#[error("a fault closed the connection")]
struct ConnectionClosed;
