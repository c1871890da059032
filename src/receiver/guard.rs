//! Runs application code, which may panic or take too long.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::{Instant, timeout};

use super::Observation;

/// Runs a function until a limit after an instant, and catches a panic.
pub(super) fn run_with_timeout<F: Future>(
    since: Instant,
    limit: Duration,
    run: impl FnOnce() -> F,
) -> impl Future<Output = Result<F::Output, Observation>> {
    let left = limit.saturating_sub(since.elapsed());
    // Within the caught future, because dropping what timed out can panic too.
    let running = catch_panic(async move { timeout(left, run()).await });
    running.map(|ended| ended?.map_err(|_| Observation::TimedOut))
}

/// Catches a panic.
pub(super) fn catch_panic<F: Future>(
    running: F,
) -> impl Future<Output = Result<F::Output, Observation>> {
    let caught = AssertUnwindSafe(running).catch_unwind();
    caught.map(|ended| ended.map_err(|_| Observation::Panicked))
}
