//! Thousands of calls through a server of which three in ten responses fail.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fastrand::Rng;
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::time;
use webhook_sdk::pretix::{EventScope, PretixClient, TargetUrl};
use webhook_sdk::{Error, ErrorKind, RetryPolicy, preo, pretix};

use crate::support::{TOKEN, webhook};

const CALLS: u64 = 10_000;
const AT_ONCE: usize = 64;
const FAULTY_PERCENT: u8 = 30;
/// Long enough that only a response that never comes times out.
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
    /// No response at all, after the operation took effect.
    Silence,
}

impl Fault {
    fn random(random: &mut Rng, effects: bool) -> Option<Self> {
        if random.u8(..100) >= FAULTY_PERCENT {
            return None;
        }
        let applied = effects && random.bool();
        Some(match random.u8(..100) {
            0..20 => Self::Throttled(random.bool()),
            20..40 => Self::Failed(500, applied),
            40..55 => Self::Failed(502, applied),
            55..70 => Self::Failed(503, applied),
            70..85 => Self::Reset(applied),
            85..98 => Self::CutBody,
            _ => Self::Silence,
        })
    }

    fn takes_effect(self) -> bool {
        match self {
            Self::Throttled(_) => false,
            Self::Failed(_, applied) | Self::Reset(applied) => applied,
            Self::CutBody | Self::Silence => true,
        }
    }

    /// Whether this is how a call ends whose last attempt met this fault.
    fn explains(self, error: &Error) -> bool {
        let status = error.status().map(|status| status.as_u16());
        match self {
            Self::Throttled(_) => error.is_rate_limited() && status == Some(429),
            Self::Failed(failed, _) => status == Some(failed) && !error.is_timeout(),
            Self::Reset(_) => status.is_none() && !error.is_timeout() && error.is_retryable(),
            Self::CutBody => error.kind() == ErrorKind::Disconnected && error.is_retryable(),
            Self::Silence => error.is_timeout(),
        }
    }
}

/// What the server knows of one call, which is recognized by a name of its own.
#[derive(Default)]
struct Seen {
    attempts: u32,
    effects: u32,
    last_fault: Option<Fault>,
}

#[derive(Default)]
struct Server {
    requests: AtomicU64,
    calls: Mutex<HashMap<String, Seen>>,
    /// Responses by idempotency key, as pretix keeps them.
    kept: Mutex<HashMap<String, Value>>,
    faults: Mutex<HashMap<&'static str, u32>>,
}

struct Request {
    method: String,
    path: String,
    key: Option<String>,
    body: Value,
}

impl Server {
    async fn start() -> (String, Arc<Self>) {
        let server = Arc::new(Self::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let accepting = server.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let server = accepting.clone();
                tokio::spawn(async move { server.serve(BufReader::new(stream)).await });
            }
        });
        (base_url, server)
    }

    async fn serve(&self, mut stream: BufReader<TcpStream>) {
        while let Some(request) = Request::read(&mut stream).await {
            let fault = self.fault(&request);
            let (status, body) = self.apply(&request, fault);
            let text = body.to_string();
            let response = match fault {
                None => response(status, "", &text),
                Some(Fault::Throttled(true)) => response(429, "retry-after: 0\r\n", "{}"),
                Some(Fault::Throttled(false)) => response(429, "", "{}"),
                Some(Fault::Failed(status, _)) => response(status, "", "<h1>error</h1>"),
                Some(Fault::CutBody) => {
                    let mut whole = response(status, "", &text);
                    whole.truncate(whole.len() - text.len() / 2);
                    stream.get_mut().write_all(&whole).await.ok();
                    return;
                }
                Some(Fault::Reset(_)) => {
                    stream.get_ref().set_zero_linger().unwrap();
                    return;
                }
                Some(Fault::Silence) => {
                    // The client closes the connection when it stops waiting.
                    stream.read_exact(&mut [0]).await.ok();
                    return;
                }
            };
            if stream.get_mut().write_all(&response).await.is_err() {
                return;
            }
        }
    }

    fn fault(&self, request: &Request) -> Option<Fault> {
        let seed = self.requests.fetch_add(1, Ordering::Relaxed);
        // pretix rolls back what it answers with an error.
        let fault = Fault::random(&mut Rng::with_seed(seed), request.key.is_none());
        // Without a body there is nothing to cut.
        let fault = fault.filter(|&fault| fault != Fault::CutBody || request.method != "DELETE");
        let name = match fault {
            None => "healthy",
            Some(Fault::Throttled(_)) => "429",
            Some(Fault::Failed(500, _)) => "500",
            Some(Fault::Failed(502, _)) => "502",
            Some(Fault::Failed(..)) => "503",
            Some(Fault::Reset(_)) => "reset",
            Some(Fault::CutBody) => "cut body",
            Some(Fault::Silence) => "no response",
        };
        *self.faults.lock().unwrap().entry(name).or_default() += 1;
        fault
    }

    /// Carries out the operation unless the fault comes first, and returns a healthy response.
    fn apply(&self, request: &Request, fault: Option<Fault>) -> (u16, Value) {
        let mut calls = self.calls.lock().unwrap();
        let seen = calls.entry(request.call()).or_default();
        seen.attempts += 1;
        seen.last_fault = fault;
        let mut kept = self.kept.lock().unwrap();
        if let Some(response) = request.key.as_ref().and_then(|key| kept.get(key)) {
            return (201, response.clone());
        }
        if fault.is_none_or(Fault::takes_effect) {
            seen.effects += 1;
            if let Some(key) = &request.key {
                kept.insert(key.clone(), request.response());
            }
        }
        let status = match &*request.method {
            "POST" => 201,
            "DELETE" => 204,
            _ => 200,
        };
        (status, request.response())
    }
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
                "x-idempotency-key" if method == "POST" => key = Some(value.to_owned()),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.ok()?;
        let body = serde_json::from_slice(&body).unwrap_or_default();
        Some(Self {
            method,
            path,
            key,
            body,
        })
    }

    /// The name of the call that sent this.
    fn call(&self) -> String {
        let body = &self.body;
        match (body["name"].as_str(), body["target_url"].as_str()) {
            (Some(name), _) if self.method == "POST" => name.to_owned(),
            (_, Some(url)) => url.rsplit('/').next().unwrap().to_owned(),
            _ => self.path.rsplit('/').next().unwrap().to_owned(),
        }
    }

    fn response(&self) -> Value {
        match &*self.method {
            "DELETE" => Value::Null,
            "POST" if self.key.is_some() => json!({
                "id": 1,
                "enabled": true,
                "target_url": self.body["target_url"],
                "all_events": true,
                "limit_events": [],
                "action_types": ["pretix.event.order.placed"],
                "comment": null,
            }),
            _ => webhook(&self.call()),
        }
    }
}

fn response(status: u16, headers: &str, body: &str) -> Vec<u8> {
    let body = if status == 204 { "" } else { body };
    let length = body.len();
    format!("HTTP/1.1 {status} \r\n{headers}content-length: {length}\r\n\r\n{body}").into_bytes()
}

struct Clients {
    preo: preo::PreoClient,
    pretix: PretixClient,
}

impl Clients {
    /// The call's name, whether it may be repeated, and the name that its response holds.
    async fn call(&self, number: u64) -> (String, bool, Result<Option<String>, Error>) {
        let name = format!("call-{number}");
        let idempotent = number % 5 != 3;
        let result = match number % 5 {
            0 => {
                let call = self.preo.retrieve_webhook(&name).send().await;
                call.map(|webhook| Some(webhook.id))
            }
            1 => {
                let change = preo::WebhookUpdate::new().name("changed");
                let call = self.preo.update_webhook(&name, change).send().await;
                call.map(|webhook| Some(webhook.id))
            }
            2 => self.preo.delete_webhook(&name).send().await.map(|()| None),
            3 => {
                let new = preo::WebhookCreate::builder()
                    .organization_id("org_1")
                    .name(&name)
                    .url("https://example.com/hook")
                    .events(["consent.given"])
                    .build();
                let call = self.preo.create_webhook(new).send().await;
                call.map(|webhook| Some(webhook.id))
            }
            _ => {
                let url = format!("https://example.com/{name}");
                let new = pretix::WebhookCreate::builder()
                    .target_url(TargetUrl::without_credentials(&url).unwrap())
                    .events(EventScope::All)
                    .action_types(["pretix.event.order.placed"])
                    .build();
                let call = self.pretix.create_webhook(new).send().await;
                call.map(|webhook| {
                    let url = webhook.target_url.expose().to_owned();
                    url.rsplit('/').next().map(str::to_owned)
                })
            }
        };
        (name, idempotent, result)
    }
}

#[derive(Default)]
struct Counts {
    succeeded: u32,
    failed: u32,
    retried: u32,
    creates_of_unknown_effect: u32,
}

impl fmt::Display for Counts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            succeeded,
            failed,
            retried,
            creates_of_unknown_effect,
        } = self;
        write!(
            formatter,
            "{succeeded} succeeded ({retried} after a retry), {failed} failed, \
             {creates_of_unknown_effect} of them creates that took effect"
        )
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_through_a_faulty_server_end_as_documented_and_no_post_takes_effect_twice() {
    let (base_url, server) = Server::start().await;
    let wait = Duration::from_millis(1);
    let retry = RetryPolicy::new()
        .max_retries(3)
        .min_backoff(wait)
        .max_backoff(wait);
    let clients = Arc::new(Clients {
        preo: preo::PreoClient::builder(TOKEN)
            .base_url(&base_url)
            .timeout(ATTEMPT)
            .deadline(DEADLINE)
            .retry(retry.clone())
            .build()
            .unwrap(),
        pretix: PretixClient::builder(TOKEN, "organizer")
            .base_url(&base_url)
            .timeout(ATTEMPT)
            .deadline(DEADLINE)
            .retry(retry)
            .build()
            .unwrap(),
    });
    let results: Vec<_> = stream::iter(0..CALLS)
        .map(|number| {
            let clients = clients.clone();
            tokio::spawn(async move {
                let call = clients.call(number);
                time::timeout(DEADLINE + ATTEMPT, call)
                    .await
                    .expect("the deadline passed")
            })
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;

    let calls = server.calls.lock().unwrap();
    let mut counts = Counts::default();
    for result in results {
        let (name, idempotent, result) = result.unwrap();
        let seen = &calls[&name];
        match result {
            Ok(returned) => {
                assert!(returned.is_none_or(|returned| returned == name), "{name}");
                assert!(seen.effects >= 1 && seen.last_fault.is_none(), "{name}");
                counts.succeeded += 1;
                counts.retried += u32::from(seen.attempts > 1);
            }
            Err(error) => {
                let fault = seen.last_fault.expect("a healthy response is a success");
                assert!(fault.explains(&error), "{name}: {fault:?}: {error:?}");
                assert_eq!(error.attempts(), seen.attempts, "{name}");
                counts.failed += 1;
                counts.creates_of_unknown_effect += u32::from(!idempotent && seen.effects == 1);
            }
        }
        let number: u64 = name["call-".len()..].parse().unwrap();
        let is_post = number % 5 >= 3;
        assert!(
            !is_post || seen.effects <= 1,
            "{name} took effect {} times",
            seen.effects
        );
    }
    let mut faults: Vec<_> = server.faults.lock().unwrap().clone().into_iter().collect();
    faults.sort_unstable();
    assert_eq!(faults.len(), 8, "{faults:?}");
    println!("{CALLS} calls: {counts}\nresponses: {faults:?}");
}
