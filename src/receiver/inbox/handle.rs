use std::time::Duration;

use tokio::time::timeout;

use super::record::Claimed;
use super::transaction::InboxTransaction;
use super::{Dialect, Inbox, LONGEST_WAIT, no_response};
use crate::receiver::delivery::{Processed, Progress, Watch, guarded};
use crate::receiver::{Delivery, Event, IntoAck, Outcome, Source, StoreError};

impl<S: Source> Delivery<S> {
    /// Handles each new event in a transaction that also records it.
    ///
    /// ```no_run
    /// # #[cfg(all(feature = "preo", feature = "sqlite"))]
    /// # mod example {
    /// use webhook_sdk::preo;
    /// use webhook_sdk::receiver::{Delivery, Outcome, SqliteInbox};
    ///
    /// async fn hook(inbox: SqliteInbox, delivery: Delivery<preo::Source>) -> Outcome {
    ///     delivery
    ///         .handle_in(&inbox, async |event, mut tx| {
    ///             sqlx::query("insert into consents (payload) values ($1)")
    ///                 .bind(event.to_string())
    ///                 .execute(&mut *tx)
    ///                 .await?;
    ///             Ok(())
    ///         })
    ///         .await
    /// }
    /// # }
    /// ```
    ///
    /// It differs from [`handle`](Self::handle) in two ways. The handler also gets a transaction,
    /// which is committed if it succeeds; see [exactly once in
    /// effect](Inbox#exactly-once-in-effect). The events are recorded in the inbox instead of the
    /// receiver's store, until they are [purged](Inbox::purge). The receiver needs a
    /// [`name`](super::super::ReceiverBuilder::name), which is part of the records. Without a name,
    /// every event gets 503.
    pub async fn handle_in<DB, H, F>(self, inbox: &Inbox<DB>, mut handler: H) -> Outcome
    where
        DB: Dialect,
        H: FnMut(Event<S::Event>, InboxTransaction<DB>) -> F,
        F: Future<Output: IntoAck<S>>,
    {
        let mut progress = Progress::default();
        for event in self.events {
            let watch = Watch::start(&self.receiver, &event);
            let lease = self.receiver.limits.lease;
            let processed = match self.receiver.name {
                Some(_) => process(inbox, &watch, lease, |tx| handler(event, tx)).await,
                None => Processed::StoreUnavailable(StoreError::Unavailable(UNNAMED.to_owned())),
            };
            if progress.add(watch, processed).is_break() {
                break;
            }
        }
        progress.outcome()
    }
}

const UNNAMED: &str = "an inbox needs a receiver's name: call `ReceiverBuilder::name`";

async fn process<S, DB, F>(
    inbox: &Inbox<DB>,
    watch: &Watch<'_, S>,
    lease: Duration,
    handler: impl FnOnce(InboxTransaction<DB>) -> F,
) -> Processed
where
    S: Source,
    DB: Dialect,
    F: Future<Output: IntoAck<S>>,
{
    let record = match inbox.claim(&watch.key, lease).await {
        Ok(Claimed::Granted(record)) => record,
        Ok(Claimed::Committed) => return Processed::Duplicate,
        Ok(Claimed::Stale) => return Processed::Stale,
        Ok(Claimed::Held) => return Processed::Held,
        Err(error) => return Processed::StoreUnavailable(error),
    };
    let transaction = record.lend().await;
    let time_left = lease.saturating_sub(watch.begun.elapsed());
    let processed = match guarded(time_left, || handler(transaction)).await {
        Ok(returned) => returned
            .into_ack()
            .map_or_else(Processed::Failed, |ack| ack.kind.into()),
        Err(processed) => processed,
    };
    match processed {
        Processed::Handled | Processed::Disabled => {
            match timeout(LONGEST_WAIT, record.commit()).await {
                Ok(Ok(())) => processed,
                Ok(Err(error)) => Processed::StoreUnavailable(error),
                Err(_) => Processed::StoreUnavailable(no_response(LONGEST_WAIT)),
            }
        }
        _ => {
            timeout(LONGEST_WAIT, record.rollback()).await.ok();
            processed
        }
    }
}
