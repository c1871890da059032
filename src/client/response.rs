use std::fmt;
use std::ops::{Deref, DerefMut};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use super::log;
use crate::error::{Error, Kind};

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
        match serde_json::from_slice(&answer.body) {
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
        }
    }

    pub(super) fn of(self, operation: &'static str, attempts: u32) -> Self {
        Self {
            operation,
            attempts,
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

    /// The decoder's own sentence is left out: it can quote the body.
    fn undecodable(self, error: &serde_json::Error) -> Error {
        let (line, column) = (error.line(), error.column());
        let message = match error.classify() {
            _ if self.body.is_empty() => {
                format!(
                    "the server answered {} without a body",
                    self.status.as_u16()
                )
            }
            Category::Eof => format!("the answer breaks off at line {line} column {column}"),
            Category::Syntax | Category::Io => {
                format!("the answer is no JSON at line {line} column {column}")
            }
            Category::Data => {
                format!("the answer isn't what is documented at line {line} column {column}")
            }
        };
        self.error(message)
    }

    fn error(self, message: String) -> Error {
        let error = Error::new(Kind::Decode, message)
            .with_operation(self.operation)
            .with_attempts(self.attempts)
            .with_response(self.status, self.request_id, self.body);
        log::failure(&error);
        error
    }
}
