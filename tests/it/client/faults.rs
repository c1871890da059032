//! Thousands of calls through a server of which three in ten responses fail.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fastrand::Rng;
use futures_util::{StreamExt, stream};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time;
use webhook_sdk::lune::LuneClient;
use webhook_sdk::preo::PreoClient;
use webhook_sdk::pretix::{EventScope, PretixClient, TargetUrl};
use webhook_sdk::{Error, ErrorKind, RetryPolicy, lune, preo, pretix};

use crate::inventory::{self, operations};
use crate::support::TOKEN;

const CALLS: u64 = 10_000;
const AT_ONCE: usize = 128;
const FAULTY_PERCENT: u8 = 30;
/// Long enough that only a response that waits for the client to give up times out.
const ATTEMPT: Duration = Duration::from_secs(5);
const DEADLINE: Duration = Duration::from_secs(30);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Fault {
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
    fn explains(self, error: &Error) -> bool {
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
struct Seen {
    /// An attempt each.
    faults: Vec<Option<Fault>>,
    effects: u32,
}

#[derive(Default)]
struct Server {
    requests: AtomicU64,
    /// By the number of the call.
    calls: Mutex<HashMap<u64, Seen>>,
    /// The requests that took effect, by their idempotency key, as pretix keeps them.
    kept: Mutex<BTreeSet<String>>,
    responses: Mutex<BTreeMap<&'static str, u32>>,
}

struct Running {
    base_url: String,
    server: Arc<Server>,
    accepting: AbortHandle,
    /// Ends when every connection is closed.
    connections: mpsc::Receiver<()>,
}

impl Running {
    async fn start() -> Self {
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
    async fn stop(mut self) -> Arc<Server> {
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

/// A call's operation, and the number that its response holds.
type Ended = (&'static str, Result<Option<u64>, Error>);

struct Clients {
    preo: PreoClient,
    lune: LuneClient,
    pretix: PretixClient,
}

impl Clients {
    fn new(base_url: &str) -> Self {
        let wait = Duration::from_millis(1);
        let retry = RetryPolicy::new()
            .max_retries(3)
            .min_backoff(wait)
            .max_backoff(wait);
        macro_rules! client {
            ($builder:expr, $path:literal) => {
                $builder
                    .base_url(format!("{base_url}{}", $path))
                    .requests_per_second(None)
                    .timeout(ATTEMPT)
                    .deadline(DEADLINE)
                    .retry(retry.clone())
                    .build()
                    .unwrap()
            };
        }
        Self {
            preo: client!(PreoClient::builder(TOKEN), "/preo"),
            lune: client!(LuneClient::builder(TOKEN), "/lune"),
            pretix: client!(PretixClient::builder(TOKEN, "organizer"), "/pretix"),
        }
    }

    async fn call(&self, number: u64) -> Ended {
        match number % 21 {
            0..9 => self.call_preo(number).await,
            9..15 => self.call_lune(number).await,
            _ => self.call_pretix(number).await,
        }
    }

    async fn call_preo(&self, number: u64) -> Ended {
        let (preo, id) = (&self.preo, format!("call-{number}"));
        match number % 21 {
            0 => {
                one(
                    "preo list_webhooks",
                    preo.list_webhooks().page(number).send(),
                    |page| page.results[0].id.clone(),
                )
                .await
            }
            1 => {
                let new = preo::WebhookCreate::builder()
                    .organization_id("org_1")
                    .name(id)
                    .url("https://example.com/hook")
                    .events(["consent.given"])
                    .build();
                one(
                    "preo create_webhook",
                    preo.create_webhook(new).send(),
                    |w| w.id,
                )
                .await
            }
            2 => {
                one(
                    "preo retrieve_webhook",
                    preo.retrieve_webhook(id).send(),
                    |w| w.id,
                )
                .await
            }
            3 => {
                let change = preo::WebhookUpdate::new().name("changed");
                let call = preo.update_webhook(id, change).send();
                one("preo update_webhook", call, |w| w.id).await
            }
            4 => none("preo delete_webhook", preo.delete_webhook(id).send()).await,
            5 => {
                let call = preo.rotate_webhook_secret(id).send();
                one("preo rotate_webhook_secret", call, |w| w.id).await
            }
            6 => {
                let call = preo.list_webhook_deliveries(id).send();
                one("preo list_webhook_deliveries", call, |page| {
                    page.results[0].id.clone()
                })
                .await
            }
            7 => {
                let call = preo.retrieve_webhook_delivery(id, "dl_1").send();
                one("preo retrieve_webhook_delivery", call, |delivery| {
                    delivery.id
                })
                .await
            }
            _ => {
                let call = preo.retry_webhook_delivery(id, "dl_1").send();
                one("preo retry_webhook_delivery", call, |delivery| delivery.id).await
            }
        }
    }

    async fn call_lune(&self, number: u64) -> Ended {
        let (lune, id) = (&self.lune, format!("call-{number}"));
        let url: lune::WebhookUrl = format!("https://example.com/{id}").parse().unwrap();
        match number % 21 {
            9 => {
                let call = lune.list_webhooks().account_id([id]).send();
                one("lune list_webhooks", call, |webhooks| {
                    webhooks[0].id.clone()
                })
                .await
            }
            10 => {
                let new = lune::WebhookCreate::builder().url(url).build();
                one(
                    "lune create_webhook",
                    lune.create_webhook(new).send(),
                    |w| w.id,
                )
                .await
            }
            11 => {
                one(
                    "lune retrieve_webhook",
                    lune.retrieve_webhook(id).send(),
                    |w| w.id,
                )
                .await
            }
            12 => {
                let change = lune::WebhookUpdate::builder()
                    .url(url)
                    .enabled(true)
                    .build();
                let call = lune.update_webhook(id, change).send();
                one("lune update_webhook", call, |w| w.id).await
            }
            13 => none("lune delete_webhook", lune.delete_webhook(id).send()).await,
            _ => {
                let call = lune.rotate_webhook_secret(id).send();
                one("lune rotate_webhook_secret", call, |w| w.id).await
            }
        }
    }

    async fn call_pretix(&self, number: u64) -> Ended {
        let (pretix, id) = (&self.pretix, number as i64);
        let url = format!("https://example.com/call-{number}");
        let url = TargetUrl::without_credentials(&url).unwrap();
        let ending = |webhook: pretix::Webhook| webhook.id.to_string();
        match number % 21 {
            15 => {
                let call = pretix.list_webhooks().page(number).send();
                one("pretix list_webhooks", call, |page| {
                    page.results[0].id.to_string()
                })
                .await
            }
            16 => {
                let new = pretix::WebhookCreate::builder()
                    .target_url(url)
                    .events(EventScope::All)
                    .action_types(["pretix.event.order.placed"])
                    .build();
                one(
                    "pretix create_webhook",
                    pretix.create_webhook(new).send(),
                    ending,
                )
                .await
            }
            17 => {
                one(
                    "pretix retrieve_webhook",
                    pretix.retrieve_webhook(id).send(),
                    ending,
                )
                .await
            }
            18 => {
                let change = pretix::WebhookUpdate::new().enabled(true);
                let call = pretix.update_webhook(id, change).send();
                one("pretix update_webhook", call, ending).await
            }
            19 => {
                let replacement = pretix::WebhookReplace::from(pretix::Webhook::example());
                let call = pretix.replace_webhook(id, replacement).send();
                one("pretix replace_webhook", call, ending).await
            }
            _ => none("pretix delete_webhook", pretix.delete_webhook(id).send()).await,
        }
    }
}

async fn one<T>(
    operation: &'static str,
    call: impl Future<Output = Result<T, Error>>,
    id: impl FnOnce(T) -> String,
) -> Ended {
    let number = |text: String| text.trim_start_matches("call-").parse().ok();
    (operation, call.await.map(|value| number(id(value))))
}

async fn none(operation: &'static str, call: impl Future<Output = Result<(), Error>>) -> Ended {
    (operation, call.await.map(|()| None))
}

#[derive(Default, Debug)]
struct Counts {
    succeeded: u32,
    of_them_after_a_retry: u32,
    failed: u32,
    of_them_posts_that_took_effect: u32,
    of_these_after_the_call: u32,
}

/// The operations that are a POST, and whether the request has an idempotency key.
const POSTS: [(&str, bool); 5] = [
    ("preo create_webhook", false),
    ("preo rotate_webhook_secret", false),
    ("preo retry_webhook_delivery", false),
    ("lune create_webhook", false),
    ("pretix create_webhook", true),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_through_a_faulty_server_end_as_documented_and_no_post_takes_effect_twice() {
    let running = Running::start().await;
    let clients = Arc::new(Clients::new(&running.base_url));
    let results: Vec<_> = stream::iter(1..=CALLS)
        .map(|number| {
            let clients = clients.clone();
            tokio::spawn(async move {
                let call = clients.call(number);
                let ended = time::timeout(DEADLINE + ATTEMPT, call).await;
                (number, ended.expect("the deadline passed"))
            })
        })
        .buffer_unordered(AT_ONCE)
        .map(Result::unwrap)
        .collect()
        .await;
    drop(clients);
    let server = running.stop().await;

    let calls = server.calls.lock().unwrap();
    let mut counts = Counts::default();
    let mut called = BTreeSet::new();
    for (number, (operation, result)) in results {
        called.insert(operation);
        let Seen { faults, effects } = &calls[&number];
        let what = format!("{operation} {number}: {faults:?}: {effects} effects: {result:?}");
        let last = faults.last().unwrap();
        let post = POSTS.iter().find(|(post, _)| *post == operation);
        match &result {
            Ok(returned) => {
                assert!(returned.is_none_or(|returned| returned == number), "{what}");
                assert!(matches!(last, None | Some(Fault::Delayed(_))), "{what}");
                assert!(*effects >= 1, "{what}");
                counts.succeeded += 1;
                counts.of_them_after_a_retry += u32::from(faults.len() > 1);
            }
            Err(error) => {
                assert!(last.is_some_and(|fault| fault.explains(error)), "{what}");
                assert_eq!(error.attempts() as usize, faults.len(), "{what}");
                let reads = ["list", "retrieve_"]
                    .iter()
                    .any(|read| operation.contains(read));
                assert!(
                    reads || *effects == 0 || error.may_have_been_applied(),
                    "{what}"
                );
                counts.failed += 1;
                if post.is_some() && *effects == 1 {
                    counts.of_them_posts_that_took_effect += 1;
                    counts.of_these_after_the_call += u32::from(*last == Some(Fault::TooLate));
                }
            }
        }
        if let Some((_, has_key)) = post {
            assert!(*effects <= 1, "{what}");
            let throttled = |fault: &Option<Fault>| matches!(fault, Some(Fault::Throttled(_)));
            let repeated = &faults[..faults.len() - 1];
            assert!(*has_key || repeated.iter().all(throttled), "{what}");
        }
    }
    let documents = [
        ("lune", inventory::LUNE),
        ("preo", inventory::PREO),
        ("pretix", inventory::PRETIX),
    ];
    let all = documents.iter().flat_map(|(service, document)| {
        operations(document)
            .into_iter()
            .map(move |operation| format!("{service} {operation}"))
    });
    assert_eq!(
        called,
        all.collect::<BTreeSet<_>>()
            .iter()
            .map(String::as_str)
            .collect()
    );
    let responses = server.responses.lock().unwrap();
    assert_eq!(responses.len(), 11, "{responses:?}");
    assert!(counts.of_these_after_the_call > 0, "{counts:?}");
    println!("{CALLS} calls: {counts:?}\nresponses: {responses:?}");
}
