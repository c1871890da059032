//! What goes over the wire for each operation on pretix, and what never does.

use serde_json::{Value, json};
use webhook_sdk::pretix::{
    ActionType, EventScope, PretixClient, TargetUrl, WebhookCreate, WebhookReplace, WebhookUpdate,
};
use webhook_sdk::{Auth, ClientBuilder, Patch};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::pretix::support::{PASSWORD, TOKEN, pretix, pretix_as, target};
use crate::support::raw_server;

const KEY: &str = "x-idempotency-key";

fn webhook(id: i64) -> Value {
    json!({
        "id": id,
        "enabled": true,
        "target_url": format!("https://pretix:{PASSWORD}@example.org/hook"),
        "all_events": false,
        "limit_events": ["democon"],
        "action_types": ["pretix.event.order.paid", "pretix.plugins.made.up"],
        "comment": null,
        "added_later": {"by": "the server"},
    })
}

async fn server(answer: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(answer).mount(&server).await;
    server
}

async fn healthy() -> (PretixClient, MockServer) {
    let server = server(ResponseTemplate::new(200).set_body_json(webhook(7))).await;
    (pretix(&server.uri()).build().unwrap(), server)
}

/// Fails `failures` times, then answers as a healthy server.
async fn failing(failures: u64, answer: ResponseTemplate) -> (PretixClient, MockServer) {
    let server = MockServer::start().await;
    Mock::given(any())
        .respond_with(answer)
        .up_to_n_times(failures)
        .mount(&server)
        .await;
    let healthy = ResponseTemplate::new(201).set_body_json(webhook(7));
    Mock::given(any())
        .respond_with(healthy)
        .mount(&server)
        .await;
    (pretix(&server.uri()).build().unwrap(), server)
}

async fn requests(server: &MockServer) -> Vec<Request> {
    server.received_requests().await.unwrap()
}

async fn only_request(server: &MockServer) -> Request {
    let mut requests = requests(server).await;
    assert_eq!(requests.len(), 1);
    requests.remove(0)
}

/// Method, path and query as sent.
fn line(request: &Request) -> String {
    let query = request.url.query().map(|query| format!("?{query}"));
    format!(
        "{} {}{}",
        request.method,
        request.url.path(),
        query.unwrap_or_default()
    )
}

fn body(request: &Request) -> Value {
    serde_json::from_slice(&request.body).unwrap()
}

fn create() -> WebhookCreate {
    WebhookCreate::builder()
        .target_url(target())
        .events(EventScope::All)
        .action_types([ActionType::OrderPaid])
        .build()
}

#[tokio::test]
async fn every_operation_goes_to_its_path_with_the_slash_at_the_end() {
    let (pretix, server) = healthy().await;
    let replace = WebhookReplace::builder()
        .target_url(target())
        .events(EventScope::All)
        .action_types([ActionType::OrderPaid])
        .enabled(true)
        .comment(None)
        .build();
    // The answer is no page.
    let list = pretix.list_webhooks().enabled(false).page(2).page_size(50);
    assert!(list.send().await.unwrap_err().is_decode());
    pretix.create_webhook(create()).send().await.unwrap();
    pretix.retrieve_webhook(7).send().await.unwrap();
    let update = WebhookUpdate::new().enabled(true);
    let update = pretix.update_webhook(7, update);
    update.send().await.unwrap();
    let replace = pretix.replace_webhook(7, replace);
    replace.send().await.unwrap();
    pretix.delete_webhook(7).send().await.unwrap();

    let requests = requests(&server).await;
    let lines: Vec<String> = requests.iter().map(line).collect();
    assert_eq!(
        lines,
        [
            "GET /api/v1/organizers/bigevents/webhooks/?enabled=false&page=2&page_size=50",
            "POST /api/v1/organizers/bigevents/webhooks/",
            "GET /api/v1/organizers/bigevents/webhooks/7/",
            "PATCH /api/v1/organizers/bigevents/webhooks/7/",
            "PUT /api/v1/organizers/bigevents/webhooks/7/",
            "DELETE /api/v1/organizers/bigevents/webhooks/7/",
        ]
    );
    for request in &requests {
        assert_eq!(request.headers["authorization"], format!("Token {TOKEN}"));
        assert!(!request.headers.contains_key("accept-language"));
        assert!(!request.headers.contains_key("api-version"));
    }
}

#[tokio::test]
async fn base_path_and_unusual_slug_are_kept_in_the_url() {
    let server = server(ResponseTemplate::new(200).set_body_json(webhook(7))).await;
    for (path, slug, sent) in [
        ("", "bigevents", "/api/v1/organizers/bigevents/webhooks/7/"),
        ("/", "Big-1.x_y", "/api/v1/organizers/Big-1.x_y/webhooks/7/"),
        ("/tickets/", "b", "/tickets/api/v1/organizers/b/webhooks/7/"),
        ("/a/b", "b..c", "/a/b/api/v1/organizers/b..c/webhooks/7/"),
        (
            "",
            "a b?c#d%2F",
            "/api/v1/organizers/a%20b%3Fc%23d%252F/webhooks/7/",
        ),
        ("", "\tü", "/api/v1/organizers/%09%C3%BC/webhooks/7/"),
    ] {
        server.reset().await;
        let answer = ResponseTemplate::new(200).set_body_json(webhook(7));
        Mock::given(any()).respond_with(answer).mount(&server).await;
        let pretix = pretix_as(TOKEN, slug, &format!("{}{path}", server.uri()));
        let pretix = pretix.build().unwrap();
        pretix.retrieve_webhook(7).send().await.unwrap();
        assert_eq!(only_request(&server).await.url.path(), sent, "{slug}");
    }
}

#[test]
fn a_client_without_a_usable_organizer_is_refused() {
    let refusal = |builder: ClientBuilder<PretixClient>| {
        let error = builder.build().unwrap_err();
        assert!(error.is_configuration());
        error.to_string()
    };
    assert_eq!(
        refusal(PretixClient::builder("token", "")),
        "the organizer is empty: pass its slug"
    );
    for path in [".", "..", "big/events", "/"] {
        let refusal = refusal(PretixClient::builder("token", path));
        assert!(refusal.contains("would change the path"), "{refusal}");
    }
    for path in ["/api/v1", "/x/api/v1/", "/api/v1/organizers/bigevents"] {
        let pretix = pretix(&format!("https://pretix.eu{path}"));
        let refusal = refusal(pretix);
        assert!(refusal.contains("leave out `/api/v1`"), "{refusal}");
    }
}

#[tokio::test]
async fn other_kinds_of_token_have_their_own_scheme() {
    for (auth, sent) in [
        (Auth::bearer("oauth"), "Bearer oauth"),
        (Auth::device("gate"), "Device gate"),
    ] {
        let server = server(ResponseTemplate::new(200).set_body_json(webhook(7))).await;
        let pretix = pretix_as(auth, "bigevents", &server.uri()).build().unwrap();
        pretix.retrieve_webhook(7).send().await.unwrap();
        assert_eq!(only_request(&server).await.headers["authorization"], sent);
    }
}

#[tokio::test]
async fn create_always_sends_the_events() {
    for (events, all, limit) in [
        (EventScope::All, true, json!([])),
        (EventScope::only(["b", "a"]), false, json!(["b", "a"])),
        (EventScope::Only(Default::default()), false, json!([])),
    ] {
        let (pretix, server) = healthy().await;
        let action_types = ["pretix.event.order.changed.*", "pretix.plugins.x"];
        let create = WebhookCreate::builder()
            .target_url(target())
            .events(events)
            .action_types(action_types)
            .build();
        pretix.create_webhook(create).send().await.unwrap();
        assert_eq!(
            body(&only_request(&server).await),
            json!({
                "target_url": format!("https://pretix:{PASSWORD}@example.org/hook"),
                "all_events": all,
                "limit_events": limit,
                "action_types": ["pretix.event.order.changed.*", "pretix.plugins.x"],
            })
        );
    }
}

#[tokio::test]
async fn create_sends_optional_fields_only_if_set() {
    let (pretix, server) = healthy().await;
    let create = WebhookCreate::builder()
        .target_url(target())
        .events(EventScope::All)
        .action_types([ActionType::OrderPaid])
        .enabled(false)
        .comment("for the gate")
        .build();
    pretix.create_webhook(create).send().await.unwrap();
    let sent = body(&only_request(&server).await);
    assert_eq!(sent["enabled"], false);
    assert_eq!(sent["comment"], "for the gate");
}

#[tokio::test]
async fn update_sends_changed_fields_and_both_event_fields() {
    let cases = [
        (WebhookUpdate::new(), json!({})),
        (
            WebhookUpdate::new().events(EventScope::All),
            json!({"all_events": true, "limit_events": []}),
        ),
        (
            WebhookUpdate::new().events(EventScope::only(["democon"])),
            json!({"all_events": false, "limit_events": ["democon"]}),
        ),
        (
            WebhookUpdate::new().comment(Patch::Null).enabled(true),
            json!({"comment": null, "enabled": true}),
        ),
        (
            WebhookUpdate::new().action_types([ActionType::CheckIn]),
            json!({"action_types": ["pretix.event.checkin"]}),
        ),
    ];
    for (update, sent) in cases {
        let (pretix, server) = healthy().await;
        let update = pretix.update_webhook(7, update);
        update.send().await.unwrap();
        assert_eq!(body(&only_request(&server).await), sent);
    }
}

#[tokio::test]
async fn a_replacement_sends_every_field() {
    let (pretix, server) = healthy().await;
    let current = pretix.retrieve_webhook(7).send().await.unwrap();
    let mut replacement = WebhookReplace::from(current);
    replacement.enabled = false;
    let replace = pretix.replace_webhook(7, replacement);
    replace.send().await.unwrap();
    assert_eq!(
        body(&requests(&server).await[1]),
        json!({
            "target_url": format!("https://pretix:{PASSWORD}@example.org/hook"),
            "all_events": false,
            "limit_events": ["democon"],
            "action_types": ["pretix.event.order.paid", "pretix.plugins.made.up"],
            "enabled": false,
            "comment": null,
        })
    );
}

#[tokio::test]
async fn contradictory_webhook_counts_as_one_for_all_events() {
    let mut contradictory = webhook(7);
    contradictory["all_events"] = json!(true);
    let server = server(ResponseTemplate::new(200).set_body_json(contradictory)).await;
    let pretix = pretix(&server.uri()).build().unwrap();
    let webhook = pretix.retrieve_webhook(7).send().await.unwrap();
    assert_eq!(webhook.events(), EventScope::All);
    let replacement = serde_json::to_value(WebhookReplace::from(webhook)).unwrap();
    assert_eq!(replacement["all_events"], true);
    assert_eq!(replacement["limit_events"], json!([]));
}

#[test]
fn contradictory_scope_is_not_deserialized() {
    let scope = |text| serde_json::from_str::<EventScope>(text);
    assert!(scope(r#"{"all_events": true, "limit_events": ["democon"]}"#).is_err());
    assert!(scope(r#"{"limit_events": ["democon"]}"#).is_err());
    assert_eq!(
        scope(r#"{"all_events": true, "limit_events": []}"#).unwrap(),
        EventScope::All
    );
    let create = serde_json::to_value(create()).unwrap();
    let read: WebhookCreate = serde_json::from_value(create).unwrap();
    assert_eq!(read, self::create());
    assert!(EventScope::only(["a"]).includes("a") && !EventScope::only(["a"]).includes("A"));
    assert!(EventScope::All.includes("a"));
}

#[tokio::test]
async fn oversized_fields_are_not_sent() {
    let (pretix, server) = healthy().await;
    let list = |size| pretix.list_webhooks().page_size(size);
    let too_long: TargetUrl =
        serde_json::from_value(json!(format!("https://example.org/{}", "a".repeat(1005)))).unwrap();
    let mut long_target = create();
    long_target.target_url = too_long;
    let long_comment = WebhookUpdate::new().comment("c".repeat(256));
    let long_comment = pretix.update_webhook(7, long_comment);
    for (error, field) in [
        (list(51).send().await.unwrap_err(), "page_size"),
        (list(0).send().await.unwrap_err(), "page_size"),
        (
            pretix.list_webhooks().page(0).send().await.unwrap_err(),
            "page",
        ),
        (
            pretix.create_webhook(long_target).send().await.unwrap_err(),
            "target_url",
        ),
        (long_comment.send().await.unwrap_err(), "comment"),
    ] {
        assert!(error.is_validation(), "{error}");
        assert_eq!(error.attempts(), 0);
        assert_eq!(error.field_errors()[0].field, field);
    }
    assert!(requests(&server).await.is_empty());
}

#[tokio::test]
async fn each_write_has_its_own_idempotency_key_and_reads_have_none() {
    let (pretix, server) = healthy().await;
    pretix.retrieve_webhook(7).send().await.unwrap();
    for _ in 0..2 {
        pretix.create_webhook(create()).send().await.unwrap();
        let update = WebhookUpdate::new().enabled(true);
        let update = pretix.update_webhook(7, update);
        update.send().await.unwrap();
        pretix.delete_webhook(7).send().await.unwrap();
    }
    let requests = requests(&server).await;
    assert!(!requests[0].headers.contains_key(KEY));
    let mut keys: Vec<&str> = requests[1..]
        .iter()
        .map(|request| request.headers[KEY].to_str().unwrap())
        .collect();
    for key in &keys {
        let lengths: Vec<usize> = key.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12], "no UUID: {key}");
        assert!(key.split('-').nth(2).unwrap().starts_with('4'), "{key}");
    }
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), 6);
}

#[tokio::test]
async fn write_is_retried_with_the_same_key() {
    let busy = ResponseTemplate::new(409).insert_header("retry-after", "0");
    let limited = ResponseTemplate::new(429).insert_header("retry-after", "0");
    for answer in [ResponseTemplate::new(503), busy, limited] {
        let (pretix, server) = failing(2, answer).await;
        let made = pretix.create_webhook(create()).send().await;
        assert_eq!(made.unwrap().id, 7);
        let requests = requests(&server).await;
        assert_eq!(requests.len(), 3);
        for request in &requests[1..] {
            assert_eq!(request.headers[KEY], requests[0].headers[KEY]);
            assert_eq!(request.body, requests[0].body);
        }
    }
}

#[tokio::test]
async fn write_with_a_lost_response_is_retried_with_the_same_key() {
    let answer = webhook(7).to_string();
    let complete = format!(
        "HTTP/1.1 201 Created\r\ncontent-length: {}\r\n\r\n{answer}",
        answer.len()
    );
    let cut_off = complete.as_bytes()[..complete.len() - 20].to_vec();
    let answers = [Vec::new(), cut_off, complete.into_bytes()];
    let (base_url, requests) = raw_server(answers).await;
    let pretix = pretix(&base_url).build().unwrap();
    pretix.create_webhook(create()).send().await.unwrap();
    let keys: Vec<String> = requests
        .await
        .unwrap()
        .iter()
        .map(|request| {
            let key = request
                .lines()
                .find_map(|line| line.strip_prefix("x-idempotency-key: "));
            key.unwrap().to_owned()
        })
        .collect();
    assert_eq!(keys.len(), 3);
    assert!(keys.iter().all(|key| *key == keys[0]));
}

#[tokio::test]
async fn conflict_without_retry_after_is_returned() {
    let (pretix, server) = failing(1, ResponseTemplate::new(409)).await;
    let error = pretix.create_webhook(create()).send().await;
    let error = error.unwrap_err();
    assert_eq!(error.status().unwrap(), 409);
    assert!(!error.is_retryable());
    assert_eq!(requests(&server).await.len(), 1);
}

#[tokio::test]
async fn conflict_with_retry_after_can_be_retried_by_the_caller() {
    let busy = ResponseTemplate::new(409).insert_header("retry-after", "3600");
    let (pretix, server) = failing(1, busy).await;
    let error = pretix.create_webhook(create()).send().await;
    let error = error.unwrap_err();
    assert!(error.is_retryable());
    assert_eq!(error.retry_after().unwrap().as_secs(), 3600);
    assert_eq!(requests(&server).await.len(), 1);
}

#[tokio::test]
async fn redirected_delete_is_an_error_and_not_a_get() {
    let location = "/api/v1/organizers/bigevents/webhooks/7/";
    let redirect = ResponseTemplate::new(301).insert_header("location", location);
    let (pretix, server) = failing(9, redirect).await;
    let error = pretix.delete_webhook(7).send().await.unwrap_err();
    assert_eq!(error.status().unwrap(), 301);
    assert!(error.to_string().contains("redirects are never followed"));
    assert_eq!(
        line(&only_request(&server).await),
        format!("DELETE {location}")
    );
}

#[tokio::test]
async fn delete_can_return_the_disabled_webhook() {
    let (pretix, server) = healthy().await;
    let left = pretix.delete_webhook_and_retrieve(7).await.unwrap();
    assert_eq!(left.id, 7);
    let lines: Vec<String> = requests(&server).await.iter().map(line).collect();
    assert_eq!(
        lines,
        [
            "DELETE /api/v1/organizers/bigevents/webhooks/7/",
            "GET /api/v1/organizers/bigevents/webhooks/7/",
        ]
    );
}

#[tokio::test]
async fn html_page_is_an_ordinary_error() {
    let page = "<!DOCTYPE html><html><body><h1>A page of the server</h1></body></html>";
    let html = ResponseTemplate::new(500).set_body_raw(page, "text/html; charset=utf-8");
    let (pretix, _server) = failing(9, html).await;
    let error = pretix.retrieve_webhook(7).send().await.unwrap_err();
    assert_eq!(error.status().unwrap(), 500);
    assert_eq!(error.body(), Some(page.as_bytes()));
    assert!(error.field_errors().is_empty() && error.detail().is_none());
    assert!(!format!("{error} {error:?}").contains("A page"));
}

#[tokio::test]
async fn password_in_a_target_url_is_never_shown() {
    let (pretix, _server) = healthy().await;
    let update = WebhookUpdate::new().target_url(target());
    let webhook = pretix.retrieve_webhook(7).send().await.unwrap();
    let page = json!({"count": 1, "next": null, "previous": null, "results": [self::webhook(7)]});
    let page: webhook_sdk::pretix::WebhookPage = serde_json::from_value(page).unwrap();
    assert_eq!(
        webhook
            .target_url
            .credentials()
            .unwrap()
            .password()
            .expose(),
        PASSWORD
    );
    let call = pretix.create_webhook(create());
    let replacement = WebhookReplace::from(webhook.clone());
    let shown = format!(
        "{:?} {update:?} {webhook:?} {page:?} {replacement:?} {call:?} {}",
        create(),
        webhook.target_url
    );
    assert!(shown.contains("https://***@example.org/***"));
    assert!(!shown.contains(PASSWORD));

    let quoted = json!({"target_url": [format!("Not https://pretix:{PASSWORD}@example.org/")]});
    for answer in [
        ResponseTemplate::new(400).set_body_json(quoted),
        ResponseTemplate::new(201).set_body_string(PASSWORD),
    ] {
        let (pretix, _server) = failing(9, answer).await;
        let error = pretix.create_webhook(create()).send().await;
        let error = error.unwrap_err();
        assert!(
            !format!("{error} {error:?}").contains(PASSWORD),
            "{error:?}"
        );
    }
}

/// Serves `count` webhooks, `size` on a page, each id once more if `stuck`.
async fn pages(count: i64, size: i64, stuck: bool) -> (PretixClient, MockServer) {
    let server = MockServer::start().await;
    let respond = move |request: &Request| {
        let number = request.url.query_pairs().find(|(name, _)| name == "page");
        let number: i64 = number.map_or(1, |(_, number)| number.parse().unwrap());
        let first = if stuck { 0 } else { (number - 1) * size };
        let results: Vec<Value> = (first..count.min(first + size)).map(webhook).collect();
        let next = (number * size < count).then_some("http://elsewhere.example/?page=99");
        ResponseTemplate::new(200).set_body_json(json!({
            "count": count, "next": next, "previous": null, "results": results,
        }))
    };
    Mock::given(any())
        .respond_with(respond)
        .mount(&server)
        .await;
    (pretix(&server.uri()).build().unwrap(), server)
}

#[tokio::test]
async fn list_is_complete_and_ordered_with_any_prefetch() {
    for prefetch in [0, 1, 9] {
        let (pretix, server) = pages(25, 10, false).await;
        let list = pretix.list_webhooks().enabled(true).page_size(10);
        let mut items = list.stream().prefetch(prefetch);
        let mut ids = Vec::new();
        while let Some(webhook) = items.try_next().await.unwrap() {
            ids.push(webhook.id);
        }
        assert_eq!(ids, (0..25).collect::<Vec<_>>());
        let requests = requests(&server).await;
        assert_eq!(requests.len(), 3);
        for request in requests {
            let query = request.url.query().unwrap();
            assert!(query.starts_with("enabled=true&page="), "{query}");
            assert!(query.ends_with("&page_size=10"), "{query}");
        }
    }
}

#[tokio::test]
async fn pages_have_a_count() {
    let (pretix, _server) = pages(3, 2, false).await;
    let mut pages = pretix.list_webhooks().pages();
    let first = pages.try_next().await.unwrap().unwrap();
    assert_eq!(
        (first.items.len(), first.count, first.has_next),
        (2, 3, true)
    );
    let last = pages.try_next().await.unwrap().unwrap();
    assert_eq!((last.items.len(), last.has_next), (1, false));
    assert!(pages.try_next().await.unwrap().is_none());
}

#[tokio::test]
async fn a_page_that_repeats_is_an_error() {
    let (pretix, server) = pages(25, 10, true).await;
    let mut items = pretix.list_webhooks().stream();
    for _ in 0..10 {
        items.try_next().await.unwrap().unwrap();
    }
    let error = items.try_next().await.unwrap_err();
    assert!(
        error.to_string().contains("page 2 repeats items"),
        "{error}"
    );
    assert!(items.try_next().await.unwrap().is_none());
    assert_eq!(requests(&server).await.len(), 2);
}
