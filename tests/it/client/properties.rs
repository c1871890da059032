//! What holds for every text and change.

use data_encoding::BASE64;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::json;
use webhook_sdk::pretix::{BasicAuth, Credentials};
use webhook_sdk::signature::{Key, Signer, Verifier};
use webhook_sdk::{Patch, Secret, lune, preo, pretix};

use crate::inventory::listed;

/// Any text comes back as it came, from JSON too, and is known only if it is in `KNOWN`.
macro_rules! open_enums {
    ($($test:ident: $service:ident::$enum:ident),+ $(,)?) => {
        $(proptest! {
            #[test]
            fn $test(text: String, known: Index) {
                use $service::$enum as Enum;

                let known = known.get(Enum::KNOWN).as_str();
                for text in [&*text, known] {
                    let value = Enum::from(text);
                    prop_assert_eq!(value.as_str(), text);
                    prop_assert_eq!(value.is_unknown(), !Enum::KNOWN.contains(&value));
                    let json = serde_json::to_string(&value).unwrap();
                    prop_assert_eq!(&json, &serde_json::to_string(text).unwrap());
                    prop_assert_eq!(serde_json::from_str::<Enum>(&json).unwrap(), value);
                }
                prop_assert!(!Enum::from(known).is_unknown());
            }
        })+

        #[test]
        fn every_open_enum_is_tested() {
            let tested = [$(concat!(stringify!($service), "::", stringify!($enum))),+];
            assert_eq!(listed("pub const webhook_sdk::", "::KNOWN: "), tested.into());
        }
    };
}

open_enums! {
    preo_webhook_event_keeps_any_text: preo::WebhookEvent,
    preo_webhook_ordering_keeps_any_text: preo::WebhookOrdering,
    preo_delivery_status_keeps_any_text: preo::DeliveryStatus,
    lune_account_type_keeps_any_text: lune::AccountType,
    lune_allocation_status_keeps_any_text: lune::AllocationStatus,
    lune_api_version_keeps_any_text: lune::ApiVersion,
    lune_error_code_keeps_any_text: lune::ErrorCode,
    lune_event_type_keeps_any_text: lune::EventType,
    lune_order_kind_keeps_any_text: lune::OrderKind,
    lune_order_project_status_keeps_any_text: lune::OrderProjectStatus,
    lune_order_status_keeps_any_text: lune::OrderStatus,
    lune_payment_method_keeps_any_text: lune::PaymentMethod,
    pretix_action_type_keeps_any_text: pretix::ActionType,
}

proptest! {
    #[test]
    fn patch_is_sent_as_absent_null_or_value(text in option::of(option::of(any::<String>()))) {
        let (patch, expected) = match text {
            None => (Patch::Absent, json!({})),
            Some(None) => (Patch::Null, json!({ "edition_id": null })),
            Some(Some(text)) => (Patch::Value(text.clone()), json!({ "edition_id": text })),
        };
        let update = preo::WebhookUpdate::new().edition_id(patch.clone());
        prop_assert_eq!(serde_json::to_value(&update).unwrap(), expected);
        if !patch.is_absent() {
            let json = serde_json::to_value(&patch).unwrap();
            prop_assert_eq!(serde_json::from_value::<Patch<String>>(json).unwrap(), patch);
        }
    }

    #[test]
    fn secret_is_kept_and_never_shown(text in "\\PC{4,40}") {
        let secret = Secret::from(text.clone());
        prop_assert_eq!(secret.expose(), &text);
        let shown = format!("{secret:?}{secret:#?}");
        prop_assert!(!shown.contains(&text));
        let read: Secret = serde_json::from_value(json!(text)).unwrap();
        prop_assert_eq!(read.expose(), &text);
    }
}

/// The bytes with each bit flipped in turn.
fn flips(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> + '_ {
    (0..bytes.len() * 8).map(|bit| {
        let mut flipped = bytes.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        flipped
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn every_changed_bit_of_a_signed_delivery_is_detected(
        body in vec(any::<u8>(), 1..40),
        secret in "[!-~]{16,40}",
    ) {
        for scheme in [preo::scheme(), lune::scheme()] {
            let verifier = |secret: String| {
                let key = Key::new("main", &Secret::from(secret));
                key.map(|key| Verifier::new(scheme.clone(), key))
            };
            let signer = Signer::new(scheme.clone(), &Secret::from(&*secret)).unwrap();
            let mut headers = HeaderMap::new();
            signer.sign(&mut headers, &body).unwrap();
            let genuine = verifier(secret.clone()).unwrap();
            prop_assert!(genuine.verify(&headers, &body).is_ok());
            for changed in flips(&body) {
                prop_assert!(genuine.verify(&headers, &changed).is_err());
            }
            let texts = flips(secret.as_bytes()).filter_map(|bytes| String::from_utf8(bytes).ok());
            for other in texts.filter_map(|text| verifier(text).ok()) {
                prop_assert!(other.verify(&headers, &body).is_err());
            }
            let value = &headers[scheme.header()];
            let values = flips(value.as_bytes()).filter_map(|value| HeaderValue::try_from(value).ok());
            for changed in values {
                let altered = HeaderMap::from_iter([(scheme.header().clone(), changed.clone())]);
                // A digest may be written in capital letters.
                let is_same = changed.as_bytes().eq_ignore_ascii_case(value.as_bytes());
                prop_assert!(is_same || genuine.verify(&altered, &body).is_err(), "{:?}", changed);
            }
        }
    }

    #[test]
    fn every_changed_bit_of_credentials_is_detected(password in "[!-~]{16,40}") {
        let auth = |password: String| {
            let credentials = Credentials::new("user", Secret::from(password));
            credentials.map(|credentials| BasicAuth::new("main", &credentials))
        };
        let value = format!("Basic {}", BASE64.encode(format!("user:{password}").as_bytes()));
        let request = |value| HeaderMap::from_iter([(AUTHORIZATION, value)]);
        let headers = request(HeaderValue::try_from(&value).unwrap());
        let genuine = auth(password.clone()).unwrap();
        prop_assert!(genuine.verify(&headers).is_ok());
        let texts = flips(password.as_bytes()).filter_map(|bytes| String::from_utf8(bytes).ok());
        for other in texts.filter_map(|text| auth(text).ok()) {
            prop_assert!(other.verify(&headers).is_err());
        }
        let values = flips(value.as_bytes()).filter_map(|value| HeaderValue::try_from(value).ok());
        for changed in values {
            // The name of the scheme may be written in any case.
            let (name, pair) = changed.as_bytes().split_at("Basic".len());
            let is_same = name.eq_ignore_ascii_case(b"Basic") && pair == &value.as_bytes()["Basic".len()..];
            prop_assert!(is_same || genuine.verify(&request(changed.clone())).is_err(), "{:?}", changed);
        }
    }
}
