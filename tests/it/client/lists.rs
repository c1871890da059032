//! Lists of many pages, from servers that keep their word and from others.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Barrier;
use webhook_sdk::Error;
use webhook_sdk::preo::{PreoClient, WebhookOrdering};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::support::{preo, webhook};

/// Serves what `page` makes of a page number.
async fn serve(
    page: impl Fn(u64) -> ResponseTemplate + Send + Sync + 'static,
) -> (PreoClient, MockServer) {
    let server = MockServer::start().await;
    let respond = move |request: &Request| {
        let number = request.url.query_pairs().find(|(name, _)| name == "page");
        page(number.map_or(1, |(_, number)| number.parse().unwrap()))
    };
    Mock::given(any())
        .respond_with(respond)
        .mount(&server)
        .await;
    (preo(&server.uri()).build().unwrap(), server)
}

fn page(ids: &[u64], count: u64, next: bool) -> ResponseTemplate {
    let results: Vec<Value> = ids.iter().map(|id| webhook(&format!("wh_{id}"))).collect();
    let next = next.then_some("http://elsewhere.example/v1/webhooks?page=99&steal=token");
    ResponseTemplate::new(200)
        .set_body_json(json!({ "count": count, "next": next, "results": results }))
}

/// A healthy list of `count` items, `size` on a page, which knows no page past the last.
fn healthy(count: u64, size: u64) -> impl Fn(u64) -> ResponseTemplate {
    move |number| {
        let first = (number - 1) * size;
        if number > 1 && first >= count {
            return ResponseTemplate::new(404).set_body_json(json!({ "detail": "Invalid page." }));
        }
        let ids: Vec<u64> = (first..count.min(first + size)).collect();
        page(&ids, count, first + size < count)
    }
}

async fn read(preo: &PreoClient, prefetch: usize) -> (Vec<String>, Option<Error>) {
    let mut items = preo.list_webhooks().prefetch(prefetch);
    let mut ids = Vec::new();
    loop {
        match items.try_next().await {
            Ok(Some(webhook)) => ids.push(webhook.id),
            Ok(None) => return (ids, None),
            Err(error) => {
                assert!(
                    items.try_next().await.unwrap().is_none(),
                    "nothing follows an error"
                );
                return (ids, Some(error));
            }
        }
    }
}

fn ids(range: std::ops::Range<u64>) -> Vec<String> {
    range.map(|id| format!("wh_{id}")).collect()
}

#[tokio::test]
async fn a_list_arrives_complete_and_in_order_whatever_is_prefetched() {
    for prefetch in [0, 1, 3, 100] {
        for count in [0, 1, 9, 10, 11, 25, 30] {
            let (preo, _server) = serve(healthy(count, 10)).await;
            let (read, error) = read(&preo, prefetch).await;
            assert!(error.is_none(), "{error:?}");
            assert_eq!(read, ids(0..count));
        }
    }
}

#[tokio::test]
async fn no_page_is_requested_twice_or_past_the_end() {
    for prefetch in [0, 4] {
        let (preo, server) = serve(healthy(45, 10)).await;
        read(&preo, prefetch).await;
        let requests = server.received_requests().await.unwrap();
        let queries: BTreeSet<_> = requests
            .iter()
            .map(|request| request.url.query().unwrap().to_owned())
            .collect();
        assert_eq!(requests.len(), 5);
        assert_eq!(
            queries,
            ["page=1", "page=2", "page=3", "page=4", "page=5"]
                .map(String::from)
                .into()
        );
    }
}

#[tokio::test]
async fn every_filter_goes_out_with_every_page() {
    let (preo, server) = serve(healthy(3, 1)).await;
    let mut items = preo
        .list_webhooks()
        .organization_id("org_1")
        .edition_id("ed_1")
        .is_active(true)
        .ordering([WebhookOrdering::NameDesc, WebhookOrdering::Created])
        .page_size(1_u64)
        .stream();
    while items.try_next().await.unwrap().is_some() {}
    let queries: Vec<_> = server
        .received_requests()
        .await
        .unwrap()
        .iter()
        .map(|request| request.url.query().unwrap().to_owned())
        .collect();
    let expected = [1, 2, 3].map(|page| {
        format!(
            "edition_id=ed_1&is_active=true&ordering=-name%2Ccreated&organization_id=org_1\
             &page={page}&page_size=1"
        )
    });
    assert_eq!(queries, expected);
}

#[tokio::test]
async fn nothing_is_requested_before_it_is_read() {
    let (preo, server) = serve(healthy(30, 10)).await;
    let mut items = preo.list_webhooks().stream();
    assert!(server.received_requests().await.unwrap().is_empty());
    for _ in 0..10 {
        items.try_next().await.unwrap();
    }
    // Whatever was started in the background is sent before these are answered.
    for _ in 0..3 {
        preo.list_webhooks().page(3_u64).send().await.unwrap();
    }
    let requests = server.received_requests().await.unwrap();
    let queries: Vec<_> = requests
        .iter()
        .map(|request| request.url.query().unwrap())
        .collect();
    assert_eq!(queries, ["page=1", "page=3", "page=3", "page=3"]);
}

#[tokio::test]
async fn prefetching_has_several_pages_under_way_at_once() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    let three_at_once = Arc::new(Barrier::new(3));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer_page(stream, Arc::clone(&three_at_once)));
        }
    });
    let preo = preo(&base_url).build().unwrap();
    let (ids_read, error) = tokio::time::timeout(Duration::from_secs(20), read(&preo, 2))
        .await
        .unwrap();
    assert!(error.is_none(), "{error:?}");
    assert_eq!(ids_read, ids(0..4));
}

/// One of four pages of one item; after the first, none is answered before three are asked for.
async fn answer_page(mut stream: TcpStream, three_at_once: Arc<Barrier>) {
    let mut request = vec![0; 4096];
    let length = stream.read(&mut request).await.unwrap();
    let request = String::from_utf8_lossy(&request[..length]);
    let number = request.split("page=").nth(1).unwrap()[..1]
        .parse::<u64>()
        .unwrap();
    if number > 1 {
        three_at_once.wait().await;
    }
    let next = (number < 4).then_some("more");
    let results = [webhook(&format!("wh_{}", number - 1))];
    let body = json!({ "count": 4, "next": next, "results": results }).to_string();
    let head = format!(
        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}",
        body.len()
    );
    stream
        .write_all(format!("{head}\r\n\r\n{body}").as_bytes())
        .await
        .unwrap();
}

#[tokio::test]
async fn as_many_pages_as_are_prefetched_arrive_while_nobody_reads() {
    let (preo, server) = serve(healthy(60, 10)).await;
    let mut pages = preo.list_webhooks().pages().prefetch(3);
    pages.try_next().await.unwrap();
    let three_asked = async {
        while server.received_requests().await.unwrap().len() < 4 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), three_asked)
        .await
        .unwrap();
    for _ in 0..3 {
        preo.list_webhooks().page(6_u64).send().await.unwrap();
    }
    let requests = server.received_requests().await.unwrap();
    let queries: BTreeSet<_> = requests
        .iter()
        .map(|request| request.url.query().unwrap())
        .collect();
    assert_eq!(
        queries,
        ["page=1", "page=2", "page=3", "page=4", "page=6"].into()
    );
}

#[tokio::test]
async fn a_reader_slower_than_the_time_out_loses_no_prefetched_page() {
    let server = MockServer::start().await;
    let respond = |request: &Request| {
        let number = request.url.query().unwrap()["page=".len()..]
            .parse()
            .unwrap();
        healthy(40, 10)(number).set_delay(Duration::from_millis(20 * number))
    };
    Mock::given(any())
        .respond_with(respond)
        .mount(&server)
        .await;
    let preo = preo(&server.uri()).timeout(Duration::from_secs(2));
    let preo = preo
        .retry(webhook_sdk::RetryPolicy::never())
        .build()
        .unwrap();
    let mut pages = preo.list_webhooks().pages().prefetch(3);
    let mut count = 0;
    while let Some(page) = pages.try_next().await.unwrap() {
        if count == 0 {
            tokio::time::sleep(Duration::from_millis(2_200)).await;
        }
        count += page.items.len();
    }
    assert_eq!(count, 40);
}

#[tokio::test]
async fn empty_pages_without_end_are_an_error() {
    let (preo, server) = serve(|_| page(&[], 0, true)).await;
    let (read, error) = read(&preo, 0).await;
    assert!(read.is_empty());
    assert!(
        error
            .unwrap()
            .to_string()
            .contains("one empty page after the other")
    );
    assert_eq!(server.received_requests().await.unwrap().len(), 100);
}

#[tokio::test]
async fn an_empty_page_in_the_middle_is_not_the_end() {
    for prefetch in [0, 2] {
        let (preo, _server) = serve(|number| match number {
            1 => page(&[0, 1], 4, true),
            2 | 3 => page(&[], 4, true),
            4 => page(&[2, 3], 4, false),
            _ => ResponseTemplate::new(404),
        })
        .await;
        let (read, error) = read(&preo, prefetch).await;
        assert!(error.is_none(), "{error:?}");
        assert_eq!(read, ids(0..4));
    }
}

#[tokio::test]
async fn a_page_that_repeats_is_an_error() {
    for prefetch in [0, 2] {
        let (preo, server) = serve(|_| page(&[0, 1], 100, true)).await;
        let (read, error) = read(&preo, prefetch).await;
        assert_eq!(read, ids(0..2));
        assert!(error.unwrap().to_string().contains("same page twice"));
        assert!(server.received_requests().await.unwrap().len() <= 2 + prefetch);
    }
}

#[tokio::test]
async fn a_failure_in_the_middle_comes_after_what_was_before_it() {
    for prefetch in [0, 2] {
        let (preo, _server) = serve(|number| match number {
            3 => ResponseTemplate::new(403),
            number => healthy(50, 10)(number),
        })
        .await;
        let (read, error) = read(&preo, prefetch).await;
        assert_eq!(read, ids(0..20));
        assert!(error.unwrap().is_forbidden());
    }
}

#[tokio::test]
async fn a_page_that_fails_for_a_moment_is_asked_for_again() {
    let failed = AtomicUsize::new(0);
    let (preo, _server) = serve(move |number| {
        if number == 2 && failed.fetch_add(1, Ordering::SeqCst) == 0 {
            return ResponseTemplate::new(503);
        }
        healthy(30, 10)(number)
    })
    .await;
    let (read, error) = read(&preo, 0).await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!(read, ids(0..30));
}

#[tokio::test]
async fn a_count_that_lies_costs_no_item() {
    for count in [0, 3, 1_000, u64::MAX] {
        for prefetch in [0, 3] {
            let (preo, _server) = serve(move |number| match number {
                1 => page(&[0, 1], count, true),
                2 => page(&[2, 3], count, true),
                3 => page(&[4], count, false),
                _ => ResponseTemplate::new(404),
            })
            .await;
            let (read, error) = read(&preo, prefetch).await;
            assert!(error.is_none(), "{error:?}");
            assert_eq!(read, ids(0..5));
        }
    }
}

#[tokio::test]
async fn the_servers_address_of_the_next_page_is_never_followed() {
    let (preo, server) = serve(healthy(20, 10)).await;
    read(&preo, 0).await;
    for request in server.received_requests().await.unwrap() {
        assert!(!request.url.query().unwrap().contains("steal"));
    }
}

#[tokio::test]
async fn pages_tell_what_the_server_says_of_the_list() {
    let (preo, _server) = serve(healthy(15, 10)).await;
    let mut pages = preo.list_webhooks().pages();
    let first = pages.try_next().await.unwrap().unwrap();
    assert_eq!(
        (first.items.len(), first.count, first.has_next),
        (10, 15, true)
    );
    let last = pages.try_next().await.unwrap().unwrap();
    assert_eq!((last.items.len(), last.has_next), (5, false));
    assert!(pages.try_next().await.unwrap().is_none());
}

#[test]
fn a_list_takes_a_small_part_of_the_memory_that_its_items_would() {
    const COUNT: u64 = 5_000;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let (preo, _server) = runtime.block_on(serve(healthy(COUNT, 20)));
    let measured = allocation_counter::measure(|| {
        runtime.block_on(async {
            let mut items = preo.list_webhooks().prefetch(2);
            while items.try_next().await.unwrap().is_some() {}
        });
    });
    let all = COUNT * webhook("wh_0").to_string().len() as u64;
    assert!(
        measured.bytes_max < all / 5,
        "{} bytes for {all}",
        measured.bytes_max
    );
}
