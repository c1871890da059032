use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue};
use wiremock::Request;

use crate::client::Auth;

/// How clients authenticate.
pub(crate) struct Access {
    pub(crate) token: String,
    pub(crate) header: HeaderName,
    /// If it is empty, the whole header value is the token.
    pub(crate) scheme: String,
}

impl Access {
    /// How a client of the crate authenticates.
    pub(crate) fn auth(&self) -> Auth {
        let token = self.token.as_str();
        match self.scheme.as_str() {
            "" => Auth::header(self.header.as_str(), token),
            scheme if self.header == AUTHORIZATION => Auth::scheme(scheme, token),
            scheme => Auth::header(self.header.as_str(), format!("{scheme} {token}")),
        }
    }

    /// The scheme of a request, and its words after the scheme.
    pub(crate) fn given<'a>(&self, request: &'a Request) -> (&'a [u8], Vec<&'a [u8]>) {
        let value = request.headers.get(&self.header);
        let value = value.map(HeaderValue::as_bytes).unwrap_or_default();
        let words = value.split(u8::is_ascii_whitespace);
        let mut words = words.filter(|word| !word.is_empty());
        match self.scheme.is_empty() {
            true => (b"", words.collect()),
            false => (words.next().unwrap_or_default(), words.collect()),
        }
    }

    /// The token of a request, if it has the right scheme.
    pub(crate) fn token<'a>(&self, request: &'a Request) -> Option<&'a [u8]> {
        match self.given(request) {
            (scheme, words) if scheme.eq_ignore_ascii_case(self.scheme.as_bytes()) => {
                <[_; 1]>::try_from(words).ok().map(|[token]| token)
            }
            _ => None,
        }
    }
}
