//! Runs a handler for each event of a delivery, in order.

use std::sync::Arc;

use http::StatusCode;
use tokio::time::Instant;

use super::guard::run_with_timeout;
use super::outcome::AckKind;
use super::proof::Proof;
use super::shared::Shared;
use super::{Event, EventKey, IntoAck, Observation, Outcome, Source, StoreError};

/// Records which events were handled: the receiver's store, or an inbox.
pub(super) trait Recorder<S: Source> {
    /// A claim on an event. Dropping it releases the event.
    type Claimed;
    /// What a handler gets in addition to the event.
    type Argument;

    /// Claims an event, or returns the outcome of an event that isn't handled now.
    async fn claim(
        &self,
        guard: &EventGuard<'_, S>,
    ) -> Result<(Self::Claimed, Self::Argument), Observation>;

    async fn commit(&self, claimed: Self::Claimed) -> Result<(), StoreError>;

    async fn release(&self, claimed: Self::Claimed) -> Result<(), StoreError>;
}

/// Handles events until one fails.
pub(super) async fn handle_all<S, R, F>(
    shared: &Shared<S>,
    events: Vec<Event<S::Event>>,
    recorder: &R,
    mut handler: impl FnMut(Event<S::Event>, R::Argument) -> F,
) -> Outcome
where
    S: Source,
    R: Recorder<S>,
    F: Future<Output: IntoAck<S>>,
{
    let mut success = StatusCode::NO_CONTENT;
    for event in events {
        let guard = EventGuard::start(shared, &event);
        let observation = handle(recorder, &guard, |argument| handler(event, argument)).await;
        guard.end(&observation);
        if let Some(status) = observation.failure_status() {
            return Outcome(status);
        }
        if matches!(observation, Observation::Disabled) {
            success = StatusCode::GONE;
        }
    }
    Outcome(success)
}

async fn handle<S, R, F>(
    recorder: &R,
    guard: &EventGuard<'_, S>,
    handler: impl FnOnce(R::Argument) -> F,
) -> Observation
where
    S: Source,
    R: Recorder<S>,
    F: Future<Output: IntoAck<S>>,
{
    let (claimed, argument) = match recorder.claim(guard).await {
        Ok(granted) => granted,
        Err(observation) => return observation,
    };
    let lease = guard.shared.limits.lease;
    let observation = match run_with_timeout(guard.started, lease, || handler(argument)).await {
        Ok(returned) => match returned.into_ack().map(|ack| ack.kind) {
            Ok(AckKind::Done) => Observation::Handled,
            Ok(AckKind::Disable) => Observation::Disabled,
            Ok(AckKind::Retry) => Observation::Retry,
            Err(error) => Observation::Failed(error),
        },
        Err(observation) => observation,
    };
    let ended = match observation.failure_status() {
        None => recorder.commit(claimed).await,
        Some(_) => recorder.release(claimed).await,
    };
    ended.map_or_else(Observation::StoreUnavailable, |()| observation)
}

/// Observes the outcome of an event, even if it is dropped.
pub(super) struct EventGuard<'a, S: Source> {
    pub(super) shared: &'a Shared<S>,
    pub(super) key: EventKey,
    proof: Arc<Proof>,
    started: Instant,
    ended: bool,
}

impl<'a, S: Source> EventGuard<'a, S> {
    fn start(shared: &'a Shared<S>, event: &Event<S::Event>) -> Self {
        Self {
            shared,
            key: event.key.clone(),
            proof: Arc::clone(&event.proof),
            started: Instant::now(),
            ended: false,
        }
    }

    fn end(mut self, observation: &Observation) {
        self.ended = true;
        self.observe(observation);
    }

    fn observe(&self, observation: &Observation) {
        let event = Some((&self.key, &*self.proof));
        self.shared.observe(observation, self.started, event);
    }
}

impl<S: Source> Drop for EventGuard<'_, S> {
    fn drop(&mut self) {
        if !self.ended {
            self.observe(&Observation::Abandoned);
        }
    }
}
