//! Claims an event, runs its handler, and commits or releases it.

use std::sync::Arc;

use tokio::runtime::Handle;

use super::delivery::{Processed, Watch, guarded};
use super::receive::Inner;
use super::{Claim, ClaimToken, EventKey, IntoAck, Source, StoreError};

pub(super) async fn process<S, F>(
    receiver: &Arc<Inner<S>>,
    watch: &Watch<'_, S>,
    handler: impl FnOnce() -> F,
) -> Processed
where
    S: Source,
    F: Future<Output: IntoAck<S>>,
{
    let lease = receiver.limits.lease;
    let claim = receiver.store.claim(&watch.key, lease).await;
    let token = match claim {
        Ok(Claim::Granted(token)) => token,
        Ok(Claim::Committed) => return Processed::Duplicate,
        Ok(Claim::Stale) => return Processed::Stale,
        Ok(Claim::Held) => return Processed::Held,
        Err(error) => return Processed::StoreUnavailable(error),
    };
    let mut claimed = Claimed {
        receiver,
        key: &watch.key,
        token,
        end: Some(End::Release),
    };
    let time_left = lease.saturating_sub(watch.begun.elapsed());
    let processed = match guarded(time_left, handler).await {
        Ok(returned) => match returned.into_ack() {
            Ok(ack) => ack.kind.into(),
            Err(error) => Processed::Failed(error),
        },
        Err(processed) => processed,
    };
    let end = match &processed {
        Processed::Handled | Processed::Disabled => End::Commit,
        _ => End::Release,
    };
    match claimed.end(end).await {
        Ok(()) => processed,
        Err(error) => Processed::StoreUnavailable(error),
    }
}

/// A claim that is released even if the request is dropped.
struct Claimed<'a, S: Source> {
    receiver: &'a Arc<Inner<S>>,
    key: &'a EventKey,
    token: ClaimToken,
    end: Option<End>,
}

#[derive(Clone, Copy)]
enum End {
    Commit,
    Release,
}

impl End {
    async fn reach<S: Source>(
        self,
        receiver: &Inner<S>,
        key: &EventKey,
        token: ClaimToken,
    ) -> Result<(), StoreError> {
        match self {
            Self::Commit => {
                let remember = receiver.limits.remember;
                receiver.store.commit(key, token, remember).await
            }
            Self::Release => receiver.store.release(key, token).await,
        }
    }
}

impl<S: Source> Claimed<'_, S> {
    async fn end(&mut self, end: End) -> Result<(), StoreError> {
        self.end = Some(end);
        let reached = end.reach(self.receiver, self.key, self.token).await;
        self.end = None;
        reached
    }
}

impl<S: Source> Drop for Claimed<'_, S> {
    fn drop(&mut self) {
        let (Some(end), Ok(runtime)) = (self.end, Handle::try_current()) else {
            return;
        };
        let (receiver, key) = (Arc::clone(self.receiver), self.key.clone());
        let token = self.token;
        runtime.spawn(async move {
            if let Err(error) = end.reach(&receiver, &key, token).await {
                let source = receiver.source.name();
                tracing::error!(source, event = %key, reason = %error, "failed to end a claim");
            }
        });
    }
}
