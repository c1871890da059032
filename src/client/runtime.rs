//! The runtime of the generated code, which calls it `progenitor_client`.

#![expect(unreachable_pub, reason = "generated code re-exports these names")]

use std::marker::PhantomData;

pub(crate) use super::ClientHooks;
pub use super::Response as ResponseValue;

use percent_encoding::utf8_percent_encode;

use serde::ser::Error as _;
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::RawResponse;
use crate::percent::RESERVED;

/// Encodes a text as one path segment.
pub(crate) fn encode_path(segment: &str) -> String {
    utf8_percent_encode(segment, RESERVED).to_string()
}

/// The error of a generated call. progenitor expects a type parameter and `From` conversions.
pub struct Error<E = ()>(pub(crate) crate::Error, PhantomData<fn() -> E>);

impl<E> Error<E> {
    #[expect(non_snake_case, reason = "generated code makes errors by this name")]
    pub(crate) fn UnexpectedResponse(response: RawResponse) -> Self {
        response.unexpected().into()
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

/// The parts of a generated client.
pub trait ClientInfo<Inner> {
    fn api_version() -> &'static str;
    #[allow(dead_code, reason = "generated clients implement it")]
    fn baseurl(&self) -> &str;
    fn client(&self) -> &reqwest::Client;
    fn inner(&self) -> &Inner;
}

/// The operation of a request.
pub struct OperationInfo {
    pub operation_id: &'static str,
}

/// A query parameter: omitted if it is null, and repeated for each element of a list.
pub struct QueryParam<'a, T> {
    name: &'a str,
    value: &'a T,
}

impl<'a, T> QueryParam<'a, T> {
    pub fn new(name: &'a str, value: &'a T) -> Self {
        Self { name, value }
    }
}

impl<T: Serialize> Serialize for QueryParam<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let values = match serde_json::to_value(self.value).map_err(S::Error::custom)? {
            Value::Null => Vec::new(),
            Value::Array(values) => values,
            value => vec![value],
        };
        serializer.collect_seq(values.into_iter().map(|value| match value {
            Value::String(text) => (self.name, text),
            value => (self.name, value.to_string()),
        }))
    }
}

/// Unused by the operations of the documents, but imported by all generated code.
pub type ByteStream = ();
pub(crate) trait RequestBuilderExt {}
