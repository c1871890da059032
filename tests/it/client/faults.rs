//! Thousands of calls through a server of which three in ten responses fail.

mod server;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use tokio::time;
use webhook_sdk::lune::LuneClient;
use webhook_sdk::preo::PreoClient;
use webhook_sdk::pretix::{EventScope, PretixClient, TargetUrl};
use webhook_sdk::{Error, RetryPolicy, lune, preo, pretix};

use self::server::{Fault, Running, Seen};
use crate::inventory::{self, operations};
use crate::support::TOKEN;

const CALLS: u64 = 10_000;
const AT_ONCE: usize = 128;
/// Long enough that only a response that waits for the client to give up times out.
const ATTEMPT: Duration = Duration::from_secs(5);
const DEADLINE: Duration = Duration::from_secs(30);

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
