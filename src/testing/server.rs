use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use futures_util::stream::{self, StreamExt};
use http::{Method, Response, StatusCode};
use percent_encoding::percent_decode_str;
use reqwest::Client;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::delivery::FakeDelivery;
use super::fault::{Fault, Faults};
use super::sender::{self, Sender};
use super::service::{Attempt, Call, FakeService, Reply, Route, State};

/// The maximum number of deliveries in flight, far below the usual limit of 1,024 open files.
const AT_ONCE: usize = 32;

/// The shared state of a fake and its server.
pub(crate) struct Shared<S: FakeService> {
    state: Mutex<State<S>>,
    faults: Mutex<Faults>,
    journal: Mutex<Vec<RecordedRequest>>,
    sender: Sender,
    http: OnceLock<Option<Client>>,
    anywhere: bool,
    /// Held during a delivery pass if the service orders its events.
    turn: tokio::sync::Mutex<()>,
}

/// Locks `mutex`, even if it is poisoned.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<S: FakeService> Shared<S> {
    pub(crate) fn new(state: State<S>, anywhere: bool) -> Self {
        Self {
            state: Mutex::new(state),
            faults: Mutex::default(),
            journal: Mutex::default(),
            sender: Sender::start(),
            http: OnceLock::new(),
            anywhere,
            turn: tokio::sync::Mutex::new(()),
        }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State<S>> {
        lock(&self.state)
    }

    pub(crate) fn faults(&self) -> MutexGuard<'_, Faults> {
        lock(&self.faults)
    }

    pub(crate) fn requests(&self) -> Vec<RecordedRequest> {
        lock(&self.journal).clone()
    }

    /// Aborts the deliveries in flight.
    pub(crate) fn stop(&self) {
        self.sender.stop();
    }

    pub(crate) async fn idle(&self) {
        self.sender.idle().await;
    }

    /// Attempts the `wanted` or else all due deliveries, and returns their new state.
    pub(crate) async fn deliver(self: &Arc<Self>, wanted: Option<Vec<u64>>) -> Vec<FakeDelivery> {
        let shared = Arc::clone(self);
        let pass = self.sender.run(async move {
            let _turn = match S::ORDERED {
                true => Some(shared.turn.lock().await),
                false => None,
            };
            let mut attempted = Vec::new();
            loop {
                let round = shared.state().begin_round(wanted.as_deref(), &attempted);
                if round.is_empty() {
                    break;
                }
                attempted.extend(round.iter().flat_map(|attempt| attempt.keys.clone()));
                stream::iter(round)
                    .for_each_concurrent(AT_ONCE, |attempt| shared.attempt(attempt))
                    .await;
            }
            let state = shared.state();
            let keys = wanted.unwrap_or(attempted);
            let deliveries = keys.iter().filter_map(|key| state.deliveries.get(key));
            deliveries.cloned().collect()
        });
        pass.await.unwrap_or_default()
    }

    async fn attempt(&self, attempt: Attempt) {
        let status = match self.http.get_or_init(sender::client) {
            Some(client) => attempt.outgoing.send(client, self.anywhere).await,
            None => None,
        };
        self.state().finish(&attempt.keys, status);
    }

    /// Mounts the service on a server.
    pub(crate) async fn mount(self: &Arc<Self>, server: &MockServer) {
        let closing = Arc::clone(self);
        Mock::given(move |request: &Request| closing.closes(request))
            .respond_with_err(|_: &Request| ConnectionClosed)
            .mount(server)
            .await;
        let answering = Arc::clone(self);
        Mock::given(any())
            .respond_with(move |request: &Request| answering.respond(request))
            .mount(server)
            .await;
    }

    fn closes(self: &Arc<Self>, request: &Request) -> bool {
        let route = route::<S>(request);
        let Some(fault) = self.faults().take(operation(&route), true) else {
            return false;
        };
        fault.apply(|| self.answer(request, &route), S::throttled);
        self.record(request, None);
        true
    }

    fn respond(self: &Arc<Self>, request: &Request) -> ResponseTemplate {
        let route = route::<S>(request);
        let fault = {
            let mut faults = self.faults();
            let fault = faults.take(operation(&route), false);
            fault.or_else(|| faults.count())
        };
        let (reply, delay) = fault
            .and_then(|fault: Fault| fault.apply(|| self.answer(request, &route), S::throttled))
            .unwrap_or_else(|| (self.answer(request, &route), None));
        self.record(request, Some(reply.status()));
        template(*reply, delay)
    }

    fn answer(self: &Arc<Self>, request: &Request, route: &Route) -> Reply {
        let (reply, begun) = {
            let mut state = self.state();
            let reply = S::answer(&mut state, request, route);
            (reply, std::mem::take(&mut state.outbox))
        };
        for attempt in begun {
            let shared = Arc::clone(self);
            drop(
                self.sender
                    .run(async move { shared.attempt(attempt).await }),
            );
        }
        reply
    }

    fn record(&self, request: &Request, status: Option<StatusCode>) {
        lock(&self.journal).push(RecordedRequest {
            request: Arc::new(request.clone()),
            status,
        });
    }
}

#[derive(Debug, thiserror::Error)]
#[error("a fault closed the connection")]
struct ConnectionClosed;

fn template(reply: Response<Vec<u8>>, delay: Option<Duration>) -> ResponseTemplate {
    let (parts, body) = reply.into_parts();
    let mut template = ResponseTemplate::new(parts.status).set_body_bytes(body);
    for (name, value) in &parts.headers {
        template = template.append_header(name, value);
    }
    match delay {
        Some(delay) => template.set_delay(delay),
        None => template,
    }
}

fn operation(route: &Route) -> Option<&'static str> {
    match route {
        Route::Operation(call) => Some(call.operation),
        Route::WrongMethod(_) | Route::Nowhere => None,
    }
}

/// Routes a request according to the service's document.
fn route<S: FakeService>(request: &Request) -> Route {
    let method = match request.method {
        Method::HEAD => &Method::GET,
        ref method => method,
    };
    let mut allowed = Vec::new();
    for operation in S::operations() {
        let template = [S::ROOT, operation.path].concat();
        let Some(parameters) = parameters(&template, request.url.path()) else {
            continue;
        };
        if operation.method == *method {
            return Route::Operation(Call {
                operation: operation.id,
                parameters,
            });
        }
        allowed.push(operation.method.as_str());
    }
    match allowed.is_empty() {
        true => Route::Nowhere,
        false => Route::WrongMethod(allowed.join(", ")),
    }
}

/// The decoded parameters of a path, if it matches the template.
fn parameters(template: &str, path: &str) -> Option<Vec<String>> {
    let mut parameters = Vec::new();
    let mut segments = path.split('/');
    for expected in template.split('/') {
        let segment = segments.next()?;
        let segment = percent_decode_str(segment).decode_utf8_lossy();
        if expected.starts_with('{') && !segment.is_empty() {
            parameters.push(segment.into_owned());
        } else if expected != segment {
            return None;
        }
    }
    segments.next().is_none().then_some(parameters)
}

/// A request that a fake has received, and its response status.
///
/// Cloning is cheap. `Debug` shows the method, path, query and status, but never headers or the
/// body.
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
