//! What the errors of pretix say.

use webhook_sdk::pretix::{EventScope, WebhookUpdate};
use webhook_sdk::{Error, RetryPolicy};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::pretix::support::{TOKEN, pretix};

/// The error of an update that is answered like this.
async fn failure(status: u16, body: &str) -> Error {
    let server = MockServer::start().await;
    let response = ResponseTemplate::new(status).set_body_raw(body, "application/json");
    Mock::given(any())
        .respond_with(response)
        .mount(&server)
        .await;
    let pretix = pretix(&server.uri()).retry(RetryPolicy::never());
    let update = WebhookUpdate::new().comment("new");
    let update = pretix.build().unwrap().update_webhook(7, update);
    update.send().await.unwrap_err()
}

#[tokio::test]
async fn forbidden_names_the_organizer() {
    let detail = r#"{"detail":"You do not have permission to perform this action."}"#;
    let error = failure(403, detail).await;
    assert!(error.is_forbidden() && !error.is_unauthorized());
    let shown = error.to_string();
    assert!(shown.contains("organizer `bigevents`") && shown.contains("slug"));
    assert!(!shown.contains("perform this action"), "{shown}");
}

#[tokio::test]
async fn unauthorized_points_at_the_token() {
    let error = failure(401, r#"{"detail":"Invalid token."}"#).await;
    assert!(error.is_unauthorized() && !error.is_forbidden());
    assert!(error.to_string().contains("doesn't know the token"));
    assert!(!format!("{error} {error:?}").contains(TOKEN));
}

#[tokio::test]
async fn webhook_with_an_action_type_of_a_removed_plugin_can_only_be_disabled() {
    let body = r#"{"action_types":["Invalid action type \"pretix.plugins.gone\"."]}"#;
    let error = failure(400, body).await;
    let shown = error.to_string();
    assert!(error.is_validation() && shown.contains("invalid fields: action_types"));
    assert!(shown.contains("removal of a plugin") && shown.contains("`delete_webhook`"));
    assert!(!shown.contains("pretix.plugins.gone"), "{shown}");

    let error = failure(400, r#"{"target_url":["Enter a valid URL."]}"#).await;
    assert!(!error.to_string().contains("plugin"));
}

#[tokio::test]
async fn comment_is_measured_after_trimming_and_in_characters() {
    let server = MockServer::start().await;
    let response = ResponseTemplate::new(500);
    Mock::given(any())
        .respond_with(response)
        .mount(&server)
        .await;
    let pretix = pretix(&server.uri()).retry(RetryPolicy::never());
    let pretix = pretix.build().unwrap();
    for (comment, sent) in [
        (format!("  \u{1f}\u{a0}{}\n ", "é".repeat(255)), true),
        ("é".repeat(256), false),
        (format!(" {} ", "a".repeat(256)), false),
    ] {
        let update = WebhookUpdate::new().comment(comment);
        let error = pretix.update_webhook(7, update).send().await.unwrap_err();
        assert_eq!(error.attempts(), u32::from(sent));
        assert_eq!(error.is_validation(), !sent);
    }
}

#[test]
fn scopes_are_compared_as_sets() {
    let one = EventScope::only(["democon", "secondcon", "democon"]);
    assert_eq!(one, EventScope::only(["secondcon", "democon"]));
    assert_ne!(one, EventScope::only(["secondcon"]));
    assert_ne!(EventScope::only([] as [&str; 0]), EventScope::All);
    let read = r#"{"all_events":false,"limit_events":["secondcon","democon","democon"]}"#;
    assert_eq!(serde_json::from_str::<EventScope>(read).unwrap(), one);
}
