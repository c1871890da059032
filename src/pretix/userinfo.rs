//! The part of a URL before the `@`.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};

/// What has to be encoded so that a URL's reader gets the same text back: all but RFC 3986's
/// unreserved characters.
pub(super) const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A URL, cut at the ends of its userinfo.
pub(super) struct Split<'a> {
    /// The scheme, up to `://`.
    pub(super) prefix: &'a str,
    pub(super) user: &'a str,
    pub(super) password: Option<&'a str>,
    /// From the `@` on.
    pub(super) rest: &'a str,
}

/// Finds a URL's userinfo; where the URL is malformed, rather more than less.
pub(super) fn split(url: &str) -> Option<Split<'_>> {
    let Some(after_scheme) = scheme_end(url) else {
        return Some(Split {
            prefix: "",
            user: "",
            password: None,
            rest: &url[url.rfind('@')?..],
        });
    };
    let (prefix, rest) = url.split_at(after_scheme);
    let authority = &rest[..rest.find('/').unwrap_or(rest.len())];
    let end = match authority.rfind('@') {
        Some(end) => end,
        None if is_host(authority) => return None,
        None => rest.rfind('@')?,
    };
    let (userinfo, rest) = rest.split_at(end);
    let (user, password) = match userinfo.split_once(':') {
        Some((user, password)) => (user, Some(password)),
        None => (userinfo, None),
    };
    Some(Split {
        prefix,
        user,
        password,
        rest,
    })
}

/// Where the authority begins, if the URL begins with a scheme and `://`.
fn scheme_end(url: &str) -> Option<usize> {
    let (scheme, _) = url.split_once("://")?;
    let is_scheme = scheme
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    is_scheme.then_some(scheme.len() + "://".len())
}

/// Whether an authority without `@` is a host, with or without a port.
fn is_host(authority: &str) -> bool {
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port),
        _ => (authority, ""),
    };
    let is_name = !host.contains(':') || (host.starts_with('[') && host.ends_with(']'));
    is_name && port.bytes().all(|byte| byte.is_ascii_digit())
}
