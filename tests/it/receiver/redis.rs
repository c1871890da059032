//! The store in Redis, with a real one.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use webhook_sdk::receiver::{
    Claim, ClaimToken, DedupStore, EventKey, RedisStore, RedisStoreError, StoreError,
};

use crate::receiver::redis_server::RedisServer;
use crate::receiver::store::{
    LEASE, REMEMBER, Timed, committed, contract, granted, key, one_of_many_is_granted, usual_key,
};

const PREFIX: &str = "webhook-sdk:";

/// A Redis whose keys expire when a test says so.
struct Remote {
    server: RedisServer,
    store: RedisStore,
}

impl Remote {
    fn start() -> Self {
        let server = RedisServer::start();
        let store = patient(&server);
        Self { server, store }
    }
}

impl Timed for Remote {
    type Store = RedisStore;

    fn store(&self) -> RedisStore {
        self.store.clone()
    }

    /// Checks the time that the key has left, and has Redis itself expire it.
    async fn expire(&self, key: &EventKey, lifetime: Duration) {
        let name = format!("{PREFIX}{}", key.as_str());
        let mut redis = plain(&self.server);
        let left: i64 = redis::cmd("PTTL").arg(&name).query(&mut redis).unwrap();
        assert!(u128::try_from(left).unwrap() <= lifetime.as_millis());
        assert!(u128::try_from(left).unwrap() > lifetime.as_millis() / 2);
        let expired: bool = redis::cmd("PEXPIREAT")
            .arg(&name)
            .arg(1)
            .query(&mut redis)
            .unwrap();
        assert!(expired);
    }
}

mod owed {
    use super::{Remote, contract};

    contract!([ignore = "needs redis-server"] Remote::start());
}

/// A store that a busy machine doesn't put out of patience.
fn patient(server: &RedisServer) -> RedisStore {
    RedisStore::builder(&server.url())
        .timeout(Duration::from_secs(60))
        .build()
        .unwrap()
}

/// A connection without any of the code under test.
fn plain(server: &RedisServer) -> redis::Connection {
    let client = redis::Client::open(server.url()).unwrap();
    client.get_connection().unwrap()
}

fn reason(error: StoreError) -> String {
    match error {
        StoreError::Unavailable(reason) => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs redis-server"]
async fn only_one_of_many_processes_claims_an_event() {
    let server = RedisServer::start();
    let stores = (0..4).map(|_| patient(&server)).collect();
    one_of_many_is_granted(stores).await;
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn order_holds_while_a_batch_is_redelivered_to_another_process() {
    use webhook_sdk::receiver::Receiver;

    use crate::receiver::support::{Lune, builder};

    let server = RedisServer::start();
    let receiver = || -> Receiver<webhook_sdk::lune::Source> {
        let builder = builder::<Lune>().name("orders").store(patient(&server));
        builder.build().unwrap()
    };
    crate::receiver::lune::order_holds_while_a_batch_is_redelivered(receiver(), receiver()).await;
}

#[cfg(feature = "preo")]
#[tokio::test]
#[ignore = "needs redis-server"]
async fn event_is_released_if_its_request_is_dropped_while_redis_is_slow() {
    use crate::receiver::support::{Preo, Service, builder, genuine, received};

    let server = RedisServer::start();
    let builder = builder::<Preo>().name("orders").store(patient(&server));
    let receiver = builder.build().unwrap();
    let handled = async |number| {
        let delivery = received(&receiver, genuine::<Preo>(Preo::body(number))).await;
        delivery.handle(async |_| ()).await.status()
    };
    assert_eq!(handled(1).await, 204);

    server.suspend();
    let dropped = tokio::time::timeout(Duration::from_millis(200), handled(2)).await;
    assert!(dropped.is_err());
    server.resume();
    // The lease is a minute.
    let begun = std::time::Instant::now();
    while handled(2).await != 204 {
        assert!(begun.elapsed() < LEASE / 2);
    }
}

/// Prints the size that the documentation of the store states.
#[tokio::test]
#[ignore = "needs redis-server"]
async fn an_event_takes_at_most_320_bytes_in_redis() {
    const EVENTS: usize = 20_000;
    fn used(redis: &mut redis::Connection) -> usize {
        let info: String = redis::cmd("INFO").arg("memory").query(redis).unwrap();
        let line = info
            .lines()
            .find_map(|line| line.strip_prefix("used_memory:"));
        line.unwrap().trim().parse().unwrap()
    }
    let server = RedisServer::start_with(&["--appendfsync", "no"]);
    let store = patient(&server);
    committed(&store, &usual_key(EVENTS)).await;
    let mut redis = plain(&server);
    let before = used(&mut redis);
    for number in 0..EVENTS {
        committed(&store, &usual_key(number)).await;
    }
    let size = (used(&mut redis) - before) / EVENTS;
    println!("{size} bytes per event in Redis");
    assert!((150..=320).contains(&size), "{size}");
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn a_commit_survives_a_crash_of_redis_and_the_store_connects_again() {
    let mut server = RedisServer::start();
    let store = patient(&server);
    let committed = granted(&store, &key("committed")).await;
    store
        .commit(&key("committed"), committed, REMEMBER)
        .await
        .unwrap();
    let held = granted(&store, &key("held")).await;

    server.kill();
    server.start_again();
    let claim = store
        .claim(&key("committed"), ClaimToken::new(), LEASE)
        .await
        .unwrap();
    assert_eq!(claim, Claim::Committed);
    assert_eq!(
        store
            .claim(&key("held"), ClaimToken::new(), LEASE)
            .await
            .unwrap(),
        Claim::Held
    );
    store.commit(&key("held"), held, REMEMBER).await.unwrap();
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn a_claim_waits_for_a_redis_that_comes_back_in_time() {
    let mut server = RedisServer::start();
    let store = patient(&server);
    granted(&store, &key("before")).await;
    server.kill();
    let claim = tokio::spawn({
        let store = store.clone();
        async move {
            store
                .claim(&key("meanwhile"), ClaimToken::new(), LEASE)
                .await
        }
    });
    tokio::task::yield_now().await;
    server.start_again();
    assert!(matches!(claim.await.unwrap(), Ok(Claim::Granted)));
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn a_redis_that_is_down_is_unavailable() {
    let mut server = RedisServer::start();
    let store = RedisStore::builder(&server.url())
        .timeout(Duration::from_millis(100))
        .build()
        .unwrap();
    server.kill();
    let error = store
        .claim(&key("down"), ClaimToken::new(), LEASE)
        .await
        .unwrap_err();
    assert!(reason(error).contains("within 100ms"));
    let token = ClaimToken::new();
    assert!(store.commit(&key("down"), token, REMEMBER).await.is_err());
    assert!(store.release(&key("down"), token).await.is_err());
}

#[tokio::test]
async fn hanging_redis_is_unavailable_after_the_timeout() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("redis://{}/", listener.local_addr().unwrap());
    let mut open = Vec::new();
    let silent = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            open.push(stream);
        }
    });
    let store = RedisStore::builder(&url)
        .timeout(Duration::from_millis(50))
        .build()
        .unwrap();
    for _ in 0..3 {
        let error = store
            .claim(&key("hanging"), ClaimToken::new(), LEASE)
            .await
            .unwrap_err();
        assert_eq!(reason(error), "no response within 50ms");
    }
    silent.abort();
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn a_connection_that_hangs_is_replaced() {
    let server = RedisServer::start();
    let proxy = proxy(&server, Fault::SwallowsTheFirstConnection).await;
    let store = RedisStore::builder(&proxy)
        .timeout(Duration::from_millis(200))
        .build()
        .unwrap();
    let mut attempts = 0;
    while store
        .claim(&key("hung"), ClaimToken::new(), LEASE)
        .await
        .is_err()
    {
        attempts += 1;
        assert!(attempts < 100);
    }
    assert!(attempts > 0);
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn operation_with_a_lost_response_is_applied_once() {
    let server = RedisServer::start();
    let (kept, freed) = (key("kept"), key("freed"));

    let token = granted(&store_dropping_response(&server).await, &kept).await;
    let claim = patient(&server)
        .claim(&kept, ClaimToken::new(), LEASE)
        .await;
    assert_eq!(claim, Ok(Claim::Held));

    let store = store_dropping_response(&server).await;
    store.commit(&kept, token, REMEMBER).await.unwrap();
    let log = String::from_utf8_lossy(&server.append_only_file()).into_owned();
    assert_eq!(log.matches("done:").count(), 1, "{log}");

    let token = granted(&patient(&server), &freed).await;
    let store = store_dropping_response(&server).await;
    store.release(&freed, token).await.unwrap();
    granted(&patient(&server), &freed).await;
}

async fn store_dropping_response(server: &RedisServer) -> RedisStore {
    let proxy = proxy(server, Fault::LosesTheFirstAnswer).await;
    let builder = RedisStore::builder(&proxy);
    builder.timeout(Duration::from_secs(60)).build().unwrap()
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn corrected_password_recovers_the_store() {
    let server = RedisServer::start_with(&["--requirepass", "right"]);
    let url = server.url().replace("//", "//:other@");
    let store = RedisStore::builder(&url)
        .timeout(Duration::from_secs(60))
        .build()
        .unwrap();
    let error = store
        .claim(&key("password"), ClaimToken::new(), LEASE)
        .await
        .unwrap_err();
    let reason = reason(error);
    assert!(reason.contains("authentication failed"), "{reason}");
    assert!(!reason.contains("other"), "{reason}");

    let client = redis::Client::open(server.url().replace("//", "//:right@")).unwrap();
    let mut redis = client.get_connection().unwrap();
    let change = ["SET", "requirepass", "other"];
    let _: () = redis::cmd("CONFIG").arg(&change).query(&mut redis).unwrap();
    granted(&store, &key("password")).await;
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn scripts_are_loaded_again_after_a_flush() {
    let server = RedisServer::start();
    let store = patient(&server);
    let token = granted(&store, &key("scripts")).await;
    for _ in 0..2 {
        let flush: redis::RedisResult<()> =
            redis::cmd("SCRIPT").arg("FLUSH").query(&mut plain(&server));
        flush.unwrap();
        store
            .commit(&key("scripts"), token, REMEMBER)
            .await
            .unwrap();
    }
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn full_redis_is_unavailable_with_a_reason() {
    let server = RedisServer::start_with(&["--maxmemory", "1"]);
    let error = patient(&server)
        .claim(&key("full"), ClaimToken::new(), LEASE)
        .await;
    assert!(reason(error.unwrap_err()).contains("OOM"));
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn different_prefixes_are_separate_stores() {
    let server = RedisServer::start();
    let store = |prefix: &str| {
        let builder = RedisStore::builder(&server.url()).prefix(prefix);
        builder.timeout(Duration::from_secs(60)).build().unwrap()
    };
    granted(&store("mail:"), &key("shared")).await;
    granted(&store("stock:"), &key("shared")).await;
    let mut names: Vec<String> = redis::cmd("KEYS")
        .arg("*")
        .query(&mut plain(&server))
        .unwrap();
    names.sort();
    assert_eq!(names, ["mail:test::::id:shared", "stock:test::::id:shared"]);
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn key_of_another_application_is_not_touched() {
    let server = RedisServer::start();
    let store = patient(&server);
    let name = format!("{PREFIX}{}", key("foreign").as_str());
    let mut redis = plain(&server);
    let _: () = redis::cmd("SET")
        .arg(&name)
        .arg("theirs")
        .query(&mut redis)
        .unwrap();
    let error = store
        .claim(&key("foreign"), ClaimToken::new(), LEASE)
        .await
        .unwrap_err();
    assert!(reason(error).contains("another prefix"));
    let token = ClaimToken::new();
    let lost = store.commit(&key("foreign"), token, REMEMBER).await;
    assert_eq!(lost, Err(StoreError::ClaimLost));
    store.release(&key("foreign"), token).await.unwrap();
    let value: String = redis::cmd("GET").arg(&name).query(&mut redis).unwrap();
    assert_eq!(value, "theirs");
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn the_user_and_the_database_of_a_url_are_used() {
    let server = RedisServer::start_with(&["--user", "shop", "on", ">pa55", "~*", "+@all"]);
    let address = server.address();
    let store = |user: &str| {
        let url = format!("redis://{user}@{address}/3");
        let builder = RedisStore::builder(&url).timeout(Duration::from_secs(60));
        builder.build().unwrap()
    };
    granted(&store("shop:pa55"), &key("database")).await;
    let wrong = store("shop:guessed")
        .claim(&key("database"), ClaimToken::new(), LEASE)
        .await;
    let reason = reason(wrong.unwrap_err());
    assert!(reason.contains("authentication failed"), "{reason}");

    let mut redis = plain(&server);
    let in_database_0: Vec<String> = redis::cmd("KEYS").arg("*").query(&mut redis).unwrap();
    let _: () = redis::cmd("SELECT").arg(3).query(&mut redis).unwrap();
    let in_database_3: Vec<String> = redis::cmd("KEYS").arg("*").query(&mut redis).unwrap();
    assert_eq!((in_database_0.len(), in_database_3.len()), (0, 1));
}

#[cfg(feature = "redis-tls")]
#[tokio::test]
#[ignore = "needs redis-server and openssl"]
async fn rediss_url_uses_tls() {
    let directory = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let name = format!("redis-tls-{}", std::process::id());
    let file = |end: &str| {
        directory
            .join(format!("{name}.{end}"))
            .display()
            .to_string()
    };
    let (certificate, private_key) = (file("crt"), file("key"));
    let curve = [
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
    ];
    let made = std::process::Command::new("openssl")
        .args(["req", "-x509", "-subj", "/CN=localhost", "-days", "1"])
        .args(curve)
        .args(["-keyout", &private_key, "-out", &certificate])
        .output()
        .unwrap();
    assert!(made.status.success());
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    drop(listener);
    let _server = RedisServer::start_with(&[
        "--tls-port",
        &port,
        "--tls-cert-file",
        &certificate,
        "--tls-key-file",
        &private_key,
        "--tls-auth-clients",
        "no",
    ]);
    let store = |scheme: &str, fragment: &str| {
        let url = format!("{scheme}://localhost:{port}/{fragment}");
        let builder = RedisStore::builder(&url).timeout(Duration::from_secs(10));
        builder.build().unwrap()
    };
    granted(&store("rediss", "#insecure"), &key("tls")).await;
    for (scheme, fragment) in [("rediss", ""), ("redis", "")] {
        let refused = store(scheme, fragment)
            .claim(&key("refused"), ClaimToken::new(), LEASE)
            .await;
        assert!(refused.is_err(), "{scheme}");
    }
}

#[tokio::test]
async fn a_url_that_cannot_be_used_fails_the_build() {
    for url in ["", "http://127.0.0.1/", "redis://", "redis://host/database"] {
        let error = RedisStore::builder(url).build().unwrap_err();
        assert!(matches!(error, RedisStoreError::Url(_)), "{url}");
    }
}

#[test]
fn a_store_cannot_be_built_outside_of_a_runtime() {
    let store = RedisStore::builder("redis://127.0.0.1/").build();
    assert_eq!(store.unwrap_err(), RedisStoreError::NoRuntime);
}

#[tokio::test]
async fn store_never_shows_its_password() {
    let builder = RedisStore::builder("redis://user:hunter2@127.0.0.1/");
    let shown = format!("{builder:?} {:?}", builder.clone().build().unwrap());
    assert!(!shown.contains("hunter2"), "{shown}");
    assert!(shown.contains("webhook-sdk:"), "{shown}");
}

#[derive(Clone, Copy)]
enum Fault {
    /// The first connection never gets an answer.
    SwallowsTheFirstConnection,
    /// The connection breaks after Redis has run the first script and before its answer.
    LosesTheFirstAnswer,
}

/// Stands between a store and Redis, does one thing wrong, and returns the URL to connect to.
async fn proxy(server: &RedisServer, fault: Fault) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("redis://{}/", listener.local_addr().unwrap());
    let address = server.address();
    tokio::spawn(async move {
        let (first, _) = listener.accept().await.unwrap();
        match fault {
            Fault::SwallowsTheFirstConnection => drop(tokio::spawn(swallow(first))),
            Fault::LosesTheFirstAnswer => drop_response(first, connect(&address).await).await,
        }
        while let Ok((mut client, _)) = listener.accept().await {
            let mut redis = connect(&address).await;
            tokio::io::copy_bidirectional(&mut client, &mut redis)
                .await
                .ok();
        }
    });
    url
}

async fn connect(address: &str) -> TcpStream {
    TcpStream::connect(address).await.unwrap()
}

async fn swallow(mut client: TcpStream) {
    let mut buffer = [0; 1024];
    while client
        .read(&mut buffer)
        .await
        .is_ok_and(|length| length > 0)
    {}
}

/// Forwards until the first script has been run.
async fn drop_response(mut client: TcpStream, mut redis: TcpStream) {
    let (mut request, mut answer) = ([0; 16 * 1024], [0; 16 * 1024]);
    let mut script = false;
    loop {
        tokio::select! {
            read = client.read(&mut request) => {
                let request = &request[..read.unwrap()];
                script = request.windows(7).any(|window| window == b"EVALSHA");
                redis.write_all(request).await.unwrap();
            }
            read = redis.read(&mut answer) => {
                let answer = &answer[..read.unwrap()];
                if script && !answer.starts_with(b"-NOSCRIPT") {
                    return;
                }
                client.write_all(answer).await.unwrap();
            }
        }
    }
}
