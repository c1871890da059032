//! Where the receivers of a fleet remember their events.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::str::FromStr;

use sqlx::{Executor, FromRow, IntoArguments, Pool, Postgres, Sqlite};
use tokio::runtime::Runtime;

use crate::postgres_server::PostgresServer;
use crate::record;
use crate::redis_server::RedisServer;

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    Postgres,
    Redis,
    Sqlite,
}

impl Kind {
    pub(crate) fn needs_a_server(self) -> bool {
        self != Self::Sqlite
    }

    /// How many processes receive.
    pub(crate) fn receivers(self) -> usize {
        if self.needs_a_server() { 4 } else { 1 }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Postgres => "postgres",
            Self::Redis => "redis",
            Self::Sqlite => "sqlite",
        })
    }
}

impl FromStr for Kind {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        let mut kinds = [Self::Postgres, Self::Redis, Self::Sqlite].into_iter();
        kinds.find(|kind| kind.to_string() == name).ok_or(())
    }
}

/// Where a handler writes its effect.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Effects {
    /// In the transaction of the event's record.
    Within,
    /// In a transaction of its own.
    Apart,
}

pub(crate) struct Database {
    server: Server,
    /// Where the events are recorded.
    pub(crate) url: String,
    /// Where the effects are.
    pub(crate) effects_url: String,
}

enum Server {
    Postgres(PostgresServer),
    Redis(RedisServer),
    Sqlite,
}

impl Database {
    pub(crate) fn start(kind: Kind, effects: Effects, directory: &Path) -> Self {
        let (server, url, effects_url) = match kind {
            Kind::Postgres => {
                let server = PostgresServer::start();
                let url = server.url();
                (Server::Postgres(server), url.clone(), url)
            }
            Kind::Redis => {
                let server = RedisServer::start();
                let url = server.url();
                (Server::Redis(server), url, String::new())
            }
            Kind::Sqlite => {
                // A second transaction in the same file would wait for the first.
                let file = directory.join("inbox.db").display().to_string();
                let apart = if effects == Effects::Apart {
                    ".apart"
                } else {
                    ""
                };
                let effects_url = format!("sqlite:{file}{apart}?mode=rwc");
                (Server::Sqlite, file, effects_url)
            }
        };
        let database = Self {
            server,
            url,
            effects_url,
        };
        database.create_effects();
        database
    }

    /// Whether there was a process to kill.
    pub(crate) fn kill(&mut self) -> bool {
        match &mut self.server {
            Server::Postgres(server) => server.kill(),
            Server::Redis(server) => server.kill(),
            Server::Sqlite => return false,
        }
        true
    }

    pub(crate) fn start_again(&mut self) {
        match &mut self.server {
            Server::Postgres(server) => server.start_again(),
            Server::Redis(server) => server.start_again(),
            Server::Sqlite => {}
        }
    }

    /// How often each event was committed, by Redis's append-only file.
    pub(crate) fn commits(&self) -> HashMap<usize, usize> {
        match &self.server {
            Server::Redis(server) => record::commits(&server.append_only_file()),
            _ => HashMap::new(),
        }
    }

    /// How many effects each event had.
    pub(crate) fn effects(&self) -> HashMap<usize, usize> {
        let url = &self.effects_url;
        let events = Runtime::new().unwrap().block_on(async {
            match &self.server {
                Server::Postgres(_) => events::<Postgres>(url).await,
                Server::Redis(_) => Vec::new(),
                Server::Sqlite => events::<Sqlite>(url).await,
            }
        });
        let mut effects = HashMap::new();
        for (event,) in events {
            *effects.entry(event as usize).or_default() += 1;
        }
        effects
    }

    fn create_effects(&self) {
        let url = &self.effects_url;
        Runtime::new().unwrap().block_on(async {
            match &self.server {
                Server::Postgres(_) => create::<Postgres>(url).await,
                Server::Redis(_) => {}
                Server::Sqlite => create::<Sqlite>(url).await,
            }
        });
    }
}

async fn create<DB: sqlx::Database>(url: &str)
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    let pool = Pool::<DB>::connect(url).await.unwrap();
    pool.execute("create table effects (event bigint not null)")
        .await
        .unwrap();
    pool.close().await;
}

async fn events<DB: sqlx::Database>(url: &str) -> Vec<(i64,)>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    for<'r> (i64,): FromRow<'r, DB::Row>,
    DB::Arguments: IntoArguments<DB>,
{
    let pool = Pool::<DB>::connect(url).await.unwrap();
    let events = sqlx::query_as("select event from effects").fetch_all(&pool);
    let events = events.await.unwrap();
    pool.close().await;
    events
}
