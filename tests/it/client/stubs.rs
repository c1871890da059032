//! Typed stubs, and the server that explains requests without one.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use reqwest::Client;
use serde_json::{Value, json};
use webhook_sdk::preo::{
    PreoClient, Webhook, WebhookCreate, WebhookOrdering, WebhookPage, WebhookSummary,
    WebhookUpdate, stub,
};
use webhook_sdk::testing::{StubServer, page_of};
use webhook_sdk::{Error, Patch, RetryPolicy, lune, pretix};
use wiremock::matchers::header;
use wiremock::{Mock, MockServer};

fn impatient(server: &StubServer) -> PreoClient {
    let preo = PreoClient::builder("token").base_url(server.uri());
    preo.retry(RetryPolicy::never()).build().unwrap()
}

/// The panic of a test that ends while the server has seen what `requests` send.
async fn report<F: Future>(requests: impl FnOnce(StubServer) -> F) -> String {
    let server = StubServer::start().await;
    let panic = AssertUnwindSafe(requests(server)).catch_unwind().await;
    let panic = panic.err().expect("the server panics when it is dropped");
    *panic.downcast::<String>().unwrap()
}

#[tokio::test]
async fn stub_responds_with_the_success_status_of_its_operation() {
    let server = StubServer::start().await;
    let preo = server.preo();
    let body = WebhookCreate::builder()
        .organization_id("org_1")
        .name("Orders")
        .url("https://example.com/hooks")
        .events(["purchase.action"])
        .build();
    stub::create_webhook()
        .body(body.clone())
        .answers(Webhook::example().name("Orders"))
        .expect(1)
        .mount(&server)
        .await;
    let response = preo.create_webhook(body).send_with_response().await;
    let (webhook, parts) = response.unwrap().into_parts();
    assert_eq!(parts.status(), 201);
    assert_eq!(webhook, Webhook::example().name("Orders"));

    stub::delete_webhook("wh/1").succeeds().mount(&server).await;
    let response = preo.delete_webhook("wh/1").send_with_response().await;
    assert_eq!(response.unwrap().status(), 204);
}

#[tokio::test]
async fn page_of_items_has_the_right_count() {
    let items = [
        WebhookSummary::example(),
        WebhookSummary::example().id("wh_2"),
    ];
    let page: WebhookPage = page_of(items.clone());
    let whole = [Webhook::example(), Webhook::example().id("wh_2")];
    assert_eq!(page_of(whole), page);
    assert_eq!(
        (page.count, &page.results[..], page.next),
        (2, &items[..], None)
    );

    let server = StubServer::start().await;
    stub::list_webhooks()
        .answers(page_of(items.clone()))
        .expect(1)
        .mount(&server)
        .await;
    assert_eq!(server.preo().list_webhooks().all().await.unwrap(), items);
}

#[tokio::test]
async fn typed_matchers_distinguish_requests() {
    let server = StubServer::start().await;
    let list = |name: &str| page_of([WebhookSummary::example().name(name)]);
    stub::list_webhooks()
        .is_active(true)
        .ordering([WebhookOrdering::NameDesc, WebhookOrdering::Created])
        .page_size(10)
        .answers(list("all three"))
        .mount(&server)
        .await;
    stub::list_webhooks()
        .edition_id("ed 1")
        .answers(list("edition"))
        .mount(&server)
        .await;
    let preo = server.preo();
    let request = preo.list_webhooks().is_active(true).page_size(10);
    let request = request.ordering(["-name", "created"]);
    assert_eq!(request.all().await.unwrap()[0].name, "all three");
    let request = preo.list_webhooks().edition_id("ed 1").is_active(true);
    assert_eq!(request.all().await.unwrap()[0].name, "edition");
}

#[tokio::test]
async fn a_body_is_matched_field_by_field() {
    let server = StubServer::start().await;
    stub::update_webhook("wh_1")
        .name("Orders")
        .edition_id(Patch::Absent)
        .answers(Webhook::example().name("kept"))
        .mount(&server)
        .await;
    stub::update_webhook("wh_1")
        .edition_id(None)
        .answers(Webhook::example().name("cleared"))
        .mount(&server)
        .await;
    let preo = server.preo();
    let update = |body| preo.update_webhook("wh_1", body).send();
    let body = WebhookUpdate::new().name("Orders").is_active(true);
    assert_eq!(update(body).await.unwrap().name, "kept");
    let body = WebhookUpdate::new().name("Orders").edition_id(None);
    assert_eq!(update(body).await.unwrap().name, "cleared");
}

#[tokio::test]
async fn errors_have_the_format_of_the_service() {
    let server = StubServer::start().await;
    let preo = impatient(&server);
    let create = || async {
        let body = WebhookCreate::builder()
            .organization_id("org_1")
            .name("Orders")
            .url("nowhere")
            .events(["consent.given"])
            .build();
        preo.create_webhook(body).send().await.unwrap_err()
    };
    let invalid = stub::create_webhook().url("nowhere");
    let scope = invalid
        .invalid("url", "Enter a valid URL.")
        .mount_as_scoped(&server)
        .await;
    let error = create().await;
    assert!(error.is_validation());
    let fields = error.field_errors();
    assert_eq!((fields.len(), &*fields[0].field), (1, "url"));
    drop(scope);

    let scope = stub::create_webhook()
        .rate_limited(Duration::from_millis(1_500))
        .mount_as_scoped(&server)
        .await;
    let error = create().await;
    assert!(error.is_rate_limited(), "{error:?}");
    assert_eq!(error.retry_after(), Some(Duration::from_secs(2)));
    drop(scope);
    let error = create().await;
    assert_eq!(error.status().unwrap(), 501);
    let unmatched = error.detail().unwrap();
    assert!(unmatched.ends_with("none is mounted"), "{unmatched}");

    stub::create_webhook().unauthorized().mount(&server).await;
    let error = create().await;
    assert_eq!(error.status().unwrap(), 401);
    assert_eq!(error.detail(), Some("Invalid token."));
    assert_eq!(server.take_unmatched(), [unmatched]);
}

#[tokio::test]
async fn lune_errors_have_codes() {
    let server = StubServer::start().await;
    let lune = server.lune();
    lune::stub::list_webhooks()
        .account_id(["acc_1", "acc_2"])
        .answers([lune::Webhook::example()])
        .mount(&server)
        .await;
    let listed = lune.list_webhooks().account_id(["acc_1", "acc_2"]).send();
    assert_eq!(listed.await.unwrap(), [lune::Webhook::example()]);

    lune::stub::rotate_webhook_secret("w_1")
        .unauthorized()
        .mount(&server)
        .await;
    let error = lune.rotate_webhook_secret("w_1").send().await.unwrap_err();
    assert_eq!(error.code(), Some("unauthorised"));
}

#[tokio::test]
async fn a_scope_of_events_is_matched_as_a_whole() {
    let server = StubServer::start().await;
    let pretix = server.pretix();
    let all = pretix::WebhookUpdate::new().events(pretix::EventScope::All);
    pretix::stub::update_webhook(7)
        .events(pretix::EventScope::All)
        .answers(pretix::Webhook::example())
        .expect(1)
        .mount(&server)
        .await;
    pretix.update_webhook(7, all).send().await.unwrap();
}

#[tokio::test]
async fn stubs_work_on_a_server_of_wiremock_and_with_its_matchers() {
    let server = MockServer::start().await;
    stub::retrieve_webhook("wh_1")
        .and(header("authorization", "Bearer token"))
        .answers(Webhook::example())
        .expect(1)
        .mount(&server)
        .await;
    let stub = stub::retrieve_webhook("wh_1").not_found().with_priority(9);
    Mock::from(stub).mount(&server).await;
    for (token, found) in [("token", true), ("other", false)] {
        let preo = PreoClient::builder(token).base_url(server.uri());
        let webhook = preo.build().unwrap().retrieve_webhook("wh_1").send().await;
        assert_eq!(webhook.is_ok(), found);
    }
}

#[tokio::test]
async fn a_request_without_a_stub_is_explained_to_the_client_and_fails_the_test() {
    let text = r#"GET /v1/webhooks?is_active=false: no stub matches; closest is `list_webhooks`: `is_active` is "false", not "true""#;
    let report = report(async |server| {
        stub::list_webhooks()
            .is_active(true)
            .answers(page_of::<WebhookSummary>([]))
            .mount(&server)
            .await;
        stub::create_webhook().not_found().mount(&server).await;
        let error = impatient(&server).list_webhooks().is_active(false).send();
        let error: Error = error.await.unwrap_err();
        assert_eq!(error.status().unwrap(), 501);
        assert_eq!(error.detail(), Some(text));
    });
    assert_eq!(report.await, text);
}

#[tokio::test]
async fn each_difference_is_named() {
    let report = report(async |server| {
        stub::update_webhook("wh_1")
            .name("Orders")
            .is_active(true)
            .answers(Webhook::example())
            .mount(&server)
            .await;
        let preo = impatient(&server);
        let body = WebhookUpdate::new().name("Consents");
        let _ = preo.update_webhook("wh_2", body).send().await;
        let _ = preo.retrieve_webhook("wh_1").send().await;
    });
    assert_eq!(
        report.await,
        "PATCH /v1/webhooks/wh_2: no stub matches; closest is `update_webhook`: \
         `id` is \"wh_2\", not \"wh_1\"; `name` is \"Consents\", not \"Orders\"; \
         `is_active` is absent, not true\n\
         GET /v1/webhooks/wh_1: no stub matches; closest is `update_webhook`: \
         it is for PATCH /v1/webhooks/{id}"
    );
}

#[tokio::test]
async fn exhausted_stub_and_server_without_stubs_have_different_messages() {
    let used_up = report(async |server| {
        stub::delete_webhook("wh_1")
            .succeeds()
            .up_to_n_times(1)
            .mount(&server)
            .await;
        let preo = impatient(&server);
        preo.delete_webhook("wh_1").send().await.unwrap();
        preo.delete_webhook("wh_1").send().await.unwrap_err();
    });
    assert_eq!(
        used_up.await,
        "DELETE /v1/webhooks/wh_1: no stub matches; `delete_webhook` has reached its maximum number of requests"
    );
    let empty = report(async |server| {
        let url = format!("{}/other", server.uri());
        let response = Client::new().get(url).send().await.unwrap();
        assert_eq!(response.status(), 501);
        let body: Value = response.json().await.unwrap();
        assert_eq!(body["error"]["error_code"], json!("no_stub_matches"));
    });
    assert_eq!(empty.await, "GET /other: no stub matches; none is mounted");
}
