use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use sqlx::pool::Pool;
use sqlx::{AssertSqlSafe, Connection, Error, SqlSafeStr, Transaction};
use tokio::sync::OwnedMutexGuard;

use super::Dialect;

/// The transaction that a handler uses for one event.
///
/// It dereferences to sqlx's connection, so `&mut *tx` runs statements:
///
/// ```
/// # #[cfg(feature = "postgres")]
/// # mod example {
/// use sqlx::Postgres;
/// use webhook_sdk::receiver::InboxTransaction;
///
/// async fn store(tx: &mut InboxTransaction<Postgres>, id: &str) -> Result<(), sqlx::Error> {
///     sqlx::query("insert into orders (id) values ($1)").bind(id).execute(&mut **tx).await?;
///     Ok(())
/// }
/// # }
/// ```
///
/// Dropping it returns the transaction to the inbox, which commits it if the handler succeeds. A
/// handler that doesn't drop it, for example by moving it into a spawned task, fails.
pub struct InboxTransaction<DB: Dialect>(pub(super) OwnedMutexGuard<Transaction<'static, DB>>);

impl<DB: Dialect> Deref for InboxTransaction<DB> {
    type Target = DB::Connection;

    fn deref(&self) -> &DB::Connection {
        &self.0
    }
}

impl<DB: Dialect> DerefMut for InboxTransaction<DB> {
    fn deref_mut(&mut self) -> &mut DB::Connection {
        &mut self.0
    }
}

impl<DB: Dialect> fmt::Debug for InboxTransaction<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InboxTransaction").finish_non_exhaustive()
    }
}

/// Begins a transaction, and returns it together with `permit`.
///
/// The permit stays taken until the transaction has begun, even if the future is dropped. It runs
/// in a separate task, because dropping the future of sqlx 0.9's `begin` returns the connection to
/// the pool with an open transaction.
pub(super) async fn begin<DB: Dialect, T: Send + 'static>(
    pool: &Pool<DB>,
    statement: Arc<str>,
    permit: T,
) -> Result<(Transaction<'static, DB>, T), Error> {
    let pool = pool.clone();
    let beginning = tokio::spawn(async move {
        let connection = loop {
            let mut connection = pool.acquire().await?;
            if !connection.is_in_transaction() {
                break connection;
            }
            // SQLite has ended a transaction that sqlx 0.9 believes to be open.
            connection.close_on_drop();
        };
        // `Pool::begin_with` with this connection.
        let statement = AssertSqlSafe(statement).into_sql_str();
        let transaction = Transaction::begin(connection, Some(statement)).await?;
        Ok((transaction, permit))
    });
    beginning.await.unwrap_or(Err(Error::WorkerCrashed))
}
