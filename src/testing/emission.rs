use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::delivery::{Defect, FakeDelivery};
use super::server::Shared;
use super::service::{Emitted, FakeService};

/// An event to deliver. It is sent when it is awaited.
///
/// Created by [`Fake::emit`](super::Fake::emit). Its methods add one deliberate defect to the first
/// attempt. Later attempts of the same delivery are correct.
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
/// "Signature" means the signature header of Preo and Lune, or the credentials that pretix takes
/// from the webhook's URL. pretix doesn't sign bodies, and neither Preo nor pretix sends a
/// timestamp, so [`altered`](Self::altered) can't be detected with pretix, and
/// [`stale`](Self::stale) only with Lune. `Debug` shows no data.
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

    /// Sends the event only to this webhook, even if it is disabled or not subscribed.
    ///
    /// Nothing is sent if the webhook doesn't exist. Lune's fake keeps the event while the webhook
    /// is disabled.
    pub fn to(mut self, webhook_id: impl ToString) -> Self {
        self.emitted.to = Some(webhook_id.to_string());
        self
    }

    /// Sends `data` without the service's envelope.
    ///
    /// In Lune's batch, it replaces one event.
    pub fn raw(mut self) -> Self {
        self.emitted.raw = true;
        self
    }

    /// Queues the event, to be sent by [`Fake::deliver_due`](super::Fake::deliver_due).
    pub fn queued(mut self) -> Self {
        self.queued = true;
        self
    }

    /// Dates the event before the previous one, so that it arrives out of order.
    ///
    /// Preo's `created`, Lune's `sequence`, and pretix's `notification_id` are those of an earlier
    /// event.
    pub fn out_of_order(mut self) -> Self {
        self.emitted.late = true;
        self
    }

    /// Signs with another secret.
    pub fn forged(self) -> Self {
        self.defect(Defect::Forged)
    }

    /// Omits the signature header.
    pub fn without_signature(self) -> Self {
        self.defect(Defect::Unsigned)
    }

    /// Sends the signature header twice, both times with the correct value.
    pub fn signed_twice(self) -> Self {
        self.defect(Defect::SignedTwice)
    }

    /// Changes the body after signing, to different bytes of equivalent JSON.
    pub fn altered(self) -> Self {
        self.defect(Defect::Altered)
    }

    /// Signs with a timestamp from an hour ago.
    pub fn stale(self) -> Self {
        self.defect(Defect::Stale)
    }

    /// Sends the same request twice, one after the other. The second response counts.
    pub fn duplicated(self) -> Self {
        self.defect(Defect::Duplicated)
    }

    /// Pads the body with whitespace to this many bytes, with a correct signature.
    pub fn oversized(self, bytes: usize) -> Self {
        self.defect(Defect::Oversized(bytes))
    }

    /// Sends the body in chunks, over this duration.
    pub fn slow(self, time: Duration) -> Self {
        self.defect(Defect::Slow(time))
    }

    /// Closes the connection in the middle of the body.
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
