//! Classifies errors below HTTP.

use std::error::Error as StdError;
use std::io;

use super::{Error, ErrorKind};

impl Error {
    pub(crate) fn transport(error: reqwest::Error) -> Self {
        let error = error.without_url();
        let (kind, message) = if error.is_builder() {
            (ErrorKind::Validation, "the request can't be built")
        } else if error.is_connect() && causes(&error).any(is_tls) {
            (
                ErrorKind::Tls,
                "the TLS handshake failed; check the base URL and the server's certificate",
            )
        } else if error.is_connect() {
            (ErrorKind::Connect, "can't connect to the server")
        } else if error.is_timeout() {
            (ErrorKind::Timeout, "the attempt timed out; see `timeout`")
        } else if error.is_decode() || causes(&error).any(is_not_http) {
            (ErrorKind::Protocol, "the response isn't valid HTTP")
        } else {
            (
                ErrorKind::Disconnected,
                "the connection closed before the response was complete",
            )
        };
        Self::new(kind, message).with_source(error)
    }
}

/// The causes of an error, including the error wrapped in an `io::Error`, which its `source` skips.
fn causes<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    let mut next = Some(error);
    std::iter::from_fn(move || {
        let error = next?;
        next = match error.downcast_ref::<io::Error>() {
            Some(error) => error.get_ref().map(|inner| inner as _),
            None => error.source(),
        };
        Some(error)
    })
}

#[cfg_attr(
    not(any(feature = "rustls", feature = "native-tls")),
    expect(unused_variables, reason = "only a TLS library has such errors")
)]
fn is_tls(error: &(dyn StdError + 'static)) -> bool {
    #[cfg(feature = "rustls")]
    if error.is::<rustls::Error>() {
        return true;
    }
    #[cfg(feature = "native-tls")]
    if error.is::<native_tls::Error>() {
        return true;
    }
    false
}

/// A response head that can't be parsed, or a body with malformed chunks.
fn is_not_http(error: &(dyn StdError + 'static)) -> bool {
    let malformed = [io::ErrorKind::InvalidInput, io::ErrorKind::InvalidData];
    error
        .downcast_ref::<hyper::Error>()
        .is_some_and(hyper::Error::is_parse)
        || error
            .downcast_ref::<io::Error>()
            .is_some_and(|error| malformed.contains(&error.kind()))
}
