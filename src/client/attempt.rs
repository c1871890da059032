//! The attempts of one call.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use http::{Method, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio::time::{Instant, timeout_at};

use super::{RawResponse, Transport, log};
use crate::error::{Error, ErrorKind, Head, MAX_BODY_BYTES};

/// The state of a call across its attempts.
#[derive(Default)]
pub(super) struct Progress {
    attempts: AtomicU32,
    /// Whether an attempt so far may have been applied.
    applied: AtomicBool,
    last: Mutex<Option<Head>>,
}

impl Progress {
    pub(super) fn attempts(&self) -> u32 {
        self.attempts.load(Ordering::Relaxed)
    }

    pub(super) fn applied(&self) -> bool {
        self.applied.load(Ordering::Relaxed)
    }

    /// The head of the last response, if there was one.
    pub(super) fn last(&self) -> Option<Head> {
        self.last
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn saw(&self, head: &Head) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(head.clone());
    }
}

impl Transport {
    pub(super) async fn call(
        &self,
        client: &reqwest::Client,
        request: &reqwest::Request,
        operation: &'static str,
        progress: &Progress,
        started: Instant,
    ) -> Result<RawResponse, Error> {
        let key = self.0.idempotency_key.as_ref();
        let repeatable = request.method() != Method::POST
            || key.is_some_and(|key| request.headers().contains_key(key));
        let deadline = started.checked_add(self.0.deadline);
        let mut retries = self.0.retry.start();
        loop {
            let error = match self.attempt(client, request, progress, deadline).await {
                Ok(response) => return Ok(response),
                Err(error) if !may_resend(&error, repeatable) => return Err(error),
                Err(error) => error,
            };
            let until_deadline = self.0.deadline.saturating_sub(started.elapsed());
            let Some(wait) = retries.wait(&error, until_deadline) else {
                return Err(error);
            };
            log::retry(operation, progress.attempts(), &error, wait);
            tokio::time::sleep(wait).await;
        }
    }

    async fn attempt(
        &self,
        client: &reqwest::Client,
        request: &reqwest::Request,
        progress: &Progress,
        deadline: Option<Instant>,
    ) -> Result<RawResponse, Error> {
        let Some(mut request) = request.try_clone() else {
            let message = "a streamed body can't be sent";
            return Err(Error::new(ErrorKind::Validation, message));
        };
        if let Some(rate_limit) = &self.0.rate_limit {
            rate_limit.acquire().await;
        }
        *request.timeout_mut() = Some(self.0.timeout);
        let applied = progress.applied.load(Ordering::Relaxed);
        let writes = !request.method().is_safe();
        progress.attempts.fetch_add(1, Ordering::Relaxed);
        progress.applied.store(applied || writes, Ordering::Relaxed);
        let result = self.send(client, request, progress, deadline).await;
        if let Err(error) = &result
            && !applied
            && is_not_applied(error)
        {
            progress.applied.store(false, Ordering::Relaxed);
        }
        result
    }

    async fn send(
        &self,
        client: &reqwest::Client,
        request: reqwest::Request,
        progress: &Progress,
        deadline: Option<Instant>,
    ) -> Result<RawResponse, Error> {
        let settings = &*self.0;
        let method = request.method().clone();
        let response = client.execute(request).await.map_err(Error::transport)?;
        let (mut parts, body) = http::Response::from(response).into_parts();
        for value in parts.headers.values_mut() {
            if settings.auth.is_in(value.as_bytes()) {
                value.set_sensitive(true);
            }
        }
        let head = settings.head(parts.status, &parts.headers);
        progress.saw(&head);
        let limit = match parts.status.is_success() {
            true => settings.max_response_bytes,
            false => settings.max_response_bytes.min(MAX_BODY_BYTES),
        };
        let body = match deadline {
            // Ends just before the deadline of the call, which would lose the status.
            Some(deadline) => timeout_at(deadline, read(body, limit))
                .await
                .unwrap_or_else(|_| Err(Error::deadline())),
            None => read(body, limit).await,
        };
        if !parts.status.is_success() {
            return Err(settings.error(&method, head, body.unwrap_or_default()));
        }
        match body {
            Ok(body) => Ok(RawResponse::new(
                parts.status,
                parts.headers,
                head.request_id,
                body,
            )),
            Err(error) => Err(error.with_response(head, Bytes::new())),
        }
    }
}

async fn read(body: reqwest::Body, limit: usize) -> Result<Bytes, Error> {
    match Limited::new(body, limit).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            let message =
                format!("the response body exceeds {limit} bytes; see `max_response_bytes`");
            Err(Error::new(ErrorKind::TooLarge, message))
        }
        Err(error) => Err(match error.downcast::<reqwest::Error>() {
            Ok(error) => Error::transport(*error),
            Err(_) => Error::new(ErrorKind::Disconnected, "the response body is incomplete"),
        }),
    }
}

/// Whether a failed attempt definitely wasn't applied.
///
/// A 303 refers to the result of a request that was applied.
fn is_not_applied(error: &Error) -> bool {
    match (error.kind(), error.status()) {
        (ErrorKind::Connect | ErrorKind::Tls, _) => true,
        (ErrorKind::Validation, None) => true,
        (ErrorKind::Redirect, Some(status)) => status != StatusCode::SEE_OTHER,
        (ErrorKind::Status, Some(StatusCode::REQUEST_TIMEOUT)) => false,
        (_, Some(status)) => status.is_client_error(),
        _ => false,
    }
}

/// Whether to retry a request: it must be useful and safe.
///
/// After a 429 or a failed connection, the request was not applied. After anything else it may have
/// been, so only an idempotent request is retried.
fn may_resend(error: &Error, repeatable: bool) -> bool {
    let not_applied = matches!(error.kind(), ErrorKind::Connect | ErrorKind::RateLimited);
    error.is_retryable() && (repeatable || not_applied)
}
