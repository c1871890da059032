//! One receiver, in a process of its own.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use std::{io, process, thread};

use axum::Router;
use axum::routing::{MethodRouter, post};
use serde::Deserialize;
use sqlx::{Encode, Executor, IntoArguments, PgPool, Pool, Type};
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use webhook_sdk::receiver::{
    Delivery, Dialect, Inbox, Outcome, PostgresInbox, Receiver, ReceiverBuilder, RedisStore,
    SqliteInbox,
};
use webhook_sdk::signature::{Key, Keyring, Verifier};
use webhook_sdk::{Secret, preo};

use crate::database::{Database, Effects, Kind};

/// The first argument of a process that is a receiver.
const ROLE: &str = "receive";
const APART: &str = "apart";
pub(crate) const SECRET: &str = "fleet-secret";

/// So short that the events of a killed receiver are soon another's.
pub(crate) const LEASE: Duration = Duration::from_secs(2);

const MAX_PAUSE: Duration = Duration::from_millis(20);

type Source = preo::Source<Payload>;

#[derive(Deserialize)]
struct Payload {
    id: usize,
}

/// What a receiver's process is to do.
pub(crate) struct Process {
    kind: Kind,
    effects: Effects,
    url: String,
    effects_url: String,
    record: String,
}

impl Process {
    pub(crate) fn arguments(
        kind: Kind,
        effects: Effects,
        database: &Database,
        record: &Path,
    ) -> [String; 6] {
        let effects = if effects == Effects::Apart {
            APART
        } else {
            "within"
        };
        [
            ROLE.to_owned(),
            kind.to_string(),
            effects.to_owned(),
            database.url.clone(),
            database.effects_url.clone(),
            record.display().to_string(),
        ]
    }

    /// Nothing for the process that runs the proofs.
    pub(crate) fn from_arguments(arguments: &[String]) -> Option<Self> {
        let [_, role, kind, effects, url, effects_url, record] = arguments else {
            return None;
        };
        (role == ROLE).then(|| Self {
            kind: kind.parse().unwrap(),
            effects: if effects == APART {
                Effects::Apart
            } else {
                Effects::Within
            },
            url: url.clone(),
            effects_url: effects_url.clone(),
            record: record.clone(),
        })
    }

    /// Serves on a port that it prints, until it is killed or the one who started it is gone.
    pub(crate) fn run(self) {
        thread::spawn(|| {
            io::stdin().read_to_end(&mut Vec::new()).ok();
            process::exit(0);
        });
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(self.serve());
    }

    async fn serve(self) {
        let record = Record::open(&self.record);
        let (receiver, route) = match self.kind {
            Kind::Redis => {
                let store = RedisStore::builder(&self.url)
                    .prefix("fleet:")
                    .build()
                    .unwrap();
                let route = post(move |delivery| handle(delivery, record.clone()));
                (receiver().store(store), route)
            }
            Kind::Postgres => {
                let inbox = PostgresInbox::new(PgPool::connect(&self.url).await.unwrap());
                (receiver(), self.handle_in(inbox, record, MAX_PAUSE).await)
            }
            Kind::Sqlite => {
                let inbox = SqliteInbox::open(&self.url).await.unwrap();
                // One handler at a time, so each must be quicker.
                (
                    receiver(),
                    self.handle_in(inbox, record, MAX_PAUSE / 5).await,
                )
            }
        };
        let router = Router::new()
            .route("/", route)
            .with_state(receiver.build().unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("{}", listener.local_addr().unwrap());
        axum::serve(listener, router).await.unwrap();
    }

    async fn handle_in<DB: Dialect>(
        &self,
        inbox: Inbox<DB>,
        record: Record,
        longest: Duration,
    ) -> MethodRouter<Receiver<Source>>
    where
        for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
        for<'q> i64: Encode<'q, DB> + Type<DB>,
        DB::Arguments: IntoArguments<DB>,
    {
        inbox.migrate().await.unwrap();
        let apart = match self.effects {
            Effects::Within => None,
            Effects::Apart => Some(Pool::<DB>::connect(&self.effects_url).await.unwrap()),
        };
        post(async move |delivery: Delivery<Source>| {
            let run = |event: Payload, mut tx: webhook_sdk::receiver::InboxTransaction<DB>| {
                let (apart, record) = (apart.clone(), record.clone());
                async move {
                    record.write("begin", event.id);
                    let effect = sqlx::query("insert into effects (event) values ($1)");
                    let effect = effect.bind(event.id as i64);
                    match apart {
                        Some(pool) => {
                            effect.execute(&pool).await?;
                            // So long that a crash is bound to come here.
                            tokio::time::sleep(2 * MAX_PAUSE).await;
                        }
                        None => {
                            effect.execute(&mut *tx).await?;
                            tokio::time::sleep(pause(event.id, longest)).await;
                        }
                    }
                    record.write("end", event.id);
                    Ok(())
                }
            };
            delivery
                .handle_in(&inbox, |event, tx| run(event.into_data(), tx))
                .await
        })
    }
}

fn receiver() -> ReceiverBuilder<Source> {
    let keyring = Keyring::new(Key::new("fleet", &Secret::from(SECRET)).unwrap());
    let source = preo::Source::new(Verifier::new(preo::scheme(), keyring))
        .identified_by::<Payload>(|payload| Some(payload.id.to_string()));
    Receiver::builder(source).name("fleet").lease(LEASE)
}

async fn handle(delivery: Delivery<Source>, record: Record) -> Outcome {
    let mut ran = None;
    let outcome = delivery
        .handle(|event| {
            let id = event.id;
            ran = Some(id);
            let record = record.clone();
            async move {
                record.write("begin", id);
                tokio::time::sleep(pause(id, MAX_PAUSE)).await;
                record.write("end", id);
            }
        })
        .await;
    if let Some(id) = ran {
        record.write(outcome.status().as_str(), id);
    }
    outcome
}

fn pause(event: usize, longest: Duration) -> Duration {
    longest * (event % 20) as u32 / 20
}

/// What the handlers of this process did, a line each, written through.
#[derive(Clone)]
struct Record(Arc<File>);

impl Record {
    fn open(path: &str) -> Self {
        Self(Arc::new(
            File::options()
                .create(true)
                .append(true)
                .open(path)
                .unwrap(),
        ))
    }

    /// One `write` of a few bytes, which a kill can't undo or split.
    fn write(&self, what: &str, event: usize) {
        let line = format!("{what} {event}\n");
        (&*self.0).write_all(line.as_bytes()).unwrap();
    }
}
