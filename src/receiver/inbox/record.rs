use std::sync::Arc;

use sha2::{Digest, Sha256};
use sqlx::{Error, Transaction};
use tokio::sync::{Mutex, OwnedSemaphorePermit};

use super::table::Table;
use super::transaction::InboxTransaction;
use super::{Dialect, InboxError};
use crate::receiver::{EventKey, Observation, StoreError};

/// An uncommitted record of an event. Dropping it rolls the transaction back.
pub(in crate::receiver) struct Record<DB: Dialect> {
    transaction: Arc<Mutex<Transaction<'static, DB>>>,
    table: Arc<Table>,
    key: EventKey,
    _permit: OwnedSemaphorePermit,
}

impl<DB: Dialect> Record<DB> {
    /// Records an event, or returns the outcome of one that is or was recorded by others.
    pub(super) async fn claim(
        mut transaction: Transaction<'static, DB>,
        table: Arc<Table>,
        key: EventKey,
        permit: OwnedSemaphorePermit,
    ) -> Result<Result<Self, Observation>, Error> {
        let event = [key.as_str().as_bytes()];
        let (insert, find) = (&table.insert, &table.find);
        let found = Observation::Duplicate;
        let mut unclaimed = change(&mut transaction, insert, find, &event, found).await?;
        if let (None, Some(position)) = (&unclaimed, key.position()) {
            let position = [position.stream().as_bytes(), position.sequence().as_bytes()];
            let (raise, find) = (&table.raise, &table.find_higher);
            let found = Observation::Stale;
            unclaimed = change(&mut transaction, raise, find, &position, found).await?;
        }
        if let Some(observation) = unclaimed {
            transaction.rollback().await?;
            return Ok(Err(observation));
        }
        Ok(Ok(Self {
            transaction: Arc::new(Mutex::new(transaction)),
            table,
            key,
            _permit: permit,
        }))
    }

    /// The transaction, which the handler owns while it runs.
    pub(super) async fn lend(&self) -> InboxTransaction<DB> {
        InboxTransaction(Arc::clone(&self.transaction).lock_owned().await)
    }

    /// Commits the record and the handler's writes.
    ///
    /// Postgres reports success when an aborted transaction is committed, and SQLite rolls back by
    /// itself on some errors. Checking for the record first rules out both.
    pub(super) async fn commit(self) -> Result<(), StoreError> {
        let Some(transaction) = Arc::into_inner(self.transaction) else {
            return Err(unusable("the handler kept its transaction"));
        };
        let mut transaction = transaction.into_inner();
        let event = [self.key.as_str().as_bytes()];
        match DB::count(&mut transaction, &self.table.find, &event, None).await {
            Ok(0) => Err(unusable("the handler's transaction was rolled back")),
            Ok(_) => transaction.commit().await.map_err(unavailable),
            Err(error) => Err(unavailable(error)),
        }
    }

    /// Rolls back before the response is sent, so that the next delivery isn't blocked.
    pub(super) async fn rollback(self) {
        if let Some(transaction) = Arc::into_inner(self.transaction) {
            // If that fails, the connection is closed, and the transaction with it.
            transaction.into_inner().rollback().await.ok();
        }
    }
}

/// Executes a change. If it has no effect, returns `found` if that applies, or else `Held`.
async fn change<DB: Dialect>(
    transaction: &mut Transaction<'static, DB>,
    change: &Arc<str>,
    find: &Arc<str>,
    parameters: &[&[u8]],
    found: Observation,
) -> Result<Option<Observation>, Error> {
    let lock = lock_number(change, parameters);
    if DB::count(transaction, change, parameters, Some(lock)).await? > 0 {
        return Ok(None);
    }
    let is_found = DB::count(transaction, find, parameters, None).await? > 0;
    Ok(Some(if is_found { found } else { Observation::Held }))
}

/// The id of the advisory lock for a row, unique to the table and the application.
fn lock_number(statement: &str, parameters: &[&[u8]]) -> i64 {
    let row = parameters.first().copied().unwrap_or_default();
    let digest = Sha256::new()
        .chain_update(statement)
        .chain_update(row)
        .finalize();
    let [a, b, c, d, e, f, g, h, ..] = digest.0;
    i64::from_be_bytes([a, b, c, d, e, f, g, h])
}

fn unusable(reason: &str) -> StoreError {
    StoreError::Unavailable(reason.to_owned())
}

fn unavailable(error: Error) -> StoreError {
    InboxError::from(error).into()
}
