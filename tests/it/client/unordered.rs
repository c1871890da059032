//! Lists that the services reorder compare as sets.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use webhook_sdk::{Unordered, lune, preo, pretix};

/// Reads an example with this field, and returns whether the three versions of the list are equal
/// to the first one.
fn equal<T: DeserializeOwned + PartialEq>(example: Value, field: &str) -> [bool; 3] {
    let with = |list: &[&str]| {
        let mut value = example.clone();
        value[field] = json!(list);
        serde_json::from_value::<T>(value).unwrap()
    };
    let first = with(&["a", "b"]);
    [&["b", "a"][..], &["a", "b", "b"], &["a"]].map(|list| with(list) == first)
}

#[test]
fn order_and_repetitions_in_responses_and_requests_make_no_difference() {
    let same = [true, true, false];
    let webhook = json!(preo::Webhook::example());
    assert_eq!(equal::<preo::Webhook>(webhook.clone(), "events"), same);
    assert_eq!(equal::<preo::WebhookSummary>(webhook, "events"), same);
    let create = json!({ "organization_id": "org_1", "name": "x", "url": "https://a.example.com" });
    assert_eq!(equal::<preo::WebhookCreate>(create, "events"), same);
    assert_eq!(equal::<preo::WebhookUpdate>(json!({}), "events"), same);

    let webhook = json!(pretix::Webhook::example());
    assert_eq!(
        equal::<pretix::Webhook>(webhook.clone(), "action_types"),
        same
    );
    assert_eq!(equal::<pretix::Webhook>(webhook, "limit_events"), same);
    let create =
        json!({ "target_url": "https://a.example.com", "all_events": false, "limit_events": [] });
    assert_eq!(
        equal::<pretix::WebhookCreate>(create.clone(), "action_types"),
        same
    );
    let mut create = create;
    create["action_types"] = json!([]);
    assert_eq!(equal::<pretix::WebhookCreate>(create, "limit_events"), same);

    let webhook = json!(lune::Webhook::example());
    assert_eq!(equal::<lune::Webhook>(webhook.clone(), "account_ids"), same);
    assert_eq!(
        equal::<lune::WebhookWithSecret>(webhook, "account_ids"),
        same
    );
    let create = json!({ "url": "https://a.example.com", "enabled": true });
    assert_eq!(
        equal::<lune::WebhookCreate>(create.clone(), "account_ids"),
        same
    );
    assert_eq!(equal::<lune::WebhookUpdate>(create, "account_ids"), same);
}

#[test]
fn items_are_sent_and_kept_in_their_order() {
    let body = lune::WebhookUpdate::builder()
        .url(lune::WebhookUrl::try_from("https://a.example.com").unwrap())
        .enabled(true)
        .account_ids(["b", "a", "b"])
        .build();
    assert_eq!(json!(body)["account_ids"], json!(["b", "a", "b"]));
    let read: Unordered<String> = serde_json::from_value(json!(["b", "a", "b"])).unwrap();
    assert_eq!(read.to_vec(), ["b", "a", "b"]);
}
