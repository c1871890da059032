//! The attempts of one call.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio::time::{Instant, sleep, timeout};

use super::{RawResponse, Transport, log};
use crate::error::{Error, ErrorKind, MAX_BODY_BYTES, Sent};

impl Transport {
    pub(super) async fn attempts(
        &self,
        client: &reqwest::Client,
        request: &reqwest::Request,
        operation: &'static str,
        started: Instant,
        sent: &mut Sent,
    ) -> Result<RawResponse, Error> {
        let key = self.0.idempotency_key.as_ref();
        let repeatable = request.method() != Method::POST
            || key.is_some_and(|key| request.headers().contains_key(key));
        let until_deadline = || self.0.deadline.saturating_sub(started.elapsed());
        let mut retries = self.0.retry.start();
        let mut last_response = None;
        loop {
            if let Some(rate_limit) = &self.0.rate_limit
                && timeout(until_deadline(), rate_limit.acquire())
                    .await
                    .is_err()
            {
                return Err(Error::deadline(last_response));
            }
            let error = match self.attempt(client, request, until_deadline(), sent).await {
                Ok(response) => return Ok(response),
                Err(error) => error,
            };
            last_response = error.head().cloned().or(last_response);
            if error.kind() == ErrorKind::Timeout && until_deadline().is_zero() {
                return Err(Error::deadline(last_response));
            }
            let wait = match may_resend(&error, repeatable) {
                true => retries.wait(&error, until_deadline()),
                false => None,
            };
            let Some(wait) = wait else {
                return Err(error);
            };
            log::retry(operation, sent.attempts, &error, wait);
            sleep(wait).await;
        }
    }

    async fn attempt(
        &self,
        client: &reqwest::Client,
        request: &reqwest::Request,
        until_deadline: Duration,
        sent: &mut Sent,
    ) -> Result<RawResponse, Error> {
        let Some(mut request) = request.try_clone() else {
            let message = "a streamed body can't be sent";
            return Err(Error::new(ErrorKind::Validation, message));
        };
        *request.timeout_mut() = Some(self.0.timeout.min(until_deadline));
        let before = *sent;
        sent.attempts += 1;
        sent.applied |= !request.method().is_safe();
        let result = self.send(client, request).await;
        match &result {
            // The request couldn't be built.
            Err(error) if error.is_validation() && error.status().is_none() => *sent = before,
            Err(error) if is_not_applied(error) => sent.applied = before.applied,
            _ => {}
        }
        result
    }

    async fn send(
        &self,
        client: &reqwest::Client,
        request: reqwest::Request,
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
        let limit = match parts.status.is_success() {
            true => settings.max_response_bytes,
            false => settings.max_response_bytes.min(MAX_BODY_BYTES),
        };
        let body = read(body, limit).await;
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
