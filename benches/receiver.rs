//! The cost of the extractor beside handwritten routes, and of a delivery without a server.
//!
//! `cargo bench --manifest-path benches/peers/Cargo.toml --no-default-features --bench receiver`
//!
//! In process, a delivery of 1 KiB is verified, decoded, deduplicated in memory, and handled. Its
//! time is printed as a multiple of a bare SHA-256 of the same bytes, for a body of one long text
//! and for one of many values, which takes longer to decode.
//!
//! Behind axum, one server has all routes, on one thread. Over keep-alive connections on loopback,
//! each route is sent new signed events of 1 KiB, in turns:
//!
//! - `extractor` verifies, decodes, and deduplicates, with all limits.
//! - `by hand` verifies with this crate and decodes.
//! - `standardwebhooks` verifies with that crate and decodes.
//! - `body` only reads the body.
//!
//! Over one connection, the server answers each request before it gets the next one; over many, it
//! always finds work. Requests per second are compared, and the processor time of the server's
//! thread, which neither the sender nor a busy machine affects.

use std::hint::black_box;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::{FromRef, State};
use axum::routing::{get, post};
use bytes::Bytes;
use cpu_time::ThreadTime;
use data_encoding::BASE64;
use http::request::Parts;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::Full;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use standardwebhooks::Webhook;
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use webhook_sdk::receiver::{Delivery, Outcome, Receiver, Refusal};
use webhook_sdk::signature::{Signer, Verifier};
use webhook_sdk::{Secret, preo};

const CONNECTIONS: [usize; 2] = [1, 32];
const REQUESTS: usize = 8_000;
const ROUNDS: usize = 15;
const BODY: usize = 1024;
const PATHS: [&str; 4] = ["extractor", "by_hand", "standardwebhooks", "body"];
const SECRET: &str = "the secret of the create call";

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
    peer: Arc<Webhook>,
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

fn main() -> Result<(), Error> {
    in_process("1 KiB of text in process", text)?;
    in_process("1 KiB of 28 values in process", structured)?;
    let signer = signer()?;
    let address = serve()?;
    let mut events = 0..;
    for connections in CONNECTIONS {
        println!("{connections} connections");
        compare(&address, connections, &signer, &mut events)?;
    }
    Ok(())
}

type Step<'a> = &'a dyn Fn(&Parts, &Bytes);

/// Compares the fastest of many short samples, taken in turns.
fn in_process(title: &str, body: fn(usize) -> String) -> Result<(), Error> {
    const SAMPLES: usize = 400;
    const EVENTS: usize = 500;
    const STEPS: [&str; 4] = ["SHA-256", "verify", "decode", "receive and handle"];

    let runtime = Builder::new_current_thread().enable_all().build()?;
    let (signer, verifier, receiver) = (signer()?, verifier()?, receiver()?);
    let steps: [Step<'_>; 3] = [
        &|_, body| {
            black_box(Sha256::digest(black_box(body)));
        },
        &|parts, body| {
            let verified = verifier.verify(black_box(&parts.headers), black_box(body));
            assert!(black_box(verified).is_ok());
        },
        &|_, body| {
            let purchase = serde_json::from_slice::<Purchase>(black_box(body));
            assert!(black_box(purchase).is_ok());
        },
    ];
    let mut fastest = [Duration::MAX; STEPS.len()];
    for sample in 0..SAMPLES {
        let events = sample * EVENTS..(sample + 1) * EVENTS;
        let requests = events.map(|event| signed(&signer, body(event)));
        let requests: Vec<_> = requests.collect::<Result<_, _>>()?;
        for (fastest, step) in fastest.iter_mut().zip(steps) {
            let begun = Instant::now();
            for (parts, body) in &requests {
                step(parts, body);
            }
            *fastest = (*fastest).min(begun.elapsed());
        }
        let begun = Instant::now();
        runtime.block_on(async {
            for (parts, body) in &requests {
                let delivery = receiver.receive(parts, Full::new(body.clone())).await?;
                let outcome = delivery.handle(async |event| drop(black_box(event))).await;
                assert!(outcome.is_success());
            }
            Ok::<_, Refusal>(())
        })?;
        fastest[3] = fastest[3].min(begun.elapsed());
    }
    println!("{title}");
    for (step, time) in STEPS.iter().zip(fastest) {
        println!(
            "{step:<18} {:>5.0} ns, {:.2} x SHA-256",
            time.as_secs_f64() * 1e9 / EVENTS as f64,
            time.as_secs_f64() / fastest[0].as_secs_f64(),
        );
    }
    Ok(())
}

fn signed(signer: &Signer, body: String) -> Result<(Parts, Bytes), Error> {
    let body = Bytes::from(body);
    let request = Request::post("/").header("content-type", "application/json");
    let (mut parts, ()) = request.body(())?.into_parts();
    signer.sign(&mut parts.headers, &body)?;
    Ok((parts, body))
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
    let mut rounds = Vec::new();
    for _ in 0..=ROUNDS {
        let mut round = Vec::new();
        for path in PATHS {
            round.push(run(&mut streams, &requests(path, events, signer)?)?);
        }
        rounds.push(round);
    }
    // The first round warms up.
    let rounds = &rounds[1..];
    for (index, path) in PATHS.iter().enumerate() {
        let middle = median(rounds.iter().map(|round| round[index].a_second()));
        let cpu = median(rounds.iter().map(|round| round[index].cpu.as_secs_f64()));
        let each = cpu / REQUESTS as f64 * 1e6;
        println!("{path:<18} {middle:>6.0}/s, {each:>5.2} µs each");
    }
    for (index, path) in PATHS.iter().enumerate().skip(1) {
        let speed = |round: &Vec<Round>| round[0].a_second() / round[index].a_second();
        let cpu = |round: &Vec<Round>| round[index].cpu.as_secs_f64() / round[0].cpu.as_secs_f64();
        println!(
            "extractor / {path}: {:.3} by requests per second, {:.3} by processor time",
            median(rounds.iter().map(speed)),
            median(rounds.iter().map(cpu)),
        );
    }
    Ok(())
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
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

async fn by_peer(State(app): State<App>, headers: HeaderMap, body: Bytes) -> StatusCode {
    if app.peer.verify(&body, &headers).is_err() {
        return StatusCode::UNAUTHORIZED;
    }
    match serde_json::from_slice::<Purchase>(&body) {
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

fn signer() -> Result<Signer, Error> {
    Ok(Signer::new(preo::scheme(), &Secret::from(SECRET))?)
}

fn verifier() -> Result<Verifier, Error> {
    Ok(preo::verifier(&Secret::from(SECRET))?)
}

fn peer() -> Result<Webhook, Error> {
    Ok(Webhook::new(&BASE64.encode(SECRET.as_bytes()))?)
}

fn receiver() -> Result<Receiver<Source>, Error> {
    let source = preo::Source::new(verifier()?)
        .identified_by::<Purchase>(|purchase| Some(purchase.id.clone()));
    Ok(Receiver::new(source))
}

fn serve() -> Result<String, Error> {
    let app = App {
        receiver: receiver()?,
        verifier: verifier()?,
        peer: Arc::new(peer()?),
    };
    let router = Router::new()
        .route("/extractor", post(extractor))
        .route("/by_hand", post(by_hand))
        .route("/standardwebhooks", post(by_peer))
        .route("/body", post(body_only))
        .route("/cpu", get(cpu))
        .with_state(app);
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
    let address = listener.local_addr()?.to_string();
    thread::spawn(move || runtime.block_on(async { axum::serve(listener, router).await }));
    Ok(address)
}

/// The whole text of a request for each event, signed for this crate and for the peer.
fn requests(
    path: &str,
    events: &mut impl Iterator<Item = usize>,
    signer: &Signer,
) -> Result<Vec<Vec<u8>>, Error> {
    let peer = peer()?;
    events
        .take(REQUESTS)
        .map(|event| {
            let (parts, body) = signed(signer, structured(event))?;
            let signature = parts.headers["x-preo-signature"].to_str()?;
            let (id, now) = (format!("event-{event:08}"), SystemTime::now());
            let now = now.duration_since(UNIX_EPOCH)?.as_secs();
            let standard = peer.sign(&id, now.try_into()?, &body)?;
            let mut text = format!(
                "POST /{path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
                 content-length: {}\r\n{}: {signature}\r\nwebhook-id: {id}\r\n\
                 webhook-timestamp: {now}\r\nwebhook-signature: {standard}\r\n\r\n",
                body.len(),
                "x-preo-signature",
            )
            .into_bytes();
            text.extend_from_slice(&body);
            Ok(text)
        })
        .collect()
}

fn text(event: usize) -> String {
    padded(event, "")
}

fn structured(event: usize) -> String {
    let items: Vec<_> = (0..8)
        .map(|item| {
            format!(
                r#"{{"sku":"sku-{item:04}","name":"An item of the shop","cents":{}}}"#,
                995 + item
            )
        })
        .collect();
    padded(event, &items.join(","))
}

fn padded(event: usize, items: &str) -> String {
    let head = format!(
        r#"{{"id":"event-{event:08}","event":"purchase.action","items":[{items}],"note":""#
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
