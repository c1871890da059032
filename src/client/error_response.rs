//! Converts a response with an error status into an error.

use std::fmt::Write;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, header};

use super::Settings;
use crate::error::{Error, Head};

/// A response that isn't a success.
#[derive(Debug)]
#[expect(
    unnameable_types,
    reason = "sealed: only this crate's services read it"
)]
pub struct ErrorResponse<'a> {
    pub(crate) method: &'a Method,
    pub(crate) status: StatusCode,
    pub(crate) error: &'a Error,
}

/// Explains an error status of one service.
pub(crate) type Hint = dyn Fn(&ErrorResponse<'_>) -> Option<String> + Send + Sync;

/// The maximum length of a request id, of a name from the server, and the maximum number of such
/// names in a message; our limits.
const MAX_REQUEST_ID_BYTES: usize = 128;
const MAX_NAME_BYTES: usize = 64;
const MAX_NAMES: usize = 8;

impl Settings {
    pub(super) fn head(&self, status: StatusCode, headers: &HeaderMap) -> Head {
        Head {
            status,
            request_id: self.request_id(headers),
            retry_after: retry_after(headers, SystemTime::now()),
        }
    }

    pub(super) fn error(&self, method: &Method, head: Head, body: Bytes) -> Error {
        let status = head.status;
        let error = Error::of_response(head, body);
        let response = ErrorResponse {
            method,
            status,
            error: &error,
        };
        let hint = (self.hint)(&response).or_else(|| hint(&error, status));
        let mut message = match status.canonical_reason() {
            Some(reason) => format!("{} {reason}", status.as_u16()),
            None => status.as_u16().to_string(),
        };
        if let Some(names) = self.names(&error) {
            let _ = write!(message, ": {names}");
        }
        if let Some(hint) = hint {
            let _ = write!(message, "; {hint}");
        }
        error.with_message(message)
    }

    /// The names of the invalid fields in a body, and nothing else.
    ///
    /// A server could put anything into a name. Only text that looks like a field name is shown,
    /// and never the token.
    fn names(&self, error: &Error) -> Option<String> {
        if let Some(code) = error.code() {
            return self.is_name(code).then(|| code.to_owned());
        }
        let fields = error.field_errors();
        let mut names: Vec<&str> = Vec::new();
        for field in fields.iter().map(|error| error.field.as_str()) {
            if self.is_name(field) && !names.contains(&field) && names.len() < MAX_NAMES {
                names.push(field);
            }
        }
        let others = fields
            .iter()
            .any(|error| !names.contains(&error.field.as_str()));
        match (names.is_empty(), others) {
            (true, false) => None,
            (true, true) => Some("invalid fields; see `field_errors`".to_owned()),
            (false, false) => Some(format!("invalid fields: {}", names.join(", "))),
            (false, true) => Some(format!(
                "invalid fields: {} and others; see `field_errors`",
                names.join(", ")
            )),
        }
    }

    fn is_name(&self, text: &str) -> bool {
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        text.len() <= MAX_NAME_BYTES
            && text
                .bytes()
                .all(|byte| is_plain(byte) || b"_.".contains(&byte))
            && !self.auth.is_in(text.as_bytes())
    }

    fn request_id(&self, headers: &HeaderMap) -> Option<String> {
        let id = headers.get(&self.request_id)?.as_bytes();
        let is_shown = (1..=MAX_REQUEST_ID_BYTES).contains(&id.len())
            && id.iter().all(u8::is_ascii_graphic)
            && !self.auth.is_in(id);
        is_shown.then(|| String::from_utf8_lossy(id).into_owned())
    }
}

/// Explains an error status in the same way for all services.
fn hint(error: &Error, status: StatusCode) -> Option<String> {
    let hint = match status.as_u16() {
        301 | 302 | 303 | 307 | 308 => "redirects are never followed; check the base URL",
        401 => "the credentials weren't accepted",
        403 => "the credentials lack a permission",
        429 => {
            let wait = error.retry_after()?;
            return Some(format!("retry after {} s", wait.as_secs()));
        }
        _ if error.field_errors().is_empty() && error.detail().is_some() => "see `Error::detail`",
        _ => return None,
    };
    Some(hint.to_owned())
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
