use std::fmt;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use zeroize::Zeroizing;

use crate::error::Error;
use crate::secret::Secret;

/// The credentials of a client: a token and how to send it.
///
/// A plain token is sent as the service expects it. The constructors are for everything else.
/// A token with whitespace around it, such as a trailing newline, is rejected when the client is
/// built.
///
/// ```
/// use webhook_sdk::Auth;
/// use webhook_sdk::preo::PreoClient;
///
/// let preo = PreoClient::builder("s3cret").build()?;
/// let preo = PreoClient::builder(Auth::header("x-api-key", "s3cret")).build()?;
///
/// assert!(!format!("{:?}", Auth::device("s3cret")).contains("s3cret"));
/// # let _ = preo;
/// # Ok::<_, webhook_sdk::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Auth {
    sent: Sent,
    token: Secret,
}

#[derive(Clone, Debug)]
enum Sent {
    Default,
    Scheme(String),
    Header(String),
}

impl Auth {
    /// The service's default: `Bearer` for Preo and Lune, `Token` for pretix.
    pub fn token(token: impl Into<Secret>) -> Self {
        Self {
            sent: Sent::Default,
            token: token.into(),
        }
    }

    /// `Authorization: Bearer <token>`, for example for an OAuth token of pretix.
    pub fn bearer(token: impl Into<Secret>) -> Self {
        Self::scheme("Bearer", token)
    }

    /// `Authorization: Device <token>`, for the token of a pretix device.
    pub fn device(token: impl Into<Secret>) -> Self {
        Self::scheme("Device", token)
    }

    /// `Authorization: <scheme> <token>`.
    pub fn scheme(scheme: impl Into<String>, token: impl Into<Secret>) -> Self {
        Self {
            sent: Sent::Scheme(scheme.into()),
            token: token.into(),
        }
    }

    /// A header whose value is the token.
    pub fn header(name: impl Into<String>, value: impl Into<Secret>) -> Self {
        Self {
            sent: Sent::Header(name.into()),
            token: value.into(),
        }
    }

    pub(super) fn credential(&self, default_scheme: &str) -> Result<Credential, Error> {
        let (name, scheme) = match &self.sent {
            Sent::Default => (Ok(header::AUTHORIZATION), Some(default_scheme)),
            Sent::Scheme(scheme) => (Ok(header::AUTHORIZATION), Some(scheme.as_str())),
            Sent::Header(name) => (HeaderName::try_from(name), None),
        };
        let name = name.map_err(|_| {
            Error::configuration("the name of the header for the token isn't a header name")
        })?;
        let token = self.token.expose();
        if token.trim().is_empty() {
            return Err(Error::configuration(
                "the token is empty; pass your account's token",
            ));
        }
        if token.trim() != token {
            return Err(Error::configuration(
                "the token begins or ends with whitespace; trim it, for example a newline at the \
                 end of a file",
            ));
        }
        let value = match scheme {
            // A scheme is a token as defined by RFC 9110, like a header name.
            Some(scheme) if HeaderName::try_from(scheme).is_err() => {
                return Err(Error::configuration(
                    "the authentication scheme must be one word, such as `Bearer`",
                ));
            }
            Some(scheme) => Zeroizing::new(format!("{scheme} {token}")),
            None => Zeroizing::new(token.to_owned()),
        };
        let value = HeaderValue::try_from(value.as_str());
        let mut value = value
            .ok()
            .filter(|value| value.to_str().is_ok())
            .ok_or_else(|| {
                Error::configuration(
                    "the token contains a character that isn't allowed in a header",
                )
            })?;
        value.set_sensitive(true);
        let token = Zeroizing::new(token.to_owned());
        Ok(Credential { name, value, token })
    }
}

impl From<Secret> for Auth {
    fn from(token: Secret) -> Self {
        Self::token(token)
    }
}

impl From<String> for Auth {
    fn from(token: String) -> Self {
        Self::token(token)
    }
}

impl From<&str> for Auth {
    fn from(token: &str) -> Self {
        Self::token(token)
    }
}

/// A header that is added to each request and never shown.
pub(super) struct Credential {
    name: HeaderName,
    value: HeaderValue,
    token: Zeroizing<String>,
}

/// A shorter token isn't secret, and can be part of ordinary words.
const MIN_TOKEN_BYTES: usize = 8;

impl Credential {
    /// Whether a text from the server contains the token.
    pub(super) fn is_in(&self, text: &[u8]) -> bool {
        let token = self.token.as_bytes();
        text == token
            || (token.len() >= MIN_TOKEN_BYTES
                && text.windows(token.len()).any(|part| part == token))
    }

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
