use std::sync::Arc;
use std::time::Duration;

use sqlx::{AssertSqlSafe, Database, Encode, Error, Executor, IntoArguments, Type, query, raw_sql};

/// A database that supports an [`Inbox`](super::Inbox): `sqlx::Postgres` or `sqlx::Sqlite`.
///
/// This trait is sealed: no other type can implement it.
pub trait Dialect: Sql {}

/// What differs between the databases.
#[expect(unnameable_types, reason = "sealed")]
pub trait Sql: Run {
    /// Each version of the schema, from the first.
    const MIGRATIONS: &'static [&'static str];
    const BEGIN_MIGRATION: &'static str;
    const HAS_SCHEMAS: bool;
    /// Inserts the event `$1`, unless another transaction has inserted it or is about to. `$2` is
    /// the id of its lock.
    const INSERT: &'static str;
    /// Raises the sequence of the stream `$1` to `$2`, unless it is higher.
    ///
    /// Does nothing if another transaction is about to raise it. `$3` is the id of its lock.
    const RAISE: &'static str;
    /// The instant `$1` seconds ago.
    const AGO: &'static str;

    /// How many transactions one process runs at a time with a pool of this size.
    fn writers(connections: u32) -> usize;

    /// Begins the transaction of an event that may take as long as its lease.
    fn begin(lease: Duration) -> Arc<str>;

    /// Whether the error is a conflict with another transaction.
    fn is_busy(error: &Error) -> bool;
}

/// Runs statements, with the same code in every database.
#[expect(unnameable_types, reason = "sealed")]
pub trait Run: Database {
    /// Runs a statement with its parameters, the number last, and counts its rows.
    fn count(
        connection: &mut Self::Connection,
        statement: &Arc<str>,
        bytes: &[&[u8]],
        number: Option<i64>,
    ) -> impl Future<Output = Result<usize, Error>> + Send;

    /// Runs statements without parameters.
    fn run(
        connection: &mut Self::Connection,
        statements: &Arc<str>,
    ) -> impl Future<Output = Result<(), Error>> + Send;
}

impl<DB: Database> Run for DB
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    for<'q> Vec<u8>: Encode<'q, DB> + Type<DB>,
    for<'q> i64: Encode<'q, DB> + Type<DB>,
    DB::Arguments: IntoArguments<DB>,
{
    async fn count(
        connection: &mut Self::Connection,
        statement: &Arc<str>,
        bytes: &[&[u8]],
        number: Option<i64>,
    ) -> Result<usize, Error> {
        let mut query = query::<DB>(AssertSqlSafe(Arc::clone(statement)));
        for parameter in bytes {
            query = query.bind(parameter.to_vec());
        }
        if let Some(number) = number {
            query = query.bind(number);
        }
        Ok(query.fetch_all(connection).await?.len())
    }

    async fn run(connection: &mut Self::Connection, statements: &Arc<str>) -> Result<(), Error> {
        raw_sql(AssertSqlSafe(Arc::clone(statements)))
            .execute(connection)
            .await?;
        Ok(())
    }
}
