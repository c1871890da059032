//! The fake and a real pretix, asked the same at random, respond the same.

use fastrand::Rng;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Map, Value, json};
use webhook_sdk::testing::PretixFake;

use super::{Live, unique, variable};

const SEED: u64 = 7;
const CALLS: usize = 600;

/// Action types that nothing causes here, so that nothing is delivered.
const TYPES: [&str; 4] = [
    "pretix.customer.anonymized",
    "pretix.giftcards.modified",
    "pretix.voucher.deleted",
    "pretix.subevent.*",
];
const TARGETS: [&str; 11] = [
    "https://receiver.example/hook",
    "http://127.0.0.1:9/",
    "ftp://receiver.example/",
    "https://user:p%40ss@receiver.example:99999/?x=1#y",
    "https://b_cher.example/",
    "http://intranet/",
    "http://[::1]/",
    "http://a:b:c@d.example/",
    "https://-a.example/",
    "mailto:a@b.example",
    "https://receiver.example.:1/",
];

/// A webhook's id at pretix and at the fake.
type Ids = Vec<(i64, i64)>;

/// One call: what it is, without an id.
struct Call {
    method: Method,
    /// The place of a webhook among those that were created, or none at all.
    webhook: Option<usize>,
    query: &'static str,
    body: Option<Value>,
    key: Option<String>,
}

fn calls(rng: &mut Rng, created: usize, run: &str) -> Call {
    let webhook = rng.usize(0..=created);
    let key = (rng.u8(0..10) == 0).then(|| format!("{run}-{}", rng.u8(0..12)));
    let (method, webhook, query, body) = match rng.u8(0..10) {
        0..=2 => (Method::POST, None, "", Some(body(rng, 2))),
        3 | 4 => (Method::PATCH, Some(webhook), "", Some(body(rng, 60))),
        5 | 6 => (Method::PUT, Some(webhook), "", Some(body(rng, 3))),
        7 => (Method::DELETE, Some(webhook), "", None),
        8 => (Method::GET, Some(webhook), "", None),
        _ => {
            let queries = [
                "?page_size=50",
                "?enabled=true",
                "?enabled=0",
                "?page=0",
                "?page=x",
            ];
            let query = queries[rng.usize(0..queries.len())];
            (Method::GET, None, query, None)
        }
    };
    Call {
        method,
        webhook,
        query,
        body,
        key,
    }
}

/// A body with the types of the document, which leaves out each field in so many of a hundred
/// cases.
fn body(rng: &mut Rng, absent: u8) -> Value {
    let mut body = Map::new();
    let mut set = |rng: &mut Rng, name: &str, value: Value| {
        if rng.u8(0..100) >= absent {
            body.insert(name.to_owned(), value);
        }
    };
    // Mostly the first ones, so that about half of all bodies are accepted.
    let target = TARGETS[rng.usize(0..TARGETS.len()).min(rng.usize(0..TARGETS.len()))];
    set(rng, "target_url", json!(target));
    let types: Vec<_> = (0..rng.usize(0..4))
        .map(|_| TYPES[rng.usize(0..TYPES.len())])
        .collect();
    let types = match rng.u8(0..12) {
        0 => json!(["made.up", types.first().copied().unwrap_or("made.up.too")]),
        _ => json!(types),
    };
    set(rng, "action_types", types);
    let events = match rng.u8(0..8) {
        0 | 1 => json!(["democon"]),
        2 => json!(["secondcon", "democon", "democon"]),
        3 => json!(["nosuchcon"]),
        _ => json!([]),
    };
    set(rng, "limit_events", events);
    let value = json!(rng.u8(0..3) > 0);
    set(rng, "all_events", value);
    let value = json!(rng.bool());
    set(rng, "enabled", value);
    let comments = [
        json!(null),
        json!("gate"),
        json!("\u{1f} \u{1f389} "),
        json!("x".repeat(255)),
        json!("a\u{0}b"),
    ];
    let comment = comments[rng.usize(0..comments.len())].clone();
    set(rng, "comment", comment);
    body.into()
}

/// Sends a call; of a list, all pages.
async fn send(call: &Call, request: impl Fn(&str) -> RequestBuilder) -> (u16, Value) {
    let mut builder = request(call.query);
    if let Some(body) = &call.body {
        builder = builder.json(body);
    }
    if let Some(key) = &call.key {
        builder = builder.header("x-idempotency-key", key);
    }
    let response = builder.send().await.unwrap();
    let status = response.status().as_u16();
    let mut answer: Value = response.json().await.unwrap_or_default();
    for page in 2.. {
        if answer["next"].is_null() {
            break;
        }
        let next = request(&format!("{}&page={page}", call.query)).send().await;
        let mut next: Value = next.unwrap().json().await.unwrap();
        let more = next["results"].as_array_mut().unwrap().split_off(0);
        answer["results"].as_array_mut().unwrap().extend(more);
        answer["next"] = next["next"].take();
    }
    (status, answer)
}

/// Puts a webhook's place among those that were created in the place of its id.
fn placed(mut value: Value, ids: &Ids, of: fn(&(i64, i64)) -> i64) -> Value {
    let place = |id: i64| ids.iter().position(|pair| of(pair) == id);
    if let Some(id) = value.get("id").and_then(Value::as_i64) {
        value["id"] = json!(place(id));
    }
    if let Some(rows) = value.get("results").and_then(Value::as_array) {
        // The server has more webhooks than these.
        let known = |row: &&Value| place(row["id"].as_i64().unwrap()).is_some();
        let rows = rows.iter().filter(known).cloned();
        return rows.map(|row| placed(row, ids, of)).collect();
    }
    value
}

#[tokio::test]
#[ignore = "needs a pretix"]
async fn the_fake_responds_like_pretix_to_random_calls() {
    let live = Live::find().await;
    live.disable_all().await;
    let fake = PretixFake::start().await;
    let http = Client::builder().no_proxy().build().unwrap();
    let run = unique("random").replace(' ', "-");
    let mut rng = Rng::with_seed(SEED);
    let mut ids = Ids::new();
    let mut statuses = std::collections::BTreeMap::<u16, usize>::new();
    for number in 0..CALLS {
        let call = calls(&mut rng, ids.len(), &run);
        let pair = call.webhook.map(|place| ids.get(place).copied());
        let path = |of: fn((i64, i64)) -> i64| match pair {
            // One past the last: nobody's id.
            Some(pair) => format!("{}/", pair.map_or(999_999_999, of)),
            None => String::new(),
        };
        let (organizer, token) = (fake.organizer(), format!("Token {}", fake.credentials()));
        let base = format!(
            "{}/api/v1/organizers/{organizer}/webhooks/",
            fake.base_url()
        );
        let real = send(&call, |query| {
            let path = format!("webhooks/{}{query}", path(|pair| pair.0));
            live.raw(call.method.clone(), &path)
        });
        let ours = send(&call, |query| {
            let url = format!("{base}{}{query}", path(|pair| pair.1));
            http.request(call.method.clone(), url)
                .header("authorization", &token)
        });
        let (real, ours) = (real.await, ours.await);
        if let (201, Some(real), Some(ours)) =
            (real.0, real.1["id"].as_i64(), ours.1["id"].as_i64())
            && !ids.contains(&(real, ours))
        {
            ids.push((real, ours));
        }
        *statuses.entry(real.0).or_default() += 1;
        let real = (real.0, placed(real.1, &ids, |pair| pair.0));
        let ours = (ours.0, placed(ours.1, &ids, |pair| pair.1));
        let line = format!(
            "call {number}: {} {} {:?}",
            call.method,
            path(|pair| pair.1),
            call.body
        );
        assert_eq!(ours, real, "{line}");
    }
    assert_eq!(variable("PRETIX_ORGANIZER"), fake.organizer());
    println!(
        "{CALLS} calls, {} webhooks, statuses {statuses:?}",
        ids.len()
    );
    live.disable_all().await;
}
