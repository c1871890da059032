//! Everything that a real pretix was recorded to answer, as the client hands it on.

use serde_json::Value;
use webhook_sdk::pretix::{
    ActionType, EventScope, PretixClient, WebhookCreate, WebhookReplace, WebhookUpdate,
};
use webhook_sdk::{Error, RetryPolicy};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::pretix::support::{Exchange, exchanges, pretix, target};

/// What a call has given, whichever it was.
#[derive(Debug)]
enum Outcome {
    /// A webhook or a page, written back as JSON.
    Value(Value),
    Nothing,
    Refused(Error),
}

async fn serve(server: &MockServer, exchange: &Exchange) {
    let content_type = exchange.header("Content-Type");
    let content_type = content_type.unwrap_or("application/json").to_owned();
    let mut answer = ResponseTemplate::new(exchange.status);
    if !exchange.answer().is_empty() {
        answer = answer.set_body_raw(exchange.answer(), &content_type);
    }
    for (name, value) in &exchange.headers {
        answer = answer.insert_header(name.as_str(), value.as_str());
    }
    server.reset().await;
    Mock::given(any()).respond_with(answer).mount(server).await;
}

/// Makes the call that asks for what was recorded; what it sends doesn't matter here.
async fn call(pretix: &PretixClient, exchange: &Exchange) -> Outcome {
    let actions = [ActionType::OrderPaid];
    let is_list = exchange
        .body
        .as_ref()
        .is_some_and(|body| body.get("results").is_some());
    let result = match exchange.method.as_str() {
        "GET" if is_list => {
            let page = pretix.list_webhooks().send().await;
            page.map(|page| serde_json::to_value(page).unwrap())
        }
        "POST" => {
            let body = WebhookCreate::builder()
                .target_url(target())
                .events(EventScope::All)
                .action_types(actions)
                .build();
            let webhook = pretix.create_webhook(body).send().await;
            webhook.map(|webhook| serde_json::to_value(webhook).unwrap())
        }
        "PATCH" => {
            let call = pretix.update_webhook(1, WebhookUpdate::new());
            let webhook = call.send().await;
            webhook.map(|webhook| serde_json::to_value(webhook).unwrap())
        }
        "PUT" => {
            let body = WebhookReplace::builder()
                .target_url(target())
                .events(EventScope::All)
                .action_types(actions)
                .enabled(true)
                .comment(None)
                .build();
            let webhook = pretix.replace_webhook(1, body).send().await;
            webhook.map(|webhook| serde_json::to_value(webhook).unwrap())
        }
        "DELETE" => match pretix.delete_webhook(1).send().await {
            Ok(_) => return Outcome::Nothing,
            Err(error) => Err(error),
        },
        _ => {
            let webhook = pretix.retrieve_webhook(1).send().await;
            webhook.map(|webhook| serde_json::to_value(webhook).unwrap())
        }
    };
    result.map_or_else(Outcome::Refused, Outcome::Value)
}

#[tokio::test]
async fn every_recorded_response_is_decoded_or_a_clear_error() {
    let mut seen = [0; 3];
    let server = MockServer::start().await;
    let pretix = pretix(&server.uri()).retry(RetryPolicy::never());
    let pretix = pretix.build().unwrap();
    for exchange in exchanges() {
        // Answers to what the client has no call for: no webhook, no page and no error.
        if [
            "method-options-list",
            "method-options-detail",
            "method-head-list",
        ]
        .contains(&exchange.case.as_str())
        {
            continue;
        }
        serve(&server, &exchange).await;
        let outcome = call(&pretix, &exchange).await;
        let case = &exchange.case;
        match &outcome {
            Outcome::Value(value) => {
                seen[0] += 1;
                assert!((200..300).contains(&exchange.status), "{case}");
                let recorded = exchange.body.clone().unwrap();
                assert_eq!(
                    without_nulls(value.clone()),
                    without_nulls(recorded),
                    "{case}"
                );
            }
            Outcome::Nothing => {
                seen[1] += 1;
                assert!((200..300).contains(&exchange.status), "{case}");
            }
            Outcome::Refused(error) => {
                seen[2] += 1;
                assert_refusal(&exchange, error);
            }
        }
    }
    assert_eq!(seen.iter().sum::<i32>(), 268);
    assert_eq!(seen, SEEN, "decoded, empty, refused");
}

/// Null and absent are the same to a reader.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(without_nulls).collect(),
        Value::Object(fields) => fields
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name, without_nulls(value)))
            .collect(),
        other => other,
    }
}

/// Counted in the recordings: webhooks and pages, deletions, errors.
const SEEN: [i32; 3] = [126, 4, 138];

fn assert_refusal(exchange: &Exchange, error: &Error) {
    let case = &exchange.case;
    let status = exchange.status;
    assert_eq!(error.status().unwrap(), status, "{case}");
    assert_eq!(error.is_validation(), status == 400, "{case}");
    assert_eq!(error.is_unauthorized(), status == 401, "{case}");
    assert_eq!(error.is_forbidden(), status == 403, "{case}");
    assert_eq!(error.is_not_found(), status == 404, "{case}");
    assert_eq!(error.is_retryable(), status >= 500, "{case}");
    assert!(!error.is_decode() && !error.is_timeout(), "{case}");
    assert_eq!(error.body(), Some(exchange.answer().as_slice()), "{case}");
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains("DOCTYPE"), "{case}");

    let body = exchange.body.as_ref();
    let detail = body.and_then(|body| body["detail"].as_str());
    assert_eq!(error.detail(), detail, "{case}");
    if let Some(detail) = detail {
        assert!(!shown.contains(detail), "{case}");
    }
    let mut found: Vec<(String, String)> = error
        .field_errors()
        .iter()
        .map(|error| (error.field.clone(), error.message.clone()))
        .collect();
    let mut recorded = Vec::new();
    for (field, messages) in body.and_then(|body| body.as_object()).into_iter().flatten() {
        for message in messages.as_array().into_iter().flatten() {
            recorded.push((field.clone(), message.as_str().unwrap().to_owned()));
        }
    }
    if status != 400 {
        recorded.clear();
    }
    found.sort();
    recorded.sort();
    assert_eq!(found, recorded, "{case}");
}
