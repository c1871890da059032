use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use super::{log, runtime};
use crate::error::{Error, Kind};

/// A value with the status, headers and request id of the response that carried it.
///
/// ```
/// # async fn example(preo: webhook_sdk::preo::PreoClient) -> Result<(), webhook_sdk::Error> {
/// let response = preo.retrieve_webhook("wh_1").send_with_response().await?;
/// let (webhook, parts) = response.into_parts();
/// println!("{}: {} {:?}", webhook.name, parts.status(), parts.request_id());
/// # Ok(())
/// # }
/// ```
///
/// `Debug` shows no header.
#[derive(Clone, Debug)]
pub struct Response<T> {
    value: T,
    parts: ResponseParts,
}

/// The status, headers and request id of a response.
///
/// `Debug` shows no header.
#[derive(Clone)]
pub struct ResponseParts {
    status: StatusCode,
    headers: HeaderMap,
    request_id: Option<String>,
}

impl<T> Response<T> {
    /// The decoded value.
    pub fn value(&self) -> &T {
        &self.value
    }

    /// The status code, always a 2xx.
    pub fn status(&self) -> StatusCode {
        self.parts.status
    }

    /// The response headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.parts.headers
    }

    /// The server's id of the request, for its support.
    pub fn request_id(&self) -> Option<&str> {
        self.parts.request_id()
    }

    /// Splits the value from the rest of the response.
    pub fn into_parts(self) -> (T, ResponseParts) {
        (self.value, self.parts)
    }

    fn new(value: T, answer: Answer) -> Self {
        let Answer {
            status,
            headers,
            request_id,
            ..
        } = answer;
        let parts = ResponseParts {
            status,
            headers,
            request_id,
        };
        Self { value, parts }
    }
}

impl<T: DeserializeOwned> Response<T> {
    pub(crate) async fn from_response(answer: Answer) -> Result<Self, runtime::Error> {
        match serde_json::from_slice(&answer.body) {
            Ok(value) => Ok(Self::new(value, answer)),
            Err(error) => Err(answer.undecodable(&error).into()),
        }
    }
}

impl Response<()> {
    pub(crate) fn empty(answer: Answer) -> Self {
        Self::new((), answer)
    }
}

impl ResponseParts {
    /// The status code, always a 2xx.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The response headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The server's id of the request, for its support.
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }
}

impl fmt::Debug for ResponseParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseParts")
            .field("status", &self.status)
            .field("request_id", &self.request_id)
            .finish_non_exhaustive()
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
