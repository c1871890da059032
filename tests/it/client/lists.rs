//! Lists of many pages, from healthy and from broken servers.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Barrier, Semaphore};
use webhook_sdk::pagination::Items;
use webhook_sdk::preo::{PreoClient, WebhookOrdering, WebhookSummary};
use webhook_sdk::{Error, RetryPolicy};
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

/// A list of 10 items a page, which `change` edits after each page that is sent.
async fn changing(
    count: u64,
    change: impl Fn(u64, &mut Vec<u64>) + Send + Sync + 'static,
) -> (PreoClient, MockServer) {
    let list = Mutex::new(Vec::from_iter(0..count));
    serve(move |number| {
        let mut list = list.lock().unwrap();
        let Some(window) = list.chunks(10).nth(number as usize - 1) else {
            return ResponseTemplate::new(404).set_body_json(json!({ "detail": "Invalid page." }));
        };
        let response = page(window, list.len() as u64, number * 10 < list.len() as u64);
        change(number, &mut list);
        response
    })
    .await
}

fn assert_changed(error: Option<Error>, what: &str) {
    let error = error.expect(what);
    let text = error.to_string();
    assert!(
        text.starts_with(&format!("list_webhooks: {what}")),
        "{text}"
    );
    assert!(text.contains("collect the items before"), "{text}");
    assert!(!error.is_not_found() && !error.is_retryable());
}

async fn read(preo: &PreoClient, prefetch: usize) -> (Vec<String>, Option<Error>) {
    let mut items = preo.list_webhooks().stream().prefetch(prefetch);
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
async fn list_is_complete_and_ordered_with_and_without_prefetching() {
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
    for prefetch in [0, 4, usize::MAX] {
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
async fn every_page_is_requested_with_all_filters() {
    let (preo, server) = serve(healthy(3, 1)).await;
    let mut items = preo
        .list_webhooks()
        .organization_id("org_1")
        .edition_id("ed_1")
        .is_active(true)
        .ordering([WebhookOrdering::NameDesc, WebhookOrdering::Created])
        .page_size(1)
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
        preo.list_webhooks().page(3).send().await.unwrap();
    }
    let requests = server.received_requests().await.unwrap();
    let queries: Vec<_> = requests
        .iter()
        .map(|request| request.url.query().unwrap())
        .collect();
    assert_eq!(queries, ["page=1", "page=3", "page=3", "page=3"]);
}

/// Serves four pages of one item. A page that the client has received adds a permit.
async fn serve_four_pages() -> (String, Arc<Semaphore>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    let three_at_once = Arc::new(Barrier::new(3));
    let received = Arc::new(Semaphore::new(0));
    tokio::spawn({
        let received = Arc::clone(&received);
        async move {
            while let Ok((stream, _)) = listener.accept().await {
                let three_at_once = Arc::clone(&three_at_once);
                let received = Arc::clone(&received);
                tokio::spawn(async move {
                    answer_page(stream, three_at_once).await;
                    received.add_permits(1);
                });
            }
        }
    });
    (base_url, received)
}

#[tokio::test]
async fn prefetching_requests_several_pages_at_once() {
    let (base_url, _) = serve_four_pages().await;
    let preo = preo(&base_url).build().unwrap();
    let (ids_read, error) = tokio::time::timeout(Duration::from_secs(20), read(&preo, 2))
        .await
        .unwrap();
    assert!(error.is_none(), "{error:?}");
    assert_eq!(ids_read, ids(0..4));
}

/// One of four pages of one item; after the first, none is answered before three are requested.
/// Ends when the client has closed the connection, which it does after the whole response.
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
    let _ = stream.read(&mut [0]).await;
}

#[tokio::test]
async fn prefetched_pages_arrive_while_nobody_reads() {
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
        preo.list_webhooks().page(6).send().await.unwrap();
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
async fn prefetched_pages_do_not_time_out_while_reading_slowly() {
    let (base_url, received) = serve_four_pages().await;
    let preo = preo(&base_url).retry(RetryPolicy::never()).build().unwrap();
    let mut pages = preo.list_webhooks().pages().prefetch(3);
    let mut count = pages.try_next().await.unwrap().unwrap().items.len();
    let all = tokio::time::timeout(Duration::from_secs(20), received.acquire_many(4));
    all.await.unwrap().unwrap().forget();
    // While this is answered, the client's tasks read what they have received.
    preo.list_webhooks().page(1).send().await.unwrap();

    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(60 * 60)).await;
    tokio::time::resume();
    while let Some(page) = pages.try_next().await.unwrap() {
        count += page.items.len();
    }
    assert_eq!(count, 4);
}

#[tokio::test]
async fn endless_empty_pages_are_an_error() {
    let (preo, server) = serve(|_| page(&[], 0, true)).await;
    let (read, error) = read(&preo, 0).await;
    assert!(read.is_empty());
    assert!(
        error
            .unwrap()
            .to_string()
            .contains("100 pages up to page 100 have no new items")
    );
    assert_eq!(server.received_requests().await.unwrap().len(), 100);
}

#[tokio::test]
async fn empty_page_in_the_middle_is_not_the_end() {
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
async fn repeated_page_is_an_error() {
    for prefetch in [0, 2] {
        let (preo, server) = serve(|_| page(&[0, 1], 100, true)).await;
        let (read, error) = read(&preo, prefetch).await;
        assert_eq!(read, ids(0..2));
        let error = error.unwrap();
        assert!(
            error
                .to_string()
                .starts_with("list_webhooks: page 2 repeats"),
            "{error}"
        );
        assert!(server.received_requests().await.unwrap().len() <= 2 + prefetch);
    }
}

#[tokio::test]
async fn failed_page_is_reported_after_the_items_before_it() {
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
async fn page_that_fails_once_is_retried() {
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
async fn wrong_count_does_not_lose_items() {
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
async fn the_url_of_the_next_page_is_never_followed() {
    let (preo, server) = serve(healthy(20, 10)).await;
    read(&preo, 0).await;
    for request in server.received_requests().await.unwrap() {
        assert!(!request.url.query().unwrap().contains("steal"));
    }
}

#[tokio::test]
async fn pages_have_the_announced_count_and_whether_another_follows() {
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
fn list_needs_a_fraction_of_the_memory_of_its_items() {
    const COUNT: u64 = 5_000;
    let all = COUNT * webhook("wh_0").to_string().len() as u64;
    let peak = peak_of_reading(COUNT, 20, 2);
    assert!(peak < all / 5, "{peak} bytes for {all}");
}

#[test]
fn memory_does_not_grow_with_the_length_of_a_list() {
    let peak = |count| peak_of_reading(count, 100, 0);
    let (short, long) = (peak(11_000), peak(33_000));
    assert!(long < short + 256 * 1024, "{short} and {long} bytes");
}

/// The peak of the memory that the client allocates, in bytes.
fn peak_of_reading(count: u64, page_size: u64, prefetch: usize) -> u64 {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let (preo, _server) = runtime.block_on(serve(healthy(count, page_size)));
    let measured = allocation_counter::measure(|| {
        runtime.block_on(async {
            let mut items = preo.list_webhooks().stream().prefetch(prefetch);
            while items.try_next().await.unwrap().is_some() {}
        });
    });
    measured.bytes_max
}

#[tokio::test]
async fn removing_what_was_read_is_reported_instead_of_skipping_items() {
    let (preo, _server) = changing(30, |_, list| _ = list.remove(0)).await;
    let (read, error) = read(&preo, 0).await;
    assert_eq!(read, ids(0..10));
    assert_changed(error, "the list shrank from 30 to 29 items before page 2");
}

#[tokio::test]
async fn missing_page_is_reported_as_a_changed_list() {
    let (preo, _server) = changing(11, |_, list| _ = list.remove(0)).await;
    let (read, error) = read(&preo, 0).await;
    assert_eq!(read, ids(0..10));
    assert_changed(error, "page 2 no longer exists");
}

#[tokio::test]
async fn a_reordered_list_is_reported() {
    let reorder = |number: u64, list: &mut Vec<u64>| list.rotate_left(usize::from(number == 1));
    let (preo, _server) = changing(20, reorder).await;
    let (_, error) = read(&preo, 0).await;
    assert_changed(error, "page 2 repeats items");
}

#[tokio::test]
async fn items_inserted_at_the_front_cause_neither_an_error_nor_a_repetition() {
    for inserted in [1, 9, 10, 25] {
        let insert = move |number: u64, list: &mut Vec<u64>| {
            if number == 1 {
                list.splice(0..0, 100..100 + inserted);
            }
        };
        for prefetch in [0, 2] {
            let (preo, _server) = changing(25, insert).await;
            let (read, error) = read(&preo, prefetch).await;
            assert!(error.is_none(), "{error:?}");
            let (new, old): (Vec<_>, Vec<_>) = read
                .into_iter()
                .partition(|id| id.starts_with("wh_1") && id.len() == 6);
            assert_eq!(old, ids(0..25));
            assert_eq!(BTreeSet::from_iter(&new).len(), new.len());
        }
    }
}

#[tokio::test]
async fn items_appended_while_reading_are_read_too() {
    let append = |number: u64, list: &mut Vec<u64>| {
        if number < 3 {
            list.extend(list.len() as u64..list.len() as u64 + 4);
        }
    };
    let (preo, _server) = changing(25, append).await;
    let (read, error) = read(&preo, 0).await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!(read, ids(0..33));
}

#[tokio::test]
async fn out_of_order_pages_of_a_growing_list_are_not_an_error() {
    let (preo, _server) = serve(|number| match number {
        1 => page(&[0, 1], 6, true),
        2 => page(&[2, 3], 7, true),
        _ => page(&[4, 5], 6, false),
    })
    .await;
    let (read, error) = read(&preo, 2).await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!(read, ids(0..6));
}

#[tokio::test]
async fn item_skipped_by_out_of_order_pages_is_reported() {
    let (preo, _server) = serve(|number| match number {
        1 => page(&[0, 1], 6, true),
        2 => page(&[1, 2], 7, true),
        _ => page(&[4, 5], 6, false),
    })
    .await;
    let (_, error) = read(&preo, 2).await;
    assert_changed(error, "the list ended after 5 items");
}

#[tokio::test]
async fn cycles_of_any_length_end_with_an_error() {
    for length in [1, 2, 3, 7] {
        for prefetch in [0, 3] {
            let (preo, server) = serve(move |number| {
                let first = (number - 1) % length * 2;
                page(&[first, first + 1], 1_000, true)
            })
            .await;
            let (read, error) = read(&preo, prefetch).await;
            assert_eq!(read, ids(0..length * 2));
            assert_changed(error, &format!("page {} repeats items", length + 1));
            assert!(server.received_requests().await.unwrap().len() <= length as usize + 4);
        }
    }
}

#[tokio::test]
async fn a_cycle_longer_than_what_is_remembered_ends_with_an_error() {
    const PAGES: u64 = 11;
    let (preo, server) = serve(|number| {
        let first = (number - 1) % PAGES * 1_000;
        page(&Vec::from_iter(first..first + 1_000), 11_000, true)
    })
    .await;
    let (_, error) = read(&preo, 0).await;
    assert!(error.unwrap().is_list_changed());
    assert!(server.received_requests().await.unwrap().len() <= 3 * PAGES as usize);
}

#[tokio::test]
async fn cycle_with_a_growing_count_ends_with_an_error() {
    let (preo, server) = serve(|number| page(&[0, 1], number * 10, true)).await;
    let (read, error) = read(&preo, 0).await;
    assert_eq!(read, ids(0..2));
    assert!(error.unwrap().to_string().contains("have no new items"));
    assert_eq!(server.received_requests().await.unwrap().len(), 101);
}

#[tokio::test]
async fn prefetching_is_bounded() {
    let (preo, server) = serve(healthy(1_000, 1)).await;
    let mut pages = preo.list_webhooks().pages().prefetch(usize::MAX);
    pages.try_next().await.unwrap();
    pages.try_next().await.unwrap();
    while server.received_requests().await.unwrap().len() < 18 {
        tokio::task::yield_now().await;
    }
    for _ in 0..3 {
        preo.list_webhooks().page(6_u64).send().await.unwrap();
    }
    assert_eq!(server.received_requests().await.unwrap().len(), 18 + 3);
}

#[tokio::test]
async fn a_list_starts_at_the_given_page() {
    let (preo, server) = serve(healthy(45, 10)).await;
    let from_4 = [
        preo.list_webhooks().stream().start_page(4),
        preo.list_webhooks().page(4_u64).stream(),
    ];
    for items in from_4 {
        let read = items.prefetch(2).all().await.unwrap();
        assert_eq!((read.len(), &*read[0].id), (15, "wh_30"));
    }
    let requests = server.received_requests().await.unwrap();
    let queries = requests.iter().map(|request| request.url.query().unwrap());
    assert_eq!(
        Vec::from_iter(queries),
        ["page=4", "page=5", "page=4", "page=5"]
    );

    let mut beyond = preo.list_webhooks().pages().start_page(6);
    assert!(beyond.try_next().await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn list_is_collected_up_to_its_limit() {
    let (preo, _server) = serve(healthy(25, 10)).await;
    assert_eq!(preo.list_webhooks().all().await.unwrap().len(), 25);

    let (preo, _server) = serve(|number| {
        let item = |id: u64| {
            json!({ "id": (number * 25_000 + id).to_string(), "name": "", "url": "", "events": [],
                "created": "2026-01-02T03:04:05Z", "modified": "2026-01-02T03:04:05Z" })
        };
        let results = Vec::from_iter((0..25_000).map(item));
        let body = json!({ "count": 1_000_000, "next": "more", "results": results });
        ResponseTemplate::new(200).set_body_json(body)
    })
    .await;
    let error = preo.list_webhooks().all().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "list_webhooks: more than 100000 items: read them with `stream`"
    );
}

#[tokio::test]
async fn a_list_can_be_returned_from_a_function_and_moved_into_a_task() {
    fn names(preo: &PreoClient) -> Items<WebhookSummary> {
        preo.list_webhooks().is_active(true).stream()
    }
    let (preo, _server) = serve(healthy(25, 10)).await;
    let items = names(&preo);
    drop(preo);
    let read = tokio::spawn(items.all()).await.unwrap().unwrap();
    assert_eq!(read.len(), 25);
}

#[tokio::test]
async fn page_numbers_end_before_they_overflow() {
    for prefetch in [0, 16] {
        let (preo, server) = serve(|number| page(&[number], u64::MAX, true)).await;
        let pages = || preo.list_webhooks().pages().prefetch(prefetch);
        let mut beyond = pages().start_page(u64::MAX);
        let error = beyond.try_next().await.unwrap_err();
        assert!(error.is_validation(), "{error}");
        assert!(beyond.try_next().await.unwrap().is_none());

        let mut last = pages().start_page(u64::MAX - 1);
        assert_eq!(last.try_next().await.unwrap().unwrap().items.len(), 1);
        let error = last.try_next().await.unwrap_err();
        assert!(error.is_validation(), "{error}");
        assert_eq!(server.received_requests().await.unwrap().len(), 1);
    }
}
