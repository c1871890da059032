//! Keys, verifiers, signers, credentials, and URLs, and each reason to refuse them.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use data_encoding::BASE64;
use http::{HeaderMap, HeaderName, HeaderValue};
use webhook_sdk::lune::WebhookUrl;
use webhook_sdk::pretix::{BasicAuth, Credentials, TargetUrl};
use webhook_sdk::signature::{
    DigestEncoding, Key, Keyring, Part, Retire, Scheme, SchemeBuilder, Signer, Verifier,
};
use webhook_sdk::{RedactedUrl, Secret, lune, preo};

use super::receiver::Hmac;
use super::{PASSWORD, PAYLOAD, SECRET, Shown, TOKEN, URL_PATH};
use crate::log;

pub(super) async fn all() -> Shown {
    let (log, _guard) = log::listen();
    let mut shown = Shown::default();
    keys(&mut shown);
    credentials(&mut shown);
    urls(&mut shown);
    signatures(&mut shown);
    for sender in [Hmac(preo::scheme(), ""), Hmac(lune::scheme(), "")] {
        let (verifier, signer) = (sender.verifier(), sender.signer());
        shown.debug("verifier", &verifier);
        shown.debug("keyring", verifier.keyring());
        shown.debug("signer", &signer);
        let mut headers = HeaderMap::new();
        signer.sign(&mut headers, PAYLOAD.0.as_bytes()).unwrap();
        shown.debug("verification", &verifier.begin(&headers));
        shown.debug(
            "verified",
            &verifier.verify(&headers, PAYLOAD.0.as_bytes()).map(|_| ()),
        );
    }
    shown.add("log", log.text());
    shown
}

fn key(name: &str, secret: &str) -> Key {
    Key::new(name, &Secret::from(secret)).unwrap()
}

fn keys(shown: &mut Shown) {
    shown.debug("secret", &Secret::from(SECRET.0));
    shown.debug("key", &key("main", SECRET.0));
    for text in [
        format!(" {}", SECRET.0),
        format!("{}\n", SECRET.0),
        format!("{}\0{}", SECRET.0, SECRET.0),
        String::new(),
    ] {
        let secret = Secret::from(text);
        shown.result("key", &Key::new("2026-11", &secret));
        shown.result("signer", &Signer::new(preo::scheme(), &secret));
        shown.result("verifier", &preo::verifier(&secret));
        shown.result("verifier", &lune::verifier(&secret));
    }
    let keyring = Keyring::new(key("a", SECRET.0));
    shown.result("add", &keyring.add(key("a", PASSWORD.0)));
    shown.result("add", &keyring.add(key("b", SECRET.0)));
    shown.result("add", &keyring.add(key("b", PASSWORD.0)));
    shown.result("retire", &keyring.retire("c", Retire::now()));
    shown.result("replace", &keyring.replace([], Retire::now()));
    let same = [key("a", TOKEN.0), key("b", TOKEN.0)];
    shown.result("replace", &keyring.replace(same, Retire::now()));
    let later = Retire::after(Duration::from_secs(60));
    shown.result("replace", &keyring.replace([key("c", TOKEN.0)], later));
    shown.debug("keyring", &keyring);
    let last = Keyring::new(key("a", SECRET.0));
    shown.result("retire", &last.retire("a", Retire::now()));
    shown.result(
        "keys",
        &Keyring::from_keys([key("a", SECRET.0), key("b", SECRET.0)]),
    );
}

fn credentials(shown: &mut Shown) {
    for (user, password) in [
        ("user", format!("{}\0", PASSWORD.0)),
        ("user", String::new()),
        ("", PASSWORD.0.to_owned()),
        ("us:er", PASSWORD.0.to_owned()),
        ("user", format!("{} ", PASSWORD.0)),
        ("user", format!("{}ü", PASSWORD.0)),
    ] {
        let credentials = Credentials::new(user, Secret::from(password));
        shown.result("credentials", &credentials);
    }
    let right = Credentials::new("user", Secret::from(PASSWORD.0)).unwrap();
    let other = Credentials::new("user", Secret::from(SECRET.0)).unwrap();
    let auth = BasicAuth::new("a", &right);
    shown.result("add", &auth.add("b", &right));
    shown.result("replace", &auth.replace([("b", &other)], Retire::now()));
    shown.debug("auth", &auth);
}

fn urls(shown: &mut Shown) {
    let credentials = Credentials::new("user", Secret::from(PASSWORD.0)).unwrap();
    let (password, path) = (PASSWORD.in_url(), URL_PATH.in_url());
    for url in [
        format!("https://user:{password}@example.com/{path}"),
        format!("https://example.com/{path}#{path}"),
        format!("ftp://example.com/{path}"),
        format!("https://example.com/{}", path.repeat(40)),
        format!("example.com/{path}"),
        format!("https://user:{}@example.com/{}", PASSWORD.0, URL_PATH.0),
        format!("https://example.com/?token={}", URL_PATH.0),
        format!("https://example/{path}"),
        format!("https://example.{path}"),
        format!("https://example.com/{path} {path}"),
        format!("https://{}.com/{path}", "a".repeat(300)),
        format!("https://exa mple.com/{path}"),
        format!("https://a.com/{path}\n"),
    ] {
        for target in [
            TargetUrl::new(&url, &credentials),
            TargetUrl::without_credentials(&url),
        ] {
            shown.result("target", &target);
            if let Ok(target) = target {
                shown.add("target", target.to_string());
                shown.debug("target", &target.credentials());
            }
        }
        shown.result("url", &url.parse::<WebhookUrl>());
        shown.debug("url", &RedactedUrl::from(url));
    }
}

/// Signs and verifies with every kind of scheme, right and wrong.
fn signatures(shown: &mut Shown) {
    const BODY: &[u8] = PAYLOAD.0.as_bytes();
    let body_alone = || Scheme::builder("x-signature");
    let with_id = || {
        let parts = [Part::header("x-id"), Part::literal("."), Part::Body];
        body_alone().sign(parts)
    };
    let fields = || {
        let parts = [Part::Timestamp, Part::literal("."), Part::Body];
        let builder = body_alone().fields("v1").timestamp_field("t").sign(parts);
        builder.tolerance(Duration::from_secs(300))
    };
    let base64 = || body_alone().encoding(DigestEncoding::Base64);
    let prefix = || body_alone().prefix("sha256=");
    let digest = "0f".repeat(32);
    let now = Utc::now().timestamp();
    let cases: [(&dyn Fn() -> SchemeBuilder, Vec<String>); 5] = [
        (
            &body_alone,
            vec![
                SECRET.0.to_owned(),
                String::new(),
                "0f".to_owned(),
                digest.clone(),
                "ü".to_owned(),
            ],
        ),
        (
            &base64,
            vec!["!".repeat(44), BASE64.encode(SECRET.0.as_bytes())],
        ),
        (&prefix, vec![digest.clone(), SECRET.0.to_owned()]),
        (&with_id, vec![digest.clone()]),
        (
            &fields,
            vec![
                SECRET.0.to_owned(),
                format!("t={now},{}={digest}", TOKEN.0),
                format!("v1={digest}"),
                format!("t={},v1={digest}", SECRET.0),
                format!("t={now},t={now},v1={digest}"),
                format!("t={now}{}", format!(",v1={digest}").repeat(20)),
            ],
        ),
    ];
    let secret = Secret::from(SECRET.0);
    for (scheme, values) in cases {
        let scheme = || scheme().build().unwrap();
        let verifier = Verifier::new(scheme(), key("main", SECRET.0));
        let signer = Signer::new(scheme(), &secret).unwrap();
        let signed = |moment: DateTime<Utc>| {
            let mut headers = HeaderMap::from_iter([(ID, HeaderValue::from_static("1"))]);
            signer.sign_at(&mut headers, BODY, moment).map(|()| headers)
        };
        let mut requests = vec![HeaderMap::new()];
        for value in values {
            let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
            requests.push(HeaderMap::from_iter([(SIGNATURE, value)]));
        }
        for shift in [-9, 0, 9] {
            requests.push(signed(Utc::now() + TimeDelta::days(shift)).unwrap());
        }
        let mut twice = signed(Utc::now()).unwrap();
        twice.append(SIGNATURE, HeaderValue::from_static(SECRET.0));
        requests.push(twice);
        let mut moved = signed(Utc::now()).unwrap();
        moved.insert(
            ID,
            HeaderValue::from_str(&format!("1.{}", PAYLOAD.0)).unwrap(),
        );
        requests.push(moved);
        for headers in requests {
            // The verified payload is the caller's own.
            let verified = verifier.verify(&headers, BODY).map(|_| ());
            shown.result("verify", &verified);
            shown.debug("begin", &verifier.begin(&headers));
            if let Ok(tolerant) = verifier.clone().tolerance(Duration::from_secs(60)) {
                shown.result("verify", &tolerant.verify(&headers, BODY).map(|_| ()));
            }
        }
        shown.result(
            "detached",
            &verifier.verify_detached(SECRET.0, BODY).map(|_| ()),
        );
        shown.result("sign", &signed(DateTime::from_timestamp(-1, 0).unwrap()));
        shown.result("sign", &signer.sign(&mut HeaderMap::new(), BODY));
        shown.result("sign", &signer.sign_detached(BODY));
        let field = signer.clone().field("a b", SECRET.0);
        shown.debug("signer", &field);
        shown.result("sign", &field.sign(&mut HeaderMap::new(), BODY));
        let keyring = Keyring::new(key("main", SECRET.0));
        keyring
            .retire("main", Retire::at(DateTime::UNIX_EPOCH))
            .unwrap();
        let expired = Verifier::new(scheme(), keyring);
        let headers = signed(Utc::now()).unwrap();
        shown.result("expired", &expired.verify(&headers, BODY).map(|_| ()));
    }
}

const ID: HeaderName = HeaderName::from_static("x-id");
const SIGNATURE: HeaderName = HeaderName::from_static("x-signature");
