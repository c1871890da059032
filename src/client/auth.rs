use std::fmt;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use zeroize::Zeroizing;

use crate::error::Error;
use crate::secret::Secret;

/// How a client proves who it is.
///
/// Each service has a default for a plain token; this is for the others. White space around a token,
/// such as the line feed at the end of a file, is dropped.
///
/// ```
/// use webhook_sdk::Auth;
///
/// let basic = Auth::scheme("Token", "s3cret");
/// let raw = Auth::header("x-api-key", "s3cret");
/// assert!(!format!("{basic:?} {raw:?}").contains("s3cret"));
/// ```
#[derive(Clone, Debug)]
pub struct Auth {
    header: String,
    scheme: Option<String>,
    token: Secret,
}

impl Auth {
    /// `Authorization: Bearer <token>`.
    pub fn bearer(token: impl Into<Secret>) -> Self {
        Self::scheme("Bearer", token)
    }

    /// `Authorization: <scheme> <token>`.
    pub fn scheme(scheme: impl Into<String>, token: impl Into<Secret>) -> Self {
        Self {
            header: header::AUTHORIZATION.as_str().to_owned(),
            scheme: Some(scheme.into()),
            token: token.into(),
        }
    }

    /// A header of its own, whose whole value is the token.
    pub fn header(name: impl Into<String>, value: impl Into<Secret>) -> Self {
        Self {
            header: name.into(),
            scheme: None,
            token: value.into(),
        }
    }

    pub(super) fn credential(&self) -> Result<Credential, Error> {
        let name = HeaderName::try_from(&self.header).map_err(|_| {
            Error::configuration("the name of the header for the token is no header name")
        })?;
        let token = self.token.expose().trim();
        if token.is_empty() {
            return Err(Error::configuration(
                "the token is empty: pass the one of your account",
            ));
        }
        let value = match &self.scheme {
            // A scheme is a token of RFC 9110, as the name of a header is.
            Some(scheme) if HeaderName::try_from(scheme).is_err() => {
                return Err(Error::configuration(
                    "the authentication scheme isn't one word, like `Bearer`",
                ));
            }
            Some(scheme) => Zeroizing::new(format!("{scheme} {token}")),
            None => Zeroizing::new(token.to_owned()),
        };
        let mut value = HeaderValue::try_from(value.as_str()).map_err(|_| {
            Error::configuration("the token has a character that no header can carry")
        })?;
        value.set_sensitive(true);
        Ok(Credential { name, value })
    }
}

/// A header that is added to each request and shown nowhere.
pub(super) struct Credential {
    name: HeaderName,
    value: HeaderValue,
}

impl Credential {
    pub(super) fn apply(&self, headers: &mut HeaderMap) {
        headers.insert(self.name.clone(), self.value.clone());
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Credential")
            .field(&self.name)
            .finish_non_exhaustive()
    }
}
