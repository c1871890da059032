use std::fmt::{self, Write};

use http::Uri;
use http::uri::Scheme;
use percent_encoding::{percent_decode_str, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::Credentials;
use crate::Secret;
use crate::percent::RESERVED;
use crate::redact::Redacted;

/// A webhook's target URL, including the credentials that pretix sends.
///
/// ```
/// use webhook_sdk::Secret;
/// use webhook_sdk::pretix::{Credentials, TargetUrl};
///
/// let credentials = Credentials::new("pretix", Secret::from("p@ss word"))?;
/// let target = TargetUrl::new("https://example.org/hooks?shop=1", &credentials)?;
///
/// assert_eq!(target.to_string(), "https://***@example.org/***");
/// assert_eq!(target.expose(), "https://pretix:p%40ss%20word@example.org/hooks?shop=1");
/// assert_eq!(target.credentials(), Some(credentials));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// pretix decodes the percent-encoded credentials and sends them in HTTP Basic authentication; that
/// works with every printable ASCII character (tested with pretix 2026.8.0). Everyone with access
/// to the organizer's webhooks can see them.
///
/// `Display` and `Debug` show the host, but no credentials, path, or query. `Serialize` writes the
/// whole URL, to send it to pretix. `Deserialize` accepts any text, because a URL in a response may
/// be older than these rules.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TargetUrl(Secret);

impl TargetUrl {
    /// The maximum length of a URL, in characters. Source: pretix 2026.8.0.
    pub const MAX_LENGTH: usize = 1024;

    /// Creates a target from a URL without credentials, and credentials.
    ///
    /// pretix accepts `http`, which exposes the credentials to the network. Its documentation
    /// recommends `https`.
    ///
    /// # Errors
    ///
    /// Returns an error if the text isn't an absolute `http` or `https` URL in ASCII, if it has
    /// credentials or a fragment, or if it is longer than [`MAX_LENGTH`](Self::MAX_LENGTH) with the
    /// credentials.
    pub fn new(url: &str, credentials: &Credentials) -> Result<Self, TargetUrlError> {
        check(url)?;
        let user = credentials.user();
        let password = credentials.password().expose();

        // Sized for the worst case, so that reallocation doesn't leave copies of the password.
        let mut target = String::with_capacity(url.len() + 3 * (user.len() + password.len()) + 2);
        let (scheme, rest) = url.split_once("://").ok_or(TargetUrlError::NotAUrl)?;
        let user = utf8_percent_encode(user, RESERVED);
        let password = utf8_percent_encode(password, RESERVED);
        write!(target, "{scheme}://{user}:{password}@{rest}")
            .map_err(|_| TargetUrlError::NotAUrl)?;
        Self::bounded(target)
    }

    /// Creates a target without credentials, so **anyone can send to it**.
    ///
    /// # Errors
    ///
    /// Same as [`new`](Self::new).
    pub fn without_credentials(url: &str) -> Result<Self, TargetUrlError> {
        check(url)?;
        Self::bounded(url.to_owned())
    }

    /// The whole URL, including the password.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// The credentials that pretix sends to this target.
    ///
    /// `None` if it sends none, or if they aren't valid [`Credentials`].
    pub fn credentials(&self) -> Option<Credentials> {
        let (_, rest) = self.expose().split_once("://")?;
        let authority = rest.split(['/', '?', '#']).next()?;
        let (userinfo, _) = authority.rsplit_once('@')?;
        let (user, password) = userinfo.split_once(':')?;
        let user = percent_decode_str(user).decode_utf8().ok()?;
        let password = percent_decode_str(password).decode_utf8().ok()?;
        Credentials::new(user, Secret::from(password.into_owned())).ok()
    }

    fn bounded(target: String) -> Result<Self, TargetUrlError> {
        let target = Secret::from(target);
        let length = target.expose().len();
        if length > Self::MAX_LENGTH {
            return Err(TargetUrlError::TooLong { length });
        }
        Ok(Self(target))
    }
}

impl fmt::Display for TargetUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Redacted(self.expose()).fmt(f)
    }
}

impl fmt::Debug for TargetUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TargetUrl({self})")
    }
}

/// An error from creating a [`TargetUrl`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TargetUrlError {
    /// The text is not an absolute URL in ASCII.
    #[error("not an absolute URL in ASCII; percent-encode the path and write the host in punycode")]
    NotAUrl,
    /// The scheme is neither `http` nor `https`. pretix would accept `ftp`, but can't deliver to
    /// it.
    #[error("the scheme of the URL is neither http nor https")]
    Scheme,
    /// The URL already has credentials.
    #[error("the URL has credentials already; pass them as Credentials")]
    HasCredentials,
    /// The URL has a fragment, which is never sent.
    #[error("the URL has a fragment, which pretix doesn't send; remove it")]
    HasFragment,
    /// With the percent-encoded credentials, the URL is longer than pretix stores.
    #[error(
        "the URL has {length} characters with its credentials, more than {}",
        TargetUrl::MAX_LENGTH
    )]
    TooLong {
        /// The length in characters, including the credentials.
        length: usize,
    },
}

#[cfg(feature = "client")]
impl From<TargetUrlError> for crate::Error {
    /// A validation error for the field `target_url`.
    fn from(error: TargetUrlError) -> Self {
        Self::invalid_fields(vec![crate::FieldError::new(
            "target_url",
            error.to_string(),
        )])
    }
}

fn check(url: &str) -> Result<(), TargetUrlError> {
    if !url.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(TargetUrlError::NotAUrl);
    }
    let uri: Uri = url.parse().map_err(|_| TargetUrlError::NotAUrl)?;
    let (Some(scheme), Some(authority)) = (uri.scheme(), uri.authority()) else {
        return Err(TargetUrlError::NotAUrl);
    };
    if ![Scheme::HTTP, Scheme::HTTPS].contains(scheme) {
        return Err(TargetUrlError::Scheme);
    }
    if authority.as_str().contains('@') {
        return Err(TargetUrlError::HasCredentials);
    }
    if authority.host().is_empty() {
        return Err(TargetUrlError::NotAUrl);
    }
    if url.contains('#') {
        return Err(TargetUrlError::HasFragment);
    }
    Ok(())
}
