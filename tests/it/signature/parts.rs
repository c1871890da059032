//! What is signed beside the body: a timestamp of its own header, and parts behind the body.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chrono::DateTime;
use http::{HeaderMap, HeaderName, HeaderValue};
use webhook_sdk::signature::{Part, Retire, Scheme, Verifier, VerifyError};

use super::verify::{BODY, NOW, SECRET, at, headers, hex, refusal, ring};

/// A timestamp header of its own, and parts on both sides of the body.
fn verifier() -> Verifier {
    let scheme = Scheme::builder("x-signature")
        .timestamp_header("x-time")
        .sign([
            Part::literal("v0:"),
            Part::Timestamp,
            Part::literal(":"),
            Part::Body,
            Part::literal(":"),
            Part::header("x-id"),
            Part::literal(";"),
        ])
        .tolerance(Duration::from_secs(300))
        .build()
        .unwrap();
    Verifier::new(scheme, ring(SECRET)).clock(at(NOW))
}

fn signed(time: &str, id: &str) -> HeaderMap {
    let parts: [&[u8]; 7] = [
        b"v0:",
        time.as_bytes(),
        b":",
        BODY,
        b":",
        id.as_bytes(),
        b";",
    ];
    let digest = hex(SECRET, &parts);
    headers(&[("x-signature", &digest), ("x-time", time), ("x-id", id)])
}

#[test]
fn bodies_around_the_block_size_verify_with_prefixes_around_it() {
    for prefix in [1, 11, 55, 56, 63, 64, 65, 127, 128, 129] {
        let prefix = "p".repeat(prefix);
        let parts = [
            Part::literal(prefix.clone()),
            Part::Body,
            Part::literal("!"),
        ];
        let scheme = Scheme::builder("x-signature").sign(parts).build().unwrap();
        let verifier = Verifier::new(scheme, ring(SECRET));
        for length in 0..=130 {
            let body = vec![b'b'; length];
            let digest = hex(SECRET, &[prefix.as_bytes(), &body, b"!"]);
            let headers = headers(&[("x-signature", &digest)]);
            assert!(verifier.verify(&headers, &body).is_ok(), "{length}");
            assert_eq!(
                refusal(&verifier, &headers, &[&body[..], b"b"].concat()),
                VerifyError::Mismatch
            );
        }
    }
}

#[test]
fn parts_on_both_sides_of_the_body_are_signed() {
    let headers = signed(&NOW.to_string(), "id-1");
    let verified = verifier().verify(&headers, BODY).unwrap();
    assert_eq!(verified.timestamp().unwrap().timestamp(), NOW);
    let verification = verifier().begin(&headers).unwrap();
    let verified = verification.finish(BODY).unwrap();
    assert_eq!(verified.timestamp().unwrap().timestamp(), NOW);
    for (name, value) in [("x-id", "id-2"), ("x-time", &(NOW + 1).to_string())] {
        let mut changed = headers.clone();
        changed.insert(name, HeaderValue::try_from(value).unwrap());
        let refused = refusal(&verifier(), &changed, BODY);
        assert_eq!(refused, VerifyError::Mismatch, "{name}");
    }
}

#[test]
fn timestamp_is_signed_as_written_in_its_header() {
    let padded = format!("000{NOW}");
    let headers = signed(&padded, "id-1");
    let verified = verifier().verify(&headers, BODY).unwrap();
    assert_eq!(verified.timestamp().unwrap().timestamp(), NOW);
}

#[test]
fn missing_repeated_empty_or_malformed_timestamp_or_signed_header_is_refused() {
    let good = signed(&NOW.to_string(), "id-1");
    for name in ["x-time", "x-id"] {
        let header = HeaderName::from_static(name);

        let mut missing = good.clone();
        missing.remove(&header);
        let refused = refusal(&verifier(), &missing, BODY);
        assert_eq!(
            refused,
            VerifyError::HeaderMissing {
                header: header.clone()
            }
        );

        let mut twice = good.clone();
        twice.append(&header, good[&header].clone());
        let refused = refusal(&verifier(), &twice, BODY);
        assert_eq!(
            refused,
            VerifyError::HeaderRepeated {
                header: header.clone()
            }
        );

        let mut empty = good.clone();
        empty.insert(&header, HeaderValue::from_static(""));
        let refused = refusal(&verifier(), &empty, BODY);
        assert_eq!(refused, VerifyError::HeaderEmpty { header });
    }
    let mut garbled = good.clone();
    garbled.insert("x-time", HeaderValue::from_bytes(b"\xd9\xa1").unwrap());
    assert_eq!(
        refusal(&verifier(), &garbled, BODY),
        VerifyError::HeaderNotAscii {
            header: HeaderName::from_static("x-time")
        }
    );
    for time in [" 5", "+5", "-5", "5,5", "99999999999999999999"] {
        let refused = refusal(&verifier(), &signed(time, "id-1"), BODY);
        assert_eq!(refused, VerifyError::TimestampMalformed, "{time:?}");
    }
}

#[test]
fn header_after_the_body_cannot_absorb_part_of_it() {
    let moved = [&NOW.to_string(), ":", "a", ":", "b", ";"];
    let parts: Vec<&[u8]> = std::iter::once("v0:")
        .chain(moved)
        .map(str::as_bytes)
        .collect();
    let digest = hex(SECRET, &parts);
    let time = NOW.to_string();
    let genuine = headers(&[("x-signature", &digest), ("x-time", &time), ("x-id", "b")]);
    assert!(verifier().verify(&genuine, b"a").is_ok());
    let swallowed = headers(&[("x-signature", &digest), ("x-time", &time), ("x-id", "a:b")]);
    let header = HeaderName::from_static("x-id");
    assert_eq!(
        refusal(&verifier(), &swallowed, b""),
        VerifyError::HeaderNotDelimited { header }
    );
}

#[test]
fn signed_header_can_contain_non_ascii_bytes() {
    let scheme = Scheme::builder("x-signature")
        .sign([Part::header("x-name"), Part::literal("\n"), Part::Body])
        .build()
        .unwrap();
    let digest = hex(SECRET, &["Ærø\n".as_bytes(), BODY]);
    let mut headers = headers(&[("x-signature", &digest)]);
    let name = HeaderValue::from_bytes("Ærø".as_bytes()).unwrap();
    headers.insert("x-name", name);
    let verifier = Verifier::new(scheme, ring(SECRET));
    assert!(verifier.verify(&headers, BODY).is_ok());
}

#[test]
fn fraction_of_a_second_counts_at_the_tolerance() {
    let headers = signed(&NOW.to_string(), "id-1");
    let read_at = |seconds: i64, nanoseconds: u32| {
        let moment = DateTime::from_timestamp(seconds, nanoseconds).unwrap();
        verifier().clock(move || moment)
    };
    let same_second = read_at(NOW, 5).tolerance(Duration::ZERO).unwrap();
    assert_eq!(
        refusal(&same_second, &headers, BODY),
        VerifyError::TooOld {
            age: Duration::from_nanos(5),
            tolerance: Duration::ZERO
        }
    );
    let tolerance = Duration::from_secs(300);
    assert!(read_at(NOW + 300, 0).verify(&headers, BODY).is_ok());
    assert!(read_at(NOW - 300, 0).verify(&headers, BODY).is_ok());
    assert_eq!(
        refusal(&read_at(NOW + 300, 1), &headers, BODY),
        VerifyError::TooOld {
            age: Duration::new(300, 1),
            tolerance
        }
    );
    assert_eq!(
        refusal(&read_at(NOW - 301, 999_999_999), &headers, BODY),
        VerifyError::TooNew {
            ahead: Duration::new(300, 1),
            tolerance
        }
    );
}

#[test]
fn the_age_is_checked_when_the_body_is_complete() {
    let readings = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&readings);
    let verifier = verifier().clock(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        DateTime::from_timestamp(NOW + 301, 0).unwrap()
    });
    let verification = verifier.begin(&signed(&NOW.to_string(), "id-1")).unwrap();
    assert_eq!(readings.load(Ordering::Relaxed), 0);
    let refused = verification.finish(BODY).unwrap_err();
    assert!(matches!(refused, VerifyError::TooOld { .. }));
    assert_eq!(readings.load(Ordering::Relaxed), 1);
}

#[test]
fn a_verification_reads_the_clock_once_and_only_if_the_time_matters() {
    let readings = Arc::new(AtomicUsize::new(0));
    let counted = |verifier: Verifier| {
        let readings = Arc::clone(&readings);
        verifier.clock(move || {
            readings.fetch_add(1, Ordering::Relaxed);
            DateTime::from_timestamp(NOW, 0).unwrap()
        })
    };
    let headers = signed(&NOW.to_string(), "id-1");
    let undated = counted(verifier().danger_skip_freshness());
    assert!(undated.verify(&headers, BODY).is_ok());
    assert_eq!(readings.load(Ordering::Relaxed), 0);

    let dated = counted(verifier());
    let later = DateTime::from_timestamp(NOW + 1, 0).unwrap();
    dated.keyring().retire("main", Retire::at(later)).unwrap();
    assert!(dated.verify(&headers, BODY).is_ok());
    assert_eq!(readings.load(Ordering::Relaxed), 1);
}

#[test]
fn unsigned_fields_of_any_number_and_length_are_kept() {
    let scheme = Scheme::builder("x-signature").fields("v1").build().unwrap();
    let many: String = (0..20)
        .map(|index| format!("field{index}={},", "x".repeat(index * 10)))
        .collect();
    let text = format!("{many}again=first,again=second,v1={}", hex(SECRET, &[BODY]));
    let headers = headers(&[("x-signature", &text)]);
    let verifier = Verifier::new(scheme, ring(SECRET));
    let verified = verifier.verify(&headers, BODY).unwrap();
    assert_eq!(verified.unsigned_field("field0"), Some(""));
    assert_eq!(verified.unsigned_field("field19").unwrap().len(), 190);
    assert_eq!(verified.unsigned_field("again"), Some("first"));
    assert_eq!(verified.unsigned_field("field"), None);
}
