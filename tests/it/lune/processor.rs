//! Lune's promises: in order per account, at least once, one answer for the whole batch.

use std::cell::RefCell;
use std::error::Error;
use std::future::pending;
use std::io;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::StatusCode;
use serde_json::json;
use tokio::sync::Notify;
use webhook_sdk::lune::{
    Batch, BatchProcessor, Event, EventData, EventKey, Ledger, MemoryLedger, Outcome, SkipRule,
    StopCause,
};

/// Events as `(event_id, account_id, sequence)`, an empty text standing for a missing field.
fn batch(events: &[(&str, &str, &str)]) -> Batch {
    let events: Vec<_> = events
        .iter()
        .map(|(id, account, sequence)| {
            let mut event = json!({"event_type": "order.paid", "data": {"order": {"id": format!("order of {id}")}}});
            for (name, text) in [("event_id", id), ("account_id", account), ("sequence", sequence)] {
                if !text.is_empty() {
                    event[name] = json!(text);
                }
            }
            event
        })
        .collect();
    Batch::decode(json!({ "events": events }).to_string().as_bytes()).unwrap()
}

/// Runs a batch with a handler that notes each event and fails at the one named.
async fn run<L: Ledger>(
    processor: &BatchProcessor<L>,
    batch: Batch,
    poison: &str,
) -> (Vec<String>, Outcome<String, L::Error>) {
    let ran = RefCell::new(Vec::new());
    let outcome = processor
        .process(batch, |event| {
            let id = event.event_id().unwrap_or("?").to_owned();
            ran.borrow_mut().push(id.clone());
            async move {
                if id == poison {
                    Err(format!("{id} failed"))
                } else {
                    Ok(())
                }
            }
        })
        .await;
    (ran.into_inner(), outcome)
}

fn by_id() -> BatchProcessor {
    BatchProcessor::new(MemoryLedger::default().rule(SkipRule::EventId))
}

#[tokio::test]
async fn a_batch_is_handled_in_order_and_acknowledged() {
    let processor = BatchProcessor::default();
    let events = batch(&[
        ("e1", "a", "1"),
        ("e2", "b", "1"),
        ("e3", "a", "2"),
        ("e4", "", "1"),
    ]);
    let (ran, outcome) = run(&processor, events, "").await;

    assert_eq!(ran, ["e1", "e2", "e3", "e4"]);
    assert!(outcome.acknowledge());
    assert_eq!(outcome.status(), StatusCode::NO_CONTENT);
    assert_eq!((outcome.handled(), outcome.skipped()), (4, 0));
    assert_eq!(outcome.into_result(), Ok(()));
}

#[tokio::test]
async fn an_empty_batch_is_acknowledged() {
    let (ran, outcome) = run(&BatchProcessor::default(), batch(&[]), "").await;
    assert!(ran.is_empty() && outcome.acknowledge());
}

#[tokio::test]
async fn a_redelivered_batch_runs_no_handler_and_is_acknowledged() {
    for processor in [BatchProcessor::default(), by_id()] {
        let events = batch(&[("e1", "a", "1"), ("e2", "b", "5"), ("e3", "", "3")]);
        run(&processor, events.clone(), "")
            .await
            .1
            .into_result()
            .unwrap();
        let (ran, outcome) = run(&processor, events, "").await;
        assert!(ran.is_empty());
        assert!(outcome.acknowledge());
        assert_eq!((outcome.handled(), outcome.skipped()), (0, 3));
    }
}

#[tokio::test]
async fn a_duplicate_within_a_batch_runs_once() {
    let (ran, outcome) = run(
        &by_id(),
        batch(&[("e1", "a", "1"), ("e1", "a", "1"), ("e2", "a", "2")]),
        "",
    )
    .await;
    assert_eq!(ran, ["e1", "e2"]);
    assert_eq!(outcome.skipped(), 1);
}

#[tokio::test]
async fn a_sequence_not_above_the_accounts_last_is_passed_over() {
    let processor = BatchProcessor::default();
    run(
        &processor,
        batch(&[("e1", "a", "2021-09-13T16:21:29.067Z")]),
        "",
    )
    .await
    .1
    .into_result()
    .unwrap();
    let events = batch(&[
        ("lower", "a", "2021-09-13T16:21:29.066Z"),
        ("equal", "a", "2021-09-13T16:21:29.067Z"),
        ("above", "a", "2021-09-13T16:21:29.068Z"),
        ("another account", "b", "2021-09-13T16:21:29.066Z"),
        ("no account", "", "2021-09-13T16:21:29.066Z"),
        ("no account, below", "", "2021-09-13T16:21:29.065Z"),
        ("no sequence", "a", ""),
        ("passed within the batch", "a", "2021-09-13T16:21:29.0675Z"),
    ]);
    let (ran, outcome) = run(&processor, events, "").await;

    assert_eq!(
        ran,
        [
            "above",
            "another account",
            "no account",
            "no account, below",
            "no sequence"
        ]
    );
    assert_eq!((outcome.handled(), outcome.skipped()), (5, 3));
    assert!(outcome.acknowledge());
}

#[tokio::test]
async fn by_identifier_alone_a_reordered_event_is_handled() {
    let processor = by_id();
    let events = batch(&[
        ("e2", "a", "2"),
        ("e1", "a", "1"),
        ("e3", "a", "2021"),
        ("e2", "a", "9"),
    ]);
    let (ran, outcome) = run(&processor, events, "").await;
    assert_eq!(ran, ["e2", "e1", "e3"]);
    assert_eq!(outcome.skipped(), 1);
}

#[tokio::test]
async fn an_event_without_identifier_is_known_by_its_sequence_only() {
    let processor = BatchProcessor::default();
    let (ran, _) = run(
        &processor,
        batch(&[
            ("", "a", "1"),
            ("", "a", "1"),
            ("", "a", "2"),
            ("", "a", ""),
        ]),
        "",
    )
    .await;
    assert_eq!(ran.len(), 3);
    let (ran, _) = run(&by_id(), batch(&[("", "a", "1"), ("", "a", "1")]), "").await;
    assert_eq!(ran.len(), 2);
}

#[tokio::test]
async fn a_poisoned_event_stops_the_batch_for_every_account() {
    let processor = BatchProcessor::default();
    let events = batch(&[
        ("e1", "a", "1"),
        ("bad", "a", "2"),
        ("e3", "b", "1"),
        ("e4", "a", "3"),
    ]);
    let (ran, outcome) = run(&processor, events.clone(), "bad").await;

    assert_eq!(ran, ["e1", "bad"]);
    assert!(!outcome.acknowledge());
    assert_eq!(outcome.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!((outcome.handled(), outcome.skipped()), (1, 0));
    let stopped = outcome.stopped().unwrap();
    assert_eq!(
        (stopped.position(), stopped.event().event_id()),
        (1, Some("bad"))
    );
    assert_eq!(stopped.event().account_id(), Some("a"));
    assert_eq!(
        stopped.cause(),
        &StopCause::Handler("bad failed".to_owned())
    );

    let (ran, outcome) = run(&processor, events.clone(), "bad").await;
    assert_eq!(
        ran,
        ["bad"],
        "what was committed isn't handled again, what failed is"
    );
    assert!(!outcome.acknowledge());

    let (ran, outcome) = run(&processor, events, "").await;
    assert_eq!(ran, ["bad", "e3", "e4"]);
    assert!(outcome.acknowledge());
}

#[tokio::test]
async fn a_poisoned_event_can_be_put_aside_on_purpose() {
    let processor = BatchProcessor::default();
    let body = br#"{"events": [
        {"event_id": "e1", "event_type": "order.paid", "data": {"order": {"id": "or1"}}},
        {"event_id": "e2", "event_type": "order.paid", "data": {"order": "odd"}},
        {"event_id": "e3", "event_type": "report.ready", "data": {}},
        17,
        {"event_id": "e4", "event_type": "order.paid", "data": {"order": {"id": "or4"}}}
    ]}"#;

    let strict = async |event: Event| match event.data() {
        EventData::Undecodable(why) => Err(why.clone()),
        _ => Ok(()),
    };
    let outcome = processor
        .process(Batch::decode(body).unwrap(), strict)
        .await;
    assert_eq!(outcome.stopped().unwrap().event().event_id(), Some("e2"));

    let aside = RefCell::new(Vec::new());
    let outcome = processor
        .process(Batch::decode(body).unwrap(), |event: Event| {
            if !matches!(event.data(), EventData::Order(_)) {
                aside.borrow_mut().push(event.raw().to_owned());
            }
            async { Ok::<(), String>(()) }
        })
        .await;
    assert!(outcome.acknowledge());
    assert_eq!((outcome.skipped(), outcome.handled()), (1, 4));
    assert_eq!(
        aside.into_inner(),
        [
            r#"{"event_id": "e2", "event_type": "order.paid", "data": {"order": "odd"}}"#,
            r#"{"event_id": "e3", "event_type": "report.ready", "data": {}}"#,
            "17",
        ]
    );
}

/// A ledger of which a step can be made to fail.
#[derive(Default)]
struct Shaky {
    memory: MemoryLedger,
    fail_seen: AtomicBool,
    fail_commit: AtomicBool,
}

impl Ledger for Shaky {
    type Error = String;

    async fn seen(&self, event: &EventKey) -> Result<bool, String> {
        if self.fail_seen.load(Ordering::Relaxed) {
            return Err("no connection".to_owned());
        }
        Ok(self.memory.seen(event).await.unwrap())
    }

    async fn commit(&self, event: &EventKey) -> Result<(), String> {
        if self.fail_commit.load(Ordering::Relaxed) {
            return Err("no connection".to_owned());
        }
        self.memory.commit(event).await.unwrap();
        Ok(())
    }
}

#[tokio::test]
async fn a_lost_commit_runs_the_handler_again() {
    let ledger = Arc::new(Shaky::default());
    let processor = BatchProcessor::new(Arc::clone(&ledger));
    let events = batch(&[("e1", "a", "1"), ("e2", "a", "2")]);

    ledger.fail_commit.store(true, Ordering::Relaxed);
    let (ran, outcome) = run(&processor, events.clone(), "").await;
    assert_eq!(ran, ["e1"]);
    assert!(!outcome.acknowledge());
    assert_eq!(outcome.handled(), 0);
    assert_eq!(
        outcome.into_result().unwrap_err().into_cause(),
        StopCause::Commit("no connection".to_owned())
    );

    ledger.fail_commit.store(false, Ordering::Relaxed);
    let (ran, outcome) = run(&processor, events, "").await;
    assert_eq!(ran, ["e1", "e2"]);
    assert!(outcome.acknowledge());
}

#[tokio::test]
async fn a_ledger_that_cannot_answer_stops_before_the_handler() {
    let ledger = Shaky::default();
    ledger.fail_seen.store(true, Ordering::Relaxed);
    let processor = BatchProcessor::new(&ledger);
    let (ran, outcome) = run(&processor, batch(&[("e1", "a", "1")]), "").await;
    assert!(ran.is_empty());
    assert_eq!(
        outcome.stopped().unwrap().cause(),
        &StopCause::Lookup("no connection".to_owned())
    );
    assert!(!outcome.acknowledge());
}

#[tokio::test]
async fn a_crash_inside_the_handler_leaves_the_event_uncommitted() {
    let processor = Arc::new(BatchProcessor::default());
    let events = batch(&[("e1", "a", "1"), ("e2", "a", "2")]);
    let reached = Arc::new(Notify::new());

    let task = tokio::spawn({
        let (processor, events, reached) =
            (Arc::clone(&processor), events.clone(), Arc::clone(&reached));
        async move {
            let handler = |event: Event| {
                let reached = Arc::clone(&reached);
                async move {
                    if event.event_id() == Some("e2") {
                        reached.notify_one();
                        pending::<()>().await;
                    }
                    Ok::<(), String>(())
                }
            };
            processor.process(events, handler).await.acknowledge()
        }
    });
    reached.notified().await;
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());

    let (ran, outcome) = run(&processor, events, "").await;
    assert_eq!(ran, ["e2"]);
    assert!(outcome.acknowledge());
}

#[tokio::test]
async fn a_panicking_handler_leaves_the_event_uncommitted() {
    let processor = Arc::new(BatchProcessor::default());
    let task = tokio::spawn({
        let processor = Arc::clone(&processor);
        async move {
            let handler =
                async |_: Event| -> Result<(), String> { panic!("the handler's own bug") };
            processor
                .process(batch(&[("e1", "a", "1")]), handler)
                .await
                .acknowledge()
        }
    });
    assert!(task.await.unwrap_err().is_panic());

    let (ran, outcome) = run(&processor, batch(&[("e1", "a", "1")]), "").await;
    assert_eq!(ran, ["e1"]);
    assert!(outcome.acknowledge());
}

#[tokio::test]
async fn a_redelivery_waits_for_the_run_it_overtook() {
    let processor = Arc::new(BatchProcessor::default());
    let events = batch(&[("e1", "a", "1"), ("e2", "a", "2")]);
    let (reached, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));

    let first = tokio::spawn({
        let (processor, events) = (Arc::clone(&processor), events.clone());
        let (reached, go_on) = (Arc::clone(&reached), Arc::clone(&go_on));
        async move {
            let handler = |event: Event| {
                let (reached, go_on) = (Arc::clone(&reached), Arc::clone(&go_on));
                async move {
                    if event.event_id() == Some("e1") {
                        reached.notify_one();
                        go_on.notified().await;
                    }
                    Ok::<(), String>(())
                }
            };
            processor.process(events, handler).await.handled()
        }
    });
    reached.notified().await;

    let second = run(&processor, events, "");
    tokio::pin!(second);
    assert!(
        futures_poll(second.as_mut()).await.is_none(),
        "the first run isn't done"
    );
    go_on.notify_one();

    let (ran, outcome) = second.await;
    assert!(ran.is_empty());
    assert!(outcome.acknowledge());
    assert_eq!(outcome.skipped(), 2);
    assert_eq!(first.await.unwrap(), 2);
}

/// Polls once.
async fn futures_poll<F: Future>(mut future: std::pin::Pin<&mut F>) -> Option<F::Output> {
    std::future::poll_fn(|context| {
        std::task::Poll::Ready(match future.as_mut().poll(context) {
            std::task::Poll::Ready(output) => Some(output),
            std::task::Poll::Pending => None,
        })
    })
    .await
}

#[tokio::test]
async fn the_memory_is_bounded_and_forgets_the_oldest_first() {
    let two = NonZeroUsize::new(2).unwrap();
    let processor = BatchProcessor::new(
        MemoryLedger::default()
            .rule(SkipRule::EventId)
            .max_event_ids(two),
    );
    run(
        &processor,
        batch(&[("e1", "", ""), ("e2", "", ""), ("e3", "", "")]),
        "",
    )
    .await
    .1
    .into_result()
    .unwrap();
    let (ran, _) = run(
        &processor,
        batch(&[("e2", "", ""), ("e3", "", ""), ("e1", "", "")]),
        "",
    )
    .await;
    assert_eq!(ran, ["e1"]);

    let processor = BatchProcessor::new(MemoryLedger::default().max_accounts(two));
    run(
        &processor,
        batch(&[("", "a", "5"), ("", "b", "5"), ("", "c", "5")]),
        "",
    )
    .await
    .1
    .into_result()
    .unwrap();
    let (ran, _) = run(
        &processor,
        batch(&[("", "b", "5"), ("", "c", "5"), ("", "a", "5")]),
        "",
    )
    .await;
    assert_eq!(ran.len(), 1);
}

#[tokio::test]
async fn a_handled_event_below_the_last_sequence_does_not_lower_it() {
    let ledger = MemoryLedger::default();
    let events = batch(&[("e9", "a", "9"), ("e1", "a", "1"), ("e5", "a", "5")]).into_events();
    for event in &events[..2] {
        ledger.commit(event.key()).await.unwrap();
    }
    assert!(ledger.seen(events[2].key()).await.unwrap());
}

#[tokio::test]
async fn what_stopped_a_batch_is_an_error_with_its_causes() {
    let handler = async |_: Event| Err(io::Error::other("disk full"));
    let stopped = BatchProcessor::default()
        .process(batch(&[("e1", "a", "1")]), handler)
        .await
        .into_result()
        .unwrap_err();
    assert_eq!(stopped.to_string(), "the batch stopped at position 0");
    let cause = stopped.source().unwrap();
    assert_eq!(cause.to_string(), "the handler failed");
    assert_eq!(cause.source().unwrap().to_string(), "disk full");
}

#[test]
fn a_run_can_be_spawned() {
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    let processor = BatchProcessor::default();
    drop(is_send(
        processor.process(batch(&[]), async |_: Event| Ok::<(), String>(())),
    ));
}

#[test]
fn a_ledger_shows_how_much_it_holds() {
    assert_eq!(
        format!("{:?}", MemoryLedger::default()),
        "MemoryLedger { rule: EventIdOrSequence, event_ids: 0, accounts: 0 }"
    );
}
