//! Receivers that crash while events are delivered several times: what each store promises then.
//!
//! ```text
//! FLEET_EVENTS=20000 cargo test --all-features --test fleet -- --include-ignored
//! ```
//!
//! Each event is delivered one to five times, at once and late, over HTTP with real signatures, and
//! each delivery is sent again until it is acknowledged. Meanwhile receivers are killed and started
//! again, and so is the database, and receivers stand still for longer than their leases.
//!
//! | Store | Promise | Evidence |
//! |---|---|---|
//! | [`PostgresInbox`], [`SqliteInbox`] | Exactly once in effect: as many effects as events, one of each. | A table without a unique key, to which each run of a handler adds a row. |
//! | [`RedisStore`] | Committed exactly once. Handled **at least** once: a run is repeated if its process crashed or its commit failed. | Redis's append-only file holds every commit, and each handler writes to a file when it begins and ends. |
//!
//! The control commits the effect apart from its record, and must fail the same check.
//!
//! [`PostgresInbox`]: webhook_sdk::receiver::PostgresInbox
//! [`SqliteInbox`]: webhook_sdk::receiver::SqliteInbox
//! [`RedisStore`]: webhook_sdk::receiver::RedisStore

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod database;
#[path = "../it/receiver/postgres_server.rs"]
mod postgres_server;
mod receiver;
mod record;
#[path = "../it/receiver/redis_server.rs"]
mod redis_server;
mod schedule;
mod sender;
mod supervisor;

use std::env;
use std::sync::Arc;
use std::time::{Duration, Instant};

use libtest_mimic::{Arguments, Failed, Trial};

use database::{Effects, Kind};
use record::{Runs, Tally};
use sender::Sender;
use supervisor::Fleet;

const SEED: u64 = 0x05ee_d0f5;
const DEFAULT_EVENTS: usize = 1_000;

fn main() {
    let arguments: Vec<String> = env::args().collect();
    if let Some(process) = receiver::Process::from_arguments(&arguments) {
        return process.run();
    }
    let mut arguments = Arguments::from_args();
    // A proof takes all the cores.
    arguments.test_threads = Some(1);
    let once = "each_effect_happens_exactly_once";
    let control = "separate_transactions_fail_the_check";
    let trial = |kind: Kind, name: &str, proof: fn(Kind) -> Result<(), Failed>| {
        Trial::test(format!("{kind}::{name}"), move || proof(kind))
            .with_ignored_flag(kind.needs_a_server())
    };
    let trials = vec![
        trial(Kind::Sqlite, once, effects_happen_once),
        trial(Kind::Sqlite, control, control_fails),
        trial(Kind::Postgres, once, effects_happen_once),
        trial(Kind::Postgres, control, control_fails),
        trial(
            Kind::Redis,
            "each_event_is_committed_exactly_once",
            events_are_committed_once,
        ),
    ];
    libtest_mimic::run(&arguments, trials).exit();
}

fn effects_happen_once(kind: Kind) -> Result<(), Failed> {
    let events = events();
    let proof = Proof::run(kind, Effects::Within, events, events / 400 + 10);
    let effects = Tally::of(proof.events, &proof.fleet.database.effects());
    println!("effects: {effects}");
    holds(effects.holds())
}

/// Crashes so often that one of them is bound to come between an effect and its record.
fn control_fails(kind: Kind) -> Result<(), Failed> {
    let proof = Proof::run(kind, Effects::Apart, 300, 24);
    let effects = Tally::of(proof.events, &proof.fleet.database.effects());
    println!("effects apart from their records: {effects}");
    holds(!effects.holds() && effects.repeats())
}

fn events_are_committed_once(kind: Kind) -> Result<(), Failed> {
    let events = events();
    let proof = Proof::run(kind, Effects::Apart, events, events / 400 + 10);
    let commits = proof.fleet.database.commits();
    let runs = Runs::of(proof.events, &commits, &proof.fleet.records());
    let tally = Tally::of(proof.events, &commits);
    println!("commits: {tally}\n{runs}");
    holds(tally.holds() && runs.hold(proof.under_way))
}

fn events() -> usize {
    env::var("FLEET_EVENTS").map_or(DEFAULT_EVENTS, |events| events.parse().unwrap())
}

fn holds(promise: bool) -> Result<(), Failed> {
    promise
        .then_some(())
        .ok_or_else(|| "the counts don't fit".into())
}

/// A fleet after all its deliveries.
struct Proof {
    events: usize,
    fleet: Fleet,
    /// How many runs of handlers the crashes can have met.
    under_way: usize,
}

impl Proof {
    fn run(kind: Kind, effects: Effects, events: usize, crashes: usize) -> Self {
        let begun = Instant::now();
        // Far more than it takes, even while other processes use the cores.
        let deadline = begun + Duration::from_secs(120) + events as u32 * Duration::from_millis(60);
        let mut random = fastrand::Rng::with_seed(SEED);
        let schedule = schedule::deliveries(events, &mut random);
        println!(
            "\n{kind}: {events} events in {} deliveries, seed {SEED:#x}",
            schedule.len()
        );
        let mut fleet = Fleet::start(kind, effects);
        let sender = Arc::new(Sender::new(schedule, fleet.addresses()));
        let sending = sender.start(deadline);
        fleet.crash_while(&sender, &sending, crashes, &mut random);
        sending.join().unwrap();
        fleet.stop();
        println!(
            "{} kills of receivers, {} of the database, {} standstills, {} deliveries sent again, {:.1} s",
            fleet.kills,
            fleet.database_kills,
            fleet.standstills,
            sender.repeats(),
            begun.elapsed().as_secs_f64()
        );
        let crashes = fleet.kills + fleet.database_kills + fleet.standstills;
        Self {
            events,
            under_way: crashes * sender::AT_ONCE,
            fleet,
        }
    }
}
