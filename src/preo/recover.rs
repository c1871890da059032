use std::collections::HashSet;
use std::fmt::{self, Display};
use std::hash::BuildHasher;
use std::mem;

use chrono::{DateTime, Utc};
use http::Request;
use http::request::Parts;
use serde::de::DeserializeOwned;

use super::{DeliveryStatus, PreoClient, Source, WebhookDeliverySummary, WebhookOrdering};
use crate::error::{Error, ErrorKind};
use crate::pagination::Items;
use crate::receiver::{Delivery, Event, IntoAck, Outcome, Receiver};
#[cfg(any(feature = "postgres", feature = "sqlite"))]
use crate::receiver::{Dialect, Inbox, InboxTransaction};

impl PreoClient {
    /// Runs the failed deliveries of a webhook through a receiver.
    ///
    /// ```no_run
    /// # use webhook_sdk::{preo, receiver::Receiver};
    /// # async fn store<T>(event: T) -> Result<(), std::io::Error> { Ok(()) }
    /// # async fn example(
    /// #     preo: preo::PreoClient, receiver: Receiver<preo::Source>, outage: chrono::DateTime<chrono::Utc>,
    /// # ) -> Result<(), Box<dyn std::error::Error>> {
    /// let recover = preo.recover("wh_1").since(outage);
    /// let report = recover.through(&receiver, async |event| Ok(store(event).await?)).await?;
    /// println!("{} recovered, {} failed", report.recovered, report.failed);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Reads Preo's log of deliveries that are `failed` or `exhausted`, and has the receiver
    /// verify, decode, deduplicate, handle, and observe each stored payload as if Preo had sent it
    /// again. Nothing changes at Preo: what it redelivers later is a duplicate.
    ///
    /// A second run recovers nothing new while the receiver's store remembers the events: use the
    /// same store and receiver [name](crate::receiver::ReceiverBuilder::name), and run it within
    /// [`remember`](crate::receiver::ReceiverBuilder::remember). After that, or with a store in
    /// memory that was restarted, an event whose delivery failed although it was handled is handled
    /// again.
    ///
    /// # Cost
    ///
    /// One request per page of each status and one per delivery since [`since`](Recover::since),
    /// because the log lists no payloads and filters by no time. Deliveries are handled one after
    /// the other. Memory is bounded by a page, a payload, and about 20 bytes for each delivery read.
    ///
    /// # When the log changes
    ///
    /// A list that shrinks while it is read, because Preo's own retries succeed, is read again from
    /// its start; known deliveries aren't retrieved again. Not detectable: as many deliveries
    /// leaving as joining between two pages. The next run finds what was missed, and what was being
    /// retried.
    pub fn recover(&self, webhook_id: impl Into<String>) -> Recover {
        Recover {
            client: self.clone(),
            webhook_id: webhook_id.into(),
            since: DateTime::<Utc>::MIN_UTC,
            head: Request::new(()).into_parts().0,
        }
    }
}

/// A run of [`PreoClient::recover`], to be started.
#[derive(Clone)]
#[must_use = "nothing is requested until `through` is called"]
pub struct Recover {
    client: PreoClient,
    webhook_id: String,
    since: DateTime<Utc>,
    head: Parts,
}

/// The result of a [`Recover`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecoveryReport {
    /// Failed and exhausted deliveries in all; the sum of the other counts.
    pub seen: u64,
    /// Deliveries whose event was handled before.
    pub already_handled: u64,
    /// Deliveries whose event was handled now.
    pub recovered: u64,
    /// Deliveries that the receiver refused, such as for a wrong signature.
    pub refused: u64,
    /// Deliveries that can be recovered later: the handler failed, the receiver was busy, the event
    /// was being handled, or the store or the delivery couldn't be read.
    pub failed: u64,
    /// The ids of the refused and failed deliveries, at most 1,000. The reasons are logged
    /// with the target `webhook_sdk`.
    pub unrecovered: Vec<String>,
}

/// An error of Preo's API that ended a [`Recover`].
#[derive(Debug, thiserror::Error)]
#[error("recovery ended after {} deliveries", .report.seen)]
pub struct RecoveryError {
    report: RecoveryReport,
    source: Error,
}

impl RecoveryError {
    /// The report up to the error; another run continues.
    pub fn report(&self) -> &RecoveryReport {
        &self.report
    }

    /// The error of the call that failed.
    pub fn error(&self) -> &Error {
        &self.source
    }
}

impl Recover {
    /// Leaves out deliveries that were last attempted before this time; none by default.
    pub fn since(mut self, time: DateTime<Utc>) -> Self {
        self.since = time;
        self
    }

    /// Sets the head of the requests that the receiver sees.
    ///
    /// A receiver with [tenants](crate::receiver::Tenants) needs one that names the tenant.
    pub fn head(mut self, head: Parts) -> Self {
        self.head = head;
        self
    }

    /// Handles each event that wasn't handled before, as [`Delivery::handle`] does.
    ///
    /// A delivery that is refused or fails doesn't stop the others. Dropping the future stops after
    /// any delivery; another run does the rest.
    ///
    /// # Errors
    ///
    /// A [`RecoveryError`] when Preo's API fails, except for a delivery that is gone or can't be
    /// decoded, and when the log changed 10 times in a row without a new delivery.
    pub async fn through<T, H, F>(
        self,
        receiver: &Receiver<Source<T>>,
        mut handler: H,
    ) -> Result<RecoveryReport, RecoveryError>
    where
        T: DeserializeOwned + Send + 'static,
        H: FnMut(Event<T>) -> F,
        F: Future<Output: IntoAck<Source<T>>>,
    {
        let mut walk = Walk::new(self, receiver);
        while let Some(delivery) = walk.next().await? {
            let mut ran = false;
            let handled = delivery.handle(|event| {
                ran = true;
                handler(event)
            });
            walk.handled(handled.await, ran);
        }
        Ok(walk.report)
    }

    /// Handles each event in a transaction that also records it, as [`Delivery::handle_in`] does.
    ///
    /// # Errors
    ///
    /// Those of [`through`](Self::through).
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    pub async fn through_inbox<T, DB, H, F>(
        self,
        receiver: &Receiver<Source<T>>,
        inbox: &Inbox<DB>,
        mut handler: H,
    ) -> Result<RecoveryReport, RecoveryError>
    where
        T: DeserializeOwned + Send + 'static,
        DB: Dialect,
        H: FnMut(Event<T>, InboxTransaction<DB>) -> F,
        F: Future<Output: IntoAck<Source<T>>>,
    {
        let mut walk = Walk::new(self, receiver);
        while let Some(delivery) = walk.next().await? {
            let mut ran = false;
            let handled = delivery.handle_in(inbox, |event, transaction| {
                ran = true;
                handler(event, transaction)
            });
            walk.handled(handled.await, ran);
        }
        Ok(walk.report)
    }

    fn list(&self, status: DeliveryStatus) -> Items<WebhookDeliverySummary> {
        let list = self.client.list_webhook_deliveries(&self.webhook_id);
        let list = list.status(status).ordering([WebhookOrdering::Created]);
        list.stream()
    }
}

impl fmt::Debug for Recover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recover")
            .field("webhook_id", &self.webhook_id)
            .field("since", &self.since)
            .finish_non_exhaustive()
    }
}

/// Our choice.
const MAX_UNRECOVERED: usize = 1000;

/// How often in a row a list may change before a reading finds a new delivery; our choice.
const MAX_FRUITLESS: u32 = 10;

struct Walk<'a, T> {
    recover: Recover,
    receiver: &'a Receiver<Source<T>>,
    report: RecoveryReport,
    status: DeliveryStatus,
    deliveries: Items<WebhookDeliverySummary>,
    /// Hashes of the ids of the deliveries retrieved.
    known: HashSet<u64>,
    fruitless: u32,
    /// The id of the delivery being recovered.
    id: String,
}

impl<'a, T: DeserializeOwned + Send + 'static> Walk<'a, T> {
    fn new(recover: Recover, receiver: &'a Receiver<Source<T>>) -> Self {
        Self {
            // Failed before exhausted: a delivery can become exhausted meanwhile, not the reverse.
            deliveries: recover.list(DeliveryStatus::Failed),
            status: DeliveryStatus::Failed,
            recover,
            receiver,
            report: RecoveryReport::default(),
            known: HashSet::new(),
            fruitless: 0,
            id: String::new(),
        }
    }

    /// The next delivery that the receiver accepts.
    async fn next(&mut self) -> Result<Option<Delivery<Source<T>>>, RecoveryError> {
        let next = self.next_accepted().await;
        next.map_err(|source| RecoveryError {
            report: mem::take(&mut self.report),
            source,
        })
    }

    async fn next_accepted(&mut self) -> Result<Option<Delivery<Source<T>>>, Error> {
        while let Some(id) = self.next_id().await? {
            self.id = id;
            let Recover {
                client,
                webhook_id,
                head,
                ..
            } = &mut self.recover;
            let retrieve = client.retrieve_webhook_delivery(&*webhook_id, &self.id);
            let stored = match retrieve.send().await {
                Ok(stored) => stored,
                Err(error) if concerns_one_delivery(&error) => {
                    self.lose(|report| &mut report.failed, error);
                    continue;
                }
                Err(error) => return Err(error),
            };
            let scheme = self.receiver.source().scheme(head).await;
            head.headers.remove(scheme.header());
            if let Some(signature) = &stored.signature {
                let signature = scheme.stored_header(signature.as_str());
                head.headers.insert(scheme.header(), signature);
            }
            let body = stored.payload.as_str().to_owned();
            match self.receiver.receive(head, body).await {
                Ok(delivery) => return Ok(Some(delivery)),
                Err(refusal) if refusal.status().is_server_error() => {
                    self.lose(|report| &mut report.failed, refusal);
                }
                Err(refusal) => self.lose(|report| &mut report.refused, refusal),
            }
        }
        Ok(None)
    }

    async fn next_id(&mut self) -> Result<Option<String>, Error> {
        loop {
            match self.deliveries.try_next().await {
                Ok(Some(delivery)) => {
                    let id = self.known.hasher().hash_one(&delivery.id);
                    if self.recover.wants(&delivery) && self.known.insert(id) {
                        self.fruitless = 0;
                        return Ok(Some(delivery.id));
                    }
                }
                Ok(None) if self.status == DeliveryStatus::Failed => {
                    self.status = DeliveryStatus::Exhausted;
                    self.deliveries = self.recover.list(self.status.clone());
                }
                Ok(None) => return Ok(None),
                Err(error) if error.is_list_changed() && self.fruitless < MAX_FRUITLESS => {
                    self.fruitless += 1;
                    self.deliveries = self.recover.list(self.status.clone());
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn handled(&mut self, outcome: Outcome, ran: bool) {
        match (outcome.is_success(), ran) {
            (true, true) => self.count(|report| &mut report.recovered),
            (true, false) => self.count(|report| &mut report.already_handled),
            (false, _) => self.lose(|report| &mut report.failed, outcome.status()),
        }
    }

    fn lose(&mut self, count: fn(&mut RecoveryReport) -> &mut u64, reason: impl Display) {
        let (webhook, delivery) = (&self.recover.webhook_id, &self.id);
        tracing::warn!(target: "webhook_sdk", webhook, delivery, %reason, "delivery not recovered");
        if self.report.unrecovered.len() < MAX_UNRECOVERED {
            self.report.unrecovered.push(mem::take(&mut self.id));
        }
        self.count(count);
    }

    fn count(&mut self, count: fn(&mut RecoveryReport) -> &mut u64) {
        self.report.seen += 1;
        *count(&mut self.report) += 1;
    }
}

impl Recover {
    /// Whether a listed delivery is to be recovered, also where Preo's filter doesn't say so.
    fn wants(&self, delivery: &WebhookDeliverySummary) -> bool {
        let wanted = [DeliveryStatus::Failed, DeliveryStatus::Exhausted];
        let last = delivery.last_attempt_at.unwrap_or(delivery.created);
        let status = delivery.status.as_ref();
        status.is_none_or(|status| wanted.contains(status)) && last >= self.since
    }
}

fn concerns_one_delivery(error: &Error) -> bool {
    use ErrorKind::{Decode, NotFound, TooLarge};
    matches!(error.kind(), Decode | NotFound | TooLarge)
}
