//! One receiver, in a process of its own.

use std::fs::File;
use std::io::{Read, Write};
use std::sync::Arc;
use std::time::Duration;
use std::{io, process, thread};

use axum::Router;
use axum::routing::post;
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use webhook_sdk::receiver::{Delivery, Outcome, Receiver, RedisStore};
use webhook_sdk::signature::{Key, Keyring, Verifier};
use webhook_sdk::{Secret, preo};

/// The first argument of a process that is a receiver.
pub(crate) const ROLE: &str = "receive";
pub(crate) const SECRET: &str = "fleet-secret";

/// So short that the events of a killed receiver are soon another's.
pub(crate) const LEASE: Duration = Duration::from_secs(2);

type Source = preo::Source<Payload>;

#[derive(Deserialize)]
struct Payload {
    id: usize,
}

/// What the handlers of this process did, a line each, written through.
#[derive(Clone)]
struct Record(Arc<File>);

impl Record {
    /// One `write` of a few bytes, which a kill can't undo or split.
    fn write(&self, what: &str, event: usize) {
        let line = format!("{what} {event}\n");
        (&*self.0).write_all(line.as_bytes()).unwrap();
    }
}

/// Serves on a port that it prints, until it is killed or the one who started it is gone.
pub(crate) fn run(redis: &str, record: &str) {
    thread::spawn(|| {
        io::stdin().read_to_end(&mut Vec::new()).ok();
        process::exit(0);
    });
    let file = File::options().create(true).append(true).open(record);
    let record = Record(Arc::new(file.unwrap()));
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(serve(redis, record));
}

async fn serve(redis: &str, record: Record) {
    let keyring = Keyring::new(Key::new("fleet", &Secret::from(SECRET)).unwrap());
    let deliveries = Source::new(Verifier::new(preo::scheme(), keyring))
        .identified_by(|payload| Some(payload.id.to_string()));
    let receiver = Receiver::builder(deliveries)
        .name("fleet")
        .store(RedisStore::builder(redis).prefix("").build().unwrap())
        .lease(LEASE)
        .build()
        .unwrap();
    let route = post(move |delivery| handle(delivery, record.clone()));
    let router = Router::new().route("/", route).with_state(receiver);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("{}", listener.local_addr().unwrap());
    axum::serve(listener, router).await.unwrap();
}

async fn handle(delivery: Delivery<Source>, record: Record) -> Outcome {
    let mut ran = None;
    let answer = delivery
        .handle(|event| {
            let id = event.id;
            ran = Some(id);
            let record = record.clone();
            async move {
                record.write("begin", id);
                tokio::time::sleep(Duration::from_millis(id as u64 % 20)).await;
                record.write("end", id);
            }
        })
        .await;
    if let Some(id) = ran {
        record.write(answer.status().as_str(), id);
    }
    answer
}
