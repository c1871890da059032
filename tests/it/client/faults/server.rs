//! A server that knows what each call did, and fails three in ten requests.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fastrand::Rng;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time;
use webhook_sdk::{Error, ErrorKind, lune, preo, pretix};

const FAULTY_PERCENT: u8 = 30;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Fault {
    /// 429 without an effect, with or without `Retry-After`.
    Throttled(bool),
    /// One of 500, 502, and 503, and whether the operation took effect.
    Failed(u16, bool),
    /// The connection is reset, and whether the operation took effect.
    Reset(bool),
    /// Half of the body, after the operation took effect.
    CutBody,
    /// A healthy response, with pauses of these milliseconds before it and within it.
    Delayed(u64),
    /// The operation takes effect, and a response is sent, once the client no longer waits.
    TooLate,
    /// Half of the body, and the rest once the client no longer waits.
    Stalled,
    /// No response at all, after the operation took effect.
    Silence,
}

impl Fault {
    fn random(random: &mut Rng, request: &Request) -> Option<Self> {
        if random.u8(..100) >= FAULTY_PERCENT {
            return None;
        }
        let applied = random.bool();
        // pretix rolls back what it answers with an error.
        let failed = |status| Self::Failed(status, applied && request.key.is_none());
        let fault = match random.u8(..100) {
            0..20 => Self::Throttled(random.bool()),
            20..35 => failed(500),
            35..48 => failed(502),
            48..60 => failed(503),
            60..72 => Self::Reset(applied),
            72..84 => Self::CutBody,
            84..96 => Self::Delayed(random.u64(1..20)),
            96..98 => Self::TooLate,
            98 => Self::Stalled,
            _ => Self::Silence,
        };
        // Without a body there is nothing to cut.
        let cuts = matches!(fault, Self::CutBody | Self::Stalled);
        (!cuts || request.method != "DELETE").then_some(fault)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Throttled(_) => "429",
            Self::Failed(500, _) => "500",
            Self::Failed(502, _) => "502",
            Self::Failed(..) => "503",
            Self::Reset(_) => "reset",
            Self::CutBody => "cut body",
            Self::Delayed(_) => "delayed",
            Self::TooLate => "too late",
            Self::Stalled => "stalled body",
            Self::Silence => "no response",
        }
    }

    /// Whether the operation takes effect before the response begins.
    fn takes_effect(self) -> bool {
        match self {
            Self::Throttled(_) | Self::TooLate => false,
            Self::Failed(_, applied) | Self::Reset(applied) => applied,
            Self::CutBody | Self::Delayed(_) | Self::Stalled | Self::Silence => true,
        }
    }

    /// Whether this is how a call ends whose last attempt met this fault.
    pub(super) fn explains(self, error: &Error) -> bool {
        let status = error.status().map(|status| status.as_u16());
        let kind = error.kind();
        match self {
            Self::Throttled(_) => kind == ErrorKind::RateLimited && status == Some(429),
            Self::Failed(failed, _) => kind == ErrorKind::Server && status == Some(failed),
            Self::Reset(_) => kind == ErrorKind::Disconnected && status.is_none(),
            Self::CutBody => kind == ErrorKind::Disconnected && status.is_some(),
            Self::Delayed(_) => false,
            Self::TooLate | Self::Silence => kind == ErrorKind::Timeout && status.is_none(),
            Self::Stalled => kind == ErrorKind::Timeout && status.is_some(),
        }
    }
}

/// What the server knows of one call.
#[derive(Default)]
pub(super) struct Seen {
    /// An attempt each.
    pub(super) faults: Vec<Option<Fault>>,
    pub(super) effects: u32,
}

#[derive(Default)]
pub(super) struct Server {
    requests: AtomicU64,
    /// By the number of the call.
    pub(super) calls: Mutex<HashMap<u64, Seen>>,
    /// The requests that took effect, by their idempotency key, as pretix keeps them.
    kept: Mutex<BTreeSet<String>>,
    pub(super) responses: Mutex<BTreeMap<&'static str, u32>>,
}

pub(super) struct Running {
    pub(super) base_url: String,
    server: Arc<Server>,
    accepting: AbortHandle,
    /// Ends when every connection is closed.
    connections: mpsc::Receiver<()>,
}

impl Running {
    pub(super) async fn start() -> Self {
        let server = Arc::new(Server::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let (open, connections) = mpsc::channel(1);
        let serving = server.clone();
        let accepting = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (server, open) = (serving.clone(), open.clone());
                tokio::spawn(async move {
                    server.serve(BufReader::new(stream)).await;
                    drop(open);
                });
            }
        });
        Self {
            base_url,
            server,
            accepting: accepting.abort_handle(),
            connections,
        }
    }

    /// Waits for what takes effect after its call has ended.
    pub(super) async fn stop(mut self) -> Arc<Server> {
        self.accepting.abort();
        assert_eq!(self.connections.recv().await, None);
        self.server
    }
}

impl Server {
    async fn serve(&self, mut stream: BufReader<TcpStream>) {
        while let Some(request) = Request::read(&mut stream).await {
            let fault = self.fault(&request);
            if fault.is_none_or(Fault::takes_effect) {
                self.apply(&request);
            }
            let (status, body) = request.response();
            let whole = response(status, "", &body);
            let (start, end) = whole.split_at(whole.len() - body.len() / 2);
            let sent = match fault {
                None => send(&mut stream, &whole).await,
                Some(Fault::Throttled(true)) => {
                    send(&mut stream, &response(429, "retry-after: 0\r\n", "{}")).await
                }
                Some(Fault::Throttled(false)) => send(&mut stream, &response(429, "", "{}")).await,
                Some(Fault::Failed(status, _)) => {
                    send(&mut stream, &response(status, "", "<h1>error</h1>")).await
                }
                Some(Fault::CutBody) => {
                    send(&mut stream, start).await;
                    false
                }
                Some(Fault::Reset(_)) => {
                    stream.get_ref().set_zero_linger().unwrap();
                    false
                }
                Some(Fault::Delayed(milliseconds)) => {
                    let pause = Duration::from_millis(milliseconds);
                    time::sleep(pause).await;
                    let began = send(&mut stream, start).await;
                    time::sleep(pause).await;
                    began && send(&mut stream, end).await
                }
                Some(Fault::TooLate) => {
                    closed(&mut stream).await;
                    self.apply(&request);
                    send(&mut stream, &whole).await
                }
                Some(Fault::Stalled) => {
                    send(&mut stream, start).await;
                    closed(&mut stream).await;
                    send(&mut stream, end).await
                }
                Some(Fault::Silence) => {
                    closed(&mut stream).await;
                    false
                }
            };
            if !sent {
                return;
            }
        }
    }

    fn fault(&self, request: &Request) -> Option<Fault> {
        let seed = self.requests.fetch_add(1, Ordering::Relaxed);
        let fault = Fault::random(&mut Rng::with_seed(seed), request);
        let name = fault.map_or("healthy", Fault::name);
        *self.responses.lock().unwrap().entry(name).or_default() += 1;
        let mut calls = self.calls.lock().unwrap();
        calls
            .entry(request.number())
            .or_default()
            .faults
            .push(fault);
        fault
    }

    fn apply(&self, request: &Request) {
        let mut kept = self.kept.lock().unwrap();
        if request
            .key
            .as_ref()
            .is_none_or(|key| kept.insert(key.clone()))
        {
            let mut calls = self.calls.lock().unwrap();
            calls.entry(request.number()).or_default().effects += 1;
        }
    }
}

/// Whether all of it could be sent.
async fn send(stream: &mut BufReader<TcpStream>, bytes: &[u8]) -> bool {
    stream.get_mut().write_all(bytes).await.is_ok()
}

/// Waits until the client closes the connection, as it does when it no longer waits.
async fn closed(stream: &mut BufReader<TcpStream>) {
    stream.read_exact(&mut [0]).await.unwrap_err();
}

struct Request {
    method: String,
    path: String,
    key: Option<String>,
    body: String,
}

impl Request {
    async fn read(stream: &mut BufReader<TcpStream>) -> Option<Self> {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok()?;
        let mut words = line.split(' ').map(str::to_owned);
        let (method, path) = (words.next()?, words.next()?);
        let (mut length, mut key) = (0, None);
        loop {
            let mut header = String::new();
            stream.read_line(&mut header).await.ok()?;
            let Some((name, value)) = header.trim_end().split_once(": ") else {
                break;
            };
            match &*name.to_ascii_lowercase() {
                "content-length" => length = value.parse().unwrap(),
                "x-idempotency-key" => key = Some(value.to_owned()),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.ok()?;
        let body = String::from_utf8(body).unwrap();
        Some(Self {
            method,
            path,
            key,
            body,
        })
    }

    /// The number of the call that sent this.
    fn number(&self) -> u64 {
        let marks = ["call-", "page=", "/webhooks/"].iter();
        let mut found = marks.filter_map(|mark| number_after(&self.path, mark));
        let number = found.next().or(number_after(&self.body, "call-"));
        number.expect("each call has a number")
    }

    fn response(&self) -> (u16, String) {
        let number = self.number();
        let name = format!("call-{number}");
        let path = self.path.split('?').next().unwrap().trim_end_matches('/');
        let (is_list, is_post) = (path.ends_with("/webhooks"), self.method == "POST");
        let body = match (path.split('/').nth(1).unwrap(), &*self.method) {
            (_, "DELETE") => return (204, String::new()),
            ("preo", "GET") if path.ends_with("/deliveries") => {
                page(preo::WebhookDeliverySummary::example().id(name))
            }
            ("preo", _) if path.contains("/deliveries/") => {
                json!(preo::WebhookDelivery::example().id(name))
            }
            ("preo", "GET") if is_list => page(preo::WebhookSummary::example().id(name)),
            ("preo", _) => json!(preo::Webhook::example().id(name)),
            ("lune", "GET") if is_list => json!([lune::Webhook::example().id(name)]),
            ("lune", _) if is_post || path.ends_with("/rotate-secret") => {
                json!(lune::WebhookWithSecret::example().id(name))
            }
            ("lune", _) => json!(lune::Webhook::example().id(name)),
            (_, "GET") if is_list => page(pretix::Webhook::example().id(number as i64)),
            _ => json!(pretix::Webhook::example().id(number as i64)),
        };
        // Lune has 200 for a new webhook.
        let created = is_list && is_post && !path.starts_with("/lune/");
        (if created { 201 } else { 200 }, body.to_string())
    }
}

fn page(row: impl Serialize) -> Value {
    json!({ "count": 1, "next": null, "previous": null, "results": [row] })
}

fn number_after(text: &str, mark: &str) -> Option<u64> {
    let (_, rest) = text.split_once(mark)?;
    let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

fn response(status: u16, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status} \r\n{headers}content-length: {length}\r\n\r\n{body}").into_bytes()
}
