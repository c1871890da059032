//! The span and events of a call, documented at [`ClientBuilder`](super::ClientBuilder).

use std::time::Duration;

use tracing::{Span, field};

use super::RawResponse;
use crate::clock::milliseconds;
use crate::error::Error;

pub(super) fn span(request: &reqwest::Request, operation: &str) -> Span {
    tracing::info_span!(
        target: "webhook_sdk",
        "webhook_sdk.call",
        operation,
        method = %request.method(),
        host = request.url().host_str(),
        path = request.url().path(),
        status = field::Empty,
        request_id = field::Empty,
        attempts = field::Empty,
        elapsed_ms = field::Empty,
    )
}

/// An attempt failed, and the request will be retried after `wait`.
pub(super) fn retry(operation: &str, attempt: u32, error: &Error, wait: Duration) {
    tracing::warn!(
        target: "webhook_sdk",
        operation,
        attempt,
        reason = ?error.kind(),
        status = error.status().map(|status| status.as_u16()),
        request_id = error.request_id(),
        wait_ms = milliseconds(wait),
        "request failed, will retry"
    );
}

/// A call failed.
pub(super) fn failure(error: &Error) {
    tracing::warn!(
        target: "webhook_sdk",
        operation = error.operation(),
        attempts = error.attempts(),
        reason = ?error.kind(),
        status = error.status().map(|status| status.as_u16()),
        request_id = error.request_id(),
        "call failed"
    );
}

/// Logs the error of a call that made no request, or whose requests succeeded.
pub(crate) fn failed(error: Error) -> Error {
    failure(&error);
    error
}

/// A request contains a value that this version doesn't know.
#[allow(dead_code, reason = "Lune's requests have no open enum")]
pub(crate) fn unknown(operation: &str, field: &str, value: &str) {
    tracing::warn!(target: "webhook_sdk", operation, field, value, "unknown value");
}

/// Records the result in the current span.
pub(super) fn end(result: &Result<RawResponse, Error>, attempts: u32, elapsed: Duration) {
    let span = Span::current();
    span.record("attempts", attempts);
    span.record("elapsed_ms", milliseconds(elapsed));
    let (status, request_id) = match result {
        Ok(response) => (Some(response.status()), response.request_id()),
        Err(error) => (error.status(), error.request_id()),
    };
    span.record("status", status.map(|status| status.as_u16()));
    span.record("request_id", request_id);
    if let Err(error) = result {
        failure(error);
    }
}
