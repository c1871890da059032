use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqliteSynchronous};
use sqlx::{Error, Sqlite};

use super::dialect::{Dialect, Sql};
use super::{Inbox, InboxError};

/// An inbox in SQLite, for receivers on one machine.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = std::env::temp_dir().join(format!("inbox-doc-{}", std::process::id()));
/// # std::fs::create_dir_all(&directory)?;
/// # let file = directory.join("shop.db");
/// use webhook_sdk::receiver::SqliteInbox;
///
/// let inbox = SqliteInbox::open(&file).await?;
/// inbox.migrate().await?;
/// sqlx::query("create table orders (id text not null)").execute(inbox.pool()).await?;
/// # std::fs::remove_dir_all(directory)?;
/// # Ok(())
/// # }
/// ```
///
/// SQLite allows one writer at a time, so handlers run one after another. Keep them short, and move
/// longer work to a job queue.
pub type SqliteInbox = Inbox<Sqlite>;

impl SqliteInbox {
    /// Opens a database file, and creates it if necessary.
    ///
    /// It uses write-ahead logging, so that readers don't wait for handlers, and syncs each commit
    /// to disk. The handlers' tables must be in the same file. For other settings, pass your own
    /// pool to [`new`](Self::new).
    ///
    /// # Errors
    ///
    /// Returns [`InboxError::Database`] if the file can't be opened.
    pub async fn open(file: impl AsRef<Path>) -> Result<Self, InboxError> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            // A writer in another process is reported before the claim's own limit.
            .busy_timeout(super::MAX_WAIT.mul_f32(0.8));
        Ok(Self::new(SqlitePool::connect_with(options).await?))
    }
}

impl Dialect for Sqlite {}

impl Sql for Sqlite {
    const MIGRATIONS: &'static [&'static str] = &[include_str!(
        "../../../migrations/sqlite/0001_webhook_inbox.sql"
    )];
    const BEGIN_MIGRATION: &'static str = "begin immediate";
    const HAS_SCHEMAS: bool = false;
    const INSERT: &'static str =
        r#"insert into "webhook_inbox" (event) values ($1) on conflict do nothing returning 1"#;
    const RAISE: &'static str = r#"
        insert into "webhook_inbox_position" as latest (stream, sequence) values ($1, $2)
        on conflict (stream) do update set sequence = excluded.sequence, handled_at = unixepoch()
        where latest.sequence <= excluded.sequence
        returning 1
    "#;
    const AGO: &'static str = "unixepoch() - $1";

    /// A fair queue within the process, because SQLite polls for its lock.
    fn writers(_: u32) -> usize {
        1
    }

    /// Acquires the write lock at once: a transaction that starts with a read can fail to acquire
    /// it later.
    fn begin(_: Duration) -> Arc<str> {
        Self::BEGIN_MIGRATION.into()
    }

    /// `SQLITE_BUSY` and its extended codes.
    fn is_busy(error: &Error) -> bool {
        let code = error.as_database_error().and_then(|error| error.code());
        code.and_then(|code| code.parse::<u32>().ok())
            .is_some_and(|code| code & 0xff == 5)
    }
}
