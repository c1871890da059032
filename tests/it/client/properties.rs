//! What holds for every text, change, and future response.

use std::fmt::Debug;

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, subsequence};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use webhook_sdk::{Patch, Secret, lune, preo, pretix};

use crate::yaml;

const PREO: &str = include_str!("../../../openapi.yaml");
const LUNE: &str = include_str!("../../../openapi-lune.yaml");
const PRETIX: &str = include_str!("../../../openapi-pretix.yaml");

/// Any text comes back as it came, from JSON too, and is known only if it is in `KNOWN`.
macro_rules! open_enums {
    ($($test:ident: $enum:ty),+ $(,)?) => {$(
        proptest! {
            #[test]
            fn $test(text: String, known: Index) {
                let known = known.get(<$enum>::KNOWN).as_str();
                for text in [&*text, known] {
                    let value = <$enum>::from(text);
                    prop_assert_eq!(value.as_str(), text);
                    prop_assert_eq!(value.is_unknown(), !<$enum>::KNOWN.contains(&value));
                    let json = serde_json::to_string(&value).unwrap();
                    prop_assert_eq!(&json, &serde_json::to_string(text).unwrap());
                    prop_assert_eq!(serde_json::from_str::<$enum>(&json).unwrap(), value);
                }
                prop_assert!(!<$enum>::from(known).is_unknown());
            }
        }
    )+};
}

open_enums! {
    preo_webhook_event_keeps_any_text: preo::WebhookEvent,
    preo_webhook_ordering_keeps_any_text: preo::WebhookOrdering,
    preo_delivery_status_keeps_any_text: preo::DeliveryStatus,
    lune_account_type_keeps_any_text: lune::AccountType,
    lune_error_code_keeps_any_text: lune::ErrorCode,
    lune_event_type_keeps_any_text: lune::EventType,
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

/// A response type's schema in its service's document.
struct Schema {
    all: Value,
    name: &'static str,
}

impl Schema {
    fn new(document: &str, name: &'static str) -> Self {
        let document = yaml::read(document).unwrap();
        let all = document["components"]["schemas"].clone();
        Self { all, name }
    }

    fn optional(&self) -> Vec<String> {
        let schema = &self.all[self.name];
        let required: Vec<_> = schema["required"].as_array().unwrap().iter().collect();
        let fields = schema["properties"].as_object().unwrap().keys();
        fields
            .filter(|field| !required.contains(&&json!(field)))
            .cloned()
            .collect()
    }

    fn is_enum(&self, property: &Value) -> bool {
        let reference = &property["$ref"];
        let reference = reference.as_str().or(property["allOf"][0]["$ref"].as_str());
        reference.is_some_and(|reference| {
            let name = reference.rsplit('/').next().unwrap();
            self.all[name].get("enum").is_some()
        })
    }

    /// The fields that hold an enum, or a list of one.
    fn enums(&self) -> Vec<String> {
        let fields = self.all[self.name]["properties"].as_object().unwrap();
        let is_enum = |property: &Value| self.is_enum(property) || self.is_enum(&property["items"]);
        let found = fields.iter().filter(|(_, property)| is_enum(property));
        found.map(|(name, _)| name.clone()).collect()
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Value::from),
            btree_map("[a-z]{1,5}", inner, 0..3).prop_map(|map| Value::Object(Map::from_iter(map))),
        ]
    })
}

/// What a later version of a service may do to a response.
fn evolve(response: &Value, schema: &Schema) -> impl Strategy<Value = Value> + use<> {
    let response = response.as_object().unwrap().clone();
    let (optional, enums) = (schema.optional(), schema.enums());
    let count = optional.len();
    let removed = subsequence(optional, 0..=count);
    let values = vec(any::<String>(), enums.len());
    let added = btree_map("[a-z]{1,8}_added", any_json(), 0..4);
    (removed, values, added).prop_map(move |(removed, values, added)| {
        let mut evolved = response.clone();
        for (name, value) in enums.iter().zip(values) {
            match evolved.get_mut(name) {
                Some(Value::Array(list)) => list.push(json!(value)),
                Some(other) => *other = json!(value),
                None => {}
            }
        }
        evolved.retain(|name, _| !removed.contains(name));
        evolved.extend(added);
        Value::Object(evolved)
    })
}

/// Decodes what later versions may send, and checks that no known field was lost or changed.
fn decodes_later_versions<T>(document: &str, name: &'static str, example: T)
where
    T: Serialize + DeserializeOwned + Debug,
{
    let schema = Schema::new(document, name);
    let known = schema.all[name]["properties"].as_object().unwrap();
    let example = serde_json::to_value(example).unwrap();
    proptest!(|(later in evolve(&example, &schema))| {
        let decoded: T = serde_json::from_value(later.clone()).unwrap();
        let Value::Object(written) = serde_json::to_value(&decoded).unwrap() else {
            panic!("a response is an object")
        };
        for (field, value) in later.as_object().unwrap() {
            if known.contains_key(field) && !value.is_null() {
                prop_assert_eq!(written.get(field), Some(value), "{}", field);
            }
        }
    });
}

macro_rules! later_versions {
    ($($test:ident: $document:ident $service:ident::$response:ident),+ $(,)?) => {$(
        #[test]
        fn $test() {
            decodes_later_versions($document, stringify!($response), $service::$response::example());
        }
    )+};
}

later_versions! {
    preo_webhook_decodes_later_versions: PREO preo::Webhook,
    preo_webhook_summary_decodes_later_versions: PREO preo::WebhookSummary,
    preo_webhook_page_decodes_later_versions: PREO preo::WebhookPage,
    preo_webhook_delivery_decodes_later_versions: PREO preo::WebhookDelivery,
    preo_webhook_delivery_summary_decodes_later_versions: PREO preo::WebhookDeliverySummary,
    preo_webhook_delivery_page_decodes_later_versions: PREO preo::WebhookDeliveryPage,
    lune_webhook_decodes_later_versions: LUNE lune::Webhook,
    lune_webhook_with_secret_decodes_later_versions: LUNE lune::WebhookWithSecret,
    pretix_webhook_decodes_later_versions: PRETIX pretix::Webhook,
    pretix_webhook_page_decodes_later_versions: PRETIX pretix::WebhookPage,
}
