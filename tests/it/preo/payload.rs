//! The stored payload and signature of a delivery.

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
