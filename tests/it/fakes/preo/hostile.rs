use reqwest::Method;
use serde_json::json;
use webhook_sdk::testing::PreoFake;

use super::Caller;

#[tokio::test]
async fn hostile_bodies_answer_400_and_the_server_goes_on() {
    let preo = PreoFake::start().await;
    let caller = Caller::of(&preo);
    preo.seed_webhooks(1);
    let bodies: [Vec<u8>; 8] = [
        b"\xff\xfe\x00".to_vec(),
        b"{\"name\": \"\xc3\x28\"}".to_vec(),
        "[".repeat(200_000).into_bytes(),
        format!("{{\"events\": {}", "[".repeat(200_000)).into_bytes(),
        b"{\"name\": NaN}".to_vec(),
        b"{\"timeout_seconds\": 1e999}".to_vec(),
        b"{\"name\": \"\\ud800\"}".to_vec(),
        b"\0".to_vec(),
    ];
    for body in bodies {
        for (method, path) in [(Method::POST, ""), (Method::PATCH, "/endpoint-000001")] {
            let request = caller.request(method, path).body(body.clone());
            let request = request.header("content-type", "application/json");
            assert_eq!(request.send().await.unwrap().status(), 400);
        }
    }
    assert_eq!(caller.get("").await.1["count"], 1);
}

#[tokio::test]
async fn hostile_values_answer_400() {
    let preo = PreoFake::start().await;
    let caller = Caller::of(&preo);
    preo.seed_webhooks(1);
    for body in [
        json!({"timeout_seconds": 1e300}),
        json!({"timeout_seconds": i64::MIN}),
        json!({"timeout_seconds": u64::MAX}),
        json!({"timeout_seconds": "-99999999999999999999"}),
        json!({"timeout_seconds": "1".repeat(100_000)}),
        json!({"timeout_seconds": "."}),
        json!({"timeout_seconds": "٣"}),
        json!({"events": ["x".repeat(100_000)]}),
        json!({"events": [[["consent.given"]]]}),
        json!({"name": "\u{feff}\0"}),
        json!({"url": "http://\u{202e}\0/"}),
        json!({"url": "http://[::1/"}),
        json!({"url": "http://%00/"}),
    ] {
        let (status, error) = caller.update("endpoint-000001", &body).await;
        assert_eq!(status, 400, "{body} gave {error}");
    }
}

#[tokio::test]
async fn hostile_queries_are_answered() {
    let preo = PreoFake::start().await;
    let caller = Caller::of(&preo);
    preo.seed_webhooks(2);
    let long = "x".repeat(5_000);
    for (query, status) in [
        ("?page_size=18446744073709551615".to_owned(), 200),
        ("?page_size=99999999999999999999".to_owned(), 200),
        ("?page=18446744073709551615&page_size=1".to_owned(), 404),
        (
            "?page=18446744073709551615&page_size=18446744073709551615".to_owned(),
            404,
        ),
        ("?page=1&page=2&page_size=2&page_size=1".to_owned(), 200),
        ("?%ff=%ff&is_active=%ff&edition_id=%ff".to_owned(), 200),
        ("?ordering=%ff".to_owned(), 400),
        ("?ordering=,,,".to_owned(), 200),
        ("?ordering=-".to_owned(), 400),
        ("?&&&=&==".to_owned(), 200),
        (format!("?organization_id={long}"), 200),
        (format!("?{}", "a=b&".repeat(1_000)), 200),
    ] {
        assert_eq!(caller.get(&query).await.0, status, "{query}");
    }
}

#[tokio::test]
async fn hostile_paths_answer_404() {
    let preo = PreoFake::start().await;
    let caller = Caller::of(&preo);
    for path in [
        "/%ff",
        "/%00",
        "/%",
        "/..%2f..",
        "/x%2Frotate-secret",
        "/x/deliveries/%2e%2e",
        "/x/deliveries/y/retry/z",
    ] {
        let response = caller.request(Method::GET, path).send().await.unwrap();
        assert_eq!(response.status(), 404, "{path}");
    }
}

#[tokio::test]
async fn bodies_of_operations_without_one_are_ignored() {
    let preo = PreoFake::start().await;
    preo.seed_webhooks(1);

    let request = Caller::of(&preo).request(Method::POST, "/endpoint-000001/rotate-secret");
    let response = request.body(b"\xff".to_vec()).send().await.unwrap();

    assert_eq!(response.status(), 200);
}

#[tokio::test]
async fn of_a_repeated_json_key_the_last_counts() {
    let preo = PreoFake::start().await;
    preo.seed_webhooks(1);

    let request = Caller::of(&preo).request(Method::PATCH, "/endpoint-000001");
    let request = request.header("content-type", "application/json");
    let request = request.body(r#"{"name": "a", "name": "b"}"#);

    assert_eq!(super::answer(request).await.1["name"], "b");
}
