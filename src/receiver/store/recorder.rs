//! Records events in the receiver's store.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::timeout;

use super::{Claim, ClaimToken, StoreError};
use crate::receiver::handling::{EventGuard, Recorder};
use crate::receiver::shared::Shared;
use crate::receiver::{EventKey, Observation, Source};

/// A claim that may still be in flight. If it is dropped, a task ends it.
pub(in crate::receiver) struct Claimed<S: Source> {
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
    type Argument = ();

    async fn claim(&self, guard: &EventGuard<'_, S>) -> Result<(Claimed<S>, ()), Observation> {
        let mut claimed = Claimed {
            shared: Arc::clone(self),
            key: guard.key.clone(),
            token: self.tokens.next(),
            on_drop: Some(End::Release),
        };
        let lease = self.limits.lease;
        let claim = self.store.claim(&claimed.key, claimed.token, lease);
        let claim = within(lease, claim).await;
        // A claim that failed may have reached the store.
        if matches!(claim, Ok(Claim::Committed | Claim::Held | Claim::Stale)) {
            claimed.on_drop = None;
        }
        Observation::from_claim(claim)?;
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
        let ended = self.apply(end).await;
        self.on_drop = None;
        ended
    }

    async fn apply(&self, end: End) -> Result<(), StoreError> {
        let Shared { store, limits, .. } = &*self.shared;
        let (key, token) = (&self.key, self.token);
        match end {
            End::Commit => within(limits.lease, store.commit(key, token, limits.remember)).await,
            End::Release => within(limits.lease, store.release(key, token)).await,
        }
    }
}

/// What a store returns, if it returns in time.
async fn within<T>(
    limit: Duration,
    returned: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    let mut returned = pin!(returned);
    // A store in memory needs no timer.
    if let Poll::Ready(result) =
        poll_fn(|context| Poll::Ready(returned.as_mut().poll(context))).await
    {
        return result;
    }
    let unavailable = || StoreError::Unavailable(format!("no response within {limit:?}"));
    let returned = timeout(limit, returned).await;
    returned.unwrap_or_else(|_| Err(unavailable()))
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
            if let Err(error) = claimed.apply(end).await {
                let source = claimed.shared.source.name();
                let event = &claimed.key;
                tracing::warn!(
                    target: "webhook_sdk", source, %event, reason = %error, "failed to end a claim"
                );
            }
        });
    }
}
