use std::env::temp_dir;
use std::fs;
use std::path::PathBuf;

use sqlx::Sqlite;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};
use uuid::Uuid;
use webhook_sdk::receiver::SqliteInbox;

use super::*;

struct Database {
    directory: PathBuf,
    inbox: SqliteInbox,
}

impl Fixture for Database {
    type Db = Sqlite;

    const AGE: &'static str = "update webhook_inbox set handled_at = unixepoch() - 2 * 86400";
    const ADD_2500: &'static str = "
        insert into webhook_inbox (event)
        with recursive numbers (n) as (select 1 union all select n + 1 from numbers limit 2500)
        select cast(n as blob) from numbers
    ";

    const ADD_2500_POSITIONS: &'static str = "
        insert into webhook_inbox_position (stream, sequence, handled_at)
        with recursive numbers (n) as (select 1 union all select n + 1 from numbers limit 2500)
        select cast(n as blob), cast(n as blob), unixepoch() - 2 * 86400 from numbers
    ";

    async fn start() -> Self {
        let directory = temp_dir().join(format!("webhook-sdk-sqlite-{}", Uuid::new_v4()));
        fs::create_dir(&directory).unwrap();
        let inbox = SqliteInbox::open(directory.join("inbox.db")).await.unwrap();
        Self { directory, inbox }
    }

    fn inbox(&self) -> SqliteInbox {
        self.inbox.clone()
    }

    async fn run(&self, statements: &'static str) {
        sqlx::raw_sql(statements)
            .execute(self.inbox.pool())
            .await
            .unwrap();
    }

    async fn value(&self, query: &'static str) -> i64 {
        sqlx::query_scalar(query)
            .fetch_one(self.inbox.pool())
            .await
            .unwrap()
    }

    async fn run_in(
        tx: &mut InboxTransaction<Sqlite>,
        statements: &'static str,
    ) -> Result<(), sqlx::Error> {
        sqlx::raw_sql(statements).execute(&mut **tx).await.map(drop)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.directory).ok();
    }
}

promises!(Database, [cfg(feature = "sqlite")]);

#[tokio::test]
async fn file_is_opened_for_readers_beside_a_writer_and_durable_commits() {
    let setup = Setup::<Database>::migrated().await;
    let wal = "select journal_mode = 'wal' from pragma_journal_mode";
    assert_eq!(setup.fixture.value(wal).await, 1);
    let full = "select synchronous = 2 from pragma_synchronous";
    assert_eq!(setup.fixture.value(full).await, 1);
}

#[tokio::test]
async fn another_process_is_held_while_the_file_has_a_writer() {
    let mut setup = Setup::<Database>::with(receiver().lease(Duration::from_secs(1))).await;
    setup.inbox.migrate().await.unwrap();
    let own = setup.inbox.clone();
    let mut writer = own.pool().begin_with("begin immediate").await.unwrap();
    setup.inbox = SqliteInbox::open(setup.fixture.directory.join("inbox.db"))
        .await
        .unwrap();
    assert_eq!(setup.deliver_duplicate("event-1").await, 503);
    sqlx::raw_sql(EFFECT).execute(&mut *writer).await.unwrap();
    writer.rollback().await.unwrap();
    setup.is_handled_next("event-1").await;
}

#[tokio::test]
async fn event_is_held_while_another_process_writes_for_longer_than_sqlite_waits() {
    let mut setup = Setup::<Database>::migrated().await;
    let file = setup.fixture.directory.join("inbox.db");
    let impatient = SqliteConnectOptions::new()
        .filename(file)
        .busy_timeout(Duration::from_millis(10));
    let own = setup.inbox.clone();
    let writer = own.pool().begin_with("begin immediate").await.unwrap();
    setup.inbox = SqliteInbox::new(SqlitePool::connect_with(impatient).await.unwrap());
    assert_eq!(setup.deliver_duplicate("event-1").await, 503);
    assert_eq!(setup.last_observed(), "Held");
    writer.rollback().await.unwrap();
    setup.is_handled_next("event-1").await;
}

#[tokio::test]
async fn table_name_has_no_schema() {
    let setup = Setup::<Database>::migrated().await;
    let error = setup.inbox.clone().table("main.orders").unwrap_err();
    assert!(matches!(error, InboxError::TableName), "{error:?}");
}

#[tokio::test]
async fn records_are_kept_for_up_to_a_century() {
    let setup = Setup::<Database>::migrated().await;
    assert_eq!(setup.deliver_effect("event-1").await, 204);
    let age = "update webhook_inbox set handled_at = unixepoch() - 95 * 365 * 86400";
    setup.fixture.run(age).await;
    for (years, purged) in [(u32::MAX, 0), (96, 0), (94, 1)] {
        let age = DAY.saturating_mul(years.saturating_mul(365));
        assert_eq!(setup.inbox.purge(age).await.unwrap(), purged, "{years}");
    }
}

#[tokio::test]
async fn copied_migrations_create_the_same_schema() {
    let setup = Setup::<Database>::with(receiver()).await;
    setup
        .fixture
        .run(include_str!(
            "../../../../migrations/sqlite/0001_webhook_inbox.sql"
        ))
        .await;
    setup.is_handled_next("event-1").await;
    setup.inbox.migrate().await.unwrap();
    assert_eq!(setup.deliver_duplicate("event-1").await, 204);
}

impl Setup<Database> {
    /// A pool of open connections to the file.
    async fn pool(&self, connections: u32, options: SqliteConnectOptions) -> SqlitePool {
        let options = options.filename(self.fixture.directory.join("inbox.db"));
        let sized = SqlitePoolOptions::new().max_connections(connections);
        let pool = sized.connect_with(options).await.unwrap();
        let opened = join_all((0..connections).map(|_| pool.acquire())).await;
        drop(opened);
        while pool.num_idle() < connections as usize {
            tokio::task::yield_now().await;
        }
        pool
    }
}

#[tokio::test]
async fn handler_that_holds_the_only_writer_is_no_outage_and_purge_waits_for_it() {
    let limited = receiver().lease(Duration::from_millis(500));
    let mut setup = Setup::<Database>::with(limited).await;
    let impatient = SqliteConnectOptions::new().busy_timeout(Duration::from_millis(250));
    setup.inbox = SqliteInbox::new(setup.pool(3, impatient).await);
    setup.inbox.migrate().await.unwrap();

    let (parts, body) = request("event-1").into_parts();
    let slow = receiver().build().unwrap();
    let delivery = slow.receive(&parts, body).await.unwrap();
    let (started, has_started) = oneshot::channel();
    let mut started = Some(started);
    let mut handling = Box::pin(delivery.handle_in(&setup.inbox, |_, _tx| {
        started.take().unwrap().send(()).unwrap();
        pending::<()>()
    }));
    futures_util::select_biased! {
        _ = (&mut handling).fuse() => panic!("the handler never ends"),
        started = has_started.fuse() => started.unwrap(),
    }
    let inbox = setup.inbox.clone();
    let purging = tokio::spawn(async move { inbox.purge(DAY).await });
    assert_eq!(setup.deliver_duplicate("event-2").await, 503);
    assert_eq!(setup.last_observed(), "Held");

    drop(handling);
    assert_eq!(purging.await.unwrap().unwrap(), 0);
    setup.is_handled_next("event-1").await;
}

#[tokio::test]
async fn transaction_that_sqlite_ends_leaves_the_pool_usable() {
    for connections in [1, 2] {
        transaction_that_sqlite_ends_among(connections).await;
    }
}

async fn transaction_that_sqlite_ends_among(connections: u32) {
    let mut setup = Setup::<Database>::migrated().await;
    let pool = setup.pool(connections, SqliteConnectOptions::new()).await;
    setup.inbox = SqliteInbox::new(pool);
    let (ended, has_ended) = oneshot::channel();
    let mut ended = Some(ended);
    let delivering = setup.deliver("event-1", |_, mut tx| {
        let ended = ended.take().unwrap();
        async move {
            // What SQLite does by itself if, for example, the disk is full.
            Database::run_in(&mut tx, "rollback").await.unwrap();
            ended.send(()).unwrap();
            pending::<()>().await;
        }
    });
    futures_util::select_biased! {
        _ = delivering.fuse() => panic!("the handler never ends"),
        ended = has_ended.fuse() => ended.unwrap(),
    }
    setup.is_handled_next("event-1").await;
}
