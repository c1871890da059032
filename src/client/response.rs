use std::fmt;
use std::ops::{Deref, DerefMut};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;

use super::log;
use crate::decode;
use crate::error::{Error, ErrorKind, Head};

/// What the server answered: a value, the status and the headers.
///
/// Reads like the value itself. `Debug` shows the value alone.
pub struct ResponseValue<T> {
    value: T,
    status: StatusCode,
    headers: HeaderMap,
    request_id: Option<String>,
}

impl<T> ResponseValue<T> {
    /// The value alone.
    pub fn into_inner(self) -> T {
        self.value
    }

    /// The status, always a 2xx.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The server's own name for the request, to quote to its support.
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    fn new(value: T, answer: Answer) -> Self {
        let Answer {
            status,
            headers,
            request_id,
            ..
        } = answer;
        Self {
            value,
            status,
            headers,
            request_id,
        }
    }
}

impl<T: DeserializeOwned> ResponseValue<T> {
    pub(crate) async fn from_response(answer: Answer) -> Result<Self, Error> {
        match decode::json(&answer.body) {
            Ok(value) => Ok(Self::new(value, answer)),
            Err(error) => Err(answer.undecodable(&error)),
        }
    }
}

impl ResponseValue<()> {
    pub(crate) fn empty(answer: Answer) -> Self {
        Self::new((), answer)
    }
}

impl<T> Deref for ResponseValue<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for ResponseValue<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

impl<T: fmt::Debug> fmt::Debug for ResponseValue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

/// A successful answer whose body has been read but not decoded.
pub(crate) struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    request_id: Option<String>,
    body: Bytes,
    operation: &'static str,
    attempts: u32,
    applied: bool,
}

impl Answer {
    pub(super) fn new(
        status: StatusCode,
        headers: HeaderMap,
        request_id: Option<String>,
        body: Bytes,
    ) -> Self {
        Self {
            status,
            headers,
            request_id,
            body,
            operation: "",
            attempts: 0,
            applied: false,
        }
    }

    pub(super) fn of(self, operation: &'static str, attempts: u32, applied: bool) -> Self {
        Self {
            operation,
            attempts,
            applied,
            ..self
        }
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    pub(super) fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    /// The error of a success that the document doesn't know.
    pub(crate) fn unexpected(self) -> Error {
        let message = format!(
            "the server answered {}, which isn't documented",
            self.status
        );
        self.error(message)
    }

    fn undecodable(self, error: &decode::Error) -> Error {
        let message = if self.body.is_empty() {
            "unexpected response body: empty".to_owned()
        } else {
            format!("unexpected response body: {error}")
        };
        self.error(message)
    }

    fn error(self, message: String) -> Error {
        let head = Head {
            status: self.status,
            request_id: self.request_id,
            retry_after: None,
        };
        let error = Error::new(ErrorKind::Decode, message)
            .with_operation(self.operation)
            .with_attempts(self.attempts)
            .with_applied(self.applied)
            .with_response(head, self.body);
        log::failure(&error);
        error
    }
}
