//! The attempts of one call.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio::time::Instant;

use super::{Answer, Transport, log};
use crate::error::{Error, Kind};

impl Transport {
    pub(super) async fn call(
        &self,
        client: &reqwest::Client,
        request: &reqwest::Request,
        operation: &'static str,
        attempts: &AtomicU32,
        started: Instant,
    ) -> Result<Answer, Error> {
        let key = self.0.idempotency_key.as_ref();
        let repeatable = request.method() != Method::POST
            || key.is_some_and(|key| request.headers().contains_key(key));
        let mut retries = self.0.retry.start();
        loop {
            let error = match self.attempt(client, request, attempts).await {
                Ok(answer) => return Ok(answer),
                Err(error) if !may_resend(&error, repeatable) => return Err(error),
                Err(error) => error,
            };
            let until_deadline = self.0.deadline.saturating_sub(started.elapsed());
            let Some(wait) = retries.wait(&error, until_deadline) else {
                return Err(error);
            };
            log::retry(operation, attempts.load(Ordering::Relaxed), &error, wait);
            tokio::time::sleep(wait).await;
        }
    }

    async fn attempt(
        &self,
        client: &reqwest::Client,
        request: &reqwest::Request,
        attempts: &AtomicU32,
    ) -> Result<Answer, Error> {
        let Some(mut request) = request.try_clone() else {
            return Err(Error::new(
                Kind::InvalidRequest,
                "a streamed body can't be sent",
            ));
        };
        if let Some(pace) = &self.0.pace {
            pace.until_ready().await;
        }
        attempts.fetch_add(1, Ordering::Relaxed);
        *request.timeout_mut() = Some(self.0.timeout);
        let response: http::Response<reqwest::Body> =
            client.execute(request).await.map_err(Error::http)?.into();
        let (parts, body) = response.into_parts();
        let request_id = parts
            .headers
            .get(&self.0.request_id)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned);
        let body = self.read(body).await;
        if parts.status.is_success() {
            return match body {
                Ok(body) => Ok(Answer::new(parts.status, parts.headers, request_id, body)),
                Err(error) => Err(error.with_response(parts.status, request_id, Bytes::new())),
            };
        }
        let retry_after = retry_after(&parts.headers, SystemTime::now());
        Err(Error::new(Kind::Status, message(parts.status))
            .with_response(parts.status, request_id, body.unwrap_or_default())
            .with_retry_after(retry_after))
    }

    async fn read(&self, body: reqwest::Body) -> Result<Bytes, Error> {
        let limit = self.0.max_response_bytes;
        match Limited::new(body, limit).collect().await {
            Ok(body) => Ok(body.to_bytes()),
            Err(error) if error.is::<LengthLimitError>() => Err(Error::new(
                Kind::TooLarge,
                format!("the answer has more than {limit} bytes, see `max_response_bytes`"),
            )),
            Err(error) => Err(match error.downcast::<reqwest::Error>() {
                Ok(error) => Error::http(*error),
                Err(_) => Error::new(Kind::Broken, "the body of the answer broke off"),
            }),
        }
    }
}

/// Whether a request may be sent again: it must be worth it, and do no harm.
///
/// After a 429 and without a connection nothing was applied. Anything else may have been, so only a
/// repeatable request goes out again.
fn may_resend(error: &Error, repeatable: bool) -> bool {
    match (error.kind(), error.status()) {
        (Kind::Connect, _) | (Kind::Status, Some(StatusCode::TOO_MANY_REQUESTS)) => true,
        (Kind::Timeout | Kind::Broken, _) => repeatable,
        (Kind::Status, Some(status)) => repeatable && is_transient(status, error.retry_after()),
        _ => false,
    }
}

fn is_transient(status: StatusCode, retry_after: Option<Duration>) -> bool {
    match status {
        StatusCode::REQUEST_TIMEOUT
        | StatusCode::INTERNAL_SERVER_ERROR
        | StatusCode::BAD_GATEWAY
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT => true,
        StatusCode::CONFLICT => retry_after.is_some(),
        _ => false,
    }
}

/// `Retry-After` in seconds or as a date, RFC 9110 section 10.2.3.
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

fn message(status: StatusCode) -> String {
    let advice = match status {
        status if status.is_redirection() => {
            ", a redirect, which is never followed: check the base URL"
        }
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => {
            ", the request is invalid: see `field_errors` and `detail`"
        }
        StatusCode::UNAUTHORIZED => ", the token is missing or wrong",
        StatusCode::FORBIDDEN => ", the token may not do this",
        StatusCode::NOT_FOUND => ", there is no such thing",
        StatusCode::TOO_MANY_REQUESTS => ", too many requests: see `retry_after`",
        _ => "",
    };
    format!("the server answered {}{advice}", status.as_u16())
}
