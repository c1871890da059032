use std::sync::Arc;
use std::time::Duration;

use sqlx::{Error, Postgres};

use super::dialect::{Dialect, Sql};

/// An inbox in Postgres, for any number of receivers.
///
/// ```no_run
/// # async fn connect() -> Result<(), Box<dyn std::error::Error>> {
/// use webhook_sdk::receiver::PostgresInbox;
///
/// let inbox = PostgresInbox::new(sqlx::PgPool::connect("postgres://localhost/shop").await?);
/// inbox.migrate().await?;
/// # Ok(())
/// # }
/// ```
///
/// An event costs four round trips in addition to the handler's own. While it is being handled, a
/// transaction-level advisory lock rejects duplicates at once, so that they don't wait with a
/// connection each. If a receiver stops responding, Postgres ends its transaction at the end of the
/// [`lease`](crate::receiver::ReceiverBuilder::lease) by `idle_in_transaction_session_timeout`, and
/// the next delivery is handled.
///
/// To use TLS, enable one of `sqlx`'s TLS features, such as `tls-rustls`, in your own dependency on
/// it. Requires Postgres 11 or later.
pub type PostgresInbox = super::Inbox<Postgres>;

impl Dialect for Postgres {}

impl Sql for Postgres {
    const MIGRATIONS: &'static [&'static str] = &[include_str!(
        "../../../migrations/postgres/0001_webhook_inbox.sql"
    )];
    /// Only one process at a time may create the tables: `if not exists` isn't safe under
    /// concurrency.
    const BEGIN_MIGRATION: &'static str = "begin; select pg_advisory_xact_lock(33606995561901931)";
    const HAS_SCHEMAS: bool = true;
    const INSERT: &'static str = r#"
        insert into "webhook_inbox" (event)
        select $1 where pg_try_advisory_xact_lock($2)
        on conflict do nothing returning 1
    "#;
    const RAISE: &'static str = r#"
        insert into "webhook_inbox_position" as latest (stream, sequence)
        select $1, $2 where pg_try_advisory_xact_lock($3)
        on conflict (stream) do update set sequence = excluded.sequence, handled_at = now()
        where latest.sequence <= excluded.sequence
        returning 1
    "#;
    const AGO: &'static str = "now() - make_interval(secs => $1::float8)";

    fn writers(connections: u32) -> usize {
        connections as usize
    }

    fn begin(lease: Duration) -> Arc<str> {
        let milliseconds = lease.as_millis().clamp(1, i32::MAX as u128);
        format!("begin; set local idle_in_transaction_session_timeout = {milliseconds}").into()
    }

    /// A lock, a deadlock, or a serialization failure under a stricter isolation level.
    fn is_busy(error: &Error) -> bool {
        let code = error.as_database_error().and_then(|error| error.code());
        matches!(code.as_deref(), Some("40001" | "40P01" | "55P03"))
    }
}
