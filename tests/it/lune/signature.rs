//! `Lune-HMAC`: what is accepted, and which rule each refusal names.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use webhook_sdk::Secret;
use webhook_sdk::lune::{self, Sender};
use webhook_sdk::signature::{Key, KeyError, Keyring, Signer, Verified, Verifier, VerifyError};

const SECRET: &str = "secret-xxxx";
const SIGNED_AT: i64 = 1_631_550_089;
const BODY: &[u8] = br#"{"events":[]}"#;
const HEX: &str = "e437f9434e4a04aa0b624bb71b3a529ab3a448520b3bd34ea60364f19fbdd36a";
const OTHER: &str = "02c4dbfc7a185517584a7cfe78bdafca8ceb88e37c2c7657d68c1820c2e2d6ad";

#[derive(Deserialize)]
struct Vector {
    secret: String,
    timestamp: i64,
    body: String,
    hex: String,
    base64: String,
}

fn vectors() -> Vec<Vector> {
    serde_json::from_str(include_str!("../../data/lune/signatures.json")).unwrap()
}

fn header() -> HeaderName {
    HeaderName::from_static("lune-hmac")
}

fn headers(value: &str) -> HeaderMap {
    HeaderMap::from_iter([(header(), HeaderValue::from_str(value).unwrap())])
}

fn verifier_at(secret: &str, now: DateTime<Utc>) -> Verifier {
    let keyring = Keyring::new(Key::new("main", &Secret::from(secret)).unwrap());
    Verifier::new(lune::scheme(), keyring).clock(move || now)
}

fn moment(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap()
}

fn verify(value: &str) -> Result<Verified<&'static [u8]>, VerifyError> {
    verifier_at(SECRET, moment(SIGNED_AT)).verify(&headers(value), BODY)
}

fn refusal(value: &str) -> VerifyError {
    verify(value).unwrap_err()
}

#[test]
fn every_digest_encoding_is_accepted() {
    for vector in vectors() {
        let unpadded = vector.base64.trim_end_matches('=').to_owned();
        let url_safe = vector.base64.replace('+', "-").replace('/', "_");
        let digests = [
            vector.hex.clone(),
            vector.hex.to_uppercase(),
            vector.base64.clone(),
            unpadded,
            url_safe.clone(),
            url_safe.trim_end_matches('=').to_owned(),
        ];
        for digest in digests {
            let value = format!(
                "timestamp={},organisation=org1,v1={digest}",
                vector.timestamp
            );
            let verifier = verifier_at(&vector.secret, moment(vector.timestamp));
            let request = headers(&value);
            let verified = verifier
                .verify(&request, vector.body.as_bytes())
                .expect(&value);
            assert_eq!(verified.timestamp(), Some(moment(vector.timestamp)));
            assert_eq!(verified.key_name(), "main");
            assert_eq!(*verified.payload(), vector.body.as_bytes());
        }
    }
}

#[test]
fn sender_is_read_from_both_header_formats() {
    let sender = |fields: &str| {
        let verified = verify(&format!("timestamp={SIGNED_AT},{fields}v1={HEX}")).unwrap();
        Sender::of(&verified).map(|sender| format!("{sender:?} {}", sender.id()))
    };
    assert_eq!(
        sender("organisation=org1,").unwrap(),
        r#"Organisation("org1") org1"#
    );
    assert_eq!(sender("account=ac1,").unwrap(), r#"Account("ac1") ac1"#);
    assert_eq!(
        sender("account=ac1,organisation=org1,").unwrap(),
        r#"Organisation("org1") org1"#
    );
    assert_eq!(sender(""), None);
}

#[test]
fn unknown_fields_of_the_header_are_ignored() {
    for value in [
        format!("timestamp={SIGNED_AT},v1={HEX}"),
        format!("v1={HEX},organisation=org1,timestamp={SIGNED_AT}"),
        format!("timestamp={SIGNED_AT},organisation=org1,v1={HEX},v2=zzz,v0=,new,=,..."),
        format!("timestamp={SIGNED_AT}, organisation=a=b=c, v1={HEX}"),
        format!("timestamp={SIGNED_AT},organisation=,v1={HEX},"),
    ] {
        assert!(verify(&value).is_ok(), "{value}");
    }
}

#[test]
fn one_matching_signature_is_enough() {
    let base64 = &vectors()[0].base64;
    for signatures in [
        format!("v1={HEX},v1={OTHER}"),
        format!("v1={OTHER},v1={HEX}"),
        format!("v1={OTHER},v1={OTHER},v1={base64}"),
    ] {
        assert!(
            verify(&format!("timestamp={SIGNED_AT},{signatures}")).is_ok(),
            "{signatures}"
        );
    }
    assert_eq!(
        refusal(&format!("timestamp={SIGNED_AT},v1={OTHER},v1={OTHER}")),
        VerifyError::Mismatch
    );
}

#[test]
fn both_secrets_are_accepted_while_one_is_rotated() {
    let key = |name: &'static str, secret| Key::new(name, &Secret::from(secret)).unwrap();
    let keyring = Keyring::from_keys([key("new", "another"), key("old", SECRET)]).unwrap();
    let verifier = Verifier::new(lune::scheme(), keyring).clock(|| moment(SIGNED_AT));
    let request = headers(&format!("timestamp={SIGNED_AT},v1={HEX}"));
    assert_eq!(verifier.verify(&request, BODY).unwrap().key_name(), "old");
}

#[test]
fn missing_repeated_empty_or_malformed_header_is_refused() {
    let verifier = verifier_at(SECRET, moment(SIGNED_AT));
    let judge = |headers: &HeaderMap| verifier.verify(headers, BODY).unwrap_err();
    let good = HeaderValue::from_str(&format!("timestamp={SIGNED_AT},v1={HEX}")).unwrap();

    assert_eq!(
        judge(&HeaderMap::new()),
        VerifyError::HeaderMissing { header: header() }
    );
    let mut twice = HeaderMap::new();
    twice.append(header(), good.clone());
    twice.append(header(), good);
    assert_eq!(
        judge(&twice),
        VerifyError::HeaderRepeated { header: header() }
    );
    assert_eq!(
        judge(&headers("")),
        VerifyError::HeaderEmpty { header: header() }
    );
    let not_ascii = HeaderMap::from_iter([(
        header(),
        HeaderValue::from_bytes(b"timestamp=\xff").unwrap(),
    )]);
    assert_eq!(
        judge(&not_ascii),
        VerifyError::HeaderNotAscii { header: header() }
    );
}

#[test]
fn a_header_without_a_usable_signature_is_refused() {
    let with = |rest: &str| refusal(&format!("timestamp={SIGNED_AT},organisation=org1{rest}"));
    assert_eq!(with(""), VerifyError::NoSignature);
    assert_eq!(with(&format!(",v2={HEX}")), VerifyError::NoSignature);
    assert_eq!(with(&format!(",V1={HEX}")), VerifyError::NoSignature);
    assert_eq!(with(&format!(",{HEX}")), VerifyError::NoSignature);
    assert_eq!(with(&format!(",v1={}x", &HEX[..63])), VerifyError::NotHex);
    for digest in [
        "",
        &HEX[..63],
        &HEX[..62],
        &HEX[..43],
        "AAAA",
        "5Df5Q05KBKoLYku3",
        &HEX.repeat(2),
        "!",
    ] {
        assert!(
            verify(&format!("timestamp={SIGNED_AT},v1={digest}")).is_err(),
            "{digest}"
        );
    }
    assert_eq!(
        with(&format!(",v1={}", "v1=".repeat(9))),
        VerifyError::NotBase64
    );
    assert_eq!(
        with(&format!(",v1={OTHER}").repeat(100)),
        VerifyError::TooManySignatures
    );
}

#[test]
fn signature_of_another_body_or_key_is_refused() {
    let value = format!("timestamp={SIGNED_AT},v1={HEX}");
    let verifier = verifier_at(SECRET, moment(SIGNED_AT));
    for body in [
        &br#"{"events":[ ]}"#[..],
        b"{\"events\":[]",
        b"{\"events\":[]}\n",
        b"",
        br#"{"eventt":[]}"#,
    ] {
        assert_eq!(
            verifier.verify(&headers(&value), body).unwrap_err(),
            VerifyError::Mismatch
        );
    }
    for secret in ["secret-xxxy", "secret-xxx", "secret-xxxxx", "Secret-xxxx"] {
        let other = verifier_at(secret, moment(SIGNED_AT));
        assert_eq!(
            other.verify(&headers(&value), BODY).unwrap_err(),
            VerifyError::Mismatch,
            "{secret}"
        );
    }
    let flipped = HEX.replacen('e', "f", 1);
    assert_eq!(
        refusal(&format!("timestamp={SIGNED_AT},v1={flipped}")),
        VerifyError::Mismatch
    );
}

#[test]
fn timestamp_is_signed_as_written() {
    for timestamp in ["1631550090", "01631550089", "16315500890"] {
        assert_eq!(
            refusal(&format!("timestamp={timestamp},v1={HEX}")),
            VerifyError::Mismatch,
            "{timestamp}"
        );
    }
}

#[test]
fn a_missing_repeated_or_malformed_timestamp_is_refused() {
    assert_eq!(
        refusal(&format!("organisation=org1,v1={HEX}")),
        VerifyError::TimestampMissing
    );
    let twice = format!("timestamp={SIGNED_AT},timestamp={SIGNED_AT},v1={HEX}");
    assert_eq!(refusal(&twice), VerifyError::TimestampRepeated);
    for timestamp in [
        "",
        "now",
        "+1631550089",
        "-1",
        "1631550089.0",
        " 1631550089",
        "2021-09-13T16:21:29Z",
    ] {
        let value = format!("timestamp={timestamp},v1={HEX}");
        assert_eq!(
            refusal(&value),
            VerifyError::TimestampMalformed,
            "{timestamp}"
        );
    }
}

#[test]
fn extreme_timestamps_are_refused() {
    for timestamp in [
        i64::MAX.to_string(),
        i64::MIN.to_string(),
        u64::MAX.to_string(),
        i128::MAX.to_string(),
        "9".repeat(400),
    ] {
        let value = format!("timestamp={timestamp},v1={HEX}");
        assert_eq!(
            refusal(&value),
            VerifyError::TimestampMalformed,
            "{timestamp}"
        );
    }
    assert_eq!(
        refusal(&format!("timestamp=0,v1={HEX}")),
        VerifyError::Mismatch
    );
    let latest = DateTime::<Utc>::MAX_UTC.timestamp();
    assert_eq!(
        refusal(&format!("timestamp={latest},v1={HEX}")),
        VerifyError::Mismatch
    );
}

#[test]
fn delivery_is_accepted_for_two_minutes_in_both_directions() {
    let request = headers(&format!("timestamp={SIGNED_AT},v1={HEX}"));
    let at = |seconds| {
        verifier_at(SECRET, moment(SIGNED_AT + seconds))
            .verify(&request, BODY)
            .map(drop)
    };
    let tolerance = Duration::from_secs(120);

    assert_eq!((at(120), at(-120)), (Ok(()), Ok(())));
    assert_eq!(
        at(121),
        Err(VerifyError::TooOld {
            age: Duration::from_secs(121),
            tolerance
        })
    );
    assert_eq!(
        at(-121),
        Err(VerifyError::TooNew {
            ahead: Duration::from_secs(121),
            tolerance
        })
    );

    let at_the_end = |now| verifier_at(SECRET, now).verify(&request, BODY).map(drop);
    assert!(matches!(
        at_the_end(DateTime::<Utc>::MAX_UTC),
        Err(VerifyError::TooOld { .. })
    ));
    assert!(matches!(
        at_the_end(DateTime::<Utc>::MIN_UTC),
        Err(VerifyError::TooNew { .. })
    ));
}

#[test]
fn signature_is_checked_before_the_age() {
    let stale = verifier_at(SECRET, moment(SIGNED_AT) + TimeDelta::days(400));
    let forged = headers(&format!("timestamp={SIGNED_AT},v1={OTHER}"));
    assert_eq!(
        stale.verify(&forged, BODY).unwrap_err(),
        VerifyError::Mismatch
    );
}

#[test]
fn the_tolerance_can_be_changed() {
    let request = headers(&format!("timestamp={SIGNED_AT},v1={HEX}"));
    let later = verifier_at(SECRET, moment(SIGNED_AT + 3_600));
    assert!(
        later
            .clone()
            .tolerance(Duration::from_secs(3_600))
            .unwrap()
            .verify(&request, BODY)
            .is_ok()
    );
    assert!(
        later
            .tolerance(Duration::from_secs(3_599))
            .unwrap()
            .verify(&request, BODY)
            .is_err()
    );
}

#[test]
fn verifier_requires_only_a_secret() {
    let verifier = lune::verifier(&Secret::from(SECRET)).unwrap();
    let request = headers(&format!("timestamp={SIGNED_AT},organisation=org1,v1={HEX}"));
    let on_time = verifier.clone().clock(|| moment(SIGNED_AT));
    let verified = on_time.verify(&request, BODY).unwrap();
    assert_eq!(Sender::of(&verified), Some(Sender::Organisation("org1")));
    assert_eq!(verified.key_name(), "main");
    let refused = verifier.verify(&request, BODY).unwrap_err();
    assert!(matches!(refused, VerifyError::TooOld { .. }));
    let untrimmed = lune::verifier(&Secret::from("secret-xxxx\n"));
    assert_eq!(untrimmed.unwrap_err(), KeyError::SurroundingWhitespace);
}

#[test]
fn a_late_redelivery_with_its_first_timestamp_needs_a_wider_tolerance() {
    let request = headers(&format!("timestamp={SIGNED_AT},v1={HEX}"));
    let days = |days: u64| Duration::from_secs(days * 24 * 60 * 60);
    let verifier = lune::verifier(&Secret::from(SECRET))
        .unwrap()
        .clock(|| moment(SIGNED_AT) + TimeDelta::days(2));
    let tolerance = Duration::from_secs(120);
    let refused = verifier.verify(&request, BODY).unwrap_err();
    assert_eq!(
        refused,
        VerifyError::TooOld {
            age: days(2),
            tolerance
        }
    );
    let wide = verifier.tolerance(days(2)).unwrap();
    assert!(wide.verify(&request, BODY).is_ok());
}

#[test]
fn signed_request_has_the_documented_format() {
    let mut request = HeaderMap::new();
    let signer = Signer::new(lune::scheme(), &Secret::from(SECRET)).unwrap();
    let signed = signer.sign_at(&mut request, BODY, moment(SIGNED_AT));
    signed.unwrap();
    assert_eq!(request[header()], format!("timestamp={SIGNED_AT},v1={HEX}"));
}
