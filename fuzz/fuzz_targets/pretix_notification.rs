//! Credentials and notifications agree with a naive reader, and no id leads to another path.
//!
//! An input is the value of the `authorization` header, in which `{pair}` represents the genuine
//! credentials, and after a line break the body.
#![no_main]

use std::sync::LazyLock;

use base64::prelude::{BASE64_STANDARD, Engine};
use http::{HeaderMap, HeaderValue};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use webhook_sdk::Secret;
use webhook_sdk::pretix::{BasicAuth, Credentials, Notification};

const PAIR: &str = "pretix:sword:fish";

static AUTH: LazyLock<BasicAuth> = LazyLock::new(|| {
    let credentials = Credentials::new("pretix", Secret::from("sword:fish"));
    BasicAuth::new("main", &credentials.unwrap())
});

fuzz_target!(|input: &[u8]| {
    let (header, body) = match input.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&input[..end], &input[end + 1..]),
        None => (input, &[][..]),
    };
    let header = String::from_utf8_lossy(header).replace("{pair}", &BASE64_STANDARD.encode(PAIR));
    if let Ok(value) = HeaderValue::from_str(&header) {
        let headers = HeaderMap::from_iter([(http::header::AUTHORIZATION, value)]);
        assert_eq!(
            AUTH.verify(&headers).is_ok(),
            is_genuine(&header),
            "{header:?}"
        );
    }
    let notification = Notification::from_slice(body);
    if let Ok(naive) = serde_json::from_slice::<Value>(body) {
        let is_one = naive["notification_id"].is_u64() && naive["action"].is_string();
        // The naive reader takes the last of two fields with the same name.
        let text = String::from_utf8_lossy(body);
        let times = |field| text.matches(field).count() + text.matches('\\').count();
        let is_repeated = times("\"notification_id\"") > 1 || times("\"action\"") > 1;
        assert!(
            notification.is_ok() == is_one || is_repeated,
            "{notification:?}"
        );
    }
    if let Ok(notification) = notification {
        let (id, action) = (notification.notification_id(), notification.action());
        let end = format!("{{ notification_id: {id}, action: {action:?}, .. }})");
        assert!(
            format!("{notification:?}").ends_with(&end),
            "{notification:?}"
        );
        if let Some(path) = notification.refetch_path() {
            stays_below_the_organizer(&path, notification.organizer().unwrap());
        }
    }
});

fn is_genuine(header: &str) -> bool {
    let Some((scheme, encoded)) = header.split_once(' ') else {
        return false;
    };
    let pair = BASE64_STANDARD.decode(encoded.trim_ascii());
    scheme.eq_ignore_ascii_case("basic") && pair.is_ok_and(|pair| pair == PAIR.as_bytes())
}

/// As another parser reads it.
fn stays_below_the_organizer(path: &str, organizer: &str) {
    let base = url::Url::parse("https://pretix.example").unwrap();
    let url = base.join(path).unwrap();
    assert_eq!(url.path(), path);
    assert_eq!(
        (url.host_str(), url.query(), url.fragment()),
        (Some("pretix.example"), None, None)
    );
    let mut segments = path.split('/').skip(4);
    let segment = percent_encoding::percent_decode_str(segments.next().unwrap());
    assert_eq!(segment.decode_utf8().unwrap(), organizer);
    assert!(segments.clone().count() >= 3 && path.ends_with('/'));
}
