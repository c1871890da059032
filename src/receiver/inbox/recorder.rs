use tokio::time::timeout;

use super::record::Record;
use super::transaction::InboxTransaction;
use super::{Dialect, Inbox, MAX_WAIT, no_response};
use crate::receiver::handling::{EventGuard, Recorder, handle_all};
use crate::receiver::{Delivery, Event, IntoAck, Observation, Outcome, Source, StoreError};

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
    pub async fn handle_in<DB, H, F>(self, inbox: &Inbox<DB>, handler: H) -> Outcome
    where
        DB: Dialect,
        H: FnMut(Event<S::Event>, InboxTransaction<DB>) -> F,
        F: Future<Output: IntoAck<S>>,
    {
        let Self {
            shared,
            events,
            _permit,
            ..
        } = self;
        handle_all(&shared, events, inbox, handler).await
    }
}

impl<S: Source, DB: Dialect> Recorder<S> for Inbox<DB> {
    type Claimed = Record<DB>;
    type Argument = InboxTransaction<DB>;

    async fn claim(
        &self,
        guard: &EventGuard<'_, S>,
    ) -> Result<(Record<DB>, InboxTransaction<DB>), Observation> {
        if guard.shared.name.is_none() {
            let unnamed = StoreError::Unavailable(UNNAMED.to_owned());
            return Err(Observation::StoreUnavailable(unnamed));
        }
        let record = self.claim(&guard.key, guard.shared.limits.lease).await?;
        let transaction = record.lend().await;
        Ok((record, transaction))
    }

    async fn commit(&self, record: Record<DB>) -> Result<(), StoreError> {
        let committed = timeout(MAX_WAIT, record.commit()).await;
        committed.unwrap_or_else(|_| Err(no_response(MAX_WAIT)))
    }

    async fn release(&self, record: Record<DB>) -> Result<(), StoreError> {
        timeout(MAX_WAIT, record.rollback()).await.ok();
        Ok(())
    }
}

const UNNAMED: &str = "an inbox requires a receiver name; call `ReceiverBuilder::name`";
