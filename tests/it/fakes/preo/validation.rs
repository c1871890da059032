use reqwest::Method;
use serde_json::{Value, json};
use webhook_sdk::testing::PreoFake;

use super::{Caller, answer, valid_body};

const REQUIRED: &str = "This field is required.";
const NULL: &str = "This field may not be null.";
const BLANK: &str = "This field may not be blank.";
const NOT_A_STRING: &str = "Not a valid string.";
const NOT_A_URL: &str = "Enter a valid URL.";
const NOT_AN_INTEGER: &str = "A valid integer is required.";
const NOT_A_BOOLEAN: &str = "Must be a valid boolean.";

/// Each field with a value that is refused, and the field's error.
fn refused() -> Vec<(&'static str, Value, Value)> {
    vec![
        ("name", json!(null), json!([NULL])),
        ("name", json!(""), json!([BLANK])),
        ("name", json!(" \t"), json!([BLANK])),
        ("name", json!(true), json!([NOT_A_STRING])),
        ("name", json!(["x"]), json!([NOT_A_STRING])),
        ("name", json!({}), json!([NOT_A_STRING])),
        (
            "name",
            json!("é".repeat(121)),
            json!(["Ensure this field has no more than 120 characters."]),
        ),
        (
            "name",
            json!("a\0b"),
            json!(["Null characters are not allowed."]),
        ),
        ("url", json!(null), json!([NULL])),
        ("url", json!(""), json!([BLANK])),
        ("url", json!(7), json!([NOT_A_URL])),
        ("url", json!("shop.example"), json!([NOT_A_URL])),
        ("url", json!("/preo"), json!([NOT_A_URL])),
        ("url", json!("ftp://shop.example/"), json!([NOT_A_URL])),
        ("url", json!("javascript://x/"), json!([NOT_A_URL])),
        ("url", json!("http://"), json!([NOT_A_URL])),
        ("url", json!("http:///x"), json!([NOT_A_URL])),
        ("url", json!("http://a b/"), json!([NOT_A_URL])),
        ("url", json!("http://a/\u{7f}"), json!([NOT_A_URL])),
        ("url", json!("http://a:99999/"), json!([NOT_A_URL])),
        ("url", json!("http:\\\\a\\"), json!([NOT_A_URL])),
        ("url", json!("http://a\\b/"), json!([NOT_A_URL])),
        (
            "url",
            json!(format!("https://a.example/{}", "x".repeat(183))),
            json!(["Ensure this field has no more than 200 characters."]),
        ),
        ("events", json!(null), json!([NULL])),
        (
            "events",
            json!("consent.given"),
            json!(["Expected a list of items but got type \"str\"."]),
        ),
        (
            "events",
            json!({"0": "consent.given"}),
            json!(["Expected a list of items but got type \"dict\"."]),
        ),
        (
            "events",
            json!(["consent.given", "x", null, 5]),
            json!({
                "1": ["\"x\" is not a valid choice."],
                "2": [NULL],
                "3": ["\"5\" is not a valid choice."],
            }),
        ),
        (
            "events",
            json!(["wallet.google.pass-removed"]),
            json!({"0": ["\"wallet.google.pass-removed\" is not a valid choice."]}),
        ),
        ("edition_id", json!(""), json!([BLANK])),
        ("edition_id", json!([]), json!([NOT_A_STRING])),
        ("is_active", json!(null), json!([NULL])),
        ("is_active", json!("maybe"), json!([NOT_A_BOOLEAN])),
        ("is_active", json!(2), json!([NOT_A_BOOLEAN])),
        ("is_active", json!([]), json!([NOT_A_BOOLEAN])),
        ("timeout_seconds", json!(null), json!([NULL])),
        ("timeout_seconds", json!(true), json!([NOT_AN_INTEGER])),
        ("timeout_seconds", json!("soon"), json!([NOT_AN_INTEGER])),
        ("timeout_seconds", json!(""), json!([NOT_AN_INTEGER])),
        ("timeout_seconds", json!(1.5), json!([NOT_AN_INTEGER])),
        (
            "timeout_seconds",
            json!(-1),
            json!(["Ensure this value is greater than or equal to 0."]),
        ),
        (
            "timeout_seconds",
            json!(2_147_483_648_u32),
            json!(["Ensure this value is less than or equal to 2147483647."]),
        ),
        (
            "timeout_seconds",
            json!("99999999999999999999999"),
            json!(["Ensure this value is less than or equal to 2147483647."]),
        ),
    ]
}

#[tokio::test]
async fn create_names_each_missing_field() {
    let preo = PreoFake::start().await;

    let (status, error) = Caller::of(&preo).create(&json!({})).await;

    assert_eq!(status, 400);
    assert_eq!(
        error,
        json!({
            "organization_id": [REQUIRED],
            "name": [REQUIRED],
            "url": [REQUIRED],
            "events": [REQUIRED],
        })
    );
}

#[tokio::test]
async fn create_refuses_each_bad_value_by_its_field() {
    let preo = PreoFake::start().await;
    let caller = Caller::of(&preo);
    let organization = [
        ("organization_id", json!(null), json!([NULL])),
        ("organization_id", json!(""), json!([BLANK])),
        ("organization_id", json!({}), json!([NOT_A_STRING])),
    ];

    for (field, value, error) in refused().into_iter().chain(organization) {
        let mut body = valid_body();
        body[field] = value;
        let refusal = (400, json!({ field: error }));
        assert_eq!(caller.create(&body).await, refusal, "{body}");
    }
    assert!(preo.webhooks().is_empty());
}

#[tokio::test]
async fn update_refuses_each_bad_value_by_its_field() {
    let preo = PreoFake::start().await;
    let caller = Caller::of(&preo);
    caller.create(&valid_body()).await;
    let before = preo.webhooks();

    for (field, value, error) in refused() {
        let body = json!({ field: value });
        let refusal = (400, json!({ field: error }));
        assert_eq!(caller.update("endpoint-000001", &body).await, refusal);
    }
    assert_eq!(preo.webhooks(), before);
}

#[tokio::test]
async fn all_bad_fields_are_named_at_once() {
    let preo = PreoFake::start().await;
    let body = json!({"name": "", "url": "x", "events": [], "timeout_seconds": -1});

    let (status, error) = Caller::of(&preo).create(&body).await;

    assert_eq!(status, 400);
    let named: Vec<_> = error.as_object().unwrap().keys().collect();
    assert_eq!(named, ["name", "organization_id", "timeout_seconds", "url"]);
}

#[tokio::test]
async fn values_at_the_bounds_and_lenient_spellings_are_taken() {
    let preo = PreoFake::start().await;
    let url = format!("https://a.example/{}", "x".repeat(182));
    let body = json!({
        "organization_id": 12,
        "name": format!("  {}  ", "é".repeat(120)),
        "url": url,
        "events": [],
        "edition_id": null,
        "is_active": "False",
        "timeout_seconds": "30.0",
    });

    let (status, created) = Caller::of(&preo).create(&body).await;

    assert_eq!(status, 201, "{created}");
    assert_eq!(created["organization_id"], "12");
    assert_eq!(created["name"], "é".repeat(120));
    assert_eq!(created["url"], url);
    assert_eq!(created["url"].as_str().unwrap().len(), 200);
    assert_eq!(created["is_active"], false);
    assert_eq!(created["timeout_seconds"], 30);
}

#[tokio::test]
async fn every_published_event_is_a_valid_choice() {
    let preo = PreoFake::start().await;
    let events = json!([
        "consent.given",
        "consent.skipped",
        "consent.withdrawn",
        "consent.expired",
        "purchase.action",
        "wallet.apple.pass-added",
        "wallet.apple.pass-removed",
        "wallet.google.pass-added",
    ]);
    let mut body = valid_body();
    body["events"] = events.clone();

    let (status, created) = Caller::of(&preo).create(&body).await;

    assert_eq!(status, 201);
    assert_eq!(created["events"], events);
}

#[tokio::test]
async fn a_body_that_is_no_object_is_named_by_its_type() {
    let preo = PreoFake::start().await;
    let caller = Caller::of(&preo);
    let cases = [
        ("[]", "Invalid data. Expected a dictionary, but got list."),
        ("\"x\"", "Invalid data. Expected a dictionary, but got str."),
        ("1", "Invalid data. Expected a dictionary, but got int."),
        ("1.5", "Invalid data. Expected a dictionary, but got float."),
        ("true", "Invalid data. Expected a dictionary, but got bool."),
        ("null", "No data provided"),
    ];

    for (body, message) in cases {
        let request = caller.request(Method::POST, "").body(body);
        let request = request.header("content-type", "application/json");
        let refusal = (400, json!({"non_field_errors": [message]}));
        assert_eq!(answer(request).await, refusal);
    }
}

#[tokio::test]
async fn a_body_that_is_no_json_answers_a_parse_error() {
    let preo = PreoFake::start().await;
    let request = Caller::of(&preo).request(Method::POST, "").body("{");
    let request = request.header("content-type", "application/json; charset=utf-8");

    let (status, error) = answer(request).await;

    assert_eq!(status, 400);
    let detail = error["detail"].as_str().unwrap();
    assert!(detail.starts_with("JSON parse error - "), "{detail}");
}

#[tokio::test]
async fn no_body_is_an_empty_object() {
    let preo = PreoFake::start().await;
    let caller = Caller::of(&preo);
    preo.seed_webhooks(1);

    let (status, error) = caller.post("").await;
    let update = answer(caller.request(Method::PATCH, "/endpoint-000001")).await;

    assert_eq!((status, &error["name"]), (400, &json!([REQUIRED])));
    assert_eq!(update.0, 200);
}

#[tokio::test]
async fn a_body_of_another_type_answers_415() {
    let preo = PreoFake::start().await;
    let caller = Caller::of(&preo);
    preo.seed_webhooks(1);

    for (method, path) in [(Method::POST, ""), (Method::PATCH, "/endpoint-000001")] {
        let request = caller.request(method, path).body("a=b");
        let typed = request.try_clone().unwrap();
        let typed = typed.header("content-type", "application/x-www-form-urlencoded");
        let message = "Unsupported media type \"application/x-www-form-urlencoded\" in request.";
        assert_eq!(answer(typed).await, (415, json!({"detail": message})));
        let message = "Unsupported media type \"\" in request.";
        assert_eq!(answer(request).await, (415, json!({"detail": message})));
    }
}
