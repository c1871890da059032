use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use webhook_sdk::pretix::{ActionType, EventScope, TargetUrl, Webhook, WebhookCreate};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::{Live, NEVER, nowhere, unique, update, variable};

/// When the connection of a request ends without an answer.
#[derive(Clone, Copy)]
enum Cut {
    /// As soon as the whole request has gone to the server.
    Sent,
    /// When the server has answered, and so has done what was asked.
    Answered,
}

/// A proxy that cuts its first connections, and the idempotency keys that it has seen.
struct Proxy {
    base_url: String,
    keys: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    async fn start(target: &str, cuts: Vec<Cut>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let target = target.strip_prefix("http://").unwrap().to_owned();
        let keys = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&keys);
        tokio::spawn(async move {
            let mut cuts = cuts.into_iter();
            loop {
                let (mut client, _) = listener.accept().await.unwrap();
                let mut server = TcpStream::connect(&target).await.unwrap();
                let request = read_request(&mut client).await;
                seen.lock().unwrap().extend(key(&request));
                server.write_all(&request).await.unwrap();
                match cuts.next() {
                    Some(Cut::Sent) => {
                        drop(client);
                        // The server may take its time over an answer that nobody waits for.
                        tokio::spawn(async move { server.read(&mut [0; 1024]).await });
                    }
                    Some(Cut::Answered) => {
                        server.read_exact(&mut [0; 1]).await.unwrap();
                    }
                    None => {
                        tokio::spawn(
                            async move { copy_bidirectional(&mut client, &mut server).await },
                        );
                    }
                }
            }
        });
        Self { base_url, keys }
    }
}

/// One request, head and body.
async fn read_request(client: &mut TcpStream) -> Vec<u8> {
    let mut request = Vec::new();
    loop {
        let mut piece = [0; 4096];
        let length = client.read(&mut piece).await.unwrap();
        request.extend_from_slice(&piece[..length]);
        let text = String::from_utf8_lossy(&request);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let announced = header(head, "content-length").map_or(0, |n| n.parse().unwrap());
            if length == 0 || body.len() >= announced {
                return request;
            }
        }
        assert!(length > 0, "the client has hung up");
    }
}

fn key(request: &[u8]) -> Option<String> {
    header(&String::from_utf8_lossy(request), "x-idempotency-key")
}

fn header(head: &str, name: &str) -> Option<String> {
    let headers = head.lines().filter_map(|line| line.split_once(": "));
    let mut headers = headers.filter(|(known, _)| known.eq_ignore_ascii_case(name));
    headers.next().map(|(_, value)| value.to_owned())
}

async fn with_comment(live: &Live, comment: &str) -> Vec<Webhook> {
    let pretix = live.client();
    let mut webhooks = pretix.list_webhooks().stream();
    let mut found = Vec::new();
    while let Some(webhook) = webhooks.try_next().await.unwrap() {
        if webhook.comment.as_deref() == Some(comment) {
            found.push(webhook);
        }
    }
    found
}

#[tokio::test]
#[ignore = "needs a pretix"]
async fn create_with_a_closed_connection_creates_one_webhook() {
    let live = Live::find().await;
    for cuts in [
        vec![Cut::Answered],
        vec![Cut::Sent],
        vec![Cut::Answered, Cut::Answered],
    ] {
        let attempts = cuts.len() + 1;
        let proxy = Proxy::start(&live.base_url, cuts).await;
        let pretix = live
            .builder(variable("PRETIX_TOKEN"), &live.organizer)
            .base_url(&proxy.base_url);
        let comment = unique("cut");
        let body = WebhookCreate::builder()
            .target_url(nowhere())
            .events(EventScope::All)
            .action_types(NEVER)
            .comment(&*comment)
            .build();
        let pretix = pretix.build().unwrap();
        let response = pretix.create_webhook(body).send_with_response().await;
        let (made, parts) = response.unwrap().into_parts();
        assert_eq!(parts.status(), 201);
        let found = with_comment(&live, &comment).await;
        assert_eq!(found, [made]);
        let keys = proxy.keys.lock().unwrap().clone();
        // While the first request is in flight, pretix can reject the second one.
        assert!(keys.len() >= attempts, "{keys:?}");
        assert!(keys.iter().all(|key| *key == keys[0]), "{keys:?}");
    }
    live.disable_all().await;
}

#[tokio::test]
#[ignore = "needs a pretix"]
async fn other_writes_survive_a_closed_connection() {
    let live = Live::find().await;
    let body = WebhookCreate::builder()
        .target_url(nowhere())
        .events(EventScope::All)
        .action_types(NEVER)
        .build();
    let id = live.client().create_webhook(body).send().await.unwrap().id;
    let client = async || {
        let proxy = Proxy::start(&live.base_url, vec![Cut::Answered]).await;
        let pretix = live
            .builder(variable("PRETIX_TOKEN"), &live.organizer)
            .base_url(&proxy.base_url);
        (pretix.build().unwrap(), proxy)
    };
    let (pretix, proxy) = client().await;
    let change = pretix.update_webhook(id, update().comment("changed"));
    assert_eq!(
        change.send().await.unwrap().comment.as_deref(),
        Some("changed")
    );
    assert_eq!(proxy.keys.lock().unwrap().len(), 2);

    let (pretix, proxy) = client().await;
    let deleted = pretix.delete_webhook(id).send_with_response().await;
    assert_eq!(deleted.unwrap().status(), 204);
    assert_eq!(proxy.keys.lock().unwrap().len(), 2);

    let (pretix, proxy) = client().await;
    let left = pretix.retrieve_webhook(id).send().await.unwrap();
    assert!(!left.enabled);
    assert!(proxy.keys.lock().unwrap().is_empty(), "reading has no key");
}

#[tokio::test]
#[ignore = "needs a pretix"]
async fn without_a_key_a_closed_connection_creates_two_webhooks() {
    let live = Live::find().await;
    let comment = unique("twice");
    let body = json!({
        "target_url": nowhere(), "all_events": true, "limit_events": [], "action_types": NEVER,
        "comment": comment,
    });
    for _ in 0..2 {
        let (status, _) = live.raw_json(Method::POST, "webhooks/", &body).await;
        assert_eq!(status, 201);
    }
    assert_eq!(with_comment(&live, &comment).await.len(), 2);
    live.disable_all().await;
}

#[tokio::test]
#[ignore = "needs a pretix"]
async fn key_in_use_gets_409_with_retry_after() {
    let live = Live::find().await;
    live.disable_all().await;
    let receiver = MockServer::start().await;
    let slow = ResponseTemplate::new(204).set_delay(Duration::from_secs(2));
    Mock::given(any()).respond_with(slow).mount(&receiver).await;
    let target = TargetUrl::without_credentials(&receiver.uri()).unwrap();
    let body = WebhookCreate::builder()
        .target_url(target)
        .events(EventScope::All)
        .action_types([ActionType::EventChanged])
        .build();
    live.client().create_webhook(body).send().await.unwrap();

    // The test server delivers within the call that causes the notification, which takes as long.
    let key = unique("in-use");
    let rename = || {
        let name = json!({"name": {"en": unique("Slow")}});
        let patch = live.raw(Method::PATCH, &format!("events/{}/", live.event));
        patch.json(&name).header("x-idempotency-key", &key).send()
    };
    let first = tokio::spawn(rename());
    while receiver.received_requests().await.unwrap().is_empty() {
        assert!(
            !first.is_finished(),
            "the receiver is called before the answer"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let second = rename().await.unwrap();
    assert_eq!(second.status(), 409);
    assert_eq!(second.headers()["retry-after"], "5");
    let first = first.await.unwrap().unwrap();
    assert_eq!(first.status(), 200);
    let third = rename().await.unwrap();
    assert_eq!(third.status(), 200);
    assert_eq!(third.text().await.unwrap(), first.text().await.unwrap());
    assert_eq!(receiver.received_requests().await.unwrap().len(), 1);
    live.disable_all().await;
}
