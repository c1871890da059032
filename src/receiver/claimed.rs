//! Records events in the receiver's store.

use std::sync::Arc;

use tokio::runtime::Handle;

use super::handling::{Recorder, Watch};
use super::shared::Shared;
use super::{Claim, ClaimToken, EventKey, Observation, Source, StoreError};

/// A claim that may still be in flight. If it is dropped, a task ends it.
pub(super) struct Claimed<S: Source> {
    shared: Arc<Shared<S>>,
    key: EventKey,
    token: ClaimToken,
    on_drop: Option<End>,
}

#[derive(Clone, Copy)]
enum End {
    Commit,
    Release,
}

impl<S: Source> Recorder<S> for Arc<Shared<S>> {
    type Claimed = Claimed<S>;
    type Lent = ();

    async fn claim(&self, watch: &Watch<'_, S>) -> Result<(Claimed<S>, ()), Observation> {
        let mut claimed = Claimed {
            shared: Arc::clone(self),
            key: watch.key.clone(),
            token: self.tokens.next(),
            on_drop: Some(End::Release),
        };
        let lease = self.limits.lease;
        let claim = self.store.claim(&claimed.key, claimed.token, lease).await;
        // A claim that failed may have reached the store.
        if matches!(claim, Ok(Claim::Committed | Claim::Held | Claim::Stale)) {
            claimed.on_drop = None;
        }
        Observation::of(claim)?;
        Ok((claimed, ()))
    }

    async fn commit(&self, claimed: Claimed<S>) -> Result<(), StoreError> {
        claimed.end(End::Commit).await
    }

    async fn release(&self, claimed: Claimed<S>) -> Result<(), StoreError> {
        claimed.end(End::Release).await
    }
}

impl<S: Source> Claimed<S> {
    async fn end(mut self, end: End) -> Result<(), StoreError> {
        self.on_drop = Some(end);
        let ended = self.reach(end).await;
        self.on_drop = None;
        ended
    }

    async fn reach(&self, end: End) -> Result<(), StoreError> {
        let Shared { store, limits, .. } = &*self.shared;
        match end {
            End::Commit => store.commit(&self.key, self.token, limits.remember).await,
            End::Release => store.release(&self.key, self.token).await,
        }
    }
}

impl<S: Source> Drop for Claimed<S> {
    fn drop(&mut self) {
        let (Some(end), Ok(runtime)) = (self.on_drop, Handle::try_current()) else {
            return;
        };
        let claimed = Self {
            shared: Arc::clone(&self.shared),
            key: self.key.clone(),
            token: self.token,
            on_drop: None,
        };
        runtime.spawn(async move {
            if let Err(error) = claimed.reach(end).await {
                let source = claimed.shared.source.name();
                let event = &claimed.key;
                tracing::warn!(
                    target: "webhook_sdk", source, %event, reason = %error, "failed to end a claim"
                );
            }
        });
    }
}
