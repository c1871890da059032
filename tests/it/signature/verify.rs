//! What the engine accepts, and every reason for which it refuses.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use data_encoding::{
    BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD, HEXLOWER, HEXLOWER_PERMISSIVE, HEXUPPER,
};
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use sha2::Sha256;
use webhook_sdk::Secret;
use webhook_sdk::signature::{
    DigestEncoding, Key, Keyring, MAX_SIGNATURES, Part, Scheme, SchemeBuilder, SchemeError, Signer,
    Verifier, VerifyError,
};

pub(crate) const SECRET: &str = "secret-3c469e9d6c5875d3";
pub(crate) const BODY: &[u8] = b"{\"payload\":\"5b8efff798038103\"}";
pub(crate) const NOW: i64 = 1_700_000_000;

/// HMAC-SHA256 by the crate below the engine, as a service would compute it.
fn mac(secret: &str, parts: &[&[u8]]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().to_vec()
}

pub(crate) fn hex(secret: &str, parts: &[&[u8]]) -> String {
    HEXLOWER.encode(&mac(secret, parts))
}

pub(crate) fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        let name = HeaderName::try_from(*name).unwrap();
        headers.append(name, HeaderValue::try_from(*value).unwrap());
    }
    headers
}

pub(crate) fn key(name: &str, secret: &str) -> Key {
    Key::new(name, &Secret::from(secret)).unwrap()
}

pub(crate) fn ring(secret: &str) -> Keyring {
    Keyring::new(key("main", secret))
}

pub(crate) fn moment(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap()
}

pub(crate) fn at(seconds: i64) -> impl Fn() -> DateTime<Utc> + Clone {
    move || moment(seconds)
}

/// The hexadecimal digest of the body behind a prefix.
fn plain() -> Verifier {
    let scheme = Scheme::builder("x-signature")
        .prefix("sha256=")
        .build()
        .unwrap();
    Verifier::new(scheme, ring(SECRET))
}

/// `t=…,v1=…` over `timestamp.body`, fresh for five minutes.
fn dated_scheme() -> Scheme {
    Scheme::builder("x-signature")
        .fields("v1")
        .timestamp_field("t")
        .encoding(DigestEncoding::HexOrBase64)
        .sign([Part::Timestamp, Part::literal("."), Part::Body])
        .tolerance(Duration::from_secs(300))
        .build()
        .unwrap()
}

fn dated() -> Verifier {
    Verifier::new(dated_scheme(), ring(SECRET)).clock(at(NOW))
}

fn dated_header(timestamp: &str) -> HeaderMap {
    let digest = hex(SECRET, &[timestamp.as_bytes(), b".", BODY]);
    headers(&[("x-signature", &format!("t={timestamp},v1={digest}"))])
}

pub(crate) fn refusal(verifier: &Verifier, headers: &HeaderMap, body: &[u8]) -> VerifyError {
    let refusal = verifier.verify(headers, body).unwrap_err();
    let begun = verifier.begin(headers);
    let in_two_steps = begun.and_then(|verification| verification.finish(body).map(drop));
    assert_eq!(in_two_steps.unwrap_err(), refusal, "both ways refuse alike");
    refusal
}

fn refused_value(value: &str) -> VerifyError {
    refusal(&plain(), &headers(&[("x-signature", value)]), BODY)
}

fn header_name() -> HeaderName {
    HeaderName::from_static("x-signature")
}

fn vectors(text: &str) -> Vec<Value> {
    serde_json::from_str::<Value>(text).unwrap()["cases"]
        .as_array()
        .unwrap()
        .clone()
}

#[test]
fn the_vectors_of_rfc_4231_verify() {
    let cases = vectors(include_str!("../../data/vectors/rfc4231.json"));
    assert_eq!(cases.len(), 7);
    let decode = |case: &Value, field: &str| {
        HEXLOWER_PERMISSIVE
            .decode(case[field].as_str().unwrap().as_bytes())
            .unwrap()
    };
    for case in cases {
        let key = Key::from_bytes("rfc", &decode(&case, "key_hex")).unwrap();
        let scheme = Scheme::builder("x-signature").build().unwrap();
        let verifier = Verifier::new(scheme, Keyring::new(key));
        let data = decode(&case, "data_hex");
        let digest = case["hmac_sha256"].as_str().unwrap();
        let result = verifier.verify_detached(digest, &data);
        if case["case"] == 5 {
            assert_eq!(
                result.err(),
                Some(VerifyError::DigestLength),
                "truncated digests are not taken"
            );
        } else {
            assert_eq!(*result.unwrap().payload(), data);
        }
    }
}

#[test]
fn the_published_examples_of_other_services_verify() {
    let schemes: [(&str, SchemeBuilder); 4] = [
        (
            "github",
            Scheme::builder("X-Hub-Signature-256").prefix("sha256="),
        ),
        (
            "mux",
            Scheme::builder("Mux-Signature")
                .fields("v1")
                .timestamp_field("t")
                .sign([Part::Timestamp, Part::literal("."), Part::Body])
                .tolerance(Duration::from_secs(300)),
        ),
        (
            "slack",
            Scheme::builder("X-Slack-Signature")
                .prefix("v0=")
                .timestamp_header("X-Slack-Request-Timestamp")
                .sign([
                    Part::literal("v0:"),
                    Part::Timestamp,
                    Part::literal(":"),
                    Part::Body,
                ])
                .tolerance(Duration::from_secs(300)),
        ),
        (
            "standard-webhooks",
            Scheme::builder("webhook-signature")
                .prefix("v1,")
                .list(" ")
                .encoding(DigestEncoding::Base64)
                .timestamp_header("webhook-timestamp")
                .sign([
                    Part::header("webhook-id"),
                    Part::literal("."),
                    Part::Timestamp,
                    Part::literal("."),
                    Part::Body,
                ])
                .tolerance(Duration::from_secs(300)),
        ),
    ];
    let cases = vectors(include_str!("../../data/vectors/public-schemes.json"));
    assert_eq!(cases.len(), schemes.len());
    for ((name, scheme), case) in schemes.into_iter().zip(cases) {
        assert_eq!(case["name"], name);
        let key = match case["secret_base64"].as_str() {
            Some(secret) => Key::from_bytes(name, &BASE64.decode(secret.as_bytes()).unwrap()),
            None => Key::new(name, &Secret::from(case["secret"].as_str().unwrap())),
        };
        let pairs: Vec<_> = case["headers"].as_object().unwrap().iter().collect();
        let pairs: Vec<_> = pairs
            .iter()
            .map(|(k, v)| (k.as_str(), v.as_str().unwrap()))
            .collect();
        let body = case["body"].as_str().unwrap().as_bytes();
        let time = case["time"].as_i64().unwrap_or(NOW);
        let verifier =
            Verifier::new(scheme.build().unwrap(), Keyring::new(key.unwrap())).clock(at(time));
        let verified = verifier.verify(&headers(&pairs), body).unwrap();
        assert_eq!(verified.key_name(), name);
        let dated = verified.timestamp().map(|timestamp| timestamp.timestamp());
        assert_eq!(dated, case["time"].as_i64());
        let refused = refusal(&verifier, &headers(&pairs), &body[1..]);
        assert_eq!(refused, VerifyError::Mismatch);
    }
}

#[test]
fn a_genuine_body_is_accepted_in_one_step_and_in_two() {
    let digest = hex(SECRET, &[BODY]);
    let headers = headers(&[("x-signature", &format!("sha256={digest}"))]);
    let verifier = plain();
    assert_eq!(*verifier.verify(&headers, BODY).unwrap().payload(), BODY);
    let verification = verifier.begin(&headers).unwrap();
    let verified = verification.finish(BODY.to_vec()).unwrap();
    assert_eq!(verified.key_name(), "main");
    assert_eq!(verified.into_payload(), BODY);
    assert_eq!(
        verifier.verify_detached(&digest, BODY).unwrap().key_name(),
        "main"
    );
    assert!(
        verifier
            .verify_detached(&format!("sha256={digest}"), BODY)
            .is_ok()
    );
}

#[test]
fn an_empty_body_can_be_genuine() {
    let headers = headers(&[("x-signature", &format!("sha256={}", hex(SECRET, &[])))]);
    assert!(plain().verify(&headers, b"").is_ok());
    assert_eq!(refusal(&plain(), &headers, b"{}"), VerifyError::Mismatch);
}

#[test]
fn digest_is_read_in_every_form_of_its_encoding() {
    let digest = mac(SECRET, &[BODY]);
    let hexadecimal = [HEXLOWER.encode(&digest), HEXUPPER.encode(&digest)];
    let base64 = [&BASE64, &BASE64_NOPAD, &BASE64URL, &BASE64URL_NOPAD].map(|e| e.encode(&digest));
    let both = [hexadecimal.as_slice(), base64.as_slice()].concat();
    for (encoding, spellings) in [
        (DigestEncoding::Hex, hexadecimal.to_vec()),
        (DigestEncoding::Base64, base64.to_vec()),
        (DigestEncoding::HexOrBase64, both),
    ] {
        let scheme = Scheme::builder("x-signature")
            .encoding(encoding)
            .build()
            .unwrap();
        let verifier = Verifier::new(scheme, ring(SECRET));
        for spelling in spellings {
            let headers = headers(&[("x-signature", &spelling)]);
            assert!(
                verifier.verify(&headers, BODY).is_ok(),
                "{encoding:?} {spelling}"
            );
        }
    }
}

#[test]
fn missing_repeated_empty_or_malformed_header_is_refused() {
    let header = header_name;
    let good = format!("sha256={}", hex(SECRET, &[BODY]));
    let none = refusal(&plain(), &HeaderMap::new(), BODY);
    assert_eq!(none, VerifyError::HeaderMissing { header: header() });
    let twice = headers(&[("x-signature", &good), ("x-signature", &good)]);
    assert_eq!(
        refusal(&plain(), &twice, BODY),
        VerifyError::HeaderRepeated { header: header() }
    );
    assert_eq!(
        refused_value(""),
        VerifyError::HeaderEmpty { header: header() }
    );
    let mut garbled = HeaderMap::new();
    garbled.insert(header(), HeaderValue::from_bytes(b"sha256=\xff").unwrap());
    assert_eq!(
        refusal(&plain(), &garbled, BODY),
        VerifyError::HeaderNotAscii { header: header() }
    );
}

#[test]
fn malformed_digest_has_a_specific_error() {
    let digest = hex(SECRET, &[BODY]);
    let cases = [
        (digest.clone(), VerifyError::PrefixMissing),
        (format!("SHA256={digest}"), VerifyError::PrefixMissing),
        (format!("sha1={digest}"), VerifyError::PrefixMissing),
        ("sha256=".to_owned(), VerifyError::DigestLength),
        (format!("sha256={}", &digest[1..]), VerifyError::NotHex),
        (
            format!("sha256={}", &digest[2..]),
            VerifyError::DigestLength,
        ),
        (format!("sha256={digest}00"), VerifyError::DigestLength),
        (format!("sha256=0x{}", &digest[2..]), VerifyError::NotHex),
        (format!("sha256=g{}", &digest[1..]), VerifyError::NotHex),
        (format!("sha256= {}", &digest[1..]), VerifyError::NotHex),
        (
            format!("sha256={digest},sha256={digest}"),
            VerifyError::NotHex,
        ),
        (format!("sha256={}", "0".repeat(64)), VerifyError::Mismatch),
        (
            format!("sha256={}", "f".repeat(100_000)),
            VerifyError::DigestLength,
        ),
    ];
    for (value, expected) in cases {
        assert_eq!(refused_value(&value), expected, "{value:.80}");
    }
}

#[test]
fn base64_that_is_not_a_digest_is_refused() {
    let scheme = Scheme::builder("x-signature")
        .encoding(DigestEncoding::Base64)
        .build()
        .unwrap();
    let verifier = Verifier::new(scheme, ring(SECRET));
    let good = BASE64.encode(&mac(SECRET, &[BODY]));
    let cases = [
        (good[..40].to_owned(), VerifyError::DigestLength),
        (format!("{good}="), VerifyError::DigestLength),
        (format!("*{}", &good[1..]), VerifyError::NotBase64),
        (format!("-/{}", &good[2..]), VerifyError::NotBase64),
        (hex(SECRET, &[BODY]), VerifyError::DigestLength),
    ];
    for (value, expected) in cases {
        assert_eq!(
            refusal(&verifier, &headers(&[("x-signature", &value)]), BODY),
            expected,
            "{value}"
        );
    }
}

#[test]
fn another_key_another_body_and_a_truncated_body_do_not_match() {
    let headers = headers(&[("x-signature", &format!("sha256={}", hex(SECRET, &[BODY])))]);
    let scheme = plain().scheme().clone();
    let other = Verifier::new(scheme, ring("another secret"));
    assert_eq!(refusal(&other, &headers, BODY), VerifyError::Mismatch);
    assert_eq!(
        refusal(&plain(), &headers, &BODY[..BODY.len() - 1]),
        VerifyError::Mismatch
    );
    for index in 0..BODY.len() {
        let mut changed = BODY.to_vec();
        changed[index] ^= 0x20;
        assert_eq!(refusal(&plain(), &headers, &changed), VerifyError::Mismatch);
    }
}

#[test]
fn tolerance_is_inclusive_in_both_directions() {
    for offset in [-300, -299, 0, 299, 300] {
        let headers = dated_header(&(NOW + offset).to_string());
        let verified = dated().verify(&headers, BODY).unwrap().timestamp().unwrap();
        assert_eq!(verified.timestamp(), NOW + offset);
    }
    let tolerance = Duration::from_secs(300);
    let old = refusal(&dated(), &dated_header(&(NOW - 301).to_string()), BODY);
    assert_eq!(
        old,
        VerifyError::TooOld {
            age: Duration::from_secs(301),
            tolerance
        }
    );
    let new = refusal(&dated(), &dated_header(&(NOW + 301).to_string()), BODY);
    assert_eq!(
        new,
        VerifyError::TooNew {
            ahead: Duration::from_secs(301),
            tolerance
        }
    );
    let wide = dated().tolerance(Duration::MAX).unwrap();
    assert!(wide.verify(&dated_header("0"), BODY).is_ok());
    assert!(
        dated()
            .danger_skip_freshness()
            .verify(&dated_header("0"), BODY)
            .is_ok()
    );
    let none = dated().tolerance(Duration::ZERO).unwrap();
    assert!(none.verify(&dated_header(&NOW.to_string()), BODY).is_ok());
    assert!(
        none.verify(&dated_header(&(NOW - 1).to_string()), BODY)
            .is_err()
    );
}

#[test]
fn extreme_timestamps_are_refused_without_a_panic() {
    for text in [
        "",
        "-1",
        "+5",
        " 5",
        "5 ",
        "1.5",
        "0x10",
        "1e9",
        "١",
        "-9223372036854775808",
        "-9223372036854775809",
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551615",
        "18446744073709551616",
        "99999999999999999999999999999999999999",
    ] {
        let digest = hex(SECRET, &[text.as_bytes(), b".", BODY]);
        let value = HeaderValue::from_bytes(format!("t={text},v1={digest}").as_bytes()).unwrap();
        let headers = HeaderMap::from_iter([(header_name(), value)]);
        let expected = match text {
            "١" => VerifyError::HeaderNotAscii {
                header: header_name(),
            },
            _ => VerifyError::TimestampMalformed,
        };
        assert_eq!(refusal(&dated(), &headers, BODY), expected, "{text:?}");
    }
    let last = DateTime::<Utc>::MAX_UTC.timestamp().to_string();
    assert!(matches!(
        refusal(&dated(), &dated_header(&last), BODY),
        VerifyError::TooNew { .. }
    ));
    let at_the_end = dated().clock(|| DateTime::<Utc>::MAX_UTC);
    assert!(matches!(
        refusal(&at_the_end, &dated_header("0"), BODY),
        VerifyError::TooOld { .. }
    ));
    let at_the_start = dated().clock(|| DateTime::<Utc>::MIN_UTC);
    assert!(matches!(
        refusal(&at_the_start, &dated_header(&last), BODY),
        VerifyError::TooNew { .. }
    ));
}

#[test]
fn stale_forgery_is_a_mismatch() {
    let headers = headers(&[("x-signature", &format!("t=1,v1={}", hex("guess", &[BODY])))]);
    assert_eq!(refusal(&dated(), &headers, BODY), VerifyError::Mismatch);
}

#[test]
fn additional_fields_are_allowed() {
    let time = NOW.to_string();
    let digest = hex(SECRET, &[time.as_bytes(), b".", BODY]);
    let base64 = BASE64.encode(&mac(SECRET, &[time.as_bytes(), b".", BODY]));
    let wrong = "0".repeat(64);
    let accepted = [
        format!("t={time},v1={digest}"),
        format!("v1={digest},t={time}"),
        format!("t={time},v1={base64}"),
        format!("t={time}, who=me=you, v0=zz, v1={digest}, flag"),
        format!("t={time},v1={wrong},v1={digest}"),
        format!("t={time},v1={digest},v1={wrong}"),
    ];
    for value in accepted {
        let headers = headers(&[("x-signature", &value)]);
        let verified = dated().verify(&headers, BODY);
        assert!(verified.is_ok(), "{value}");
    }
    let refused = [
        (format!("v1={digest}"), VerifyError::TimestampMissing),
        (format!("t={time}"), VerifyError::NoSignature),
        (format!("t={time},v2={digest}"), VerifyError::NoSignature),
        (format!("t={time},V1={digest}"), VerifyError::NoSignature),
        (
            format!("t={time},t={time},v1={digest}"),
            VerifyError::TimestampRepeated,
        ),
        (format!("t={},v1={digest}", NOW + 1), VerifyError::Mismatch),
        (
            format!("t={time},v1={digest},v1=zz"),
            VerifyError::DigestLength,
        ),
        (
            format!("t={time},v1={digest},v1=%%"),
            VerifyError::NotBase64,
        ),
        ("nonsense".to_owned(), VerifyError::NoSignature),
        (",,,=,=,".to_owned(), VerifyError::NoSignature),
    ];
    for (value, expected) in refused {
        let headers = headers(&[("x-signature", &value)]);
        assert_eq!(refusal(&dated(), &headers, BODY), expected, "{value}");
    }
}

#[test]
fn unsigned_field_can_be_read() {
    let time = NOW.to_string();
    let digest = hex(SECRET, &[time.as_bytes(), b".", BODY]);
    let headers = headers(&[("x-signature", &format!("t={time},who=me=you,v1={digest}"))]);
    let verifier = dated();
    let verified = verifier.verify(&headers, BODY).unwrap();
    assert_eq!(verified.unsigned_field("who"), Some("me=you"));
    assert_eq!(verified.unsigned_field("v1"), None);
    assert_eq!(verified.unsigned_field("nobody"), None);
}

#[test]
fn too_many_signatures_are_refused() {
    let time = NOW.to_string();
    let digest = hex(SECRET, &[time.as_bytes(), b".", BODY]);
    let many = |count| {
        let wrong = format!(",v1={}", "0".repeat(64)).repeat(count - 1);
        headers(&[("x-signature", &format!("t={time}{wrong},v1={digest}"))])
    };
    assert!(dated().verify(&many(MAX_SIGNATURES), BODY).is_ok());
    let refused = refusal(&dated(), &many(MAX_SIGNATURES + 1), BODY);
    assert_eq!(refused, VerifyError::TooManySignatures);
}

#[test]
fn a_list_ignores_signatures_of_other_versions() {
    let scheme = Scheme::builder("x-signature")
        .prefix("v1,")
        .list(" ")
        .build()
        .unwrap();
    let verifier = Verifier::new(scheme, ring(SECRET));
    let digest = hex(SECRET, &[BODY]);
    let wrong = "0".repeat(64);
    for value in [
        format!("v1,{digest}"),
        format!("v1a,zzzz v1,{digest}"),
        format!("v1,{wrong} v1,{digest}"),
        format!("v1,{digest} v1,{wrong}"),
    ] {
        assert!(
            verifier
                .verify(&headers(&[("x-signature", &value)]), BODY)
                .is_ok(),
            "{value}"
        );
    }
    let none = headers(&[("x-signature", &format!("v2,{digest}"))]);
    assert_eq!(refusal(&verifier, &none, BODY), VerifyError::NoSignature);
}

#[test]
fn a_bare_list_ignores_empty_entries() {
    let scheme = Scheme::builder("x-signature").list(", ").build().unwrap();
    let verifier = Verifier::new(scheme, ring(SECRET));
    let digest = hex(SECRET, &[BODY]);
    let wrong = "0".repeat(64);
    for value in [
        format!("{digest}, "),
        format!(", {wrong}, , {digest}"),
        format!("{digest}, {wrong}"),
    ] {
        let headers = headers(&[("x-signature", &value)]);
        assert!(verifier.verify(&headers, BODY).is_ok(), "{value}");
    }
    let none = headers(&[("x-signature", ", ")]);
    assert_eq!(refusal(&verifier, &none, BODY), VerifyError::NoSignature);
}

#[test]
fn the_system_clock_decides_unless_another_is_set() {
    let verifier = Verifier::new(dated_scheme(), ring(SECRET))
        .tolerance(Duration::from_secs(60))
        .unwrap();
    let signer = Signer::new(dated_scheme(), &Secret::from(SECRET)).unwrap();
    let mut headers = HeaderMap::new();
    signer.sign(&mut headers, BODY).unwrap();
    assert!(verifier.verify(&headers, BODY).is_ok());
    for seconds in [-70, 130] {
        let time = Utc::now() + TimeDelta::seconds(seconds);
        signer.sign_at(&mut headers, BODY, time).unwrap();
        assert!(verifier.verify(&headers, BODY).is_err(), "{seconds}");
    }
}

#[test]
fn a_signed_header_must_occur_once_and_cannot_contain_its_delimiter() {
    let scheme = Scheme::builder("x-signature")
        .sign([Part::header("x-id"), Part::literal("."), Part::Body])
        .build()
        .unwrap();
    let verifier = Verifier::new(scheme, ring(SECRET));
    let digest = hex(SECRET, &[b"id-1.", BODY]);
    let good = headers(&[("x-signature", &digest), ("x-id", "id-1")]);
    assert!(verifier.verify(&good, BODY).is_ok());
    let id = HeaderName::from_static("x-id");
    let missing = headers(&[("x-signature", &digest)]);
    assert_eq!(
        refusal(&verifier, &missing, BODY),
        VerifyError::HeaderMissing { header: id.clone() }
    );
    let twice = headers(&[("x-signature", &digest), ("x-id", "id-1"), ("x-id", "id-1")]);
    assert_eq!(
        refusal(&verifier, &twice, BODY),
        VerifyError::HeaderRepeated { header: id.clone() }
    );
    let moved = headers(&[("x-signature", &digest), ("x-id", "id-1.{\"payload\"")]);
    let refused = refusal(&verifier, &moved, &BODY[10..]);
    assert_eq!(refused, VerifyError::HeaderNotDelimited { header: id });
    assert_eq!(
        verifier.verify_detached(&digest, BODY).err(),
        Some(VerifyError::HeadersNeeded)
    );
}

#[test]
fn a_tolerance_needs_a_timestamp() {
    let refused = plain().tolerance(Duration::from_secs(60)).unwrap_err();
    assert_eq!(refused, SchemeError::ToleranceWithoutTimestamp);
}

#[test]
fn verifier_accepts_what_a_signer_signs_now() {
    for scheme in [plain().scheme().clone(), dated_scheme()] {
        let secret = Secret::from(SECRET);
        let signer = Signer::new(scheme.clone(), &secret).unwrap();
        let mut headers = HeaderMap::new();
        signer.sign(&mut headers, BODY).unwrap();
        let verifier = Verifier::new(scheme, ring(SECRET));
        assert!(verifier.verify(&headers, BODY).is_ok());
    }
    let signer = Signer::new(plain().scheme().clone(), &Secret::from(SECRET)).unwrap();
    assert_eq!(signer.sign_detached(BODY).unwrap(), hex(SECRET, &[BODY]));
}

fn dated_parts() -> [Part; 3] {
    [Part::Timestamp, Part::literal("."), Part::Body]
}

#[test]
fn unusable_scheme_is_rejected() {
    let builder = || Scheme::builder("x-signature");
    let unsigned_time = builder().timestamp_header("x-time").build();
    assert_eq!(unsigned_time, Err(SchemeError::TimestampNotSigned));
    let no_source = builder().sign(dated_parts()).build();
    assert_eq!(no_source, Err(SchemeError::TimestampSourceMissing));
    let no_time = builder().tolerance(Duration::from_secs(1)).build();
    assert_eq!(no_time, Err(SchemeError::ToleranceWithoutTimestamp));
    let refused = [
        Scheme::builder("not a name").build(),
        Scheme::builder("").build(),
        builder().sign([Part::literal("x")]).build(),
        builder().sign([Part::Body, Part::Body]).build(),
        builder().list("").build(),
        builder().prefix("é").build(),
        builder().fields("").build(),
        builder()
            .fields("v1")
            .timestamp_field("v1")
            .sign(dated_parts())
            .build(),
        builder().timestamp_field("t").sign(dated_parts()).build(),
        builder()
            .sign([Part::header("x-signature"), Part::literal("."), Part::Body])
            .build(),
    ];
    for (index, scheme) in refused.into_iter().enumerate() {
        assert!(scheme.is_err(), "{index}");
    }
}

#[test]
fn successful_verification_allocates_nothing() {
    let secrets = Keyring::from_keys([key("old", "old"), key("new", SECRET)]).unwrap();
    let time = NOW.to_string();
    let digest = hex(SECRET, &[time.as_bytes(), b".", BODY]);
    let wrong = "0".repeat(64);
    let fields = format!("t={time},who=somebody,v1={wrong},v1={digest}");
    let fields = headers(&[
        ("content-type", "application/json"),
        ("x-signature", &fields),
    ]);
    let two_keys = Verifier::new(dated_scheme(), secrets).clock(at(NOW));
    let body = headers(&[("x-signature", &format!("sha256={}", hex(SECRET, &[BODY])))]);
    for (verifier, headers) in [(plain(), body), (two_keys, fields)] {
        assert!(verifier.verify(&headers, BODY).is_ok());
        let measured = allocation_counter::measure(|| {
            assert!(verifier.verify(&headers, BODY).is_ok());
            let verification = verifier.begin(&headers).unwrap();
            assert!(verification.finish(BODY).is_ok());
        });
        assert_eq!(measured.count_total, 0);
    }
}

#[test]
fn nothing_shows_a_secret_a_payload_or_a_digest() {
    let secret = Secret::from(SECRET);
    let verifier = dated();
    let headers = dated_header(&NOW.to_string());
    let digest = hex(SECRET, &[NOW.to_string().as_bytes(), b".", BODY]);
    let signer = Signer::new(dated_scheme(), &secret).unwrap();
    let verification = verifier.begin(&headers).unwrap();
    let verified = verifier.verify(&headers, BODY).unwrap();
    let refused = plain().verify(&headers, BODY).unwrap_err();
    let shown = format!(
        "{secret:?} {:?} {:?} {verifier:?} {signer:?} {verification:?} {verified:?} {refused} {refused:?}",
        key("main", SECRET),
        verifier.keyring(),
    );
    for hidden in [SECRET, "5b8efff798038103", &digest, "[123, 34"] {
        assert!(!shown.contains(hidden), "{hidden} shows in {shown}");
    }
}

#[test]
fn debug_names_the_keys_the_scheme_and_the_time() {
    let headers = dated_header(&NOW.to_string());
    let key = key("main", SECRET);
    let verifier = Verifier::new(dated_scheme(), &key).clock(at(NOW));
    let verification = verifier.begin(&headers).unwrap();
    let verified = verifier.verify(&headers, BODY).unwrap();
    let signer = Signer::with_key(dated_scheme(), key.clone());
    let keyring = verifier.keyring();
    for (shown, parts) in [
        (format!("{key:?}"), &["Key", "main", "expires_at"][..]),
        (format!("{keyring:?}"), &["Keyring", "main"]),
        (
            format!("{verifier:?}"),
            &["Verifier", "x-signature", "main", "300s"],
        ),
        (
            format!("{verification:?}"),
            &["Verification", "x-signature", "main"],
        ),
        (
            format!("{verified:?}"),
            &["Verified", "main", "2023-11-14T22:13:20"],
        ),
        (format!("{signer:?}"), &["Signer", "x-signature", "main"]),
    ] {
        for part in parts {
            assert!(shown.contains(part), "{part} isn't in {shown}");
        }
    }
}

#[test]
fn the_clock_can_show_a_leap_second() {
    let leap: DateTime<Utc> = "2016-12-31T23:59:60.999999999Z".parse().unwrap();
    let verifier = dated().clock(move || leap);
    let next = (leap.timestamp() + 1).to_string();
    assert!(verifier.verify(&dated_header(&next), BODY).is_ok());
    let past = (leap.timestamp() - 301).to_string();
    assert!(matches!(
        refusal(&verifier, &dated_header(&past), BODY),
        VerifyError::TooOld { .. }
    ));
}
