//! The stored payload and signature of a delivery.

use std::collections::{BTreeMap, HashMap};

use webhook_sdk::preo::{Payload, Signature, WebhookDelivery};

#[test]
fn an_example_delivery_takes_a_payload_and_a_signature_from_text() {
    let delivery = WebhookDelivery::example()
        .payload(r#"{"id":"c_1"}"#)
        .signature("abc");
    assert_eq!(
        delivery.payload,
        Payload::from(r#"{"id":"c_1"}"#.to_owned())
    );
    assert_eq!(delivery.signature, Some(Signature::from("abc".to_owned())));
}

#[test]
fn a_decoding_error_has_the_path_and_no_value() {
    #[derive(Debug, serde::Deserialize)]
    #[expect(dead_code, reason = "only decoded")]
    struct Consent {
        count: u64,
    }
    let payload = Payload::from(r#"{"count":"swordfish"}"#);
    let error = payload.json::<Consent>().unwrap_err();
    assert_eq!(error.to_string(), "count: expected u64");
    assert!(!format!("{error:?}").contains("swordfish"), "{error:?}");
    assert_eq!(Payload::from(r#""text""#).json::<&str>().unwrap(), "text");
}

#[test]
fn keys_of_maps_are_content_and_not_named() {
    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only decoded")]
    struct Consents {
        of: HashMap<String, Vec<Consent>>,
        by_number: Option<BTreeMap<u8, u8>>,
        newest: Option<Consent>,
    }
    #[derive(Debug, serde::Deserialize)]
    #[expect(dead_code, reason = "only decoded")]
    struct Consent {
        given: bool,
        kind: Option<Kind>,
    }
    #[derive(Debug, serde::Deserialize)]
    #[serde(rename_all = "snake_case")]
    #[expect(dead_code, reason = "only decoded")]
    enum Kind {
        Custom { level: u8 },
    }
    let cases = [
        (
            r#"{"of":{"swordfish":[{"given":1}]}}"#,
            "of.*[0].given: expected a boolean",
        ),
        (
            r#"{"of":{"a":[],"swordfish":7}}"#,
            "of.*: expected a sequence",
        ),
        (r#"{"of":{"swordfish":[{}]}}"#, "of.*[0]: a missing field"),
        (
            r#"{"of":{},"by_number":{"7":"swordfish"}}"#,
            "by_number.*: expected u8",
        ),
        (
            r#"{"of":{},"newest":{"given":"swordfish"}}"#,
            "newest.given: expected a boolean",
        ),
        (
            r#"{"of":{"swordfish":[{"given":true,"kind":{"custom":{"level":"x"}}}]}}"#,
            "of.*[0].kind.custom.level: expected u8",
        ),
        (r#"{"of":{},"swordfish":1}"#, "*: an invalid value"),
    ];
    for (text, expected) in cases {
        let error = Payload::from(text).json::<Consents>().unwrap_err();
        assert_eq!(error.to_string(), expected, "{text}");
    }
    let error = Payload::from(r#"{"swordfish":{"count":7}}"#);
    let error = error
        .json::<HashMap<&str, HashMap<&str, &str>>>()
        .unwrap_err();
    assert_eq!(error.to_string(), "*.*: an invalid value");
}
