//! The fake, asked in the same order what a real pretix was asked, answers the same.

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Client, Method, Response};
use serde_json::Value;
use webhook_sdk::testing::PretixFake;

use crate::pretix::support::{Exchange, exchanges};

/// Cases that the fake is not asked, and why. The client sends none of these requests, except for
/// those to another organizer.
const LEFT_OUT: [(&str, &[&str]); 9] = [
    (
        "the fixture can't hold the body",
        &["body-invalid-utf8", "body-latin1-charset"],
    ),
    (
        "the fake reads standard JSON alone",
        &["body-nan", "ctype-form", "ctype-form-all-events"],
    ),
    (
        "the fake neither converts types nor fails over them, and names the first wrong one",
        &[
            "several-errors",
            "action-empty-string",
            "action-int",
            "action-true",
            "action-object",
            "action-nested-list",
            "comment-int",
            "enabled-string-false",
            "enabled-int-0",
            "enabled-string-no",
            "enabled-string-off",
        ],
    ),
    (
        "the fake judges no URL that the client can't make",
        &["url-idn", "url-surrounding-space"],
    ),
    (
        "the fake describes no forms, and has one spelling of a path and no redirects to it",
        &[
            "method-options-list",
            "method-options-detail",
            "format-suffix",
            "noslash-list-get",
            "noslash-list-get-query",
            "noslash-detail-get",
            "noslash-detail-delete",
            "noslash-no-auth",
            "id-space",
        ],
    ),
    (
        "the fake speaks JSON alone, and doesn't know its own name",
        &[
            "accept-html",
            "accept-text-javascript",
            "accept-xml-post",
            "query-format-api",
            "host-other",
            "q-page_size-1-x-00",
        ],
    ),
    (
        "the fake has the webhooks' API alone",
        &["idem-query", "idem-query-unknown", "org-slash-encoded"],
    ),
    (
        "the fake has one organizer: another one is another fake",
        &[
            "auth-other-organizers-token",
            "create-in-other-org",
            "id-of-other-organizer",
        ],
    ),
    (
        "the fake reads credentials before the body, and requires a body",
        &["auth-none-bad-body", "body-empty-json", "post-no-body"],
    ),
];

/// Cases of a request that the client can't send, or in another language: pretix and the fake
/// refuse the same fields, but in other words.
const IN_OTHER_WORDS: [&str; 38] = [
    "lang-de-required",
    "lang-fr-url",
    "lang-de-401",
    "url-empty",
    "url-null",
    "url-int",
    "url-list",
    "url-len1025",
    "url-nul",
    "action-null",
    "action-string",
    "action-null-item",
    "action-int-item",
    "limit-null",
    "limit-string",
    "limit-null-item",
    "limit-int-item",
    "limit-object-item",
    "limit-object",
    "comment-len256",
    "comment-bool",
    "comment-list",
    "enabled-int-2",
    "enabled-maybe",
    "enabled-null",
    "enabled-list",
    "enabled-empty",
    "all-events-null",
    "body-array",
    "body-string",
    "body-null",
    "body-number",
    "id-huge",
    "method-put-list",
    "method-delete-list",
    "method-post-detail",
    "method-trace",
    "method-made-up",
];

/// What a parse error says is pretix's parser's own; only its beginning is compared.
const PARSE_ERROR: &str = "JSON parse error - ";

#[tokio::test]
async fn fake_responds_like_recorded_pretix() {
    let pretix = fake().await;
    let client = Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let mut exchanges = exchanges();
    let bodies = exchanges.iter_mut().filter_map(|one| one.body.as_mut());
    bodies.for_each(renumber);
    let mut compared = 0;
    for exchange in &exchanges {
        if exchange.case == "q-none" {
            insert_webhooks_created_in_the_meantime(&pretix, &exchanges);
        }
        if is_left_out(&exchange.case) {
            if let (201, Some(webhook)) = (exchange.status, &exchange.body)
                && exchange.case != "create-in-other-org"
            {
                insert(&pretix, webhook);
            }
            continue;
        }
        let response = send(&client, &pretix, exchange).await;
        compare(exchange, response).await;
        compared += 1;
    }
    let left_out: usize = LEFT_OUT.iter().map(|(_, cases)| cases.len()).sum();
    assert_eq!(compared, exchanges.len() - left_out);
    assert_eq!(compared, 229);
}

/// The id of the webhook that was made for another organizer.
const OTHERS: i64 = 46;

/// Numbers webhooks as if that webhook had never been made.
fn renumber(body: &mut Value) {
    match body {
        Value::Array(items) => items.iter_mut().for_each(renumber),
        Value::Object(fields) => {
            if let Some(id) = fields.get("id").and_then(Value::as_i64)
                && id > OTHERS
            {
                fields["id"] = (id - 1).into();
            }
            fields.values_mut().for_each(renumber);
        }
        _ => {}
    }
}

fn is_left_out(case: &str) -> bool {
    LEFT_OUT.iter().any(|(_, cases)| cases.contains(&case))
}

async fn fake() -> PretixFake {
    let token = |name: &str| format!("{name:0<64}");
    PretixFake::builder()
        .credentials(token("bigeventstoken"))
        .organizer("bigevents", ["democon", "secondcon"])
        .limited_token(token("limitedteamtoken"))
        .revoked_token(token("inactivetoken"))
        .start()
        .await
}

/// Between two recorded cases webhooks were made that only show in the lists that follow.
fn insert_webhooks_created_in_the_meantime(pretix: &PretixFake, exchanges: &[Exchange]) {
    for case in ["q-none", "q-page-2", "q-page-3"] {
        let page = exchanges.iter().find(|exchange| exchange.case == case);
        let results = &page.unwrap().body.as_ref().unwrap()["results"];
        for webhook in results.as_array().unwrap() {
            insert(pretix, webhook);
        }
    }
}

fn insert(pretix: &PretixFake, webhook: &Value) {
    if pretix.webhook(webhook["id"].as_i64().unwrap()).is_none() {
        pretix.seed(serde_json::from_value(webhook.clone()).unwrap());
    }
}

async fn send(client: &Client, pretix: &PretixFake, exchange: &Exchange) -> Response {
    let method: Method = exchange.method.parse().unwrap();
    let url = format!("{}{}", pretix.base_url(), exchange.path);
    let mut request = client.request(method, url).build().unwrap();
    let headers = request.headers_mut();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    let token = HeaderValue::try_from(format!("Token {}", pretix.credentials())).unwrap();
    headers.insert(AUTHORIZATION, token);
    if exchange.request.is_some() {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    for (name, value) in &exchange.request_headers {
        let name: HeaderName = name.parse().unwrap();
        match value {
            Some(value) => {
                // Recorded as the bytes that were sent, one character each.
                let bytes: Vec<u8> = value.chars().map(|c| u8::try_from(c).unwrap()).collect();
                headers.insert(name, HeaderValue::try_from(bytes).unwrap());
            }
            None => {
                headers.remove(name);
            }
        }
    }
    *request.body_mut() = exchange.request.clone().map(Into::into);
    client.execute(request).await.unwrap()
}

async fn compare(exchange: &Exchange, response: Response) {
    let case = &exchange.case;
    assert_eq!(response.status(), exchange.status, "{case}");
    for name in ["Location", "WWW-Authenticate"] {
        let answered = response.headers().get(name);
        let answered = answered.map(|value| value.to_str().unwrap());
        assert_eq!(answered, exchange.header(name), "{case}: {name}");
    }
    let content_type = response.headers().get(CONTENT_TYPE).cloned();
    let body = response.bytes().await.unwrap();
    let Some(recorded) = &exchange.body else {
        let html = exchange.header("Content-Type");
        let answered = content_type.map(|value| value.to_str().unwrap().to_owned());
        if exchange.method != "HEAD" {
            assert_eq!(answered.as_deref(), html, "{case}");
        }
        assert_eq!(body.is_empty(), exchange.text.is_none(), "{case}");
        return;
    };
    assert_eq!(content_type.unwrap(), "application/json", "{case}");
    let answered: Value = serde_json::from_slice(&body).unwrap();
    if IN_OTHER_WORDS.contains(&case.as_str()) {
        let names =
            |value: &Value| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };
        assert_eq!(names(&answered), names(recorded), "{case}");
        return;
    }
    let is_parse_error = |value: &Value| {
        let detail = value["detail"].as_str();
        detail.is_some_and(|detail| detail.starts_with(PARSE_ERROR))
    };
    if is_parse_error(recorded) {
        assert!(is_parse_error(&answered), "{case}: {answered}");
        return;
    }
    assert_eq!(
        without_host(answered),
        without_host(recorded.clone()),
        "{case}"
    );
}

/// Links without the address of the server that made them, with sorted parameters and without
/// the number of the first page.
fn without_host(mut value: Value) -> Value {
    for link in ["next", "previous"] {
        if let Some(url) = value.get(link).and_then(Value::as_str) {
            let path = url.split_once("/api/").unwrap().1;
            let (path, query) = path.split_once('?').unwrap_or((path, ""));
            let mut pairs: Vec<_> = query.split('&').collect();
            pairs.retain(|pair| !["", "page=1"].contains(pair));
            pairs.sort_unstable();
            value[link] = format!("{path}?{}", pairs.join("&")).into();
        }
    }
    value
}
