//! URLs of webhooks: what is accepted, that credentials survive, and that `Debug` shows no secret.
//!
//! An input is a URL, a user and a password, a line each. In the URL, `{mark}` represents a secret.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use percent_encoding::percent_decode_str;
use regex::Regex;
use url::Url;
use webhook_sdk::lune::WebhookUrl;
use webhook_sdk::pretix::{Credentials, TargetUrl};
use webhook_sdk::{RedactedUrl, Secret};

const MARK: &str = "5ecr3tmark";

/// Lune's published pattern.
static PATTERN: LazyLock<Regex> = LazyLock::new(|| {
    let pattern =
        r"^https:\/\/[-a-zA-Z0-9@:%._\+~#=]{2,256}\.[a-z]{2,6}\b([-a-zA-Z0-9@:%_\+.~#?&\/\/=]*)$";
    Regex::new(&format!("(?-u:{pattern})")).unwrap()
});

fuzz_target!(|input: &[u8]| {
    let input = String::from_utf8_lossy(input).replace("{mark}", MARK);
    let mut lines = input.splitn(3, '\n');
    let mut line = || lines.next().unwrap_or_default();
    let (text, user, password) = (line(), line(), line());

    let lune = WebhookUrl::try_from(text);
    assert_eq!(lune.is_ok(), PATTERN.is_match(text), "{text:?}: {lune:?}");
    hides_marks(text, &format!("{lune:?} {:?}", RedactedUrl::from(text)));

    let Ok(credentials) = Credentials::new(user, Secret::from(password)) else {
        return;
    };
    let target = TargetUrl::new(text, &credentials);
    let bare = TargetUrl::without_credentials(text);
    assert!(bare.is_ok() || target.is_err(), "{text:?}: {target:?}");
    hides_marks(text, &format!("{target:?} {bare:?}"));
    let Ok(target) = target else { return };
    hides_marks(text, &target.to_string());
    assert!(target.expose().len() <= TargetUrl::MAX_LENGTH);
    assert_eq!(target.credentials(), Some(credentials));
    // As another parser reads it.
    let url = Url::parse(target.expose());
    let Ok(url) = url else { return };
    let decoded = |text| percent_decode_str(text).decode_utf8().unwrap();
    assert_eq!(decoded(url.username()), user);
    assert_eq!(decoded(url.password().unwrap()), password);
    let without = Url::parse(text).unwrap();
    assert_eq!((url.host(), url.port()), (without.host(), without.port()));
    assert_eq!((url.path(), url.query()), (without.path(), without.query()));
});

/// The mark may be shown only if another parser reads it in the host.
fn hides_marks(text: &str, shown: &str) {
    if shown.to_lowercase().contains(MARK) {
        let url = Url::parse(text);
        let host = url.as_ref().ok().and_then(Url::host_str).unwrap_or(text);
        assert!(host.contains(MARK), "{text:?}: {shown}");
    }
}
