use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ::redis::aio::{ConnectionManager, ConnectionManagerConfig};
use ::redis::{
    Client, ErrorKind, FromRedisValue, RedisError, RedisResult, RetryMethod, Script,
    ScriptInvocation,
};
use arc_swap::ArcSwap;
use backon::{ExponentialBuilder, Retryable};
use thiserror::Error;
use tokio::runtime::Handle;

use super::{Claim, ClaimToken, DedupStore, StoreError};
use crate::receiver::EventKey;

/// Remembers events in Redis, for a fleet of receivers and across their restarts.
///
/// ```no_run
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), webhook_sdk::receiver::RedisStoreError> {
/// use webhook_sdk::receiver::RedisStore;
///
/// let store = RedisStore::builder("redis://127.0.0.1/").prefix("shop:orders:").build()?;
/// # let _ = store;
/// # Ok(())
/// # }
/// ```
///
/// A clone shares one connection, which the first event opens and which is opened again whenever it
/// breaks. Each step is one script, so it is atomic, and is run again if the connection
/// breaks over it. Any Redis from 2.6.12 on will do, and what speaks its protocol; Sentinel and
/// Cluster aren't supported. A `rediss://` URL needs the feature `redis-tls`.
///
/// # What Redis must be set to
///
/// An event is handled again when Redis forgets it, so part of the promise is Redis's:
///
/// - `appendonly yes` with `appendfsync always`: a commit is on disk before it is answered. No event
///   is committed twice, whether Redis or its machine crashes.
/// - `appendonly yes` with `appendfsync everysec`, which is Redis's default for it: a crash of the
///   machine loses the commits of the last second or two, and so can a crash of Redis alone while
///   its disk is slow. Those events are handled again if they are delivered again.
/// - Snapshots alone, or nothing: a restart forgets what came after the last snapshot, or all.
/// - `maxmemory-policy noeviction`: any other can forget an event early.
/// - A replica hears of a commit after the answer: a failover can forget the last ones.
///
/// An event takes about 300 bytes of Redis's memory, of which its key is about 50, for as long as
/// [`remember`](crate::receiver::ReceiverBuilder::remember) says.
#[derive(Clone)]
pub struct RedisStore {
    link: Arc<Link>,
    prefix: String,
}

/// Sets up a [`RedisStore`].
#[derive(Clone)]
#[must_use]
pub struct RedisStoreBuilder {
    client: Result<Client, RedisStoreError>,
    prefix: String,
    timeout: Duration,
}

/// Why a [`RedisStore`] can't be built.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RedisStoreError {
    /// The URL isn't one of Redis, or asks for what isn't built in, such as TLS.
    #[error("the URL can't be used: {0}")]
    Url(String),
    /// There is no tokio runtime to run the connection.
    #[error("no tokio runtime; build the store inside of one")]
    NoRuntime,
}

impl RedisStore {
    /// Sets up a store at a URL such as `redis://user:password@host:6379/0`.
    ///
    /// User, password and database index are optional.
    pub fn builder(url: &str) -> RedisStoreBuilder {
        RedisStoreBuilder {
            client: Client::open(url).map_err(|error| RedisStoreError::Url(error.to_string())),
            prefix: "webhook-sdk:".to_owned(),
            timeout: Duration::from_secs(2),
        }
    }

    fn key(&self, key: &EventKey) -> String {
        format!("{}{}", self.prefix, key.as_str())
    }

    fn position(&self, key: &EventKey, script: &mut ScriptInvocation<'_>) {
        if let Some(position) = key.position() {
            script.key(format!("{}{}", self.prefix, position.stream()));
            script.arg(position.sequence());
        }
    }
}

impl RedisStoreBuilder {
    /// What the name of each key begins with; `webhook-sdk:` by default.
    ///
    /// Receivers with the same prefix share their events. Two that must both handle an event, each
    /// in its own way, need two prefixes.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// How long a claim, a commit or a release may take, a new connection included; 2 s by default.
    ///
    /// After it the delivery is answered with 503.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Makes the store, without connecting yet.
    ///
    /// # Errors
    ///
    /// If the URL can't be used, or outside of a tokio runtime.
    pub fn build(self) -> Result<RedisStore, RedisStoreError> {
        let client = self.client?;
        Handle::try_current().map_err(|_| RedisStoreError::NoRuntime)?;
        let link = Link::new(client, self.timeout)
            .map_err(|error| RedisStoreError::Url(error.to_string()))?;
        Ok(RedisStore {
            link: Arc::new(link),
            prefix: self.prefix,
        })
    }
}

impl DedupStore for RedisStore {
    async fn claim(&self, key: &EventKey, lease: Duration) -> Result<Claim, StoreError> {
        let token = ClaimToken::new();
        let mut script = self.link.scripts.claim.key(self.key(key));
        script.arg(held(token)).arg(milliseconds(lease));
        self.position(key, &mut script);
        let other: Option<String> = self.link.run(&script).await?;
        match other.as_deref() {
            None => Ok(Claim::Granted(token)),
            Some(STALE) => Ok(Claim::Stale),
            Some(other) if other.starts_with(HELD) => Ok(Claim::Held),
            Some(other) if other.starts_with(DONE) => Ok(Claim::Committed),
            Some(_) => Err(StoreError::Unavailable(
                "the key holds something else; choose another prefix".to_owned(),
            )),
        }
    }

    async fn commit(
        &self,
        key: &EventKey,
        token: ClaimToken,
        remember: Duration,
    ) -> Result<(), StoreError> {
        let mut script = self.link.scripts.commit.key(self.key(key));
        script.arg(held(token)).arg(done(token));
        script.arg(milliseconds(remember));
        self.position(key, &mut script);
        let committed: bool = self.link.run(&script).await?;
        committed.then_some(()).ok_or(StoreError::ClaimLost)
    }

    async fn release(&self, key: &EventKey, token: ClaimToken) -> Result<(), StoreError> {
        let mut script = self.link.scripts.release.key(self.key(key));
        script.arg(held(token));
        self.link.run(&script).await
    }

    fn supports_positions(&self) -> bool {
        true
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore")
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for RedisStoreBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStoreBuilder")
            .field("prefix", &self.prefix)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// A connection that is replaced when it breaks.
struct Link {
    client: Client,
    timeout: Duration,
    manager: ArcSwap<ConnectionManager>,
    scripts: Scripts,
}

impl Link {
    fn new(client: Client, timeout: Duration) -> RedisResult<Self> {
        Ok(Self {
            manager: ArcSwap::from_pointee(connect(&client)?),
            client,
            timeout,
            scripts: Scripts::new(),
        })
    }

    /// Runs a script, again where the connection broke over it, until the time is up.
    async fn run<T: FromRedisValue>(&self, script: &ScriptInvocation<'_>) -> Result<T, StoreError> {
        let manager = self.manager.load_full();
        let mut last = None;
        let attempt = || async { script.invoke_async(&mut manager.as_ref().clone()).await };
        let attempts = attempt
            .retry(
                ExponentialBuilder::default()
                    .with_min_delay(SHORTEST_WAIT)
                    .with_max_delay(LONGEST_WAIT)
                    .without_max_times()
                    .with_jitter(),
            )
            .when(is_passing)
            .notify(|error, _| last = Some(error.to_string()));
        match tokio::time::timeout(self.timeout, attempts).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => {
                if !is_answer(&error) {
                    self.replace(&manager);
                }
                Err(StoreError::Unavailable(error.to_string()))
            }
            Err(_) => {
                self.replace(&manager);
                let last = last.unwrap_or_else(|| "no answer".to_owned());
                let reason = format!("{last} within {:?}", self.timeout);
                Err(StoreError::Unavailable(reason))
            }
        }
    }

    /// Puts a new connection in the place of one that didn't heal itself.
    ///
    /// The manager's own reconnecting gives up after a refused password, and a connection whose
    /// other end is gone without a word looks sound for many minutes.
    fn replace(&self, broken: &Arc<ConnectionManager>) {
        if let Ok(manager) = connect(&self.client) {
            self.manager.compare_and_swap(broken, Arc::new(manager));
        }
    }
}

struct Scripts {
    claim: Script,
    commit: Script,
    release: Script,
}

impl Scripts {
    fn new() -> Self {
        Self {
            claim: Script::new(&format!("{LOWER}{CLAIM}")),
            commit: Script::new(&format!("{LOWER}{COMMIT}")),
            release: Script::new(RELEASE),
        }
    }
}

/// Compares byte by byte, which Lua's own `<` doesn't do in every locale.
const LOWER: &str = "
    local function lower(a, b)
        for i = 1, math.min(#a, #b) do
            local x, y = a:byte(i), b:byte(i)
            if x ~= y then return x < y end
        end
        return #a < #b
    end
    local function last_is_higher(sequence)
        local last = KEYS[2] and redis.call('GET', KEYS[2])
        return last and lower(sequence, last)
    end
";

/// Claims a free key. A second run finds its own token and claims it again.
const CLAIM: &str = "
    local value = redis.call('GET', KEYS[1])
    if value and value ~= ARGV[1] then return value end
    if last_is_higher(ARGV[3]) then return 'stale' end
    redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
    return false
";

/// Commits unless the key is another holder's. A second run finds the work done.
const COMMIT: &str = "
    local value = redis.call('GET', KEYS[1])
    if value == ARGV[2] then return 1 end
    if value and value ~= ARGV[1] then return 0 end
    redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
    if KEYS[2] and not last_is_higher(ARGV[4]) then
        redis.call('SET', KEYS[2], ARGV[4], 'PX', ARGV[3])
    end
    return 1
";

/// Frees the key unless it is another holder's.
const RELEASE: &str = "
    if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
    return redis.call('DEL', KEYS[1])
";

const STALE: &str = "stale";
const HELD: &str = "held:";
const DONE: &str = "done:";

const SHORTEST_WAIT: Duration = Duration::from_millis(10);
const LONGEST_WAIT: Duration = Duration::from_millis(200);

fn held(token: ClaimToken) -> String {
    format!("{HELD}{}", token.as_uuid())
}

fn done(token: ClaimToken) -> String {
    format!("{DONE}{}", token.as_uuid())
}

/// Redis takes neither zero nor what its clock can't reach.
fn milliseconds(time: Duration) -> u64 {
    let milliseconds = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    milliseconds.clamp(1, u64::MAX / 4)
}

fn connect(client: &Client) -> RedisResult<ConnectionManager> {
    let config = ConnectionManagerConfig::new()
        .set_min_delay(SHORTEST_WAIT)
        .set_max_delay(LONGEST_WAIT)
        .set_response_timeout(None);
    ConnectionManager::new_lazy_with_config(client.clone(), config)
}

/// Whether the same script may succeed in a moment.
fn is_passing(error: &RedisError) -> bool {
    error.kind() != ErrorKind::AuthenticationFailed
        && !matches!(error.retry_method(), RetryMethod::NoRetry)
}

/// Whether Redis itself said so, over a connection that works.
fn is_answer(error: &RedisError) -> bool {
    matches!(error.kind(), ErrorKind::Server(_) | ErrorKind::Extension)
}
