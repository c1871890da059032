//! Why a scheme is not built.

use std::time::Duration;

use http::HeaderName;
use webhook_sdk::signature::{Part, Scheme, SchemeBuilder, SchemeError};

fn builder() -> SchemeBuilder {
    Scheme::builder("x-signature")
}

fn reused(header: &'static str) -> SchemeError {
    SchemeError::HeaderReused {
        header: HeaderName::from_static(header),
    }
}

fn dated_parts() -> [Part; 3] {
    [Part::Timestamp, Part::literal("."), Part::Body]
}

#[track_caller]
fn refused(scheme: SchemeBuilder, expected: SchemeError) {
    assert_eq!(scheme.build(), Err(expected));
}

#[test]
fn invalid_header_names_are_rejected_everywhere() {
    for bad in ["", "two words", "x-é", "x:y"] {
        let name = || SchemeError::HeaderName { name: bad.into() };
        let signed = [Part::header(bad), Part::literal("."), Part::Body];
        refused(Scheme::builder(bad), name());
        refused(builder().sign(signed), name());
        refused(builder().timestamp_header(bad).sign(dated_parts()), name());
    }
}

#[test]
fn a_header_has_one_role() {
    let around = |name: &'static str| {
        [
            Part::header(name),
            Part::literal("."),
            Part::Timestamp,
            Part::literal("."),
            Part::Body,
        ]
    };
    let dated = || builder().timestamp_header("X-Time");
    refused(dated().sign(around("X-Signature")), reused("x-signature"));
    refused(dated().sign(around("x-time")), reused("x-time"));
    let itself = builder().timestamp_header("X-Signature");
    refused(itself.sign(dated_parts()), reused("x-signature"));
    assert!(dated().sign(around("x-id")).build().is_ok());
}

#[test]
fn the_body_is_signed_once_and_no_literal_is_empty() {
    refused(builder().sign([]), SchemeError::NoBody);
    refused(builder().sign([Part::literal("x")]), SchemeError::NoBody);
    let twice = [Part::Body, Part::literal("."), Part::Body];
    refused(builder().sign(twice), SchemeError::SeveralBodies);
    let empty = [Part::literal(""), Part::Body];
    refused(builder().sign(empty), SchemeError::EmptyLiteral);
}

#[test]
fn timestamp_must_be_both_read_and_signed() {
    let dated = dated_parts;
    refused(builder().sign(dated()), SchemeError::TimestampSourceMissing);
    refused(
        builder().timestamp_header("x-time"),
        SchemeError::TimestampNotSigned,
    );
    refused(
        builder().fields("v1").timestamp_field("t"),
        SchemeError::TimestampNotSigned,
    );
    refused(
        builder().tolerance(Duration::ZERO),
        SchemeError::ToleranceWithoutTimestamp,
    );
    for layout in [builder(), builder().prefix("v1=").list(",")] {
        refused(
            layout.timestamp_field("t").sign(dated()),
            SchemeError::TimestampFieldWithoutFields,
        );
    }
}

#[test]
fn fields_must_have_different_keys() {
    for key in ["", "a b", "a,b", "a=b", "é", "a\t"] {
        let expected = || SchemeError::FieldKey { key: key.into() };
        refused(builder().fields(key), expected());
        let dated = builder().fields("v1").timestamp_field(key);
        refused(dated.sign(dated_parts()), expected());
    }
    let shared = builder().fields("v1").timestamp_field("v1");
    refused(
        shared.sign(dated_parts()),
        SchemeError::FieldReused { key: "v1".into() },
    );
    refused(
        builder().fields("v1").prefix("sha256="),
        SchemeError::PrefixWithFields,
    );
}

#[test]
fn separator_and_prefix_must_be_usable() {
    for separator in ["", "a", "-", "=", "_-", "é", "\n"] {
        refused(builder().list(separator), SchemeError::Separator);
    }
    for separator in [" ", ",", ", ", "; ", " - "] {
        assert!(builder().list(separator).build().is_ok(), "{separator:?}");
    }
    refused(builder().prefix("v1, ").list(" "), SchemeError::Prefix);
    refused(builder().prefix("\u{7f}"), SchemeError::Prefix);
    refused(builder().prefix("é="), SchemeError::Prefix);
}
