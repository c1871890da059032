use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::RedactedUrl;
use crate::error::{Error, FieldError};
use crate::redact::Redacted;

/// A URL that Lune accepts for a webhook.
///
/// ```
/// use webhook_sdk::lune::{WebhookUrl, WebhookUrlError};
///
/// let url = WebhookUrl::try_from("https://hooks.example.com:8443/lune?shop=1")?;
/// assert_eq!(url.as_str(), "https://hooks.example.com:8443/lune?shop=1");
///
/// assert_eq!("http://example.com".parse::<WebhookUrl>(), Err(WebhookUrlError::Scheme));
/// assert_eq!("https://localhost/lune".parse::<WebhookUrl>(), Err(WebhookUrlError::NoDot));
/// # Ok::<(), WebhookUrlError>(())
/// ```
///
/// Lune's published pattern is stricter than a URL in most places, and more lenient in others:
///
/// - Only `https`, in lowercase.
/// - Only letters, digits and `-@:%_+.~#?&/=`. A `,` or `;` in a path or query must be
///   percent-encoded, and so must anything that isn't ASCII.
/// - Before the first `/`, `?`, or `&` there must be a dot with 2 to 256 characters before it and a
///   name of 2 to 6 lowercase letters after it. Therefore, `localhost`, IP addresses, `EXAMPLE.COM`
///   and `foo.technology` are rejected. The name doesn't have to be the last one:
///   `hooks.foo.technology` is accepted because of `foo`.
///
/// A URL that is valid here matches Lune's pattern. Lune doesn't publish whether it checks more.
/// Source: <https://docs.lune.co/api-reference/webhooks>.
///
/// A response may hold a URL that is older than these rules, so it has a [`RedactedUrl`], whose
/// text can be parsed again. `Debug` shows the host and no secret, as that does.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct WebhookUrl(String);

impl WebhookUrl {
    /// The URL with everything in it, credentials too.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for WebhookUrl {
    type Error = WebhookUrlError;

    fn try_from(text: String) -> Result<Self, WebhookUrlError> {
        check(&text)?;
        Ok(Self(text))
    }
}

impl TryFrom<&str> for WebhookUrl {
    type Error = WebhookUrlError;

    fn try_from(text: &str) -> Result<Self, WebhookUrlError> {
        Self::try_from(text.to_owned())
    }
}

impl FromStr for WebhookUrl {
    type Err = WebhookUrlError;

    fn from_str(text: &str) -> Result<Self, WebhookUrlError> {
        Self::try_from(text)
    }
}

impl From<WebhookUrl> for String {
    fn from(url: WebhookUrl) -> Self {
        url.0
    }
}

impl fmt::Debug for WebhookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WebhookUrl({})", Redacted(&self.0))
    }
}

impl From<WebhookUrl> for RedactedUrl {
    fn from(url: WebhookUrl) -> Self {
        Self::from(url.0)
    }
}

/// An error from validating a URL. No variant contains a part of the URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WebhookUrlError {
    /// It doesn't begin with `https://` in lowercase.
    #[error("the URL must begin with https://")]
    Scheme,
    /// It has a character before the path that Lune doesn't accept there.
    #[error(
        "the URL has a character at byte {position}, before its path, that is none of the \
         letters, digits and -@:%._+~#= accepted there"
    )]
    HostCharacter {
        /// Its position in the URL, in bytes from 0.
        position: usize,
    },
    /// It has a character in path, query, or fragment that Lune doesn't accept.
    #[error(
        "the URL has a character at byte {position} that is none of the letters, digits and \
         -@:%_+.~#?&/= accepted by Lune: percent-encode it"
    )]
    PathCharacter {
        /// Its position in the URL, in bytes from 0.
        position: usize,
    },
    /// The host has no dot, like `localhost`.
    #[error("the URL has a host without a dot: Lune accepts public names only")]
    NoDot,
    /// No label after a dot in the host consists of 2 to 6 lowercase letters.
    #[error(
        "the URL must have a name of 2 to 6 lowercase letters after a dot of its host, such as \
         com: no IP address, no upper case, no longer top-level domain"
    )]
    TopLevelDomain,
    /// There are fewer than 2 or more than 256 characters before that dot.
    #[error("the URL must have 2 to 256 characters before the dot of its top-level domain")]
    HostLength,
}

impl From<WebhookUrlError> for Error {
    /// A validation error for the field `url`.
    fn from(error: WebhookUrlError) -> Self {
        let text = error.to_string();
        let rule = text.strip_prefix("the URL ").unwrap_or(&text);
        Self::invalid_fields(vec![FieldError::new("url", rule)])
    }
}

const SCHEME: &str = "https://";

fn check(text: &str) -> Result<(), WebhookUrlError> {
    let rest = text.strip_prefix(SCHEME).ok_or(WebhookUrlError::Scheme)?;
    let end = rest.find(['/', '?', '&']).unwrap_or(rest.len());
    if let Some(place) = rest.find(|c: char| !is_accepted(c)) {
        let position = SCHEME.len() + place;
        return Err(if place < end {
            WebhookUrlError::HostCharacter { position }
        } else {
            WebhookUrlError::PathCharacter { position }
        });
    }
    let host = &rest[..end];
    if !host.contains('.') {
        return Err(WebhookUrlError::NoDot);
    }
    let mut domains = host
        .match_indices('.')
        .map(|(dot, _)| dot)
        .filter(|dot| is_top_level(&rest[dot + 1..]))
        .peekable();
    if domains.peek().is_none() {
        return Err(WebhookUrlError::TopLevelDomain);
    }
    if domains.any(|dot| (2..=256).contains(&dot)) {
        Ok(())
    } else {
        Err(WebhookUrlError::HostLength)
    }
}

fn is_accepted(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-@:%_+.~#?&/=".contains(c)
}

/// Whether `text` begins with a word of 2 to 6 lowercase letters.
fn is_top_level(text: &str) -> bool {
    let word = text
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .next()
        .unwrap_or_default();
    (2..=6).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_lowercase())
}
