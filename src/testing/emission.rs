use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::delivery::{Defect, FakeDelivery};
use super::server::Shared;
use super::service::{Emitted, FakeService};

/// An event to be delivered; await it to send it.
///
/// Made by [`Fake::emit`](super::Fake::emit). Its methods make the first attempt go wrong on
/// purpose, in one way; later attempts of the same delivery are as they should be.
///
/// ```
/// use serde_json::json;
/// use webhook_sdk::testing::PreoFake;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let preo = PreoFake::start().await;
/// preo.emit("consent.given", json!({ "id": "c_1" })).await;
/// preo.emit("consent.given", json!({ "id": "c_2" })).forged().await;
/// preo.emit("consent.given", json!({ "id": "c_3" })).duplicated().await;
/// # }
/// ```
///
/// What "signature" means here is the service's own proof: Preo's and Lune's signature header, or
/// the credentials that pretix takes from the webhook's URL. pretix signs no body and neither
/// Preo nor pretix sends a timestamp, so [`altered`](Self::altered) can't be detected at pretix,
/// nor [`stale`](Self::stale) at either. `Debug` shows no data.
#[must_use = "nothing is sent until it is awaited"]
pub struct Emission<'a, S: FakeService> {
    shared: &'a Arc<Shared<S>>,
    pub(crate) emitted: Emitted<S::Scope>,
    defect: Option<Defect>,
    queued: bool,
}

impl<'a, S: FakeService> Emission<'a, S> {
    pub(crate) fn new(shared: &'a Arc<Shared<S>>, event: String, data: Value) -> Self {
        Self {
            shared,
            emitted: Emitted {
                event,
                data,
                scope: S::Scope::default(),
                to: None,
                raw: false,
                late: false,
            },
            defect: None,
            queued: false,
        }
    }

    /// Sends the event to this webhook alone, whether it is enabled and subscribed or not.
    ///
    /// Nothing is sent if there is no such webhook. Lune's fake holds it back while the webhook is
    /// disabled.
    pub fn to(mut self, webhook_id: impl ToString) -> Self {
        self.emitted.to = Some(webhook_id.to_string());
        self
    }

    /// Sends `data` itself, without the service's envelope.
    ///
    /// In Lune's batch it takes the place of one event.
    pub fn raw(mut self) -> Self {
        self.emitted.raw = true;
        self
    }

    /// Leaves the event due, to be sent by [`Fake::deliver_due`](super::Fake::deliver_due).
    pub fn queued(mut self) -> Self {
        self.queued = true;
        self
    }

    /// Dates the event before the last one, so that the receiver gets it out of order.
    ///
    /// Preo's `created`, Lune's `sequence` and pretix's `notification_id` are those of an earlier
    /// event.
    pub fn out_of_order(mut self) -> Self {
        self.emitted.late = true;
        self
    }

    /// Signs with another secret.
    pub fn forged(self) -> Self {
        self.defect(Defect::Forged)
    }

    /// Leaves the signature header out.
    pub fn without_signature(self) -> Self {
        self.defect(Defect::Unsigned)
    }

    /// Sends the signature header twice, both times with the right value.
    pub fn signed_twice(self) -> Self {
        self.defect(Defect::SignedTwice)
    }

    /// Changes the body after it was signed. It is still the same JSON.
    pub fn altered(self) -> Self {
        self.defect(Defect::Altered)
    }

    /// Signs as of an hour ago.
    pub fn stale(self) -> Self {
        self.defect(Defect::Stale)
    }

    /// Sends the same request twice, one after the other; the second response counts.
    pub fn duplicated(self) -> Self {
        self.defect(Defect::Duplicated)
    }

    /// Pads the body with white space to this many bytes; the signature is right.
    pub fn oversized(self, bytes: usize) -> Self {
        self.defect(Defect::Oversized(bytes))
    }

    /// Sends the body in pieces, over this time.
    pub fn slow(self, time: Duration) -> Self {
        self.defect(Defect::Slow(time))
    }

    /// Breaks the connection in the middle of the body.
    pub fn cut_off(self) -> Self {
        self.defect(Defect::CutOff)
    }

    fn defect(mut self, defect: Defect) -> Self {
        self.defect = Some(defect);
        self
    }

    async fn send(self) -> Vec<FakeDelivery> {
        let keys = self.shared.state().emit(&self.emitted, self.defect);
        if self.queued {
            let state = self.shared.state();
            let queued = keys.iter().filter_map(|key| state.deliveries.get(key));
            return queued.cloned().collect();
        }
        self.shared.deliver(Some(keys)).await
    }
}

impl<'a, S: FakeService> IntoFuture for Emission<'a, S> {
    type Output = Vec<FakeDelivery>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

impl<S: FakeService> fmt::Debug for Emission<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Emission")
            .field("event", &self.emitted.event)
            .finish_non_exhaustive()
    }
}
