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
use crate::clock::milliseconds;
use crate::receiver::EventKey;

/// A store in Redis, for several processes.
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
/// Clones share one connection, which is opened for the first event and reopened if it breaks. Each
/// operation is one atomic script, which is retried if the connection breaks. The server must support
/// scripts and `SET` with `PX`: Redis 2.6.12 or later, or a compatible server. Sentinel and Cluster
/// aren't supported. A `rediss://` URL requires the feature `redis-tls`.
///
/// # Redis configuration
///
/// An event is handled again if Redis loses it, so the guarantee depends on Redis's configuration:
///
/// - `appendonly yes` with `appendfsync always`: a commit is on disk before Redis confirms it. No
///   event is committed twice, even if Redis or its machine crashes.
/// - `appendonly yes` with `appendfsync everysec`, Redis's default: a crash of the machine loses
///   the commits of the last second or two. A crash of Redis alone can too while its disk is slow.
///   Those events are handled again if they are redelivered.
/// - Snapshots only, or no persistence: a restart loses everything since the last snapshot, or
///   everything.
/// - `maxmemory-policy noeviction`: any other policy can evict an event early.
/// - Replication is asynchronous: a failover can lose the last commits.
///
/// An event with an id of 36 bytes takes about 230 bytes of Redis's memory, as measured with 20,000
/// events, for the duration set with [`remember`](crate::receiver::ReceiverBuilder::remember).
#[derive(Clone)]
pub struct RedisStore {
    connection: Arc<Connection>,
    prefix: String,
}

/// A builder for a [`RedisStore`].
#[derive(Clone)]
pub struct RedisStoreBuilder {
    client: Result<Client, RedisStoreError>,
    prefix: String,
    timeout: Duration,
}

/// An error from building a [`RedisStore`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RedisStoreError {
    /// The URL isn't a Redis URL, or needs a disabled feature, such as TLS.
    #[error("the URL can't be used: {0}")]
    Url(String),
    /// There is no tokio runtime.
    #[error("there is no tokio runtime: build the store inside one")]
    NoRuntime,
}

impl RedisStore {
    /// Returns a builder for a URL such as `redis://user:password@host:6379/0`.
    ///
    /// The user, password, and database index are optional.
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
    /// Sets the prefix of all keys. Defaults to `webhook-sdk:`.
    ///
    /// Applications that use the same receiver names in one Redis need different prefixes.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Sets the timeout for one operation, including a new connection. Defaults to 2 s.
    ///
    /// After a timeout, the delivery gets 503.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Builds the store. It doesn't connect yet.
    ///
    /// # Errors
    ///
    /// Returns an error if the URL can't be used, or if it is called outside a tokio runtime.
    pub fn build(self) -> Result<RedisStore, RedisStoreError> {
        let client = self.client?;
        Handle::try_current().map_err(|_| RedisStoreError::NoRuntime)?;
        let connection = Connection::new(client, self.timeout)
            .map_err(|error| RedisStoreError::Url(error.to_string()))?;
        Ok(RedisStore {
            connection: Arc::new(connection),
            prefix: self.prefix,
        })
    }
}

impl DedupStore for RedisStore {
    async fn claim(
        &self,
        key: &EventKey,
        token: ClaimToken,
        lease: Duration,
    ) -> Result<Claim, StoreError> {
        let mut script = self.connection.scripts.claim.key(self.key(key));
        script.arg(held(token)).arg(expiry(lease));
        self.position(key, &mut script);
        let other: Option<String> = self.connection.run(&script).await?;
        match other.as_deref() {
            None => Ok(Claim::Granted),
            Some(STALE) => Ok(Claim::Stale),
            Some(other) if other.starts_with(HELD) => Ok(Claim::Held),
            Some(other) if other.starts_with(DONE) => Ok(Claim::Committed),
            Some(_) => Err(StoreError::Unavailable(
                "a key holds another application's value: choose another prefix".to_owned(),
            )),
        }
    }

    async fn commit(
        &self,
        key: &EventKey,
        token: ClaimToken,
        remember: Duration,
    ) -> Result<(), StoreError> {
        let mut script = self.connection.scripts.commit.key(self.key(key));
        script.arg(held(token)).arg(done(token));
        script.arg(expiry(remember));
        self.position(key, &mut script);
        let committed: bool = self.connection.run(&script).await?;
        committed.then_some(()).ok_or(StoreError::ClaimLost)
    }

    async fn release(&self, key: &EventKey, token: ClaimToken) -> Result<(), StoreError> {
        let mut script = self.connection.scripts.release.key(self.key(key));
        script.arg(held(token));
        self.connection.run(&script).await
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

/// A connection that is replaced if it breaks.
struct Connection {
    client: Client,
    timeout: Duration,
    manager: ArcSwap<ConnectionManager>,
    scripts: Scripts,
}

impl Connection {
    fn new(client: Client, timeout: Duration) -> RedisResult<Self> {
        Ok(Self {
            manager: ArcSwap::from_pointee(connect(&client)?),
            client,
            timeout,
            scripts: Scripts::new(),
        })
    }

    /// Runs a script, and retries it if the connection breaks, until the timeout.
    async fn run<T: FromRedisValue>(&self, script: &ScriptInvocation<'_>) -> Result<T, StoreError> {
        let manager = self.manager.load_full();
        let mut last = None;
        let attempt = || async { script.invoke_async(&mut manager.as_ref().clone()).await };
        let attempts = attempt
            .retry(
                ExponentialBuilder::default()
                    .with_min_delay(MIN_WAIT)
                    .with_max_delay(MAX_WAIT)
                    .without_max_times()
                    .with_jitter(),
            )
            .when(is_transient)
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
                let last = last.unwrap_or_else(|| "no response".to_owned());
                let reason = format!("{last} within {:?}", self.timeout);
                Err(StoreError::Unavailable(reason))
            }
        }
    }

    /// Replaces a connection that didn't recover by itself.
    ///
    /// The connection manager stops reconnecting after a rejected password, and a connection whose
    /// peer vanished silently looks healthy for many minutes.
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

/// Claims a free key. Running it again with the same token succeeds.
const CLAIM: &str = "
    local value = redis.call('GET', KEYS[1])
    if value and value ~= ARGV[1] then return value end
    if last_is_higher(ARGV[3]) then return 'stale' end
    redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
    return false
";

/// Commits unless another holder has the key. Running it again has no effect.
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

/// Releases the key unless another holder has it.
const RELEASE: &str = "
    if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
    return redis.call('DEL', KEYS[1])
";

const STALE: &str = "stale";
const HELD: &str = "held:";
const DONE: &str = "done:";

const MIN_WAIT: Duration = Duration::from_millis(10);
const MAX_WAIT: Duration = Duration::from_millis(200);

fn held(token: ClaimToken) -> String {
    format!("{HELD}{}", token.as_uuid())
}

fn done(token: ClaimToken) -> String {
    format!("{DONE}{}", token.as_uuid())
}

/// Redis accepts neither zero nor an expiry beyond its clock's range.
fn expiry(time: Duration) -> u64 {
    milliseconds(time).clamp(1, u64::MAX / 4)
}

fn connect(client: &Client) -> RedisResult<ConnectionManager> {
    let config = ConnectionManagerConfig::new()
        .set_min_delay(MIN_WAIT)
        .set_max_delay(MAX_WAIT)
        .set_response_timeout(None);
    ConnectionManager::new_lazy_with_config(client.clone(), config)
}

/// Whether the script may succeed if it is retried.
fn is_transient(error: &RedisError) -> bool {
    error.kind() != ErrorKind::AuthenticationFailed
        && !matches!(error.retry_method(), RetryMethod::NoRetry)
}

/// Whether Redis itself returned the error, over a working connection.
fn is_answer(error: &RedisError) -> bool {
    matches!(error.kind(), ErrorKind::Server(_) | ErrorKind::Extension)
}
