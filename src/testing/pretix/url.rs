//! What Django takes for a URL.

use std::net::{Ipv4Addr, Ipv6Addr};

const SCHEMES: [&str; 4] = ["http", "https", "ftp", "ftps"];

/// Whether pretix stores this as a target: the rules of Django's `URLValidator`.
///
/// A host needs a dot, or is `localhost` or an address; a port has up to five digits, whatever
/// their value.
pub(super) fn is_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else {
        return false;
    };
    let known = SCHEMES.iter().any(|name| name.eq_ignore_ascii_case(scheme));
    if !known || text.contains(char::is_whitespace) {
        return false;
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    match authority.rsplit_once('@') {
        Some((userinfo, host)) => is_userinfo(userinfo) && is_host_and_port(host),
        None => is_host_and_port(authority),
    }
}

fn is_userinfo(text: &str) -> bool {
    let (user, password) = text.split_once(':').unwrap_or((text, ""));
    !user.is_empty() && !user.contains('@') && !password.contains([':', '@'])
}

fn is_host_and_port(text: &str) -> bool {
    if let Some((address, rest)) = text.strip_prefix('[').and_then(|text| text.split_once(']')) {
        let port = rest.strip_prefix(':');
        return address.parse::<Ipv6Addr>().is_ok() && port.map_or(rest.is_empty(), is_port);
    }
    match text.split_once(':') {
        Some((host, port)) => is_host(host) && is_port(port),
        None => is_host(text),
    }
}

fn is_port(text: &str) -> bool {
    (1..=5).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_host(host: &str) -> bool {
    if host.eq_ignore_ascii_case("localhost") || host.parse::<Ipv4Addr>().is_ok() {
        return true;
    }
    let name = host.strip_suffix('.').unwrap_or(host);
    let Some((labels, last)) = name.rsplit_once('.') else {
        return false;
    };
    host.chars().count() <= 253 && labels.split('.').all(is_label) && is_top_level(last)
}

fn is_label(label: &str) -> bool {
    has_label_shape(label)
        && label
            .chars()
            .all(|c| c == '-' || c.is_ascii_digit() || is_letter(c))
}

fn is_top_level(label: &str) -> bool {
    let letters = label.chars().all(|c| c == '-' || is_letter(c)) && label.chars().count() > 1;
    let punycode = label
        .to_ascii_lowercase()
        .strip_prefix("xn--")
        .is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    has_label_shape(label) && (letters || punycode)
}

fn has_label_shape(label: &str) -> bool {
    (1..=63).contains(&label.chars().count()) && !label.starts_with('-') && !label.ends_with('-')
}

fn is_letter(c: char) -> bool {
    c.is_ascii_alphabetic() || c >= '\u{a1}'
}
