//! Runs a handler for each event of a delivery, in order.

use std::sync::Arc;

use http::StatusCode;
use tokio::time::Instant;

use super::guard::guarded;
use super::outcome::AckKind;
use super::shared::Shared;
use super::source::Proof;
use super::{Claim, Event, EventKey, IntoAck, Observation, Outcome, Source, StoreError};

/// Records which events were handled: the receiver's store, or an inbox.
pub(super) trait Recorder<S: Source> {
    /// A claim on an event. Dropping it releases the event.
    type Claimed;
    /// What a handler gets in addition to the event.
    type Lent;

    /// Claims an event, or returns the outcome of an event that isn't handled now.
    async fn claim(&self, watch: &Watch<'_, S>)
    -> Result<(Self::Claimed, Self::Lent), Observation>;

    async fn commit(&self, claimed: Self::Claimed) -> Result<(), StoreError>;

    async fn release(&self, claimed: Self::Claimed) -> Result<(), StoreError>;
}

/// Handles events until one fails.
pub(super) async fn handle_all<S, R, F>(
    shared: &Shared<S>,
    events: Vec<Event<S::Event>>,
    recorder: &R,
    mut handler: impl FnMut(Event<S::Event>, R::Lent) -> F,
) -> Outcome
where
    S: Source,
    R: Recorder<S>,
    F: Future<Output: IntoAck<S>>,
{
    let mut success = StatusCode::NO_CONTENT;
    for event in events {
        let watch = Watch::start(shared, &event);
        let observation = handle(recorder, &watch, |lent| handler(event, lent)).await;
        watch.end(&observation);
        if let Some(status) = observation.failure() {
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
    watch: &Watch<'_, S>,
    handler: impl FnOnce(R::Lent) -> F,
) -> Observation
where
    S: Source,
    R: Recorder<S>,
    F: Future<Output: IntoAck<S>>,
{
    let (claimed, lent) = match recorder.claim(watch).await {
        Ok(granted) => granted,
        Err(observation) => return observation,
    };
    let lease = watch.shared.limits.lease;
    let observation = match guarded(watch.begun, lease, || handler(lent)).await {
        Ok(returned) => match returned.into_ack().map(|ack| ack.kind) {
            Ok(AckKind::Done) => Observation::Handled,
            Ok(AckKind::Disable) => Observation::Disabled,
            Ok(AckKind::Retry) => Observation::Retry,
            Err(error) => Observation::Failed(error),
        },
        Err(observation) => observation,
    };
    let ended = match observation.failure() {
        None => recorder.commit(claimed).await,
        Some(_) => recorder.release(claimed).await,
    };
    ended.map_or_else(Observation::StoreUnavailable, |()| observation)
}

impl Observation {
    /// `Ok` if the event was claimed.
    pub(super) fn of(claim: Result<Claim, StoreError>) -> Result<(), Self> {
        match claim {
            Ok(Claim::Granted) => Ok(()),
            Ok(Claim::Committed) => Err(Self::Duplicate),
            Ok(Claim::Stale) => Err(Self::Stale),
            Ok(Claim::Held) => Err(Self::Held),
            Err(error) => Err(Self::StoreUnavailable(error)),
        }
    }

    /// The response status, if the delivery stops at this event.
    fn failure(&self) -> Option<StatusCode> {
        match self {
            Self::Handled | Self::Disabled | Self::Duplicate | Self::Stale => None,
            Self::Failed(_) | Self::Panicked | Self::TimedOut => {
                Some(StatusCode::INTERNAL_SERVER_ERROR)
            }
            Self::Retry | Self::Held | Self::StoreUnavailable(_) | Self::Abandoned => {
                Some(StatusCode::SERVICE_UNAVAILABLE)
            }
            Self::Refused(refusal) => Some(refusal.status()),
        }
    }
}

/// Observes the outcome of an event, even if it is dropped.
pub(super) struct Watch<'a, S: Source> {
    pub(super) shared: &'a Shared<S>,
    pub(super) key: EventKey,
    proof: Arc<Proof>,
    begun: Instant,
    ended: bool,
}

impl<'a, S: Source> Watch<'a, S> {
    fn start(shared: &'a Shared<S>, event: &Event<S::Event>) -> Self {
        Self {
            shared,
            key: event.key.clone(),
            proof: Arc::clone(&event.proof),
            begun: Instant::now(),
            ended: false,
        }
    }

    fn end(mut self, observation: &Observation) {
        self.ended = true;
        self.observe(observation);
    }

    fn observe(&self, observation: &Observation) {
        let event = Some((&self.key, &*self.proof));
        self.shared.observe(observation, self.begun, event);
    }
}

impl<S: Source> Drop for Watch<'_, S> {
    fn drop(&mut self) {
        if !self.ended {
            self.observe(&Observation::Abandoned);
        }
    }
}
