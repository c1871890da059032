//! The names that generated code expects of its runtime, which it calls `progenitor_client`.
//!
//! Queries are encoded by the real one. Errors, responses and hooks are this crate's.

#![expect(unreachable_pub, reason = "generated code re-exports these names")]

use std::marker::PhantomData;

pub(crate) use ::progenitor_client::RequestBuilderExt;
pub use ::progenitor_client::{ByteStream, ClientInfo, OperationInfo, QueryParam};

pub(crate) use super::ClientHooks;
pub use super::Response as ResponseValue;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::Answer;

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

/// The error of a generated call: it has a type parameter, and `?` makes it of what a call may meet.
pub struct Error<E = ()>(pub(crate) crate::Error, PhantomData<fn() -> E>);

impl<E> Error<E> {
    #[expect(non_snake_case, reason = "generated code makes errors by this name")]
    pub(crate) fn UnexpectedResponse(answer: Answer) -> Self {
        answer.unexpected().into()
    }
}

impl<E> From<crate::Error> for Error<E> {
    fn from(error: crate::Error) -> Self {
        Self(error, PhantomData)
    }
}

impl<E> From<reqwest::Error> for Error<E> {
    fn from(error: reqwest::Error) -> Self {
        crate::Error::transport(error).into()
    }
}
