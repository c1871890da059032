//! Runs application code, which may panic or take too long.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::{Instant, timeout_at};

use super::Observation;

/// Runs a function until a limit after an instant, and catches a panic.
pub(super) fn run_with_timeout<F: Future>(
    since: Instant,
    limit: Duration,
    run: impl FnOnce() -> F,
) -> impl Future<Output = Result<F::Output, Observation>> {
    let end = since.checked_add(limit).unwrap_or_else(|| since + FOREVER);
    // Within the caught future, because dropping what timed out can panic too.
    let running = catch_panic(async move { timeout_at(end, run()).await });
    running.map(|ended| ended?.map_err(|_| Observation::TimedOut))
}

/// Catches a panic.
pub(super) fn catch_panic<F: Future>(
    running: F,
) -> impl Future<Output = Result<F::Output, Observation>> {
    let caught = AssertUnwindSafe(running).catch_unwind();
    caught.map(|ended| ended.map_err(|_| Observation::Panicked))
}

/// Over 30 years, which every clock can represent.
const FOREVER: Duration = Duration::from_secs(1_000_000_000);
