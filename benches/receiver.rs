//! What the extractor costs beside a route that only reads the body, and one written by hand.
//!
//! `cargo bench --bench receiver --features axum`
//!
//! One axum server has both routes, on one thread. Over keep-alive connections on loopback, each is
//! sent signed events of 1 KiB, every one of them new, in turns. The extractor verifies, decodes and
//! de-duplicates in memory; the route by hand verifies and decodes, without limits and the rest.
//! Over one connection the server answers each request before it gets the
//! next one; over many it always finds work, and spends less on a request.
//!
//! Beside the requests a second, the processor time of the server's thread is compared, in which
//! neither the sender nor a busy machine shows.

use std::fmt;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{FromRef, State};
use axum::routing::{get, post};
use bytes::Bytes;
use cpu_time::ThreadTime;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use webhook_sdk::receiver::{Delivery, Outcome, Receiver};
use webhook_sdk::signature::{Key, Keyring, Signer, Verifier};
use webhook_sdk::{Secret, preo};

const CONNECTIONS: [usize; 2] = [1, 32];
const REQUESTS: usize = 8_000;
const ROUNDS: usize = 15;
const BODY: usize = 1024;

type Error = Box<dyn std::error::Error>;
type Source = preo::Source<Purchase>;

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

#[derive(Clone)]
struct App {
    receiver: Receiver<Source>,
    verifier: Verifier,
}

impl FromRef<App> for Receiver<Source> {
    fn from_ref(app: &App) -> Self {
        app.receiver.clone()
    }
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

impl fmt::Display for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let each = self.cpu.as_secs_f64() / REQUESTS as f64 * 1e6;
        write!(f, "{:>6.0}/s, {each:>5.2} µs each", self.a_second())
    }
}

fn main() -> Result<(), Error> {
    let secret = Secret::from("the secret of the create call");
    let address = serve(&secret)?;
    let signer = Signer::new(preo::scheme(), &secret)?;
    let mut events = 0..;
    for connections in CONNECTIONS {
        println!("{connections} connections");
        compare(&address, connections, &signer, &mut events)?;
    }
    Ok(())
}

fn compare(
    address: &str,
    connections: usize,
    signer: &Signer,
    events: &mut impl Iterator<Item = usize>,
) -> Result<(), Error> {
    let mut streams = Vec::new();
    for _ in 0..connections {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        streams.push(stream);
    }
    let [mut requests_a_second, mut cpu, mut beside, mut floor] = [const { Vec::new() }; 4];
    for round in 0..=ROUNDS {
        let mut measure = |path| run(&mut streams, &requests(path, events, signer)?);
        let extractor = measure("/extractor")?;
        let by_hand = measure("/by_hand")?;
        let body = measure("/body")?;
        if round == 0 {
            continue;
        }
        println!("extractor {extractor}   by hand {by_hand}   body only {body}");
        let cost = |round: &Round| round.cpu.as_secs_f64();
        requests_a_second.push(extractor.a_second() / body.a_second());
        cpu.push(cost(&body) / cost(&extractor));
        beside.push(cost(&by_hand) / cost(&extractor));
        floor.push(cost(&body) / cost(&by_hand));
    }
    report(
        "requests a second, extractor / body only",
        &mut requests_a_second,
    );
    report("by processor time, extractor / body only", &mut cpu);
    report("by processor time, extractor / by hand", &mut beside);
    report("by processor time, by hand / body only", &mut floor);
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

async fn extractor(delivery: Delivery<Source>) -> Outcome {
    delivery.handle(async |_| ()).await
}

async fn by_hand(State(app): State<App>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let Ok(verified) = app.verifier.verify(&headers, &body) else {
        return StatusCode::UNAUTHORIZED;
    };
    match serde_json::from_slice::<Purchase>(verified.payload()) {
        Ok(_) => StatusCode::NO_CONTENT,
        Err(_) => StatusCode::BAD_REQUEST,
    }
}

async fn body_only(_: Bytes) -> StatusCode {
    StatusCode::NO_CONTENT
}

/// The processor time of the server's thread so far, in nanoseconds.
async fn cpu() -> String {
    format!("{:>20}", ThreadTime::now().as_duration().as_nanos())
}

fn serve(secret: &Secret) -> Result<String, Error> {
    let keyring = Keyring::new(Key::new("bench", secret)?);
    let verifier = Verifier::new(preo::scheme(), keyring);
    let deliveries = preo::Source::new(verifier.clone())
        .payload::<Purchase>()
        .identified_by(|purchase| Some(purchase.id.clone()));
    let receiver = Receiver::new(deliveries);
    let router = Router::new()
        .route("/extractor", post(extractor))
        .route("/by_hand", post(by_hand))
        .route("/body", post(body_only))
        .route("/cpu", get(cpu))
        .with_state(App { receiver, verifier });
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
    let address = listener.local_addr()?.to_string();
    thread::spawn(move || runtime.block_on(async { axum::serve(listener, router).await }));
    Ok(address)
}

/// The whole text of a request for each event.
fn requests(
    path: &str,
    events: &mut impl Iterator<Item = usize>,
    signer: &Signer,
) -> Result<Vec<Vec<u8>>, Error> {
    events
        .take(REQUESTS)
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
fn run(streams: &mut [TcpStream], requests: &[Vec<u8>]) -> Result<Round, Error> {
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

fn server_cpu(stream: &mut TcpStream) -> Result<Duration, Error> {
    stream.write_all(b"GET /cpu HTTP/1.1\r\nhost: localhost\r\n\r\n")?;
    let answer = expect(stream, "HTTP/1.1 200")?;
    let nanoseconds = answer.rsplit("\r\n\r\n").next().ok_or("no body")?.trim();
    Ok(Duration::from_nanos(nanoseconds.parse()?))
}

/// Reads one answer, which is too short to come in parts.
fn expect(stream: &mut TcpStream, status: &str) -> Result<String, Error> {
    let mut answer = [0; 1024];
    let length = stream.read(&mut answer)?;
    let answer = std::str::from_utf8(&answer[..length])?;
    if answer.starts_with(status) {
        return Ok(answer.to_owned());
    }
    Err(format!("unexpected answer: {answer:?}").into())
}
