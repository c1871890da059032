use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::observer::{Observation, Observed, Observer};
use super::proof::Proof;
use super::store::{AnyStore, ClaimTokens};
use super::{EventKey, Source};

/// What the clones of a receiver and its deliveries share.
pub(super) struct Shared<S> {
    pub(super) source: S,
    pub(super) name: Option<String>,
    /// The name in event keys, unique for a receiver without a name.
    pub(super) scope_name: String,
    pub(super) store: AnyStore,
    pub(super) tokens: ClaimTokens,
    pub(super) limits: Limits,
    pub(super) observer: Option<Observer>,
    /// A permit for each byte that bodies may occupy.
    pub(super) buffer: Arc<Semaphore>,
}

/// The limits of a receiver.
#[derive(Clone, Debug)]
pub(super) struct Limits {
    pub(super) max_body_bytes: usize,
    pub(super) body_timeout: Duration,
    pub(super) lease: Duration,
    pub(super) remember: Duration,
}

impl<S: Source> Shared<S> {
    /// Logs an observation, and calls the observer. A panic of the observer is caught.
    pub(super) fn observe(
        &self,
        observation: &Observation,
        started: Instant,
        event: Option<(&EventKey, &Proof)>,
    ) {
        let observed = Observed {
            source: self.source.name(),
            receiver: self.name.as_deref(),
            observation,
            event,
            started,
        };
        observed.log();
        if let Some(observer) = &self.observer
            && catch_unwind(AssertUnwindSafe(|| observer(&observed))).is_err()
        {
            tracing::error!(target: "webhook_sdk", "observer panicked");
        }
    }
}
