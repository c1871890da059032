use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, Weak};

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, PgPool, Postgres};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use webhook_sdk::receiver::PostgresInbox;

use super::*;
use crate::receiver::postgres_server::PostgresServer;

struct Database {
    _server: Arc<PostgresServer>,
    url: String,
    pool: PgPool,
}

impl Fixture for Database {
    type Db = Postgres;

    const AGE: &'static str = "update webhook_inbox set handled_at = now() - interval '2 days'";
    const ADD_2500: &'static str = "
        insert into webhook_inbox (event)
        select n::text::bytea from generate_series(1, 2500) as numbers (n)
    ";

    const ADD_2500_POSITIONS: &'static str = "
        insert into webhook_inbox_position (stream, sequence, handled_at)
        select n::text::bytea, n::text::bytea, now() - interval '2 days'
        from generate_series(1, 2500) as numbers (n)
    ";

    async fn start() -> Self {
        let server = shared_server();
        let url = new_database(&server).await;
        Self {
            pool: PgPool::connect(&url).await.unwrap(),
            _server: server,
            url,
        }
    }

    fn inbox(&self) -> PostgresInbox {
        PostgresInbox::new(self.pool.clone())
    }

    async fn run(&self, statements: &'static str) {
        sqlx::raw_sql(statements).execute(&self.pool).await.unwrap();
    }

    async fn value(&self, query: &'static str) -> i64 {
        sqlx::query_scalar(query)
            .fetch_one(&self.pool)
            .await
            .unwrap()
    }

    async fn run_in(
        tx: &mut InboxTransaction<Postgres>,
        statements: &'static str,
    ) -> Result<(), sqlx::Error> {
        sqlx::raw_sql(statements).execute(&mut **tx).await.map(drop)
    }
}

/// One server for the tests that run at a time. It ends with the last of them.
fn shared_server() -> Arc<PostgresServer> {
    static SERVER: Mutex<Weak<PostgresServer>> = Mutex::new(Weak::new());
    let mut shared = SERVER.lock().unwrap();
    shared.upgrade().unwrap_or_else(|| {
        let server = Arc::new(PostgresServer::start());
        *shared = Arc::downgrade(&server);
        server
    })
}

async fn new_database(server: &PostgresServer) -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let name = format!("test_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    let pool = PgPool::connect(&server.url()).await.unwrap();
    let create = sqlx::AssertSqlSafe(format!("create database {name}"));
    sqlx::raw_sql(create).execute(&pool).await.unwrap();
    pool.close().await;
    format!("{}{name}", server.url().trim_end_matches("postgres"))
}

promises!(Database, [ignore = "needs postgresql"]);

#[tokio::test]
#[ignore = "needs postgresql"]
async fn swallowed_database_error_is_not_acknowledged() {
    let setup = Setup::<Database>::migrated().await;
    let status = setup
        .deliver("event-1", async |_, mut tx| {
            Database::run_in(&mut tx, EFFECT).await?;
            Database::run_in(&mut tx, "select 1 / 0").await.unwrap_err();
            Ok(())
        })
        .await;
    assert_eq!(status, 503);
    assert!(
        setup.last_observed().contains("aborted"),
        "{}",
        setup.last_observed()
    );
    setup.is_handled_next("event-1").await;
}

#[tokio::test]
#[ignore = "needs postgresql"]
async fn savepoint_of_the_handler_rolls_back_alone() {
    let setup = Setup::<Database>::migrated().await;
    let status = setup
        .deliver("event-1", async |_, mut tx| {
            Database::run_in(&mut tx, EFFECT).await?;
            let mut savepoint = tx.begin().await?;
            sqlx::raw_sql("select 1 / 0")
                .execute(&mut *savepoint)
                .await
                .unwrap_err();
            savepoint.rollback().await?;
            let mut savepoint = tx.begin().await?;
            sqlx::raw_sql(EFFECT).execute(&mut *savepoint).await?;
            savepoint.commit().await?;
            Ok(())
        })
        .await;
    assert_eq!(status, 204);
    assert_eq!((setup.effects().await, setup.records().await), (2, 1));
}

#[tokio::test]
#[ignore = "needs postgresql"]
async fn duplicate_is_held_at_once_while_the_event_is_handled() {
    let setup = Setup::<Database>::migrated().await;
    let status = setup
        .deliver("event-1", async |_, tx| {
            assert_eq!(setup.deliver_duplicate("event-1").await, 503);
            assert_eq!(setup.last_observed(), "Held");
            assert_eq!(setup.deliver_effect("event-2").await, 204);
            effect::<Database>(tx).await
        })
        .await;
    assert_eq!(status, 204);
    assert_eq!((setup.effects().await, setup.records().await), (2, 2));
}

#[tokio::test]
#[ignore = "needs postgresql"]
async fn suspended_receiver_loses_its_claim_when_the_lease_ends() {
    let mut setup = Setup::<Database>::with(receiver().lease(Duration::from_secs(1))).await;
    setup.inbox.migrate().await.unwrap();
    let (written, has_written) = oneshot::channel();
    let mut written = Some(written);
    let mut delivering = Box::pin(setup.deliver("event-1", |_, mut tx| {
        let written = written.take().unwrap();
        async move {
            Database::run_in(&mut tx, EFFECT).await.unwrap();
            written.send(()).unwrap();
            pending::<()>().await;
        }
    }));
    futures_util::select_biased! {
        _ = (&mut delivering).fuse() => panic!("the handler never ends"),
        written = has_written.fuse() => written.unwrap(),
    }
    // From here on `delivering` is neither polled nor dropped, as in a process that is stopped.
    let another = async {
        while setup.deliver_effect("event-1").await == 503 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), another)
        .await
        .expect("held forever");
    assert_eq!((setup.effects().await, setup.records().await), (1, 1));
    assert_eq!(delivering.await, 500);
    setup.receiver = receiver().build().unwrap();
    assert_eq!(setup.deliver_duplicate("event-1").await, 204);
    assert_eq!(setup.effects().await, 1);
}

#[tokio::test]
#[ignore = "needs postgresql"]
async fn dropping_a_delivery_at_any_point_leaves_the_pool_usable() {
    let setup = Setup::<Database>::migrated().await;
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .connect(&setup.fixture.url)
        .await
        .unwrap();
    for moment in 0..100 {
        let (receiver, inbox) = (setup.receiver.clone(), PostgresInbox::new(pool.clone()));
        let delivering = tokio::spawn(async move {
            let (parts, body) = request(&format!("event-{moment}")).into_parts();
            let delivery = receiver.receive(&parts, body).await.unwrap();
            delivery
                .handle_in(&inbox, |_, tx| effect::<Database>(tx))
                .await
        });
        tokio::time::sleep(Duration::from_micros(moment * 100)).await;
        delivering.abort();
        // Would be in an uncommitted transaction if one was left open on the only connection.
        sqlx::query("insert into effects values (2)")
            .execute(&pool)
            .await
            .unwrap();
        let seen = setup
            .fixture
            .value("select count(*) from effects where number = 2")
            .await;
        assert_eq!(seen, moment as i64 + 1);
    }
    let effects = "select count(*) from effects where number = 1";
    assert_eq!(setup.fixture.value(effects).await, setup.records().await);
}

#[tokio::test]
#[ignore = "needs postgresql"]
async fn commit_that_never_reaches_the_server_is_rolled_back() {
    let setup = Setup::<Database>::migrated().await;
    let cut = cut_at_commit(&setup, Cut::Request).await;
    assert_eq!(deliver_through(&setup, &cut).await, 503);
    assert_eq!((setup.effects().await, setup.records().await), (0, 0));
    setup.deliver_until_released("event-1").await;
}

#[tokio::test]
#[ignore = "needs postgresql"]
async fn commit_whose_response_is_lost_is_found_by_the_next_delivery() {
    let setup = Setup::<Database>::migrated().await;
    let cut = cut_at_commit(&setup, Cut::Response).await;
    assert_eq!(deliver_through(&setup, &cut).await, 503);
    assert_eq!((setup.effects().await, setup.records().await), (1, 1));
    assert_eq!(setup.deliver_duplicate("event-1").await, 204);
}

#[tokio::test]
#[ignore = "needs postgresql"]
async fn stricter_isolation_handles_concurrent_duplicates_once() {
    let mut setup = Setup::<Database>::migrated().await;
    let options: PgConnectOptions = setup.fixture.url.parse().unwrap();
    let serializable = options.options([("default_transaction_isolation", "serializable")]);
    setup.inbox = PostgresInbox::new(PgPool::connect_with(serializable).await.unwrap());
    let statuses = join_all((0..16).map(|_| setup.deliver_effect("event-1"))).await;
    assert!(statuses.contains(&204), "{statuses:?}");
    assert!(
        statuses.iter().all(|status| [204, 503].contains(status)),
        "{statuses:?}"
    );
    assert_eq!((setup.effects().await, setup.records().await), (1, 1));
}

#[tokio::test]
#[ignore = "needs postgresql"]
async fn table_can_be_in_a_schema() {
    let mut setup = Setup::<Database>::with(receiver()).await;
    setup.fixture.run("create schema hooks").await;
    setup.inbox = setup.inbox.table("hooks.orders").unwrap();
    for _ in 0..2 {
        setup.inbox.migrate().await.unwrap();
    }
    assert_eq!(setup.deliver_effect("event-1").await, 204);
    assert_eq!(setup.deliver_duplicate("event-1").await, 204);
    assert_eq!(
        setup
            .fixture
            .value("select count(*) from hooks.orders")
            .await,
        1
    );
    assert_eq!(setup.inbox.purge(DAY).await.unwrap(), 0);
}

#[tokio::test]
#[ignore = "needs postgresql"]
async fn copied_migrations_create_the_same_schema() {
    let setup = Setup::<Database>::with(receiver()).await;
    setup
        .fixture
        .run(include_str!(
            "../../../../migrations/postgres/0001_webhook_inbox.sql"
        ))
        .await;
    setup.is_handled_next("event-1").await;
    setup.inbox.migrate().await.unwrap();
    assert_eq!(setup.deliver_duplicate("event-1").await, 204);
}

/// Which message a proxy doesn't forward.
#[derive(Clone, Copy)]
enum Cut {
    Request,
    Response,
}

/// An inbox behind a proxy that breaks the connection at the first commit.
async fn cut_at_commit(setup: &Setup<Database>, cut: Cut) -> PostgresInbox {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let options: PgConnectOptions = setup.fixture.url.parse().unwrap();
    let server = format!("127.0.0.1:{}", options.get_port());
    let through = options.port(listener.local_addr().unwrap().port());
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(forward(
                client,
                TcpStream::connect(server.clone()).await.unwrap(),
                cut,
            ));
        }
    });
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .connect_with(through)
        .await
        .unwrap();
    PostgresInbox::new(pool)
}

async fn forward(mut client: TcpStream, mut server: TcpStream, cut: Cut) {
    let (mut request, mut response) = ([0; 16 * 1024], [0; 16 * 1024]);
    loop {
        tokio::select! {
            read = client.read(&mut request) => {
                let message = &request[..read.unwrap()];
                let is_commit = message.windows(6).any(|word| word == b"COMMIT");
                if message.is_empty() || is_commit && matches!(cut, Cut::Request) {
                    return;
                }
                server.write_all(message).await.unwrap();
                if is_commit {
                    // The server responds once it has committed.
                    assert!(server.read(&mut response).await.unwrap() > 0);
                    return;
                }
            }
            read = server.read(&mut response) => {
                let message = &response[..read.unwrap()];
                if message.is_empty() {
                    return;
                }
                client.write_all(message).await.unwrap();
            }
        }
    }
}

async fn deliver_through(setup: &Setup<Database>, inbox: &PostgresInbox) -> u16 {
    let (parts, body) = request("event-1").into_parts();
    let delivery = setup.receiver.receive(&parts, body).await.unwrap();
    delivery
        .handle_in(inbox, |_, tx| effect::<Database>(tx))
        .await
        .status()
        .as_u16()
}
