//! What a signer writes, and when it refuses.

use chrono::DateTime;
use data_encoding::{BASE64, HEXLOWER_PERMISSIVE};
use http::{HeaderMap, HeaderName};
use webhook_sdk::Secret;
use webhook_sdk::signature::{
    DigestEncoding, Key, Part, Scheme, SchemeBuilder, SignError, Signer, VerifyError,
};

use super::verify::{BODY, NOW, SECRET, headers, hex, moment};

fn signer(scheme: SchemeBuilder) -> Signer {
    let scheme = scheme.build().unwrap();
    Signer::new(scheme, &Secret::from(SECRET)).unwrap()
}

fn fields() -> SchemeBuilder {
    Scheme::builder("x-signature")
        .fields("v1")
        .timestamp_field("t")
        .sign([Part::Timestamp, Part::literal("."), Part::Body])
}

fn signature(signer: &Signer) -> String {
    let mut headers = HeaderMap::new();
    signer.sign_at(&mut headers, BODY, moment(NOW)).unwrap();
    assert_eq!(headers.len(), 1);
    headers["x-signature"].to_str().unwrap().to_owned()
}

#[test]
fn each_layout_and_encoding_is_written_as_documented() {
    let digest = hex(SECRET, &[BODY]);
    let base64 = BASE64.encode(&HEXLOWER_PERMISSIVE.decode(digest.as_bytes()).unwrap());
    let single = || Scheme::builder("x-signature").prefix("sha256=");
    for (encoding, expected) in [
        (DigestEncoding::Hex, &digest),
        (DigestEncoding::HexOrBase64, &digest),
        (DigestEncoding::Base64, &base64),
    ] {
        let written = signature(&signer(single().encoding(encoding)));
        assert_eq!(written, format!("sha256={expected}"));
        let list = signer(single().list(" ").encoding(encoding));
        assert_eq!(signature(&list), format!("sha256={expected}"));
        let stored = signer(single().encoding(encoding)).sign_detached(BODY);
        assert_eq!(stored.unwrap(), *expected);
    }
    let dated = hex(SECRET, &[NOW.to_string().as_bytes(), b".", BODY]);
    let signer = signer(fields()).field("who", "me").field("x", "a=b");
    assert_eq!(
        signature(&signer),
        format!("t={NOW},who=me,x=a=b,v1={dated}")
    );
}

#[test]
fn a_timestamp_header_and_signed_headers_go_into_the_signature() {
    let signer = signer(
        Scheme::builder("x-signature")
            .timestamp_header("x-time")
            .sign([
                Part::header("x-id"),
                Part::literal("."),
                Part::Timestamp,
                Part::literal("."),
                Part::Body,
            ]),
    );
    let mut signed = headers(&[("x-id", "id-1"), ("x-time", "1"), ("x-signature", "old")]);
    let moment = DateTime::from_timestamp(NOW + 5, 999_999_999).unwrap();
    signer.sign_at(&mut signed, BODY, moment).unwrap();
    let time = (NOW + 5).to_string();
    let digest = hex(SECRET, &[b"id-1.", time.as_bytes(), b".", BODY]);
    let expected = headers(&[
        ("x-id", "id-1"),
        ("x-time", &time),
        ("x-signature", &digest),
    ]);
    assert_eq!(signed, expected);
}

#[test]
fn failed_signing_leaves_the_headers_unchanged() {
    let with_id = || {
        Scheme::builder("x-signature")
            .timestamp_header("x-time")
            .sign([
                Part::header("x-id"),
                Part::literal("."),
                Part::Timestamp,
                Part::literal("."),
                Part::Body,
            ])
    };
    let header = HeaderName::from_static("x-id");
    let cases = [
        (
            headers(&[]),
            VerifyError::HeaderMissing {
                header: header.clone(),
            },
        ),
        (
            headers(&[("x-id", "1"), ("x-id", "2")]),
            VerifyError::HeaderRepeated {
                header: header.clone(),
            },
        ),
        (
            headers(&[("x-id", "1.2")]),
            VerifyError::HeaderNotDelimited { header },
        ),
    ];
    for (before, cause) in cases {
        let mut after = before.clone();
        let refused = signer(with_id()).sign(&mut after, BODY);
        assert_eq!(refused, Err(SignError::SignedHeader(cause)));
        assert_eq!(after, before);
    }
    let mut after = headers(&[("x-id", "1")]);
    let moment = DateTime::from_timestamp(-1, 0).unwrap();
    let refused = signer(with_id()).sign_at(&mut after, BODY, moment);
    assert_eq!(refused, Err(SignError::TimeBeforeEpoch));
    assert_eq!(after, headers(&[("x-id", "1")]));
    assert_eq!(
        signer(with_id()).sign_detached(BODY),
        Err(SignError::SignedHeader(VerifyError::HeadersNeeded))
    );
}

#[test]
fn a_field_that_would_break_the_header_is_refused() {
    for (key, value) in [
        ("", "x"),
        ("a b", "x"),
        ("a=b", "x"),
        ("a,b", "x"),
        ("a", "x,v1=y"),
        ("a", "x\r\ny: z"),
        ("t", "1"),
        ("v1", "x"),
    ] {
        let mut after = HeaderMap::new();
        let refused = signer(fields()).field(key, value).sign(&mut after, BODY);
        assert_eq!(refused, Err(SignError::Field { key: key.into() }));
        assert!(after.is_empty());
    }
    let elsewhere = signer(Scheme::builder("x-signature")).field("a", "b");
    let refused = elsewhere.sign(&mut HeaderMap::new(), BODY);
    assert_eq!(refused, Err(SignError::Field { key: "a".into() }));
}

#[test]
fn the_first_second_of_1970_can_be_signed() {
    let mut headers = HeaderMap::new();
    let signer = signer(fields());
    signer
        .sign_at(&mut headers, BODY, DateTime::UNIX_EPOCH)
        .unwrap();
    let text = headers["x-signature"].to_str().unwrap();
    assert!(text.starts_with("t=0,v1="), "{text}");
}

#[test]
fn a_key_of_raw_bytes_signs_too() {
    let scheme = Scheme::builder("x-signature").build().unwrap();
    let key = Key::from_bytes("raw", SECRET.as_bytes()).unwrap();
    let signer = Signer::with_key(scheme, key);
    assert_eq!(signer.sign_detached(BODY).unwrap(), hex(SECRET, &[BODY]));
}
