use reqwest::Method;
use reqwest::header::{ACCEPT_LANGUAGE, HeaderMap, HeaderValue};
use serde_json::json;
use webhook_sdk::pretix::{EventScope, TargetUrl, WebhookCreate};
use webhook_sdk::{Auth, Error};

use super::{Live, NEVER, nowhere, update, variable};

/// The fields that the error is about.
fn fields(error: &Error) -> Vec<String> {
    error
        .field_errors()
        .iter()
        .map(|error| error.field.clone())
        .collect()
}

#[tokio::test]
#[ignore = "needs a pretix"]
async fn bad_input_is_refused_with_the_field() {
    let live = Live::find().await;
    let pretix = live.client();
    let create = |body: WebhookCreate| pretix.create_webhook(body).send();
    let with_events = |slug: &str| {
        WebhookCreate::builder()
            .target_url(nowhere())
            .events(EventScope::only([slug]))
            .action_types(NEVER)
            .build()
    };
    let with_action = |name: &str| {
        WebhookCreate::builder()
            .target_url(nowhere())
            .events(EventScope::All)
            .action_types([name])
            .build()
    };
    let with_target = |url: &str| {
        let target: TargetUrl = serde_json::from_value(json!(url)).unwrap();
        WebhookCreate::builder()
            .target_url(target)
            .events(EventScope::All)
            .action_types(NEVER)
            .build()
    };
    let other_event = variable("PRETIX_OTHER_EVENT");
    for (body, field) in [
        (with_events("nope"), "limit_events"),
        (with_events(&live.event.to_uppercase()), "limit_events"),
        (with_events(&other_event), "limit_events"),
        (with_action("pretix.event.order.*"), "action_types"),
        (
            with_action("pretix.event.order.changed.price"),
            "action_types",
        ),
        (with_action("PRETIX.EVENT.CHANGED"), "action_types"),
        (with_action(""), "action_types"),
        (with_target(""), "target_url"),
        (with_target("not a url"), "target_url"),
        (with_target("http://intranet/hook"), "target_url"),
        (with_target("javascript:alert(1)"), "target_url"),
        (with_target("https://example.com/\0"), "target_url"),
    ] {
        let error = create(body).await.unwrap_err();
        assert_eq!(error.status().unwrap(), 400);
        assert!(error.is_validation() && !error.is_retryable());
        assert_eq!(error.attempts(), 1);
        assert_eq!(fields(&error), [field]);
    }
    let mut long = with_action("x");
    long.comment = "c".repeat(256).into();
    let long = create(long).await.unwrap_err();
    assert_eq!(
        (long.attempts(), fields(&long)),
        (0, vec!["comment".to_owned()])
    );
}

#[tokio::test]
#[ignore = "needs a pretix"]
async fn a_target_with_a_password_is_refused_without_showing_it() {
    let live = Live::find().await;
    let pretix = live.client();
    let target: TargetUrl = serde_json::from_value(json!("https://u:swordfish@nodot/")).unwrap();
    let body = WebhookCreate::builder()
        .target_url(target)
        .events(EventScope::All)
        .action_types(NEVER)
        .build();
    let error = pretix.create_webhook(body).send().await.unwrap_err();
    assert_eq!(fields(&error), ["target_url"]);
    assert!(!format!("{error} {error:?}").contains("swordfish"));
}

#[tokio::test]
#[ignore = "needs a pretix"]
async fn what_does_not_exist_is_not_found() {
    let live = Live::find().await;
    let pretix = live.client();
    for id in [0, -1, 99_999_999, i64::MAX] {
        let error = pretix.retrieve_webhook(id).send().await.unwrap_err();
        assert!(error.is_not_found(), "{error}");
        let change = pretix.update_webhook(id, update().enabled(true));
        assert!(change.send().await.unwrap_err().is_not_found());
        assert!(
            pretix
                .delete_webhook(id)
                .send()
                .await
                .unwrap_err()
                .is_not_found()
        );
    }
    let page = pretix.list_webhooks().page(99_999).send().await;
    assert!(page.unwrap_err().is_not_found());
}

#[tokio::test]
#[ignore = "needs a pretix"]
async fn forbidden_token_gets_403() {
    let live = Live::find().await;
    let token = |name: &str| Auth::scheme("Token", variable(name));
    for (auth, status) in [
        (Auth::scheme("Token", "wrong"), 401),
        (token("PRETIX_REVOKED_TOKEN"), 401),
        (Auth::bearer(variable("PRETIX_TOKEN")), 401),
        (Auth::scheme("Device", variable("PRETIX_TOKEN")), 401),
        (token("PRETIX_LIMITED_TOKEN"), 403),
        (token("PRETIX_OTHER_TOKEN"), 403),
    ] {
        let error = live
            .client_with(auth)
            .list_webhooks()
            .send()
            .await
            .unwrap_err();
        assert_eq!(error.is_unauthorized(), status == 401);
        assert_eq!(error.is_forbidden(), status == 403);
        assert_eq!(error.status().unwrap(), status);
        assert!(error.detail().is_some());
    }
    let lower_case = live.client_with(Auth::scheme("token", variable("PRETIX_TOKEN")));
    lower_case
        .list_webhooks()
        .page_size(1)
        .send()
        .await
        .unwrap();
    for slug in [&*variable("PRETIX_OTHER_ORGANIZER"), "nosuchorg", "ü"] {
        let pretix = live
            .builder(variable("PRETIX_TOKEN"), slug)
            .build()
            .unwrap();
        let error = pretix.list_webhooks().send().await.unwrap_err();
        assert_eq!(error.status().unwrap(), 403, "never 404: {slug}");
    }
}

#[tokio::test]
#[ignore = "needs a pretix"]
async fn html_page_is_an_ordinary_error() {
    let live = Live::find().await;
    let below = format!("{}/no/such/path", live.base_url);
    let pretix = live
        .builder(variable("PRETIX_TOKEN"), &live.organizer)
        .base_url(below)
        .build()
        .unwrap();
    let error = pretix.list_webhooks().send().await.unwrap_err();
    assert!(error.is_not_found() && !error.is_decode());
    assert!(error.field_errors().is_empty() && error.detail().is_none());
    assert!(String::from_utf8_lossy(error.body().unwrap()).contains("<!DOCTYPE html>"));
    assert!(!format!("{error} {error:?}").contains("DOCTYPE"));

    let body = json!({"target_url": nowhere(), "limit_events": [], "action_types": 5});
    let broken = live.raw(Method::POST, "webhooks/").json(&body);
    let broken = broken.send().await.unwrap();
    assert_eq!(broken.status(), 500);
    assert!(
        broken.headers()["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/html")
    );
}

#[tokio::test]
#[ignore = "needs a pretix"]
async fn an_error_is_the_same_in_every_language() {
    let live = Live::find().await;
    let in_language = |language: &'static str| {
        let headers = HeaderMap::from_iter([(ACCEPT_LANGUAGE, HeaderValue::from_static(language))]);
        let http = reqwest::Client::builder().default_headers(headers);
        live.builder(variable("PRETIX_TOKEN"), &live.organizer)
            .http(http)
            .build()
            .unwrap()
    };
    let mut messages = Vec::new();
    for language in ["en", "de", "fr"] {
        let target: TargetUrl = serde_json::from_value(json!("x")).unwrap();
        let body = WebhookCreate::builder()
            .target_url(target)
            .events(EventScope::All)
            .action_types(NEVER)
            .build();
        let pretix = in_language(language);
        let error = pretix.create_webhook(body).send().await.unwrap_err();
        assert_eq!(
            (error.status().unwrap().as_u16(), error.is_validation()),
            (400, true)
        );
        assert_eq!(fields(&error), ["target_url"]);
        messages.push(error.field_errors()[0].message.clone());
    }
    messages.dedup();
    assert_eq!(messages.len(), 3, "the words do differ: {messages:?}");
}
