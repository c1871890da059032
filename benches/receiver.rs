//! What the extractor costs beside a route that only reads the body.
//!
//! `cargo bench --bench receiver --features axum`
//!
//! One axum server has both routes, on one thread. Over keep-alive connections on loopback, each is
//! sent signed events of 1 KiB, every one of them new, in turns. The extractor verifies, decodes and
//! de-duplicates in memory. Beside the requests a second, the processor time of the server's thread
//! is compared, in which neither the sender nor a busy machine shows.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::{get, post};
use bytes::Bytes;
use cpu_time::ThreadTime;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use webhook_sdk::receiver::{Answer, Delivery, Receiver};
use webhook_sdk::signature::{Key, Keyring, Signer, Verifier};
use webhook_sdk::{Secret, preo};

const CONNECTIONS: usize = 32;
const REQUESTS: usize = CONNECTIONS * 250;
const ROUNDS: usize = 15;
const BODY: usize = 1024;
const TARGET: f64 = 0.9;

type Deliveries = preo::Deliveries<Purchase>;

#[derive(Deserialize)]
#[allow(dead_code, reason = "decoded as a receiver would")]
struct Purchase {
    id: String,
    event: String,
    items: Vec<Item>,
    note: String,
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "decoded as a receiver would")]
struct Item {
    sku: String,
    name: String,
    cents: u64,
}

struct Round {
    wall: Duration,
    cpu: Duration,
}

impl Round {
    fn a_second(&self) -> f64 {
        REQUESTS as f64 / self.wall.as_secs_f64()
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let secret = Secret::from("the secret of the create call");
    let address = serve(&secret)?;
    let signer = Signer::new(preo::scheme(), &secret)?;
    let mut streams = Vec::new();
    for _ in 0..CONNECTIONS {
        let stream = TcpStream::connect(&address)?;
        stream.set_nodelay(true)?;
        streams.push(stream);
    }

    let (mut wall, mut cpu) = (Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let events = round * REQUESTS..(round + 1) * REQUESTS;
        let extractor = run(
            &mut streams,
            &requests("/extractor", events.clone(), &signer)?,
        )?;
        let body = run(&mut streams, &requests("/body", events, &signer)?)?;
        if round == 0 {
            continue;
        }
        println!(
            "extractor {:>7.0}/s, {:>6.2?} a request   body only {:>7.0}/s, {:>6.2?} a request",
            extractor.a_second(),
            extractor.cpu / REQUESTS as u32,
            body.a_second(),
            body.cpu / REQUESTS as u32
        );
        wall.push(extractor.a_second() / body.a_second());
        cpu.push(body.cpu.as_secs_f64() / extractor.cpu.as_secs_f64());
    }
    report("requests a second, extractor / body only", &mut wall);
    report("the same by the server's processor time", &mut cpu);
    println!("target: at least {TARGET}");
    Ok(())
}

fn report(what: &str, ratios: &mut [f64]) {
    ratios.sort_by(f64::total_cmp);
    println!(
        "{what}: median {:.3}, from {:.3} to {:.3}",
        ratios[ratios.len() / 2],
        ratios[0],
        ratios[ratios.len() - 1]
    );
}

async fn extractor(delivery: Delivery<Deliveries>) -> Answer {
    delivery.handle(async |_| ()).await
}

async fn body_only(_: Bytes) -> StatusCode {
    StatusCode::NO_CONTENT
}

/// The processor time of the server's thread so far, in nanoseconds.
async fn cpu() -> String {
    format!("{:>20}", ThreadTime::now().as_duration().as_nanos())
}

fn serve(secret: &Secret) -> Result<String, Box<dyn std::error::Error>> {
    let keyring = Keyring::new(Key::new("bench", secret)?);
    let deliveries = Deliveries::new(Verifier::new(preo::scheme(), keyring))
        .identified_by(|purchase| Some(purchase.id.clone()));
    let router = Router::new()
        .route("/extractor", post(extractor))
        .route("/body", post(body_only))
        .route("/cpu", get(cpu))
        .with_state(Receiver::new(deliveries));
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
    let address = listener.local_addr()?.to_string();
    thread::spawn(move || runtime.block_on(async { axum::serve(listener, router).await }));
    Ok(address)
}

/// The whole text of a request for each event.
fn requests(
    path: &str,
    events: std::ops::Range<usize>,
    signer: &Signer,
) -> Result<Vec<Vec<u8>>, Box<dyn std::error::Error>> {
    events
        .map(|event| {
            let body = body(event);
            let mut headers = HeaderMap::new();
            signer.sign(&mut headers, body.as_bytes())?;
            let signature = headers[preo::SIGNATURE_HEADER].to_str()?;
            let text = format!(
                "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
                 content-length: {}\r\n{}: {signature}\r\n\r\n{body}",
                body.len(),
                preo::SIGNATURE_HEADER,
            );
            Ok(text.into_bytes())
        })
        .collect()
}

fn body(event: usize) -> String {
    let items: Vec<_> = (0..8)
        .map(|item| {
            format!(
                r#"{{"sku":"sku-{item:04}","name":"An item of the shop","cents":{}}}"#,
                995 + item
            )
        })
        .collect();
    let head = format!(
        r#"{{"id":"event-{event:08}","event":"purchase.action","items":[{}],"note":""#,
        items.join(",")
    );
    let padding = "x".repeat(BODY - head.len() - 2);
    head + &padding + "\"}"
}

/// Sends all requests, a connection's next one as soon as its last is answered.
fn run(
    streams: &mut [TcpStream],
    requests: &[Vec<u8>],
) -> Result<Round, Box<dyn std::error::Error>> {
    let cpu_before = server_cpu(&mut streams[0])?;
    let begun = Instant::now();
    for batch in requests.chunks(streams.len()) {
        for (stream, request) in streams.iter_mut().zip(batch) {
            stream.write_all(request)?;
        }
        for stream in streams.iter_mut() {
            expect(stream, "HTTP/1.1 204")?;
        }
    }
    let wall = begun.elapsed();
    let cpu = server_cpu(&mut streams[0])? - cpu_before;
    Ok(Round { wall, cpu })
}

fn server_cpu(stream: &mut TcpStream) -> Result<Duration, Box<dyn std::error::Error>> {
    stream.write_all(b"GET /cpu HTTP/1.1\r\nhost: localhost\r\n\r\n")?;
    let answer = expect(stream, "HTTP/1.1 200")?;
    let nanoseconds = answer.rsplit("\r\n\r\n").next().ok_or("no body")?.trim();
    Ok(Duration::from_nanos(nanoseconds.parse()?))
}

/// Reads one answer, which is too short to come in parts.
fn expect(stream: &mut TcpStream, status: &str) -> Result<String, Box<dyn std::error::Error>> {
    let mut answer = [0; 1024];
    let length = stream.read(&mut answer)?;
    let answer = std::str::from_utf8(&answer[..length])?;
    if answer.starts_with(status) {
        return Ok(answer.to_owned());
    }
    Err(format!("unexpected answer: {answer:?}").into())
}
