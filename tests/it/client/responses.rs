//! The examples of the response types, and their setters.

use serde::Serialize;
use serde_json::{Value, json};
use webhook_sdk::{Patch, lune, preo, pretix};

/// The names of the fields that a response is written with.
fn fields(response: &impl Serialize) -> Vec<String> {
    let Value::Object(fields) = serde_json::to_value(response).unwrap() else {
        panic!("a response is an object")
    };
    fields.keys().cloned().collect()
}

#[test]
fn an_example_fills_every_field() {
    assert_eq!(
        fields(&preo::Webhook::example()),
        [
            "created",
            "edition_id",
            "events",
            "id",
            "is_active",
            "modified",
            "name",
            "organization_id",
            "secret",
            "timeout_seconds",
            "url"
        ]
    );
    assert_eq!(fields(&preo::WebhookSummary::example()).len(), 10);
    assert_eq!(fields(&preo::WebhookDelivery::example()).len(), 11);
    assert_eq!(fields(&preo::WebhookDeliverySummary::example()).len(), 8);
    assert_eq!(fields(&lune::Webhook::example()).len(), 7);
    assert_eq!(fields(&lune::WebhookWithSecret::example()).len(), 7);
    assert_eq!(fields(&pretix::Webhook::example()).len(), 7);
}

#[test]
fn an_example_page_is_the_only_one() {
    let page = preo::WebhookPage::example();
    assert_eq!((page.count, page.results.len(), page.next), (1, 1, None));
    let page = preo::WebhookDeliveryPage::example();
    assert_eq!((page.count, page.results.len(), page.next), (1, 1, None));
    let page = pretix::WebhookPage::example();
    assert_eq!((page.count, page.results.len(), page.next), (1, 1, None));
}

#[test]
fn an_example_delivery_is_signed_with_the_example_secret() {
    let verifier = preo::Webhook::example().verifier().unwrap();
    preo::WebhookDelivery::example()
        .verify_with(&verifier)
        .unwrap();
}

#[test]
fn setters_change_one_field_each() {
    let webhook = preo::Webhook::example()
        .id("wh_2")
        .events(["consent.given", "made.up"])
        .edition_id(None)
        .is_active(false)
        .timeout_seconds(Some(30))
        .name(String::from("Orders"));
    let mut expected = serde_json::to_value(preo::Webhook::example()).unwrap();
    expected["id"] = json!("wh_2");
    expected["events"] = json!(["consent.given", "made.up"]);
    expected.as_object_mut().unwrap().remove("edition_id");
    expected["is_active"] = json!(false);
    expected["timeout_seconds"] = json!(30);
    expected["name"] = json!("Orders");
    assert_eq!(serde_json::to_value(webhook).unwrap(), expected);

    let delivery = preo::WebhookDelivery::example().status("failed");
    assert_eq!(delivery.status, Some(preo::DeliveryStatus::Failed));
    let delivery = delivery.status(Patch::Absent);
    assert_eq!(delivery.status, Some(preo::DeliveryStatus::Failed));
}
