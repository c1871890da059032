//! What a list costs beside a hand-written loop over the same server.
//!
//! `cargo bench --bench listing --features testing`
//!
//! Both clients read 10,000 webhooks in pages of 100 on one thread, in turns; the server has a
//! thread of its own. What counts is the processor time of the clients' thread, so neither the
//! server nor a busy machine shows in the ratio.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use chrono::{DateTime, Utc};
use cpu_time::ThreadTime;
use serde::Deserialize;
use tokio::runtime::Builder;
use webhook_sdk::preo::PreoClient;

const PAGES: usize = 100;
const PAGE_SIZE: usize = 100;
const ROUNDS: usize = 15;

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
    let base_url = serve()?;
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
    let mut webhooks = preo.list_webhooks().page_size(PAGE_SIZE as u64).stream();
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
fn serve() -> std::io::Result<String> {
    let pages: Vec<Vec<u8>> = (1..=PAGES).map(render).collect();
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let base_url = format!("http://{}", listener.local_addr()?);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let pages = pages.clone();
            thread::spawn(move || answer(stream, &pages));
        }
    });
    Ok(base_url)
}

fn answer(mut stream: TcpStream, pages: &[Vec<u8>]) {
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
        if stream.write_all(page).is_err() {
            return;
        }
    }
}

fn render(page: usize) -> Vec<u8> {
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
        (page < PAGES).then(|| format!("https://api.preo.dev/v1/webhooks?page={}", page + 1));
    let count = PAGES * PAGE_SIZE;
    let body = serde_json::json!({ "count": count, "next": next, "results": results }).to_string();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    [head.into_bytes(), body.into_bytes()].concat()
}
