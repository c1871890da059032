use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use sqlx::pool::{Pool, PoolConnection};
use sqlx::{AssertSqlSafe, Connection, Error, Transaction};
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
        for _ in 0..=pool.options().get_max_connections() {
            let statement = AssertSqlSafe(Arc::clone(&statement));
            match pool.begin_with(statement).await {
                Err(Error::InvalidSavePointStatement) => close_stale(&pool).await?,
                started => return started.map(|transaction| (transaction, permit)),
            }
        }
        Err(Error::InvalidSavePointStatement)
    });
    beginning.await.unwrap_or(Err(Error::WorkerCrashed))
}

/// Closes the connections with a transaction that SQLite has ended and sqlx 0.9 believes to be open.
///
/// It takes all idle ones at once, because the pool returns them in turns.
async fn close_stale<DB: Dialect>(pool: &Pool<DB>) -> Result<(), Error> {
    let mut idle = vec![pool.acquire().await?];
    idle.extend(std::iter::from_fn(|| pool.try_acquire()));
    let stale = idle.iter_mut().filter(|idle| idle.is_in_transaction());
    stale.for_each(PoolConnection::close_on_drop);
    Ok(())
}
