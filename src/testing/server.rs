use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use futures_util::stream::{self, StreamExt};
use http::StatusCode;
use reqwest::Client;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::delivery::FakeDelivery;
use super::fault_queue::FaultQueue;
use super::recorded::RecordedRequest;
use super::reply::{self, Reply};
use super::route::Route;
use super::sender::{self, Outgoing, Sender};
use super::service::{FakeService, State};
use crate::client::sealed::Sealed;

/// The maximum number of deliveries in flight, far below the usual limit of 1,024 open files.
const AT_ONCE: usize = 32;

/// The shared state of a fake and its server.
pub(crate) struct Shared<S: FakeService> {
    state: Mutex<State<S>>,
    faults: Mutex<FaultQueue>,
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

    pub(crate) fn faults(&self) -> MutexGuard<'_, FaultQueue> {
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
                attempted.extend(
                    round
                        .iter()
                        .flat_map(|outgoing| outgoing.deliveries.clone()),
                );
                stream::iter(round)
                    .for_each_concurrent(AT_ONCE, |outgoing| shared.attempt(outgoing))
                    .await;
            }
            let state = shared.state();
            let keys = wanted.unwrap_or(attempted);
            let deliveries = keys.iter().filter_map(|key| state.deliveries.get(key));
            deliveries.cloned().collect()
        });
        pass.await.unwrap_or_default()
    }

    async fn attempt(&self, outgoing: Outgoing) {
        let status = match self.http.get_or_init(sender::client) {
            Some(client) => outgoing.send(client, self.anywhere).await,
            None => None,
        };
        self.state().finish(&outgoing.deliveries, status);
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
        let Some(fault) = self.faults().take_closing(route.operation()) else {
            return false;
        };
        fault.apply(S::ERRORS, || self.answer(request, &route));
        self.record(request, None);
        true
    }

    fn respond(self: &Arc<Self>, request: &Request) -> ResponseTemplate {
        let route = route::<S>(request);
        let fault = self.faults().take(route.operation());
        let operation = || self.answer(request, &route);
        let (reply, delay) = match fault {
            Some(fault) => fault.apply(S::ERRORS, operation),
            None => (operation(), None),
        };
        self.record(request, Some(reply.status()));
        reply::template(*reply, delay)
    }

    fn answer(self: &Arc<Self>, request: &Request, route: &Route) -> Reply {
        let (reply, begun) = {
            let mut state = self.state();
            let reply = S::answer(&mut state, request, route);
            (reply, std::mem::take(&mut state.outbox))
        };
        for outgoing in begun {
            let shared = Arc::clone(self);
            drop(
                self.sender
                    .run(async move { shared.attempt(outgoing).await }),
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

fn route<S: FakeService>(request: &Request) -> Route {
    Route::find(S::ROOT, S::Client::OPERATIONS, request)
}
