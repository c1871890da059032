//! URLs that can be logged.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::text::text_type;

/// A webhook's URL, of which `Debug` shows the host and no secret.
///
/// ```
/// use webhook_sdk::RedactedUrl;
///
/// let url = RedactedUrl::from("https://user:secret@example.com/hooks?token=secret");
/// assert_eq!(format!("{url:?}"), "https://***@example.com/***");
/// assert_eq!(url, "https://user:secret@example.com/hooks?token=secret");
/// ```
///
/// Credentials, path, query, and fragment can all hold a secret, so none of them is shown. Where it
/// isn't certain which part is the host, that is hidden too.
///
/// `as_str` returns the whole URL, with its secrets. Any text is accepted: which URLs are valid is up
/// to the service.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RedactedUrl(String);

text_type!(RedactedUrl);

impl From<&String> for RedactedUrl {
    fn from(url: &String) -> Self {
        Self(url.clone())
    }
}

#[cfg(feature = "client")]
crate::optional::optional_from!(RedactedUrl: &str, String, &String);

impl PartialEq<str> for RedactedUrl {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<&str> for RedactedUrl {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

impl fmt::Debug for RedactedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Redacted(&self.0), f)
    }
}

/// Shows scheme and host of a URL, and that there is more.
pub(crate) struct Redacted<'a>(pub(crate) &'a str);

impl fmt::Display for Redacted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_scheme = |scheme: &str| ["http", "https"].contains(&scheme);
        let Some((scheme, rest)) = self.0.split_once("://").filter(|(s, _)| is_scheme(s)) else {
            return f.write_str("***");
        };
        let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
        let (authority, tail) = rest.split_at(end);
        let (userinfo, host) = match authority.rsplit_once('@') {
            Some((_, host)) => ("***@", host),
            None => ("", authority),
        };
        // An unencoded `/` in a password would make a part of it look like the host.
        if !is_host(host) || tail.contains('@') || tail.contains("%40") {
            return write!(f, "{scheme}://***");
        }
        let tail = match tail {
            "" | "/" => tail,
            _ => "/***",
        };
        write!(f, "{scheme}://{userinfo}{host}{tail}")
    }
}

/// Whether a text is a host as RFC 3986 has it, with or without a port.
fn is_host(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port),
        _ => (text, ""),
    };
    let address = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let is_name = match address {
        Some(address) => address
            .bytes()
            .all(|b| b.is_ascii_hexdigit() || b":.".contains(&b)),
        None => host
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b)),
    };
    is_name
        && (1..=253).contains(&host.len())
        && port.len() <= 5
        && port.bytes().all(|byte| byte.is_ascii_digit())
}
