//! Four receivers, one Redis, and crashes: no event is lost, and none is committed twice.
//!
//! `FLEET_EVENTS=20000 cargo test --all-features --test fleet`
//!
//! Each event is delivered one to five times, at once and late, over HTTP with real signatures, and
//! each delivery is sent again until it is acknowledged. Meanwhile receivers are killed and started
//! anew, and so is Redis, and receivers stand still for longer than their leases. Two records tell what happened, and neither is made by the code under
//! test: Redis's append-only file holds every commit, and each handler writes to a file when it
//! begins and ends, before any commit and past the reach of a kill.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

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

use record::Verdict;
use sender::Sender;
use supervisor::Fleet;

const SEED: u64 = 0x05ee_d0f5;
const RECEIVERS: usize = 4;
const DEFAULT_EVENTS: usize = 1_000;
/// Far more than the proof takes, and within what it may take.
const DEADLINE: Duration = Duration::from_secs(170);

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if let [role, redis, record] = &arguments[..]
        && role == receiver::ROLE
    {
        return receiver::run(redis, record);
    }
    if !is_wanted(&arguments) {
        return;
    }
    let events = env::var("FLEET_EVENTS").map_or(DEFAULT_EVENTS, |events| events.parse().unwrap());
    let Some(verdict) = prove(events) else { return };
    println!("{verdict}");
    assert!(verdict.holds(), "the receivers broke their promise");
    println!("fleet: ok");
}

/// Nothing where there is no Redis.
fn prove(events: usize) -> Option<Verdict> {
    let begun = Instant::now();
    let mut random = fastrand::Rng::with_seed(SEED);
    let schedule = schedule::deliveries(events, &mut random);
    println!(
        "{events} events in {} deliveries, seed {SEED:#x}",
        schedule.len()
    );
    let mut fleet = Fleet::start(RECEIVERS)?;
    let sender = Arc::new(Sender::new(schedule, fleet.addresses()));
    let sending = sender.start(begun + DEADLINE);
    let crashes = events / 400 + 10;
    fleet.crash_while(&sender, &sending, crashes, &mut random);
    sending.join().unwrap();
    fleet.stop();
    let records = fleet.records();
    println!(
        "{} kills of receivers, {} of Redis, {} standstills, {} deliveries sent again, {:.1} s",
        fleet.kills,
        fleet.redis_kills,
        fleet.standstills,
        sender.repeats(),
        begun.elapsed().as_secs_f64()
    );
    let crashes = fleet.kills + fleet.redis_kills + fleet.standstills;
    let under_way = crashes * sender::AT_ONCE;
    let log = fleet.redis.append_only_file();
    Some(Verdict::of(events, &log, &records, under_way))
}

/// Whether the test runner's arguments ask for this test.
fn is_wanted(arguments: &[String]) -> bool {
    let mut filters = arguments
        .iter()
        .filter(|argument| !argument.starts_with('-'));
    let listing = arguments.iter().any(|argument| argument == "--list");
    !listing && filters.clone().count() == 0
        || filters.any(|filter| "fleet".contains(filter.as_str()))
}
