//! The names that generated code expects of its runtime, which it calls `progenitor_client`.
//!
//! Encoding comes from the real one. Errors, answers and hooks are this crate's, so that a generated
//! call returns [`Error`] itself and never prints a body.

#![expect(unreachable_pub, reason = "generated code re-exports these names")]

pub use ::progenitor_client::{ByteStream, ClientInfo, OperationInfo};
pub(crate) use ::progenitor_client::{RequestBuilderExt, encode_path};

pub(crate) use super::ClientHooks;
pub use super::ResponseValue;
pub use crate::error::Error;

use super::Answer;
use crate::error::Kind;

#[expect(non_snake_case, reason = "generated code makes errors by these names")]
impl Error {
    pub(crate) fn InvalidRequest(message: String) -> Self {
        Self::new(Kind::InvalidRequest, message)
    }

    pub(crate) fn UnexpectedResponse(answer: Answer) -> Self {
        answer.unexpected()
    }
}
