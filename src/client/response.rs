use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;

use super::{log, runtime};
use crate::decode;
use crate::error::{Error, ErrorKind, Head, Sent};

/// A value with the status, headers, and request id of the response that carried it.
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

/// The status, headers, and request id of a response.
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
        self.parts.status()
    }

    /// The response headers.
    pub fn headers(&self) -> &HeaderMap {
        self.parts.headers()
    }

    /// The server's id of the request, to quote to its support.
    pub fn request_id(&self) -> Option<&str> {
        self.parts.request_id()
    }

    /// Splits the value from the rest of the response.
    pub fn into_parts(self) -> (T, ResponseParts) {
        (self.value, self.parts)
    }
}

impl<T: DeserializeOwned> Response<T> {
    pub(crate) async fn from_response(response: RawResponse) -> Result<Self, runtime::Error> {
        match decode::json(&response.body, decode::Type::Ours) {
            Ok(value) => Ok(Self {
                value,
                parts: response.parts,
            }),
            Err(error) => Err(response.undecodable(&error).into()),
        }
    }
}

impl Response<()> {
    pub(crate) fn empty(response: RawResponse) -> Self {
        Self {
            value: (),
            parts: response.parts,
        }
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

    /// The server's id of the request, to quote to its support.
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

/// A successful response whose body has been read but not decoded.
pub(crate) struct RawResponse {
    parts: ResponseParts,
    body: Bytes,
    operation: &'static str,
    sent: Sent,
}

impl RawResponse {
    pub(super) fn new(
        status: StatusCode,
        headers: HeaderMap,
        request_id: Option<String>,
        body: Bytes,
    ) -> Self {
        Self {
            parts: ResponseParts {
                status,
                headers,
                request_id,
            },
            body,
            operation: "",
            sent: Sent::default(),
        }
    }

    pub(super) fn of(self, operation: &'static str, sent: Sent) -> Self {
        Self {
            operation,
            sent,
            ..self
        }
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.parts.status
    }

    pub(super) fn request_id(&self) -> Option<&str> {
        self.parts.request_id()
    }

    /// The error for an undocumented success status.
    pub(crate) fn unexpected(self) -> Error {
        let message = format!(
            "the server responded with {}, which isn't documented",
            self.parts.status
        );
        self.error(message)
    }

    fn undecodable(self, error: &decode::JsonError) -> Error {
        let message = if self.body.is_empty() {
            "unexpected response body: empty".to_owned()
        } else {
            format!("unexpected response body: {error}")
        };
        self.error(message)
    }

    fn error(self, message: String) -> Error {
        let head = Head {
            status: self.parts.status,
            request_id: self.parts.request_id,
            retry_after: None,
        };
        let error = Error::new(ErrorKind::Decode, message)
            .with_operation(self.operation)
            .with_sent(self.sent)
            .with_response(head, self.body);
        log::failure(&error);
        error
    }
}
