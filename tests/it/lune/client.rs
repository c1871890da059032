//! What goes over the wire for each operation of Lune, and what comes back.

use serde_json::{Value, json};
use webhook_sdk::lune::{
    AccountType, LuneClient, SecretSuffix, WebhookCreate, WebhookUpdate, WebhookUrl,
};
use webhook_sdk::{ErrorKind, RedactedUrl, Secret};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::lune::support::{
    ID, KEY, SECRET, answer, line, lune, lune_and_server, only_request, webhook,
};
use crate::support::raw_server;

fn url(text: &str) -> WebhookUrl {
    WebhookUrl::try_from(text).unwrap()
}

#[tokio::test]
async fn every_request_has_the_key_and_neither_account_nor_version() {
    let (lune, server) = lune_and_server().await;
    answer(&server, 200, webhook("tail")).await;
    lune.retrieve_webhook(ID).send().await.unwrap();

    let request = only_request(&server).await;
    assert_eq!(line(&request), format!("GET /v1/webhooks/{ID}"));
    assert_eq!(request.headers["authorization"], format!("Bearer {KEY}"));
    for absent in [
        "lune-account",
        "lune-version",
        "api-version",
        "idempotency-key",
    ] {
        assert!(!request.headers.contains_key(absent), "{absent}");
    }
}

#[tokio::test]
async fn the_account_and_the_version_are_sent_when_set() {
    let server = MockServer::start().await;
    answer(&server, 200, json!([])).await;
    let lune = lune(&server.uri())
        .account("acc_1")
        .version("2024-08-08")
        .build()
        .unwrap();
    lune.list_webhooks().send().await.unwrap();

    let request = only_request(&server).await;
    assert_eq!(request.headers["lune-account"], "acc_1");
    assert_eq!(request.headers["lune-version"], "2024-08-08");
}

#[tokio::test]
async fn base_url_path_is_a_prefix_of_the_api_path() {
    let server = MockServer::start().await;
    answer(&server, 200, webhook("tail")).await;
    for path in ["/proxy", "/proxy/"] {
        let lune = lune(&format!("{}{path}", server.uri())).build().unwrap();
        lune.retrieve_webhook(ID).send().await.unwrap();
    }
    for request in server.received_requests().await.unwrap() {
        assert_eq!(line(&request), format!("GET /proxy/v1/webhooks/{ID}"));
    }
}

#[test]
fn a_base_url_with_the_path_of_the_api_is_refused() {
    for url in ["https://api.lune.co/v1", "https://example.org/lune/v1/"] {
        let error = LuneClient::builder(KEY).base_url(url).build().unwrap_err();
        assert!(error.is_configuration());
        assert!(error.to_string().contains("leave out `/v1`"), "{error}");
    }
}

#[test]
fn invalid_account_or_version_fails_the_build() {
    let cases = [
        (LuneClient::builder(KEY).account(""), "`account` is empty"),
        (LuneClient::builder(KEY).version(" "), "`version` is empty"),
        (
            LuneClient::builder(KEY).account("a\nb"),
            "`account` contains a character",
        ),
    ];
    for (builder, cause) in cases {
        let error = builder.build().unwrap_err();
        assert!(error.is_configuration());
        assert!(error.to_string().contains(cause), "{error}");
    }
}

#[tokio::test]
async fn a_list_is_a_bare_array_and_repeats_the_account() {
    let (lune, server) = lune_and_server().await;
    answer(&server, 200, json!([webhook("tail"), webhook("liat")])).await;
    let webhooks = lune
        .list_webhooks()
        .account_id(["acc_1".to_owned(), "acc 2&x".to_owned()])
        .send()
        .await
        .unwrap();
    let suffixes: Vec<_> = webhooks.iter().map(|hook| hook.secret.as_str()).collect();
    assert_eq!(suffixes, ["tail", "liat"]);
    assert_eq!(
        line(&only_request(&server).await),
        "GET /v1/webhooks?account_id=acc_1&account_id=acc+2%26x"
    );
}

#[tokio::test]
async fn a_list_without_accounts_has_no_query() {
    let (lune, server) = lune_and_server().await;
    answer(&server, 200, json!([])).await;
    let list = lune.list_webhooks().account_id([] as [&str; 0]);
    assert!(list.send().await.unwrap().is_empty());
    assert_eq!(line(&only_request(&server).await), "GET /v1/webhooks");
}

#[tokio::test]
async fn create_sends_the_set_fields_and_returns_the_secret() {
    let cases = [
        (
            WebhookCreate::builder()
                .url(url("https://lune.co/webhook-receiver"))
                .build(),
            json!({ "url": "https://lune.co/webhook-receiver" }),
        ),
        (
            WebhookCreate::builder()
                .url(url("https://example.com/h?a=1"))
                .account_ids(["acc_1", "acc_2"])
                .build(),
            json!({ "url": "https://example.com/h?a=1", "account_ids": ["acc_1", "acc_2"] }),
        ),
    ];
    for (body, sent) in cases {
        let (lune, server) = lune_and_server().await;
        answer(&server, 200, webhook(SECRET)).await;
        let response = lune.create_webhook(body).send_with_response().await;
        let (created, parts) = response.unwrap().into_parts();
        assert_eq!((parts.status().as_u16(), created.id.as_str()), (200, ID));
        assert_eq!(created.secret.expose(), SECRET);

        let request = only_request(&server).await;
        assert_eq!(line(&request), "POST /v1/webhooks");
        assert_eq!(request.headers["content-type"], "application/json");
        assert_eq!(request.body_json::<Value>().unwrap(), sent);
    }
}

#[tokio::test]
async fn an_update_always_sends_url_and_enabled() {
    let target = "https://example.com/hook";
    let cases = [
        (
            WebhookUpdate::builder()
                .url(url(target))
                .enabled(false)
                .build(),
            json!({ "url": target, "enabled": false }),
        ),
        (
            WebhookUpdate::builder()
                .url(url(target))
                .enabled(true)
                .account_ids(["acc_1"])
                .build(),
            json!({ "url": target, "enabled": true, "account_ids": ["acc_1"] }),
        ),
    ];
    for (body, sent) in cases {
        let (lune, server) = lune_and_server().await;
        answer(&server, 200, webhook("tail")).await;
        let changed = lune.update_webhook(ID, body).send().await.unwrap();
        assert_eq!(changed.secret.as_str(), "tail");

        let request = only_request(&server).await;
        assert_eq!(line(&request), format!("PUT /v1/webhooks/{ID}"));
        assert_eq!(request.body_json::<Value>().unwrap(), sent);
    }
}

#[tokio::test]
async fn delete_accepts_204() {
    let (lune, server) = lune_and_server().await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(204))
        .mount(&server)
        .await;
    lune.delete_webhook(ID).send().await.unwrap();
    assert_eq!(
        line(&only_request(&server).await),
        format!("DELETE /v1/webhooks/{ID}")
    );
}

#[tokio::test]
async fn put_without_a_body_has_a_content_length() {
    let ok = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}";
    let (base_url, server) = raw_server([ok.to_vec()]).await;
    let lune = LuneClient::builder(KEY).base_url(base_url).build().unwrap();
    let rotation = lune.rotate_webhook_secret(ID).send().await;
    assert!(rotation.is_err());
    let request = server.await.unwrap().remove(0);
    assert_eq!(
        request.matches("content-length: 0\r\n").count(),
        1,
        "{request}"
    );
}

#[tokio::test]
async fn rotate_puts_without_a_body_and_returns_the_new_secret() {
    let (lune, server) = lune_and_server().await;
    answer(&server, 200, webhook(SECRET)).await;
    let rotated = lune.rotate_webhook_secret(ID).send().await.unwrap();
    assert_eq!(rotated.secret.expose(), SECRET);

    let request = only_request(&server).await;
    assert_eq!(
        line(&request),
        format!("PUT /v1/webhooks/{ID}/rotate-secret")
    );
    assert!(request.body.is_empty());
}

#[tokio::test]
async fn unknown_values_in_a_response_are_kept() {
    let (lune, server) = lune_and_server().await;
    let mut body = webhook("tail");
    body["account_type"] = json!("sandbox");
    body["url"] = json!("http://LOCALHOST/,;");
    body["added_later"] = json!({ "by": "the server" });
    body.as_object_mut().unwrap().remove("account_ids");
    answer(&server, 200, body).await;
    let webhook = lune.retrieve_webhook(ID).send().await.unwrap();

    assert_eq!(webhook.account_type, AccountType::from("sandbox"));
    assert_eq!(webhook.url.as_str(), "http://LOCALHOST/,;");
    assert!(webhook.account_ids.is_empty());
    assert_eq!(
        webhook.created_at.to_rfc3339(),
        "2000-04-12T23:20:50.520+00:00"
    );
}

#[tokio::test]
async fn responses_never_show_a_secret_or_url_credentials() {
    let (lune, server) = lune_and_server().await;
    let mut body = webhook(SECRET);
    body["url"] = json!("https://user:pass-word@example.com/h");
    answer(&server, 200, body).await;
    let full = lune.rotate_webhook_secret(ID).send_with_response();
    let full = full.await.unwrap();
    let suffix = lune.retrieve_webhook(ID).send().await.unwrap();
    for shown in [
        format!("{full:?}"),
        format!("{suffix:?}"),
        format!("{:?}", full.value()),
        format!("{:?}", suffix),
    ] {
        assert!(shown.contains(ID));
        assert!(
            !shown.contains("tail") && !shown.contains("0beec7b5"),
            "{shown}"
        );
        assert!(
            !shown.contains("user") && !shown.contains("pass-word"),
            "{shown}"
        );
    }
}

#[tokio::test]
async fn suffix_identifies_the_current_secret() {
    let (lune, server) = lune_and_server().await;
    answer(&server, 200, webhook("tail")).await;
    let webhook = lune.retrieve_webhook(ID).send().await.unwrap();
    assert!(webhook.secret.matches(&Secret::from(SECRET)));
    assert!(!webhook.secret.matches(&Secret::from("secret-tail-0000")));
    assert!(!webhook.secret.matches(&Secret::from("ail")));
    assert!(!SecretSuffix::from("").matches(&Secret::from(SECRET)));
}

#[tokio::test]
async fn request_id_is_that_of_cloudflare() {
    let server = MockServer::start().await;
    let response = ResponseTemplate::new(200)
        .set_body_json(json!([]))
        .insert_header("cf-ray", "7d7a-LHR")
        .insert_header("x-request-id", "other");
    Mock::given(any())
        .respond_with(response)
        .mount(&server)
        .await;
    let lune = lune(&server.uri()).build().unwrap();
    let response = lune.list_webhooks().send_with_response().await;
    assert_eq!(response.unwrap().request_id(), Some("7d7a-LHR"));
}

#[tokio::test]
async fn url_of_a_response_can_be_sent_back() {
    let answered = RedactedUrl::from("https://example.com/hook");
    let parsed = WebhookUrl::try_from(answered.as_str()).unwrap();
    assert_eq!(parsed.as_str(), answered.as_str());
    assert_eq!(RedactedUrl::from(parsed), answered);
}

#[tokio::test]
async fn a_verifier_needs_a_secret_that_is_not_empty() {
    let (lune, server) = lune_and_server().await;
    answer(&server, 200, webhook("")).await;
    let webhook = lune.rotate_webhook_secret(ID).send().await.unwrap();
    assert_eq!(webhook.verifier().unwrap_err().kind(), ErrorKind::Secret);
    let error = webhook.signing_key("main").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Secret);
    assert!(std::error::Error::source(&error).is_some());
}
