use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use http::{Response, StatusCode};
use tokio::runtime::Handle;
use tokio::time::Instant;

use super::receive::Inner;
use super::rejection::respond;
use super::{Claim, ClaimToken, DedupStore, Event, EventKey, MemoryStore, Provider, StoreError};
use crate::signature::Verified;

/// A genuine delivery with its events.
///
/// [`handle`](Self::handle) runs a handler over them and says what to answer.
pub struct Delivery<P: Provider, S = MemoryStore> {
    receiver: Arc<Inner<P, S>>,
    proof: Proof,
    events: Vec<Event<P::Event>>,
}

/// What showed a delivery to be authentic.
pub(super) enum Proof {
    Signature(Verified<()>),
    Credentials(String),
}

impl<P: Provider, S> Delivery<P, S> {
    pub(super) fn new(
        receiver: Arc<Inner<P, S>>,
        proof: Proof,
        events: Vec<Event<P::Event>>,
    ) -> Self {
        Self {
            receiver,
            proof,
            events,
        }
    }

    /// The name of the key, or of the pair of credentials, that proved the delivery.
    ///
    /// Once an old key's name no longer turns up, the old key can go.
    pub fn key(&self) -> &str {
        match &self.proof {
            Proof::Signature(verified) => verified.key_name(),
            Proof::Credentials(pair) => pair,
        }
    }

    /// When the delivery was signed, if the service says so.
    pub fn timestamp(&self) -> Option<DateTime<Utc>> {
        match &self.proof {
            Proof::Signature(verified) => verified.timestamp(),
            Proof::Credentials(_) => None,
        }
    }

    /// A field of the signature header that is neither signature nor timestamp, such as Lune's
    /// `organisation`.
    ///
    /// **Not covered by the signature**: see
    /// [`Verified::unsigned_field`](crate::signature::Verified::unsigned_field).
    pub fn unsigned_field(&self, key: &str) -> Option<&str> {
        match &self.proof {
            Proof::Signature(verified) => verified.unsigned_field(key),
            Proof::Credentials(_) => None,
        }
    }

    /// The events, in the order in which they are to be handled.
    pub fn events(&self) -> &[Event<P::Event>] {
        &self.events
    }

    /// Takes the events out, for a caller who does without de-duplication.
    pub fn into_events(self) -> Vec<Event<P::Event>> {
        self.events
    }
}

impl<P: Provider, S: DedupStore> Delivery<P, S> {
    /// Handles each event that wasn't handled before, in order, and says what to answer.
    ///
    /// A handler returns `()`, or a `Result` whose error makes the sender come again; one for pretix
    /// may return a [`Reply`](crate::pretix::Reply). The first failure ends the delivery: what came
    /// before it is committed and won't be handled again. An error isn't logged, as it may quote the
    /// event: log it in the handler.
    ///
    /// Where the future is dropped, as axum and hyper do when the sender hangs up, the handler ends
    /// where it is and its event is released, to be delivered again. To go on without the sender,
    /// spawn a task around this call.
    pub async fn handle<H, F>(self, mut handler: H) -> Answer
    where
        H: FnMut(P::Event) -> F,
        F: Future<Output: HandlerResult<P>>,
    {
        let mut disabled = false;
        for Event { key, data } in self.events {
            match one(&self.receiver, key, || handler(data)).await {
                Ok(Handled::Done) => {}
                Ok(Handled::Disable) => disabled = true,
                Ok(Handled::Failed) => return Answer(StatusCode::INTERNAL_SERVER_ERROR),
                Ok(Handled::SendAgain) => return Answer(StatusCode::SERVICE_UNAVAILABLE),
                Err(status) => return Answer(status),
            }
        }
        Answer(if disabled {
            StatusCode::GONE
        } else {
            StatusCode::NO_CONTENT
        })
    }
}

impl<P: Provider, S> fmt::Debug for Delivery<P, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("key", &self.key())
            .field("timestamp", &self.timestamp())
            .field("events", &self.events)
            .finish_non_exhaustive()
    }
}

/// What to answer to a delivery whose handler was called for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the sender learns of it only if it is sent"]
pub struct Answer(StatusCode);

impl Answer {
    /// The status: 204, 410, 500 or 503.
    pub fn status(self) -> StatusCode {
        self.0
    }

    /// The whole answer, with an empty body.
    pub fn response<B: Default>(self) -> Response<B> {
        respond(self.0)
    }
}

/// What a handler made of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handled {
    /// It is dealt with and won't be handled again.
    Done,
    /// It isn't: the answer is 500, and it should be delivered again.
    Failed,
    /// It can't be dealt with now: the answer is 503 with `Retry-After`.
    SendAgain,
    /// It is dealt with, and the service is to switch the webhook off.
    Disable,
}

/// What a handler of a service's events may return.
pub trait HandlerResult<P: ?Sized> {
    /// What it means for the event.
    fn handled(self) -> Handled;
}

impl<P: ?Sized> HandlerResult<P> for () {
    fn handled(self) -> Handled {
        Handled::Done
    }
}

impl<P: ?Sized, T: HandlerResult<P>, E> HandlerResult<P> for Result<T, E> {
    fn handled(self) -> Handled {
        self.map_or(Handled::Failed, T::handled)
    }
}

/// Claims, handles, and commits or releases one event.
async fn one<P, S, F>(
    receiver: &Arc<Inner<P, S>>,
    key: EventKey,
    handler: impl FnOnce() -> F,
) -> Result<Handled, StatusCode>
where
    P: Provider,
    S: DedupStore,
    F: Future<Output: HandlerResult<P>>,
{
    let unavailable = |error: StoreError| {
        tracing::error!(provider = receiver.provider.name(), reason = %error, "can't de-duplicate");
        StatusCode::SERVICE_UNAVAILABLE
    };
    let lease = receiver.limits.lease;
    let begun = Instant::now();
    let claim = receiver.store.claim(&key, lease).await;
    let token = match claim.map_err(unavailable)? {
        Claim::Granted(token) => token,
        Claim::Committed => return Ok(Handled::Done),
        Claim::Held => return Err(StatusCode::SERVICE_UNAVAILABLE),
    };
    let mut claimed = Claimed {
        receiver,
        key: &key,
        token,
        end: Some(End::Release),
    };
    let time_left = lease.saturating_sub(begun.elapsed());
    let handled = match tokio::time::timeout(time_left, handler()).await {
        Ok(result) => result.handled(),
        Err(_) => {
            tracing::error!(
                provider = receiver.provider.name(),
                "a handler outlived its lease"
            );
            Handled::Failed
        }
    };
    match handled {
        Handled::Done | Handled::Disable => claimed.end(End::Commit).await,
        Handled::Failed | Handled::SendAgain => {
            tracing::warn!(provider = receiver.provider.name(), "a handler failed");
            claimed.end(End::Release).await
        }
    }
    .map_err(unavailable)?;
    Ok(handled)
}

/// A claim that is brought to its end even where the request is dropped before.
struct Claimed<'a, P: Provider, S: DedupStore> {
    receiver: &'a Arc<Inner<P, S>>,
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
    async fn reach<P: Provider, S: DedupStore>(
        self,
        receiver: &Inner<P, S>,
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

impl<P: Provider, S: DedupStore> Claimed<'_, P, S> {
    async fn end(&mut self, end: End) -> Result<(), StoreError> {
        self.end = Some(end);
        let reached = end.reach(self.receiver, self.key, self.token).await;
        self.end = None;
        reached
    }
}

impl<P: Provider, S: DedupStore> Drop for Claimed<'_, P, S> {
    fn drop(&mut self) {
        let (Some(end), Ok(runtime)) = (self.end, Handle::try_current()) else {
            return;
        };
        let (receiver, key) = (Arc::clone(self.receiver), self.key.clone());
        let token = self.token;
        runtime.spawn(async move {
            if let Err(error) = end.reach(&receiver, &key, token).await {
                let provider = receiver.provider.name();
                tracing::error!(provider, reason = %error, "can't end a claim");
            }
        });
    }
}
