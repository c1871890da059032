use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};
use reqwest::{Client, Method, Response};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use webhook_sdk::testing::{Fault, PreoFake, PreoWebhookSeed};

use super::{Caller, accepting, seed, valid_body};

async fn get_with(preo: &PreoFake, name: HeaderName, value: &str) -> Response {
    let url = format!("{}/v1/webhooks", preo.base_url());
    let client = Client::builder().no_proxy().build().unwrap();
    client.get(url).header(name, value).send().await.unwrap()
}

#[tokio::test]
async fn a_request_without_a_token_answers_401() {
    let preo = PreoFake::start().await;
    let caller = Caller::of(&preo);
    for path in ["", "/x", "/x/deliveries", "/x/deliveries/y"] {
        let url = format!("{}/v1/webhooks{path}", caller.base_url);

        let response = caller.client.get(url).send().await.unwrap();

        assert_eq!(response.status(), 401);
        assert_eq!(response.headers()["www-authenticate"], "Bearer");
        let body: Value = response.json().await.unwrap();
        let detail = "Authentication credentials were not provided.";
        assert_eq!(body, json!({"detail": detail}));
    }
}

#[tokio::test]
async fn a_request_with_a_wrong_token_answers_401_and_does_nothing() {
    let preo = PreoFake::start().await;
    let other = PreoFake::start().await;
    let caller = Caller::of(&preo);
    let url = format!("{}/v1/webhooks", caller.base_url);

    let request = caller.client.post(url).bearer_auth(other.token());
    let response = request.json(&valid_body()).send().await.unwrap();

    assert_eq!(response.status(), 401);
    assert_eq!(response.headers()["www-authenticate"], "Bearer");
    let body: Value = response.json().await.unwrap();
    assert_eq!(body, json!({"detail": "Invalid token."}));
    assert!(preo.webhooks().is_empty());
}

#[tokio::test]
async fn the_scheme_counts_and_its_case_does_not() {
    let preo = PreoFake::builder().token("t_1").start().await;
    for (value, status) in [
        ("Bearer t_1", 200),
        ("bearer t_1", 200),
        ("Token t_1", 401),
        ("Bearer", 401),
        ("Bearer ", 401),
        ("Bearert_1", 401),
        ("t_1", 401),
        ("Bearer t_12", 401),
        ("Bearer T_1", 401),
        ("", 401),
    ] {
        let response = get_with(&preo, AUTHORIZATION, value).await;
        assert_eq!(response.status(), status, "{value}");
    }
}

#[tokio::test]
async fn the_builder_moves_the_token_elsewhere() {
    let header = HeaderName::from_static("x-api-key");
    let preo = PreoFake::builder()
        .token("t_1")
        .auth(header.clone(), HeaderValue::from_static(""))
        .start()
        .await;

    let here = get_with(&preo, header, "t_1").await;
    let there = get_with(&preo, AUTHORIZATION, "Bearer t_1").await;

    assert_eq!(here.status(), 200);
    assert_eq!(there.status(), 401);
    assert_eq!(preo.token(), "t_1");
}

#[tokio::test]
async fn other_methods_answer_405_with_the_right_ones() {
    let preo = PreoFake::start().await;
    let caller = Caller::of(&preo);
    for (method, path, allow) in [
        (Method::PUT, "", "GET, POST"),
        (Method::DELETE, "", "GET, POST"),
        (Method::PUT, "/x", "GET, PATCH, DELETE"),
        (Method::GET, "/x/rotate-secret", "POST"),
        (Method::POST, "/x/deliveries", "GET"),
        (Method::DELETE, "/x/deliveries/y", "GET"),
        (Method::GET, "/x/deliveries/y/retry", "POST"),
    ] {
        let response = caller.request(method.clone(), path).send().await.unwrap();

        assert_eq!(response.status(), 405, "{method} {path}");
        assert_eq!(response.headers()["allow"], allow);
        let detail = format!("Method \"{method}\" not allowed.");
        let body: Value = response.json().await.unwrap();
        assert_eq!(body, json!({"detail": detail}));
    }
}

#[tokio::test]
async fn paths_that_are_not_published_answer_404_with_html() {
    let preo = PreoFake::start().await;
    let caller = Caller::of(&preo);
    for path in ["/", "/x/", "/x/secret", "/x/deliveries/", "//deliveries"] {
        let response = caller.request(Method::GET, path).send().await.unwrap();

        assert_eq!(response.status(), 404, "{path}");
        let content_type = &response.headers()["content-type"];
        assert_eq!(content_type, "text/html; charset=utf-8");
        assert!(response.text().await.unwrap().contains("Not Found"));
    }
    let root = caller.client.get(&caller.base_url).send().await.unwrap();
    assert_eq!(root.status(), 404);
}

#[tokio::test]
async fn fakes_share_nothing() {
    let (one, two) = tokio::join!(PreoFake::start(), PreoFake::start());
    let seeded = one.seed_webhooks(2);

    assert_ne!(one.base_url(), two.base_url());
    assert_ne!(one.token(), two.token());
    assert!(two.webhooks().is_empty());
    assert_eq!(two.seed_webhooks(2), seeded);
    let secret = |preo: &PreoFake| preo.webhook(&seeded[0]).unwrap().secret;
    assert_ne!(secret(&one), secret(&two));
    one.inject(Fault::bad_gateway());
    one.limit_rate(0, Duration::ZERO);
    assert_eq!(Caller::of(&two).get("").await.0, 200);
    assert!(one.requests().is_empty());
}

#[tokio::test]
async fn tasks_can_share_a_fake() {
    let preo = Arc::new(PreoFake::start().await);
    let other = Arc::clone(&preo);

    let task = tokio::spawn(async move {
        other.emit("consent.given", json!({})).await;
        other.seed_webhooks(1)
    });

    assert_eq!(task.await.unwrap(), ["endpoint-000001"]);
    assert_eq!(preo.webhooks().len(), 1);
}

#[tokio::test]
async fn a_dropped_fake_no_longer_listens() {
    let preo = PreoFake::start().await;
    let address = preo.base_url().trim_start_matches("http://").to_owned();
    TcpStream::connect(&address).await.unwrap();

    drop(preo);

    let refused = async {
        while TcpStream::connect(&address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    let limit = Duration::from_secs(30);
    tokio::time::timeout(limit, refused).await.unwrap();
}

#[tokio::test]
async fn a_dropped_fake_ends_what_is_under_way() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let preo = PreoFake::start().await;
    preo.insert(PreoWebhookSeed::new(url).timeout_seconds(600));
    let accepted = {
        let emit = std::pin::pin!(preo.emit("consent.given", json!({})).into_future());
        tokio::select! {
            _ = emit => panic!("nobody answers"),
            accepted = listener.accept() => accepted,
        }
    };

    drop(preo);

    let (mut stream, _) = accepted.unwrap();
    let mut rest = Vec::new();
    let read = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut rest);
    let ended = tokio::time::timeout(Duration::from_secs(30), read).await;
    assert!(ended.is_ok());
}

#[tokio::test]
async fn debug_shows_no_token_no_secret_and_no_payload() {
    let receiver = accepting().await;
    let builder = PreoFake::builder().token("t0ken");
    let seed = seed(&receiver).secret("s3cret");
    let before = format!("{builder:?} {seed:?}");
    let preo = builder.start().await;
    let hook = preo.insert(seed);
    let emission = preo.emit("purchase.action", json!({"card": "4111"}));
    let under_way = format!("{emission:?}");
    let deliveries = emission.await;
    Caller::of(&preo).get("").await;
    let fault = Fault::altered().json(&json!({"card": "4111"}));

    let signature = deliveries[0].signature.clone();
    let after = format!(
        "{preo:?} {hook:?} {deliveries:?} {:?} {fault:?}",
        preo.requests()
    );

    for shown in [before, under_way, after] {
        for hidden in ["t0ken", "s3cret", "4111", &signature] {
            assert!(!shown.contains(hidden), "{hidden} in {shown}");
        }
    }
}

#[tokio::test]
async fn the_clock_starts_where_it_is_told_and_moves_on_command() {
    let start = "2030-06-01T12:00:00Z".parse().unwrap();
    let preo = PreoFake::builder().start_time(start).start().await;
    assert_eq!(preo.now(), start);

    preo.advance(Duration::from_secs(59) + Duration::from_millis(999));
    preo.seed_webhooks(1);
    let (_, page) = Caller::of(&preo).get("").await;

    assert_eq!(page["results"][0]["created"], "2030-06-01T12:01:00Z");
    preo.advance(Duration::MAX);
    assert_eq!(preo.now().to_rfc3339(), "9999-12-31T23:59:59+00:00");
    preo.seed_webhooks(1);
}
