//! The cost of a list beside a handwritten loop over the same server, with and without latency.
//!
//! `cargo bench --bench listing --features testing`
//!
//! Both clients read 20,000 webhooks in pages of 100 on one thread, in turns; the server has threads
//! of its own. The processor time of the clients' thread is compared, which neither the server nor
//! a busy machine affects. Then the same pages are read from a server that waits 50 ms before each
//! response, one after the other and with `prefetch(8)`; and the peak of the memory allocated by the
//! clients' thread is compared for 2,000 and 200,000 webhooks.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use cpu_time::ThreadTime;
use serde::Deserialize;
use tokio::runtime::Builder;
use webhook_sdk::pagination::Items;
use webhook_sdk::preo::{PreoClient, WebhookSummary};

const PAGES: usize = 200;
const PAGE_SIZE: usize = 100;
const ROUNDS: usize = 11;
const LATENCY: Duration = Duration::from_millis(50);

#[derive(Deserialize)]
struct Page {
    next: Option<String>,
    results: Vec<Webhook>,
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "decoded like the fields of the SDK")]
struct Webhook {
    id: String,
    organization_id: Option<String>,
    name: String,
    url: String,
    edition_id: Option<String>,
    events: Vec<String>,
    is_active: Option<bool>,
    timeout_seconds: Option<u64>,
    created: DateTime<Utc>,
    modified: DateTime<Utc>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let base_url = serve(PAGES, Duration::ZERO)?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let preo = PreoClient::builder("token").base_url(&base_url).build()?;
    let http = reqwest::Client::new();

    let mut ratios = Vec::new();
    for round in 0..=ROUNDS {
        let sdk = timed(|| runtime.block_on(with_the_sdk(&preo)));
        let by_hand = timed(|| runtime.block_on(by_hand(&http, &base_url)));
        if round > 0 {
            println!("sdk {sdk:>10.2?}   by hand {by_hand:>10.2?}");
            ratios.push(sdk.as_secs_f64() / by_hand.as_secs_f64());
        }
    }
    ratios.sort_by(f64::total_cmp);
    println!(
        "sdk / by hand: median {:.3}, from {:.3} to {:.3}",
        ratios[ROUNDS / 2],
        ratios[0],
        ratios[ROUNDS - 1]
    );
    prefetch()?;
    memory()
}

fn prefetch() -> Result<(), Box<dyn std::error::Error>> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let preo = PreoClient::builder("token")
        .base_url(serve(PAGES, LATENCY)?)
        .build()?;
    let elapsed = |pages: usize| {
        let webhooks = preo.list_webhooks().page_size(PAGE_SIZE as u64).stream();
        let begun = Instant::now();
        let count = runtime.block_on(count(webhooks.prefetch(pages)));
        assert_eq!(count, PAGES * PAGE_SIZE);
        begun.elapsed().as_secs_f64()
    };
    let sequential = elapsed(0);
    let ahead = elapsed(8);
    println!("sequential / prefetch(8): {:.2}", sequential / ahead);
    Ok(())
}

fn memory() -> Result<(), Box<dyn std::error::Error>> {
    let mut peaks = Vec::new();
    for pages in [20, 2_000] {
        let preo = PreoClient::builder("token")
            .base_url(serve(pages, Duration::ZERO)?)
            .build()?;
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let webhooks = preo.list_webhooks().page_size(PAGE_SIZE as u64).stream();
        let measured = allocation_counter::measure(|| {
            assert_eq!(runtime.block_on(count(webhooks)), pages * PAGE_SIZE);
        });
        peaks.push(measured.bytes_max as f64 / 1024.0);
    }
    println!(
        "memory: {:.0} KiB for 2,000, {:.0} KiB for 200,000",
        peaks[0], peaks[1]
    );
    Ok(())
}

fn timed(read: impl FnOnce() -> usize) -> Duration {
    let start = ThreadTime::now();
    let count = read();
    let elapsed = start.elapsed();
    assert_eq!(count, PAGES * PAGE_SIZE);
    elapsed
}

async fn with_the_sdk(preo: &PreoClient) -> usize {
    count(preo.list_webhooks().page_size(PAGE_SIZE as u64).stream()).await
}

async fn count(mut webhooks: Items<WebhookSummary>) -> usize {
    let mut count = 0;
    while let Ok(Some(webhook)) = webhooks.try_next().await {
        count += usize::from(!webhook.id.is_empty());
    }
    count
}

async fn by_hand(http: &reqwest::Client, base_url: &str) -> usize {
    let mut count = 0;
    for number in 1.. {
        let url = format!("{base_url}/v1/webhooks?page={number}&page_size={PAGE_SIZE}");
        let Ok(response) = http.get(url).bearer_auth("token").send().await else {
            break;
        };
        let Ok(page) = response.json::<Page>().await else {
            break;
        };
        count += page
            .results
            .iter()
            .filter(|webhook| !webhook.id.is_empty())
            .count();
        if page.next.is_none() {
            break;
        }
    }
    count
}

/// Serves pages that were rendered before the first request.
fn serve(pages: usize, latency: Duration) -> std::io::Result<String> {
    let pages: Arc<Vec<_>> = Arc::new((1..=pages).map(|page| render(page, pages)).collect());
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let base_url = format!("http://{}", listener.local_addr()?);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let pages = pages.clone();
            thread::spawn(move || answer(stream, &pages, latency));
        }
    });
    Ok(base_url)
}

fn answer(mut stream: TcpStream, pages: &[Vec<u8>], latency: Duration) {
    stream.set_nodelay(true).ok();
    let mut request = [0; 4096];
    while let Ok(length) = stream.read(&mut request) {
        let text = String::from_utf8_lossy(&request[..length]);
        let number = text
            .split("page=")
            .nth(1)
            .and_then(|rest| rest.split(['&', ' ']).next());
        let page = number.and_then(|number| number.parse::<usize>().ok());
        let Some(page) = page.and_then(|page| pages.get(page - 1)) else {
            return;
        };
        thread::sleep(latency);
        if stream.write_all(page).is_err() {
            return;
        }
    }
}

fn render(page: usize, pages: usize) -> Vec<u8> {
    let results: Vec<_> = (0..PAGE_SIZE)
        .map(|index| {
            let number = page * PAGE_SIZE + index;
            serde_json::json!({
                "id": format!("endpoint-{number:06}"),
                "organization_id": "0b7c7e1c-9d3c-4c7b-a1f7-4f8f3a7f0001",
                "name": format!("Webhook {number}"),
                "url": format!("https://receiver.example.com/hooks/preo/{number}"),
                "edition_id": null,
                "events": ["consent.given", "consent.withdrawn", "purchase.action"],
                "is_active": true,
                "timeout_seconds": 10,
                "created": "2026-01-02T03:04:05.678901Z",
                "modified": "2026-11-02T03:04:05.678901Z",
            })
        })
        .collect();
    let next =
        (page < pages).then(|| format!("https://api.preo.dev/v1/webhooks?page={}", page + 1));
    let count = pages * PAGE_SIZE;
    let body = serde_json::json!({ "count": count, "next": next, "results": results }).to_string();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    [head.into_bytes(), body.into_bytes()].concat()
}
