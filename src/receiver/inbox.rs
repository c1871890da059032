use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use sqlx::pool::Pool;
use thiserror::Error;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use super::observer::Chain;
use super::{EventKey, Observation, StoreError};

mod dialect;
#[cfg(feature = "postgres")]
mod postgres;
mod record;
mod recorder;
#[cfg(feature = "sqlite")]
mod sqlite;
mod table;
mod transaction;

pub use self::dialect::Dialect;
#[cfg(feature = "postgres")]
pub use self::postgres::PostgresInbox;
use self::record::Record;
#[cfg(feature = "sqlite")]
pub use self::sqlite::SqliteInbox;
use self::table::Table;
pub use self::transaction::InboxTransaction;
use self::transaction::begin;

/// Records each event in the transaction of its effect.
///
/// Use it as `PostgresInbox` or `SqliteInbox`. [`Delivery::handle_in`] passes the handler a
/// transaction that already records the event. The handler's writes are committed together with the
/// record, or not at all:
///
/// ```no_run
/// # #[cfg(all(feature = "postgres", feature = "preo"))]
/// # mod example {
/// use webhook_sdk::preo;
/// use webhook_sdk::receiver::{BoxError, Delivery, Outcome, PostgresInbox};
///
/// async fn start(pool: sqlx::PgPool) -> Result<PostgresInbox, BoxError> {
///     let inbox = PostgresInbox::new(pool);
///     inbox.migrate().await?;
///     Ok(inbox)
/// }
///
/// async fn hook(inbox: PostgresInbox, delivery: Delivery<preo::Source>) -> Outcome {
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
/// A clone shares the pool.
///
/// # Exactly once in effect
///
/// A sender can deliver an event several times, and a receiver can crash at any point. What the
/// handler does **in its transaction** still takes effect once:
///
/// - The handler fails, panics, exceeds the [`lease`](super::ReceiverBuilder::lease), or its future
///   is dropped: the transaction is rolled back, and the next delivery is handled.
/// - The process or the database crashes: the database rolls the transaction back.
/// - The connection breaks during the commit: the delivery gets 503. The next one is acknowledged
///   if the record was committed, and handled if it wasn't.
/// - A duplicate arrives while the event is being handled: it gets 503, at once with Postgres, and
///   after waiting at most 5 seconds (our default) with SQLite.
/// - Handlers hold all connections of the pool: other events wait at most 5 seconds, then get 503.
/// - A duplicate arrives later: it is acknowledged, and the handler doesn't run.
///
/// The limits:
///
/// - What a handler does outside of its transaction, such as sending an email or calling another
///   service, can happen more than once, or happen although the transaction is rolled back. Enqueue
///   it in the transaction instead, in a job queue that shares the database; the example
///   `job-queue` shows how.
/// - A record that has been [purged](Self::purge) no longer protects against a late duplicate.
/// - A commit is as durable as the database makes it. With `synchronous_commit = off` (Postgres) or
///   `synchronous = normal` (SQLite), a crash can lose an effect whose delivery was acknowledged. So
///   can a failover to a Postgres replica that lags behind.
/// - The handler must not end the transaction with SQL of its own. Savepoints
///   ([`Connection::begin`](sqlx::Connection::begin)) are fine.
///
/// # Schema
///
/// [`migrate`](Self::migrate) creates the table. To have your own migrations create it, copy the
/// files of this crate's folder `migrations/postgres` or `migrations/sqlite`; each version of the
/// schema is one file.
///
/// [`Delivery::handle_in`]: super::Delivery::handle_in
pub struct Inbox<DB: Dialect> {
    pool: Pool<DB>,
    table: Arc<Table>,
    writers: Arc<Semaphore>,
}

/// An error from an inbox.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum InboxError {
    /// [`Inbox::table`] doesn't accept the table name.
    #[error(
        "the table name isn't valid; use up to 50 of a-z, 0-9, and _, and on Postgres a schema \
         before a dot"
    )]
    TableName,
    /// The table doesn't exist, or has the schema of another version.
    #[error(
        "the inbox table is missing or outdated; call `migrate`, or apply the crate's migrations"
    )]
    Schema(#[source] sqlx::Error),
    /// The database can't be reached, or reported an error.
    #[error("the database failed")]
    Database(#[source] sqlx::Error),
}

impl<DB: Dialect> Inbox<DB> {
    /// Uses the table `webhook_inbox` through this pool.
    ///
    /// Each event that is being handled holds one of the pool's connections. A handler that
    /// acquires a second one from the same pool can deadlock.
    pub fn new(pool: Pool<DB>) -> Self {
        let writers = DB::writers(pool.options().get_max_connections());
        Self {
            pool,
            table: Arc::new(Table::new::<DB>(None, "webhook_inbox")),
            writers: Arc::new(Semaphore::new(writers)),
        }
    }

    /// Uses another table, such as `orders_inbox`, or on Postgres `hooks.inbox`.
    ///
    /// Applications that use the same receiver names in one database need different tables.
    ///
    /// # Errors
    ///
    /// Returns [`InboxError::TableName`] unless the name consists of `a-z`, `0-9`, and `_`.
    pub fn table(mut self, name: &str) -> Result<Self, InboxError> {
        self.table = Arc::new(Table::parse::<DB>(name).ok_or(InboxError::TableName)?);
        Ok(self)
    }

    /// The pool.
    pub fn pool(&self) -> &Pool<DB> {
        &self.pool
    }

    /// Creates the table, or migrates it to this version of the crate.
    ///
    /// It can be called at each start and by several processes at once. If the table name includes
    /// a schema, the schema must exist.
    ///
    /// # Errors
    ///
    /// Returns [`InboxError::Database`] if the database fails. The schema is then unchanged.
    pub async fn migrate(&self) -> Result<(), InboxError> {
        let (mut transaction, ()) = begin(&self.pool, DB::BEGIN_MIGRATION.into(), ()).await?;
        let connection = &mut *transaction;
        DB::run(connection, &self.table.create_versions).await?;
        for (version, migration) in (1..).zip(DB::MIGRATIONS) {
            if DB::count(connection, &self.table.add_version, &[], Some(version)).await? > 0 {
                DB::run(connection, &self.table.adapt(migration)).await?;
            }
        }
        Ok(transaction.commit().await?)
    }

    /// Deletes records older than a duration, and returns their number.
    ///
    /// Call it regularly, for example once an hour. It deletes 1,000 records at a time, and waits
    /// its turn among the handlers for each, so that it never blocks them for long. It uses the
    /// database's clock. Keep records for longer than the sender redelivers: pretix redelivers for
    /// about two and a half days; Preo and Lune don't publish a limit.
    ///
    /// ```no_run
    /// # #[cfg(feature = "sqlite")]
    /// # async fn purge(inbox: webhook_sdk::receiver::SqliteInbox) -> Result<(), webhook_sdk::receiver::InboxError> {
    /// use std::time::Duration;
    ///
    /// let purged = inbox.purge(Duration::from_secs(30 * 24 * 60 * 60)).await?;
    /// println!("{purged} records purged");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns [`InboxError::Schema`] or [`InboxError::Database`]. Records that were deleted before
    /// the error stay deleted.
    pub async fn purge(&self, older_than: Duration) -> Result<u64, InboxError> {
        let seconds = i64::try_from(older_than.as_secs()).unwrap_or(i64::MAX);
        let seconds = Some(seconds.min(MAX_AGE));
        let mut purged = 0;
        for (statement, weight) in [(&self.table.purge_positions, 0), (&self.table.purge, 1)] {
            loop {
                let _permit = self.writers.acquire().await;
                let mut connection = self.pool.acquire().await?;
                let rows = DB::count(&mut connection, statement, &[], seconds).await?;
                purged += rows as u64 * weight;
                if rows < PURGED_AT_ONCE {
                    break;
                }
            }
        }
        Ok(purged)
    }

    /// Begins the transaction of an event and records the event in it.
    async fn claim(&self, key: &EventKey, lease: Duration) -> Result<Record<DB>, Observation> {
        let wait = MAX_WAIT.min(lease);
        let end = Instant::now() + wait;
        let permit = timeout_at(end, Arc::clone(&self.writers).acquire_owned());
        let Ok(Ok(permit)) = permit.await else {
            return Err(Observation::Held);
        };
        let claiming = async {
            let (transaction, permit) = begin(&self.pool, DB::begin(lease), permit).await?;
            Record::claim(transaction, Arc::clone(&self.table), key.clone(), permit).await
        };
        match timeout_at(end, claiming).await {
            Ok(Ok(claimed)) => claimed,
            Ok(Err(error)) if DB::is_busy(&error) => Err(Observation::Held),
            Ok(Err(error)) => Err(Observation::StoreUnavailable(
                InboxError::from(error).into(),
            )),
            Err(_) => Err(Observation::StoreUnavailable(no_response(wait))),
        }
    }
}

impl<DB: Dialect> Clone for Inbox<DB> {
    fn clone(&self) -> Self {
        Self {
            pool: self.pool.clone(),
            table: Arc::clone(&self.table),
            writers: Arc::clone(&self.writers),
        }
    }
}

impl<DB: Dialect> fmt::Debug for Inbox<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbox")
            .field("table", &self.table.name)
            .finish_non_exhaustive()
    }
}

impl From<InboxError> for StoreError {
    fn from(error: InboxError) -> Self {
        Self::Unavailable(Chain(&error).to_string())
    }
}

impl From<sqlx::Error> for InboxError {
    fn from(error: sqlx::Error) -> Self {
        let code = error.as_database_error().and_then(|error| error.code());
        match code.as_deref() {
            // Postgres: undefined table, undefined column, datatype mismatch.
            Some("42P01" | "42703" | "42804") => Self::Schema(error),
            // SQLite has one code for every error in a statement.
            Some("1") => Self::Schema(error),
            _ => Self::Database(error),
        }
    }
}

fn no_response(wait: Duration) -> StoreError {
    StoreError::Unavailable(format!("no response within {wait:?}"))
}

/// Matches `limit 1000` in `PURGE`.
const PURGED_AT_ONCE: usize = 1_000;
/// Unpublished by any sender, our default: shorter than the 30 s that pretix and Lune wait.
const MAX_WAIT: Duration = Duration::from_secs(5);
/// 100 years in seconds, within the range of every database's clock.
const MAX_AGE: i64 = 100 * 365 * 24 * 60 * 60;
