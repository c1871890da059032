//! What holds for every text and change.

use proptest::option;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::json;
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
