//! What open forged requests cost a receiver in memory.
//!
//! `cargo bench --bench receiver_memory --features axum`
//!
//! A receiver behind axum runs in a process of its own. Requests of 64 KiB with forged signatures
//! are opened one after the other, each but for its last byte, until all bytes are received; then
//! the growth of the process's peak memory is read. Linux only.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use std::{env, fs, thread};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::routing::{get, post};
use bytes::Bytes;
use http::StatusCode;
use http_body_util::BodyExt;
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use webhook_sdk::receiver::{Outcome, Receiver, Refusal};
use webhook_sdk::signature::{Key, Keyring, Verifier};
use webhook_sdk::{Secret, preo};

const REQUESTS: usize = 1_000;
const SIZE: usize = 64 * 1024;
const MIB: usize = 1024 * 1024;
/// The default, which holds all the requests, and one that doesn't.
const ROOMS: [usize; 2] = [64 * MIB, 16 * MIB];
/// Who has the requests: the receiver, or a route that reads a body and keeps none of it.
const RECEIVER: &str = "/";
const SERVER_ALONE: &str = "/discard";
const ROLE: &str = "receive";

type Error = Box<dyn std::error::Error>;

fn main() -> Result<(), Error> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if let [role, room] = &arguments[..]
        && role == ROLE
    {
        return receive(room.parse()?);
    }
    measure(ROOMS[0], SERVER_ALONE)?;
    for room in ROOMS {
        measure(room, RECEIVER)?;
    }
    Ok(())
}

fn measure(room: usize, path: &str) -> Result<(), Error> {
    let process = Process::start(room)?;
    let mut counts = TcpStream::connect(&process.address)?;
    let before = process.peak_kib()?;
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {SIZE}\r\n{}: {}\r\n\r\n",
        "x-preo-signature",
        "0f".repeat(32)
    );
    let body = vec![b' '; SIZE - 1];
    let mut open = Vec::new();
    let mut refused = 0;
    while open.len() < REQUESTS {
        let mut stream = TcpStream::connect(&process.address)?;
        stream.write_all(head.as_bytes())?;
        stream.write_all(&body)?;
        open.push(stream);
        refused = wait_for(&mut counts, open.len())?;
    }
    let growth = process.peak_kib()? - before;
    let held = REQUESTS - refused;
    let whose = match path {
        RECEIVER => format!("receiver with room for {} MiB", room / MIB),
        _ => "HTTP server alone".to_owned(),
    };
    println!(
        "{whose}, {REQUESTS} forged requests of {} KiB: {held} open, {refused} answered with 503, \
         {:.1} MiB more at the peak, {:.1} KiB for each open one",
        SIZE / 1024,
        growth as f64 / 1024.0,
        growth as f64 / held as f64,
    );
    let mut forged = 0;
    for stream in &mut open {
        stream.write_all(b" ").ok();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer)?;
        forged += usize::from(&answer == b"HTTP/1.1 401");
    }
    if forged != held {
        return Err(format!("{forged} of {held} were answered with 401").into());
    }
    Ok(())
}

/// Waits until so many requests are received or refused, and returns how many are refused.
fn wait_for(counts: &mut TcpStream, requests: usize) -> Result<usize, Error> {
    loop {
        counts.write_all(b"GET /counts HTTP/1.1\r\nhost: localhost\r\n\r\n")?;
        let mut answer = [0; 1024];
        let length = counts.read(&mut answer)?;
        let answer = std::str::from_utf8(&answer[..length])?;
        let line = answer.lines().last().ok_or("no answer")?;
        let (received, refused) = line.split_once(' ').ok_or("no counts")?;
        let refused = refused.parse()?;
        if received.parse::<usize>()? + refused == requests {
            return Ok(refused);
        }
        thread::yield_now();
    }
}

/// The receiver's process; it ends with this value.
struct Process {
    child: Child,
    address: String,
}

impl Process {
    fn start(room: usize) -> Result<Self, Error> {
        let mut child = Command::new(env::current_exe()?)
            .args([ROLE, &room.to_string()])
            .stdout(Stdio::piped())
            .spawn()?;
        let output = child.stdout.take().ok_or("no output")?;
        let mut process = Self {
            child,
            address: String::new(),
        };
        BufReader::new(output).read_line(&mut process.address)?;
        process.address.truncate(process.address.trim_end().len());
        Ok(process)
    }

    fn peak_kib(&self) -> Result<usize, Error> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let number = line.and_then(|line| line.trim().strip_suffix(" kB"));
        Ok(number.ok_or("no VmHWM")?.parse()?)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[derive(Clone)]
struct App {
    receiver: Receiver<preo::Source>,
    counts: Arc<Counts>,
}

/// How many requests are received but for their last byte, and how many were refused.
#[derive(Default)]
struct Counts {
    received: AtomicUsize,
    refused: AtomicUsize,
}

fn receive(room: usize) -> Result<(), Error> {
    let keyring = Keyring::new(Key::new("bench", &Secret::from("secret"))?);
    let deliveries = preo::Source::new(Verifier::new(preo::scheme(), keyring));
    let receiver = Receiver::builder(deliveries)
        .max_buffered_bytes(room)
        .body_timeout(Duration::from_secs(600))
        .build()?;
    let counts = Arc::default();
    let router = Router::new()
        .route(RECEIVER, post(handle))
        .route(SERVER_ALONE, post(discard))
        .route("/counts", get(report))
        .with_state(App { receiver, counts });
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?);
        Ok(axum::serve(listener, router).await?)
    })
}

async fn handle(State(app): State<App>, request: Request) -> Result<Outcome, Refusal> {
    let (parts, body) = request.into_parts();
    let received = app.receiver.receive(&parts, app.counted(body)).await;
    if matches!(received, Err(Refusal::Overloaded)) {
        app.counts.refused.fetch_add(1, Ordering::SeqCst);
    }
    Ok(received?.handle(async |_| ()).await)
}

async fn discard(State(app): State<App>, request: Request) -> StatusCode {
    let mut body = app.counted(request.into_body());
    while let Some(Ok(_)) = body.frame().await {}
    StatusCode::UNAUTHORIZED
}

impl App {
    /// Counts a body as received when all but its last byte is there.
    fn counted(
        &self,
        body: Body,
    ) -> impl http_body::Body<Data = Bytes, Error = axum::Error> + Unpin {
        let counts = Arc::clone(&self.counts);
        let mut length = 0;
        body.map_frame(move |frame| {
            let before = length;
            length += frame.data_ref().map_or(0, Bytes::len);
            if (before + 1..=length).contains(&(SIZE - 1)) {
                counts.received.fetch_add(1, Ordering::SeqCst);
            }
            frame
        })
    }
}

async fn report(State(app): State<App>) -> String {
    let count = |count: &AtomicUsize| count.load(Ordering::SeqCst);
    let Counts { received, refused } = &*app.counts;
    format!("{} {}", count(received), count(refused))
}
