use std::sync::{Arc, Mutex};

use http::header::{ACCEPT, AUTHORIZATION, LOCATION};
use http::{HeaderName, HeaderValue, Method, StatusCode};
use reqwest::Url;
use wiremock::Request;

use crate::testing::answer::Answer;
use crate::testing::courier::Courier;
use crate::testing::drf;
use crate::testing::drf::page::Paging;
use crate::testing::drf::query;
use crate::testing::host::Service;
use crate::testing::lock::lock;
use crate::testing::pretix::builder::{Access, Settings};
use crate::testing::pretix::route::{PretixOperation, Route};
use crate::testing::pretix::state::{Key, State};
use crate::testing::pretix::validate::{Changes, Target};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("x-idempotency-key");
const TOKEN: HeaderValue = HeaderValue::from_static("Token");
const BAD_REQUEST_PAGE: &str = "<!doctype html>\n<html lang=\"en\">\n<head><title>Bad Request</title>\
    </head>\n<body><h1>Bad Request</h1></body>\n</html>\n";

/// The six operations over HTTP.
pub(super) struct Api {
    pub(super) settings: Arc<Settings>,
    pub(super) state: Arc<Mutex<State>>,
    pub(super) courier: Courier,
    pub(super) paging: Paging,
}

impl Service for Api {
    type Operation = PretixOperation;

    fn operation(&self, request: &Request) -> Option<PretixOperation> {
        Route::of(&request.url).operation(&request.method)
    }

    /// An answer under an idempotency key is kept, and given again to whatever comes under it.
    fn answer(&self, request: &Request) -> Answer {
        let state = &mut *lock(&self.state);
        let key = key(request);
        if let Some(answer) = key.as_ref().and_then(|key| state.repeated(key)) {
            return answer;
        }
        let answer = self
            .fresh_answer(state, request)
            .unwrap_or_else(|refusal| refusal);
        if let Some(key) = key {
            state.keep(key, &answer);
        }
        answer
    }

    fn throttled(&self, seconds: Option<u64>) -> Answer {
        drf::throttled(seconds)
    }
}

impl Api {
    fn fresh_answer(&self, state: &mut State, request: &Request) -> Result<Answer, Answer> {
        let url = &request.url;
        if url.query_pairs().any(|(_, value)| value.contains('\0')) {
            return Err(drf::page(StatusCode::BAD_REQUEST, BAD_REQUEST_PAGE));
        }
        match Route::of(url) {
            Route::Webhooks { organizer } => self.webhooks(state, request, &organizer),
            Route::Webhook { organizer, id } => self.webhook(state, request, &organizer, &id),
            Route::WithoutSlash => Err(without_slash(request)),
            Route::Nowhere => Err(drf::no_such_path()),
        }
    }

    fn webhooks(
        &self,
        state: &mut State,
        request: &Request,
        organizer: &str,
    ) -> Result<Answer, Answer> {
        negotiate(request)?;
        self.authorize(request, organizer)?;
        match request.method {
            Method::GET | Method::HEAD => Ok(self.list(state, &request.url, organizer)),
            Method::POST => self.create(state, request, organizer),
            _ => {
                let allow = "GET, POST, HEAD, OPTIONS";
                Err(drf::method_not_allowed(request, allow))
            }
        }
    }

    fn webhook(
        &self,
        state: &mut State,
        request: &Request,
        organizer: &str,
        id: &str,
    ) -> Result<Answer, Answer> {
        negotiate(request)?;
        self.authorize(request, organizer)?;
        match request.method {
            Method::GET | Method::HEAD => {
                let id = find(state, organizer, id)?;
                retrieve(state, id)
            }
            Method::PATCH | Method::PUT => {
                let id = find(state, organizer, id)?;
                self.update(state, request, organizer, id)
            }
            Method::DELETE => {
                let id = find(state, organizer, id)?;
                state.update(id, |webhook| webhook.enabled = false);
                Ok(Answer::empty(StatusCode::NO_CONTENT))
            }
            _ => {
                let allow = "GET, PUT, PATCH, DELETE, HEAD, OPTIONS";
                Err(drf::method_not_allowed(request, allow))
            }
        }
    }

    fn list(&self, state: &State, url: &Url, organizer: &str) -> Answer {
        let enabled = query::boolean(url, "enabled");
        let rows: Vec<_> = state
            .webhooks()
            .filter(|webhook| webhook.organizer == organizer)
            .filter(|webhook| enabled.is_none_or(|enabled| enabled == webhook.enabled))
            .collect();
        self.paging
            .answer(url, rows.len(), rows.into_iter(), |webhook| webhook)
    }

    fn create(
        &self,
        state: &mut State,
        request: &Request,
        organizer: &str,
    ) -> Result<Answer, Answer> {
        let body = drf::json_object(request)?;
        let organizer = state.organizer(organizer).ok_or_else(forbidden)?;
        let target = Target {
            organizer,
            old: None,
            whole: true,
        };
        let seed = Changes::parse(&body, &target, &self.settings)?.into_seed(organizer);
        Ok(Answer::json(StatusCode::CREATED, state.insert(seed)))
    }

    fn update(
        &self,
        state: &mut State,
        request: &Request,
        organizer: &str,
        id: i64,
    ) -> Result<Answer, Answer> {
        let body = drf::json_object(request)?;
        let target = Target {
            organizer: state.organizer(organizer).ok_or_else(forbidden)?,
            old: state.webhook(id),
            whole: request.method == Method::PUT,
        };
        let changes = Changes::parse(&body, &target, &self.settings)?;
        state.update(id, |webhook| changes.apply(webhook));
        retrieve(state, id)
    }

    fn authorize(&self, request: &Request, organizer: &str) -> Result<(), Answer> {
        match self.access(request)? {
            Access::Organizer(own) if own == organizer => Ok(()),
            _ => Err(forbidden()),
        }
    }

    fn access(&self, request: &Request) -> Result<&Access, Answer> {
        let refused = |message| drf::unauthorized(&TOKEN, message);
        let header = request.headers.get(AUTHORIZATION);
        let header = header.map_or(&[][..], HeaderValue::as_bytes);
        let mut words = header
            .split(|byte| byte.is_ascii_whitespace())
            .filter(|word| !word.is_empty());
        let scheme = words.next().unwrap_or_default();
        let own = scheme.eq_ignore_ascii_case(self.settings.auth_scheme.as_bytes());
        let known = [&b"token"[..], b"device"];
        if !own && !known.iter().any(|name| scheme.eq_ignore_ascii_case(name)) {
            // Without credentials, pretix reads the body before it refuses the request.
            drf::json(request)?;
            return Err(refused("Authentication credentials were not provided."));
        }
        match (words.next(), words.next()) {
            (None, _) => Err(refused("Invalid token header. No credentials provided.")),
            (Some(_), Some(_)) => Err(refused(
                "Invalid token header. Token string should not contain spaces.",
            )),
            (Some(token), None) => {
                let mut tokens = self.settings.tokens.iter().filter(|_| own);
                match tokens.find(|(known, _)| known.as_bytes() == token) {
                    Some((_, Access::Revoked)) => Err(refused("Token inactive or deleted.")),
                    Some((_, access)) => Ok(access),
                    None => Err(refused("Invalid token.")),
                }
            }
        }
    }
}

fn retrieve(state: &State, id: i64) -> Result<Answer, Answer> {
    let webhook = state.webhook(id).ok_or_else(no_match)?;
    Ok(Answer::json(StatusCode::OK, webhook))
}

/// The id of the organizer's webhook that a path names, read as Python reads a number.
fn find(state: &State, organizer: &str, id: &str) -> Result<i64, Answer> {
    let number = id.trim();
    let digits = number.strip_prefix(['+', '-']).unwrap_or(number);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(drf::not_found());
    }
    let webhook = number.parse().ok().and_then(|id| state.webhook(id));
    webhook
        .filter(|webhook| webhook.organizer == organizer)
        .map(|webhook| webhook.id)
        .ok_or_else(no_match)
}

/// Refuses who wants no JSON.
fn negotiate(request: &Request) -> Result<(), Answer> {
    if query::text(&request.url, "format").is_some_and(|format| format != "json") {
        return Err(drf::not_found());
    }
    let Some(accept) = request.headers.get(ACCEPT) else {
        return Ok(());
    };
    let accept = String::from_utf8_lossy(accept.as_bytes()).to_ascii_lowercase();
    let mut ranges = accept
        .split(',')
        .map(|range| range.split(';').next().unwrap_or_default().trim());
    if ranges.any(|range| ["application/json", "application/*", "*/*"].contains(&range)) {
        return Ok(());
    }
    let message = "Could not satisfy the request Accept header.";
    Err(drf::detail(StatusCode::NOT_ACCEPTABLE, message))
}

/// Django sends on what has no body to lose.
fn without_slash(request: &Request) -> Answer {
    if [Method::POST, Method::PUT, Method::PATCH].contains(&request.method) {
        return drf::no_such_path();
    }
    let query = request.url.query().map(|query| format!("?{query}"));
    let location = format!("{}/{}", request.url.path(), query.unwrap_or_default());
    let answer = drf::page(StatusCode::MOVED_PERMANENTLY, "");
    match HeaderValue::try_from(location) {
        Ok(location) => answer.header(LOCATION, location),
        Err(_) => answer,
    }
}

fn key(request: &Request) -> Option<Key> {
    if request.method.is_safe() {
        return None;
    }
    let key = request.headers.get(IDEMPOTENCY_KEY)?.as_bytes().to_vec();
    let caller = request.headers.get(AUTHORIZATION);
    let caller = caller.map_or_else(Vec::new, |value| value.as_bytes().to_vec());
    Some(Key { key, caller })
}

fn forbidden() -> Answer {
    let message = "You do not have permission to perform this action.";
    drf::detail(StatusCode::FORBIDDEN, message)
}

fn no_match() -> Answer {
    let message = "No WebHook matches the given query.";
    drf::detail(StatusCode::NOT_FOUND, message)
}
