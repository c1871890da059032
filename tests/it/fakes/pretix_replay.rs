//! The fake, asked in the same order what a real pretix was asked, answers the same.

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Client, Method, Response};
use serde_json::Value;
use webhook_sdk::testing::PretixFake;

use crate::pretix::support::{Exchange, exchanges};

/// Cases that the fake is not asked, and why.
const LEFT_OUT: [(&str, &str); 12] = [
    ("body-invalid-utf8", "the fixture can't hold its body"),
    ("body-latin1-charset", "the fixture can't hold its body"),
    ("body-nan", "the fake reads standard JSON"),
    ("ctype-form", "the fake reads JSON alone"),
    ("ctype-form-all-events", "the fake reads JSON alone"),
    ("method-options-list", "the fake describes no forms"),
    ("method-options-detail", "the fake describes no forms"),
    ("format-suffix", "the fake has no second spelling of a path"),
    (
        "org-slash-encoded",
        "the slash counts, and leads to another API",
    ),
    ("host-other", "the fake doesn't know its own name"),
    ("idem-query", "the fake has the webhooks' API alone"),
    ("idem-query-unknown", "the fake has the webhooks' API alone"),
];

/// Cases whose messages are in another language, which the fake doesn't speak.
const TRANSLATED: [&str; 3] = ["lang-de-required", "lang-fr-url", "lang-de-401"];

/// Cases whose message quotes a value that is no text, which the fake writes as JSON.
const QUOTED: [&str; 3] = ["action-null-item", "limit-null-item", "limit-object-item"];

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
    let exchanges = exchanges();
    let mut compared = 0;
    for exchange in &exchanges {
        if exchange.case == "q-none" {
            insert_webhooks_created_in_the_meantime(&pretix, &exchanges);
        }
        if LEFT_OUT.iter().any(|(case, _)| *case == exchange.case) {
            if let (201, Some(webhook)) = (exchange.status, &exchange.body) {
                insert(&pretix, webhook);
            }
            continue;
        }
        let response = send(&client, &pretix, exchange).await;
        compare(exchange, response).await;
        compared += 1;
    }
    assert_eq!(compared, exchanges.len() - LEFT_OUT.len());
    assert_eq!(compared, 259);
}

async fn fake() -> PretixFake {
    let token = |name: &str| format!("{name:0<64}");
    PretixFake::builder()
        .credentials(token("bigeventstoken"))
        .organizer("bigevents", ["democon", "secondcon"])
        .other_organizer("otherorg", token("otherorgtoken"), ["othercon"])
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
    if TRANSLATED.contains(&case.as_str()) || QUOTED.contains(&case.as_str()) {
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

/// Links without the address of the server that made them.
fn without_host(mut value: Value) -> Value {
    for link in ["next", "previous"] {
        if let Some(url) = value.get(link).and_then(Value::as_str) {
            let path = url.split_once("/api/").unwrap().1.to_owned();
            value[link] = path.into();
        }
    }
    value
}
