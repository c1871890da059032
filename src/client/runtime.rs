//! The names that generated code expects of its runtime, which it calls `progenitor_client`.
//!
//! Queries are encoded by the real one. Errors, answers and hooks are this crate's, so that a generated
//! call returns [`Error`] itself and never prints a body.

#![expect(unreachable_pub, reason = "generated code re-exports these names")]

pub(crate) use ::progenitor_client::RequestBuilderExt;
pub use ::progenitor_client::{ByteStream, ClientInfo, OperationInfo};

pub(crate) use super::ClientHooks;
pub use super::ResponseValue;
pub use crate::error::Error;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::Answer;
use crate::error::ErrorKind;

/// What RFC 3986 calls unreserved, which alone means the same to every URL parser.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Makes one segment of a path of any text.
pub(crate) fn encode_path(segment: &str) -> String {
    utf8_percent_encode(segment, RESERVED).to_string()
}

#[expect(non_snake_case, reason = "generated code makes errors by these names")]
impl Error {
    pub(crate) fn InvalidRequest(message: String) -> Self {
        let message = if let Some(name) = message.strip_suffix(" was not initialized") {
            format!("`{name}` is missing: set it before `send`")
        } else if let Some((_, name)) = message.rsplit_once("` for ") {
            let name = name.trim_end_matches(" failed");
            format!("`{name}` was set to a value that it can't have")
        } else {
            message
        };
        Self::new(ErrorKind::Validation, message)
    }

    pub(crate) fn UnexpectedResponse(answer: Answer) -> Self {
        answer.unexpected()
    }
}
