use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use http::{Response, StatusCode};
use tokio::runtime::Handle;

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
            Proof::Signature(verified) => verified.key(),
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
    /// before it is committed and won't be handled again.
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
    /// It isn't, and should be delivered again.
    Failed,
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
    let limits = &receiver.limits;
    let token = match receiver
        .store
        .claim(&key, limits.lease)
        .await
        .map_err(unavailable)?
    {
        Claim::Granted(token) => token,
        Claim::Committed => return Ok(Handled::Done),
        Claim::Held => return Err(StatusCode::SERVICE_UNAVAILABLE),
    };
    let mut held = Held {
        receiver: Arc::clone(receiver),
        claim: Some((key, token)),
    };
    let handled = match tokio::time::timeout(limits.lease, handler()).await {
        Ok(result) => result.handled(),
        Err(_) => {
            tracing::error!(
                provider = receiver.provider.name(),
                "a handler outlived its lease"
            );
            Handled::Failed
        }
    };
    let Some((key, token)) = held.claim.take() else {
        return Ok(handled);
    };
    match handled {
        Handled::Done | Handled::Disable => {
            receiver
                .store
                .commit(&key, token, limits.remember)
                .await
                .map_err(unavailable)?;
        }
        Handled::Failed => {
            tracing::warn!(provider = receiver.provider.name(), "a handler failed");
            receiver
                .store
                .release(&key, token)
                .await
                .map_err(unavailable)?;
        }
    }
    Ok(handled)
}

/// A claim that is given up when its handler is dropped before its end.
struct Held<P: Provider, S: DedupStore> {
    receiver: Arc<Inner<P, S>>,
    claim: Option<(EventKey, ClaimToken)>,
}

impl<P: Provider, S: DedupStore> Drop for Held<P, S> {
    fn drop(&mut self) {
        let (Some((key, token)), Ok(runtime)) = (self.claim.take(), Handle::try_current()) else {
            return;
        };
        let receiver = Arc::clone(&self.receiver);
        runtime.spawn(async move { receiver.store.release(&key, token).await });
    }
}
