use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use chrono::NaiveDate;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::{Map, Value};
use wiremock::Request;

use crate::testing::answer::Answer;
use crate::testing::courier::Courier;
use crate::testing::host::Service;
use crate::testing::lock::lock;
use crate::testing::lune::builder::Settings;
use crate::testing::lune::error::{coded, invalid, plain};
use crate::testing::lune::route::{Call, LuneOperation};
use crate::testing::lune::state::State;
use crate::testing::lune::validate::{self, Pattern};
use crate::testing::lune::webhook::LuneFakeWebhook;

const ACCOUNT: HeaderName = HeaderName::from_static("lune-account");
const REQUEST_ID: HeaderName = HeaderName::from_static("cf-ray");
const VERSION: HeaderName = HeaderName::from_static("lune-version");
/// The published limit of a request: 100 kB.
const MAX_BODY: usize = 100_000;

/// The six operations over HTTP.
pub(super) struct Api {
    pub(super) settings: Arc<Settings>,
    pub(super) state: Arc<Mutex<State>>,
    pub(super) courier: Courier,
    /// Held while a webhook may have a request in flight.
    pub(super) turn: tokio::sync::Mutex<()>,
    url_pattern: Pattern,
    answers: AtomicU64,
}

impl Service for Api {
    type Operation = LuneOperation;

    fn operation(&self, request: &Request) -> Option<LuneOperation> {
        Call::of(&request.method, &request.url).map(|call| call.operation)
    }

    fn answer(&self, request: &Request) -> Answer {
        let answer = self.respond(request).unwrap_or_else(|refusal| refusal);
        let version = request.headers.get(VERSION).cloned();
        let pinned = || HeaderValue::try_from(&self.settings.version).ok();
        match version.or_else(pinned) {
            Some(version) => self.named(answer).header(VERSION, version),
            None => self.named(answer),
        }
    }

    fn throttled(&self, _seconds: Option<u64>) -> Answer {
        self.named(plain(StatusCode::TOO_MANY_REQUESTS))
    }
}

impl Api {
    pub(super) fn new(settings: Arc<Settings>, state: Arc<Mutex<State>>, courier: Courier) -> Self {
        Self {
            settings,
            state,
            courier,
            turn: tokio::sync::Mutex::new(()),
            url_pattern: Pattern::new(),
            answers: AtomicU64::new(0),
        }
    }

    /// Adds the request's name.
    fn named(&self, answer: Answer) -> Answer {
        let number = self.answers.fetch_add(1, Ordering::Relaxed) + 1;
        match HeaderValue::try_from(format!("{number:016x}-FAKE")) {
            Ok(name) => answer.header(REQUEST_ID, name),
            Err(_) => answer,
        }
    }

    fn respond(&self, request: &Request) -> Result<Answer, Answer> {
        let call = Call::of(&request.method, &request.url).ok_or_else(not_found)?;
        self.authorize(request)?;
        check_version(request)?;
        self.check_account(request)?;
        let state = &mut *lock(&self.state);
        match call.operation {
            LuneOperation::ListWebhooks => Ok(list(state, request)),
            LuneOperation::CreateWebhook => self.create(state, request),
            LuneOperation::RetrieveWebhook => retrieve(state, &call.id),
            LuneOperation::UpdateWebhook => self.update(state, &call.id, request),
            LuneOperation::DeleteWebhook => delete(state, &call.id),
            LuneOperation::RotateWebhookSecret => rotate(state, &call.id),
        }
    }

    fn authorize(&self, request: &Request) -> Result<(), Answer> {
        let expected = format!("Bearer {}", self.settings.key);
        match request.headers.get(AUTHORIZATION) {
            Some(value) if value.as_bytes() == expected.as_bytes() => Ok(()),
            _ => Err(coded(
                StatusCode::UNAUTHORIZED,
                "unauthorised",
                "The API key is missing or invalid.",
            )),
        }
    }

    fn check_account(&self, request: &Request) -> Result<(), Answer> {
        match request.headers.get(ACCOUNT) {
            Some(account) if !self.is_account(&String::from_utf8_lossy(account.as_bytes())) => {
                Err(coded(
                    StatusCode::UNAUTHORIZED,
                    "invalid_selected_account_id",
                    "The selected account doesn't exist.",
                ))
            }
            _ => Ok(()),
        }
    }

    fn is_account(&self, id: &str) -> bool {
        let accounts = &self.settings.accounts;
        accounts.is_empty() || accounts.iter().any(|account| account == id)
    }

    fn create(&self, state: &mut State, request: &Request) -> Result<Answer, Answer> {
        let body = json_object(request)?;
        let url = validate::url(&body, &self.url_pattern)?;
        let account_ids = validate::account_ids(&body, |id| self.is_account(id))?;
        let limit = self.settings.max_webhooks.unwrap_or(usize::MAX);
        if state.len() >= limit {
            let message = "The organisation has as many webhooks as it may have.";
            let code = "webhook_limit_reached";
            return Err(coded(StatusCode::BAD_REQUEST, code, message));
        }
        let seed = super::LuneWebhookSeed::new(url).account_ids(account_ids.unwrap_or_default());
        Ok(with_secret(state.insert(seed)))
    }

    fn update(&self, state: &mut State, id: &str, request: &Request) -> Result<Answer, Answer> {
        state.webhook(id).ok_or_else(not_found)?;
        let body = json_object(request)?;
        let url = validate::url(&body, &self.url_pattern)?;
        let enabled = validate::enabled(&body)?;
        let account_ids = validate::account_ids(&body, |id| self.is_account(id))?;
        let webhook = state.update(id, |webhook| {
            webhook.url = url;
            webhook.enabled = enabled;
            if let Some(account_ids) = account_ids {
                webhook.account_ids = account_ids;
            }
        });
        webhook.map(with_suffix).ok_or_else(not_found)
    }
}

fn list(state: &State, request: &Request) -> Answer {
    let accounts: Vec<_> = request
        .url
        .query_pairs()
        .filter(|(name, _)| name == "account_id")
        .map(|(_, id)| id)
        .collect();
    let webhooks: Vec<_> = state
        .webhooks()
        .filter(|webhook| {
            accounts.is_empty() || accounts.iter().any(|account| webhook.concerns(account))
        })
        .map(LuneFakeWebhook::with_suffix)
        .collect();
    Answer::json(StatusCode::OK, &webhooks)
}

fn retrieve(state: &State, id: &str) -> Result<Answer, Answer> {
    state.webhook(id).map(with_suffix).ok_or_else(not_found)
}

fn delete(state: &mut State, id: &str) -> Result<Answer, Answer> {
    if state.delete(id) {
        Ok(Answer::empty(StatusCode::NO_CONTENT))
    } else {
        Err(not_found())
    }
}

fn rotate(state: &mut State, id: &str) -> Result<Answer, Answer> {
    state.rotate(id).map(with_secret).ok_or_else(not_found)
}

fn with_suffix(webhook: &LuneFakeWebhook) -> Answer {
    Answer::json(StatusCode::OK, &webhook.with_suffix())
}

fn with_secret(webhook: &LuneFakeWebhook) -> Answer {
    Answer::json(StatusCode::OK, &webhook.with_secret())
}

fn not_found() -> Answer {
    plain(StatusCode::NOT_FOUND)
}

fn check_version(request: &Request) -> Result<(), Answer> {
    let Some(version) = request.headers.get(VERSION) else {
        return Ok(());
    };
    let date = version.to_str().unwrap_or_default();
    match NaiveDate::parse_from_str(date, "%Y-%m-%d") {
        Ok(_) => Ok(()),
        Err(_) => Err(coded(
            StatusCode::BAD_REQUEST,
            "api_version_invalid",
            "The API version is no date, like 2024-08-08.",
        )),
    }
}

/// The request's JSON object, or the answer to a body that isn't one.
fn json_object(request: &Request) -> Result<Map<String, Value>, Answer> {
    let content_type = request.headers.get(CONTENT_TYPE);
    let essence = content_type
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .unwrap_or_default();
    if !essence.trim().eq_ignore_ascii_case("application/json") {
        return Err(plain(StatusCode::UNSUPPORTED_MEDIA_TYPE));
    }
    if request.body.len() > MAX_BODY {
        return Err(plain(StatusCode::PAYLOAD_TOO_LARGE));
    }
    serde_json::from_slice(&request.body).map_err(|_| invalid("The body must be a JSON object."))
}
