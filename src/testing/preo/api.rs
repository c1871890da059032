use std::sync::{Arc, Mutex};

use http::{HeaderValue, StatusCode};
use wiremock::Request;

use crate::testing::answer::Answer;
use crate::testing::courier::Courier;
use crate::testing::drf;
use crate::testing::drf::page::Paging;
use crate::testing::host::Service;
use crate::testing::lock::lock;
use crate::testing::preo::builder::Settings;
use crate::testing::preo::deliver;
use crate::testing::preo::delivery::PreoFakeDeliveryStatus as Status;
use crate::testing::preo::list;
use crate::testing::preo::route::{Call, PreoOperation, Route};
use crate::testing::preo::state::{Place, State};
use crate::testing::preo::validate::{self, Changes};

/// The nine operations over HTTP.
pub(super) struct Api {
    pub(super) settings: Arc<Settings>,
    pub(super) state: Arc<Mutex<State>>,
    pub(super) courier: Courier,
    pub(super) paging: Paging,
}

impl Service for Api {
    type Operation = PreoOperation;

    fn operation(&self, request: &Request) -> Option<PreoOperation> {
        match Route::of(&request.method, &request.url) {
            Route::Call(call) => Some(call.operation()),
            Route::WrongMethod { .. } | Route::Nowhere => None,
        }
    }

    fn answer(&self, request: &Request) -> Answer {
        let route = Route::of(&request.method, &request.url);
        if matches!(route, Route::Nowhere) {
            return drf::no_such_path();
        }
        self.authorize(request)
            .and_then(|()| self.follow(route, request))
            .unwrap_or_else(|refusal| refusal)
    }

    fn throttled(&self, seconds: Option<u64>) -> Answer {
        drf::throttled(seconds)
    }
}

impl Api {
    fn authorize(&self, request: &Request) -> Result<(), Answer> {
        let scheme = &self.settings.auth_scheme;
        let Some(value) = request.headers.get(&self.settings.auth_header) else {
            let message = "Authentication credentials were not provided.";
            return Err(drf::unauthorized(scheme, message));
        };
        match credentials(value, scheme) {
            Some(token) if token == self.settings.token.as_bytes() => Ok(()),
            _ => Err(drf::unauthorized(scheme, "Invalid token.")),
        }
    }

    fn follow(&self, route: Route, request: &Request) -> Result<Answer, Answer> {
        match route {
            Route::Call(call) => self.carry_out(&call, request),
            Route::WrongMethod { allow } => Err(drf::method_not_allowed(request, allow)),
            Route::Nowhere => Err(drf::no_such_path()),
        }
    }

    fn carry_out(&self, call: &Call, request: &Request) -> Result<Answer, Answer> {
        let state = &mut *lock(&self.state);
        match call {
            Call::ListWebhooks => list::webhooks(state, &self.paging, &request.url),
            Call::CreateWebhook => create(state, request),
            Call::RetrieveWebhook(id) => retrieve(state, id),
            Call::UpdateWebhook(id) => update(state, id, request),
            Call::DeleteWebhook(id) => delete(state, id),
            Call::RotateSecret(id) => rotate(state, id),
            Call::ListDeliveries(id) => list::deliveries(state, id, &self.paging, &request.url),
            Call::RetrieveDelivery(place) => retrieve_delivery(state, place),
            Call::RetryDelivery(place) => self.retry(state, place),
        }
    }

    fn retry(&self, state: &mut State, place: &Place) -> Result<Answer, Answer> {
        let delivery = state.delivery(place).ok_or_else(drf::not_found)?;
        match delivery.status {
            Status::Pending | Status::Retrying => {}
            Status::Success => {
                let message = "Only a failed delivery can be retried.";
                return Err(drf::detail(StatusCode::BAD_REQUEST, message));
            }
            Status::Failed | Status::Exhausted => {
                if let Some(parcel) = deliver::begin_attempt(state, place, &self.settings) {
                    self.dispatch(place.clone(), parcel);
                }
            }
        }
        retrieve_delivery(state, place)
    }
}

fn create(state: &mut State, request: &Request) -> Result<Answer, Answer> {
    let body = drf::json_object(request)?;
    let seed = validate::new_webhook(&body).map_err(drf::invalid)?;
    let webhook = state.insert(seed);
    Ok(Answer::json(StatusCode::CREATED, &webhook.detail()))
}

fn retrieve(state: &State, id: &str) -> Result<Answer, Answer> {
    let webhook = state.webhook(id).ok_or_else(drf::not_found)?;
    Ok(Answer::json(StatusCode::OK, &webhook.detail()))
}

fn update(state: &mut State, id: &str, request: &Request) -> Result<Answer, Answer> {
    state.webhook(id).ok_or_else(drf::not_found)?;
    let body = drf::json_object(request)?;
    let changes = Changes::parse(&body).map_err(drf::invalid)?;
    let webhook = state
        .update(id, |webhook| changes.apply(webhook))
        .ok_or_else(drf::not_found)?;
    Ok(Answer::json(StatusCode::OK, &webhook.detail()))
}

fn delete(state: &mut State, id: &str) -> Result<Answer, Answer> {
    if !state.delete(id) {
        return Err(drf::not_found());
    }
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

fn rotate(state: &mut State, id: &str) -> Result<Answer, Answer> {
    let webhook = state.rotate(id).ok_or_else(drf::not_found)?;
    Ok(Answer::json(StatusCode::OK, &webhook.detail()))
}

fn retrieve_delivery(state: &State, place: &Place) -> Result<Answer, Answer> {
    let delivery = state.delivery(place).ok_or_else(drf::not_found)?;
    Ok(Answer::json(StatusCode::OK, &delivery.detail()))
}

/// What follows the scheme in a header's value, or all of it if no scheme is expected.
fn credentials<'a>(value: &'a HeaderValue, scheme: &HeaderValue) -> Option<&'a [u8]> {
    if scheme.is_empty() {
        return Some(value.as_bytes());
    }
    let (given, rest) = value.as_bytes().split_at_checked(scheme.len())?;
    let rest = rest.strip_prefix(b" ")?;
    given
        .eq_ignore_ascii_case(scheme.as_bytes())
        .then_some(rest)
}
