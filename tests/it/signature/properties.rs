//! Laws that hold for every scheme, secret, header, and body.

use std::time::Duration;

use chrono::DateTime;
use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use webhook_sdk::Secret;
use webhook_sdk::signature::{DigestEncoding, Key, Part, Scheme, Signer, Verifier, VerifyError};

const NOW: i64 = 1_700_000_000;

fn now() -> DateTime<chrono::Utc> {
    DateTime::from_timestamp(NOW, 0).unwrap()
}

#[derive(Clone, Debug)]
struct Case {
    scheme: Scheme,
    key: Vec<u8>,
    id: String,
    body: Vec<u8>,
}

impl Case {
    fn verifier(&self) -> Verifier {
        let key = Key::from_bytes("main", &self.key).unwrap();
        Verifier::new(self.scheme.clone(), key).clock(now)
    }

    fn signed(&self) -> HeaderMap {
        let key = Key::from_bytes("main", &self.key).unwrap();
        let signer = Signer::with_key(self.scheme.clone(), key);
        let mut headers = HeaderMap::new();
        headers.insert("x-id", HeaderValue::try_from(&self.id).unwrap());
        signer.sign_at(&mut headers, &self.body, now()).unwrap();
        headers
    }
}

fn scheme() -> impl Strategy<Value = Scheme> {
    let encoding = select(vec![
        DigestEncoding::Hex,
        DigestEncoding::Base64,
        DigestEncoding::HexOrBase64,
    ]);
    let delimiter = select(vec![".", ":", "::", "..", "\n", "a-b", "--"]);
    (0..3_u8, 0..3_u8, any::<bool>(), encoding, delimiter).prop_map(
        |(layout, time, with_id, encoding, delimiter)| {
            let builder = Scheme::builder("x-signature").encoding(encoding);
            let builder = match layout {
                0 => builder.prefix("sha256="),
                1 => builder.prefix("v1,").list(" "),
                _ => builder.fields("v1"),
            };
            let mut parts = vec![Part::Body];
            if with_id {
                parts = [vec![Part::header("x-id"), Part::literal(delimiter)], parts].concat();
            }
            if time > 0 {
                parts = [parts, vec![Part::literal(delimiter), Part::Timestamp]].concat();
            }
            let builder = builder.sign(parts);
            let builder = match (time, layout) {
                (0, _) => builder,
                (2, 2) => builder.timestamp_field("t").tolerance(Duration::ZERO),
                _ => builder.timestamp_header("x-time").tolerance(Duration::ZERO),
            };
            builder.build().unwrap()
        },
    )
}

fn case() -> impl Strategy<Value = Case> {
    let key = vec(any::<u8>(), 1..100)
        .prop_filter("not a key", |bytes| Key::from_bytes("main", bytes).is_ok());
    let body = vec(any::<u8>(), 0..300);
    (scheme(), key, "[a-z0-9_]{1,40}", body).prop_map(|(scheme, key, id, body)| Case {
        scheme,
        key,
        id,
        body,
    })
}

/// A copy with one bit flipped.
fn flipped(bytes: &[u8], bit: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[bit / 8] ^= 1 << (bit % 8);
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn signed_requests_are_verified(case in case()) {
        let headers = case.signed();
        let verifier = case.verifier();
        let verified = verifier.verify(&headers, &case.body).unwrap();
        prop_assert_eq!(verified.key_name(), "main");
        prop_assert_eq!(*verified.payload(), &case.body[..]);
        let begun = verifier.begin(&headers).unwrap();
        prop_assert!(begun.finish(case.body.clone()).is_ok());
    }

    #[test]
    fn any_changed_bit_of_the_body_is_detected(case in case(), bit in any::<Index>()) {
        prop_assume!(!case.body.is_empty());
        let body = flipped(&case.body, bit.index(case.body.len() * 8));
        let refused = case.verifier().verify(&case.signed(), &body).unwrap_err();
        prop_assert_eq!(refused, VerifyError::Mismatch);
    }

    #[test]
    fn truncated_or_extended_body_is_detected(case in case(), end in any::<Index>(), more in vec(any::<u8>(), 1..70)) {
        let headers = case.signed();
        let longer = [&case.body[..], &more].concat();
        prop_assert!(case.verifier().verify(&headers, &longer).is_err());
        if !case.body.is_empty() {
            let cut = &case.body[..end.index(case.body.len())];
            prop_assert!(case.verifier().verify(&headers, cut).is_err());
        }
    }

    #[test]
    fn any_changed_bit_of_the_key_is_detected(case in case(), bit in any::<Index>()) {
        let headers = case.signed();
        let key = flipped(&case.key, bit.index(case.key.len() * 8));
        prop_assume!(Key::from_bytes("main", &key).is_ok());
        let other = Case { key, ..case };
        let refused = other.verifier().verify(&headers, &other.body).unwrap_err();
        prop_assert_eq!(refused, VerifyError::Mismatch);
    }

    #[test]
    fn any_changed_bit_of_a_signed_header_is_detected(case in case(), bit in any::<Index>()) {
        let headers = case.signed();
        let verifier = case.verifier();
        for name in headers.keys() {
            let is_signed = verifier.verify(&without(&headers, name), &case.body).is_err();
            if !is_signed {
                continue;
            }
            let value = headers[name].as_bytes();
            let changed = flipped(value, bit.index(value.len() * 8));
            let Ok(changed) = HeaderValue::from_bytes(&changed) else { continue };
            let mut altered = headers.clone();
            altered.insert(name, changed.clone());
            if let Ok(verified) = verifier.verify(&altered, &case.body) {
                // The only freedom is in how a digest is written.
                prop_assert_eq!(verified.key_name(), "main");
                prop_assert_eq!(name.as_str(), "x-signature");
                let (before, after) = (headers[name].to_str().unwrap(), changed.to_str().unwrap());
                prop_assert!(before.eq_ignore_ascii_case(after), "{} {}", before, after);
            }
        }
    }

    #[test]
    fn random_headers_never_verify(case in case(), value in "[ -~]{0,200}") {
        let mut headers = case.signed();
        prop_assume!(headers["x-signature"] != value);
        headers.insert("x-signature", HeaderValue::try_from(value).unwrap());
        prop_assert!(case.verifier().verify(&headers, &case.body).is_err());
    }

    #[test]
    fn a_secret_survives_json_and_is_never_shown(text in ".*") {
        let secret = Secret::from(text.as_str());
        let json = serde_json::to_string(&secret).unwrap();
        let read: Secret = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(read.expose(), text);
        prop_assert_eq!(&read, &secret);
        prop_assert_eq!(format!("{secret:?} {secret:#?}"), "Secret(..) Secret(..)");
    }

    #[test]
    fn a_secret_that_is_a_key_verifies_byte_for_byte(text in "\\PC{1,80}") {
        let Ok(key) = Key::new("main", &Secret::from(text.as_str())) else {
            return Ok(());
        };
        let scheme = Scheme::builder("x-signature").build().unwrap();
        let digest = super::verify::hex(&text, &[b"body"]);
        let verifier = Verifier::new(scheme, key);
        prop_assert!(verifier.verify_detached(&digest, b"body").is_ok());
    }
}

fn without(headers: &HeaderMap, name: &HeaderName) -> HeaderMap {
    let mut headers = headers.clone();
    headers.remove(name);
    headers
}
