use std::fmt;
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::request::Parts;
use quick_cache::sync::Cache;
use tokio::time::Instant;
use uuid::Uuid;

use super::delivery::guarded;
use super::{Authentication, BoxError, Refusal};
use crate::Secret;
use crate::signature::{Key, Scheme, Verifier};

/// Per-tenant keys, for one endpoint that many senders deliver to.
///
/// ```
/// use http::request::Parts;
/// use webhook_sdk::receiver::{Source, Tenants};
/// use webhook_sdk::signature::Verifier;
///
/// # #[derive(Clone)] struct Db;
/// # impl Db { async fn verifier(&self, tenant: &str) -> Result<Option<Verifier>, std::io::Error> { Ok(None) } }
/// # fn example(db: Db) {
/// let tenants = Tenants::new(
///     |parts: &Parts| Some(parts.uri.path().strip_prefix("/hooks/")?.to_owned()),
///     move |tenant| {
///         let db = db.clone();
///         async move { Ok(db.verifier(&tenant).await?) }
///     },
/// );
/// # #[cfg(feature = "lune")]
/// let source = webhook_sdk::lune::Source::for_tenants(tenants);
/// # }
/// ```
///
/// The first function extracts the tenant's name from the request's path, a header, or anything
/// else in its head. A nested router may have stripped a prefix from the path. The second function
/// loads that tenant's keys: a [`Verifier`] for Preo and Lune, a `BasicAuth` for pretix. `Ok(None)`
/// means that the tenant is unknown.
///
/// Clones share the same tenants.
///
/// # Responses
///
/// An unknown tenant gets the same response as a wrong signature: 401 without a body, after the
/// body was read and verified with a random key. If the loader fails, panics, or takes longer than
/// 10 s, the delivery gets 503, so the service retries it. After a failure, the tenant isn't loaded
/// again for one second. An outsider can still see whether a tenant was loaded recently, known or
/// not, because the first request for it takes as long as the loader.
///
/// # Cache
///
/// The keys of up to 10,000 tenants are cached for 60 s; [`cache`](Self::cache) changes that.
/// Unknown tenants are cached separately, with the same limits, so made-up names can't evict known
/// tenants. Concurrent requests for the same tenant load its keys once. After keys have changed,
/// call [`invalidate`](Self::invalidate) to load them for the next request. Changes to a cached
/// [`Verifier`]'s keyring take effect at once, until the keys are loaded again.
pub struct Tenants<K> {
    inner: Arc<Inner<K>>,
}

struct Inner<K> {
    name: Name,
    load: Load<K>,
    known: Cache<Arc<str>, Known<K>>,
    absent: Cache<Arc<str>, Absent>,
    lifetime: Duration,
    invalidations: AtomicU64,
}

type Name = Arc<dyn Fn(&Parts) -> Option<String> + Send + Sync>;
type Load<K> = Arc<dyn Fn(String) -> Loading<K> + Send + Sync>;
type Loading<K> = Pin<Box<dyn Future<Output = Result<Option<K>, BoxError>> + Send>>;

#[derive(Clone)]
struct Known<K> {
    keys: K,
    until: Instant,
}

#[derive(Clone)]
struct Absent {
    failed: bool,
    until: Instant,
}

impl<K: Clone + Send + Sync + 'static> Tenants<K> {
    /// Creates tenants from a function for their names and a loader for their keys.
    pub fn new<F>(
        name: impl Fn(&Parts) -> Option<String> + Send + Sync + 'static,
        load: impl Fn(String) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<Option<K>, BoxError>> + Send + 'static,
    {
        Self::of(
            Arc::new(name),
            Arc::new(move |tenant| Box::pin(load(tenant))),
            DEFAULT_TENANTS,
            DEFAULT_LIFETIME,
        )
    }

    /// Sets how many tenants are cached, and for how long.
    ///
    /// Call it before the tenants are used: it starts with an empty cache. With a lifetime of zero,
    /// the keys are loaded for every request.
    #[must_use]
    pub fn cache(self, tenants: NonZeroUsize, lifetime: Duration) -> Self {
        let Inner { name, load, .. } = &*self.inner;
        Self::of(Arc::clone(name), Arc::clone(load), tenants.get(), lifetime)
    }

    /// Removes a tenant from the cache, so that the next request loads its keys.
    pub fn invalidate(&self, tenant: &str) {
        self.inner.invalidations.fetch_add(1, Ordering::SeqCst);
        self.inner.known.remove(tenant);
        self.inner.absent.remove(tenant);
    }

    /// Removes all tenants from the cache.
    pub fn invalidate_all(&self) {
        self.inner.invalidations.fetch_add(1, Ordering::SeqCst);
        self.inner.known.clear();
        self.inner.absent.clear();
    }

    fn of(name: Name, load: Load<K>, tenants: usize, lifetime: Duration) -> Self {
        Self {
            inner: Arc::new(Inner {
                name,
                load,
                known: Cache::new(tenants),
                absent: Cache::new(tenants),
                lifetime,
                invalidations: AtomicU64::new(0),
            }),
        }
    }

    /// The request's tenant and its keys, or `None` if it is unknown.
    pub(crate) async fn keys(&self, parts: &Parts) -> Result<Option<(Arc<str>, K)>, Refusal> {
        match (self.inner.name)(parts) {
            Some(tenant) if (1..=LONGEST_NAME).contains(&tenant.len()) => {
                let tenant = Arc::from(tenant);
                let keys = self.inner.keys(&tenant).await?;
                Ok(keys.map(|keys| (tenant, keys)))
            }
            _ => Ok(None),
        }
    }
}

impl<K: Clone + Send + Sync + 'static> Inner<K> {
    async fn keys(&self, tenant: &Arc<str>) -> Result<Option<K>, Refusal> {
        loop {
            if let Some(absent) = self.absent(tenant) {
                return absent.result();
            }
            let guard = match self.known.get_value_or_guard_async(tenant).await {
                Ok(known) if Instant::now() < known.until => return Ok(Some(known.keys)),
                Ok(_) => {
                    let is_over = |known: &Known<K>| known.until <= Instant::now();
                    self.known.remove_if(tenant, is_over);
                    continue;
                }
                Err(guard) => guard,
            };
            // An earlier load may have found nothing.
            if let Some(absent) = self.absent(tenant) {
                return absent.result();
            }
            let invalidations = self.invalidations.load(Ordering::SeqCst);
            let loaded = guarded(LOAD_TIMEOUT, || (self.load)(tenant.to_string())).await;
            let (absent, result) = match loaded {
                Ok(Ok(Some(keys))) => {
                    let known = Known {
                        keys: keys.clone(),
                        until: Instant::now() + self.lifetime,
                    };
                    // Fails if the tenant was invalidated in the meantime. This request still uses
                    // the keys.
                    let _ = guard.insert(known);
                    return Ok(Some(keys));
                }
                Ok(Ok(None)) => (Absent::new(false, self.lifetime), Ok(None)),
                Ok(Err(error)) => (
                    Absent::new(true, FAILURE_LIFETIME),
                    Err(Refusal::KeysUnavailable(error.to_string())),
                ),
                Err(_) => (
                    Absent::new(true, FAILURE_LIFETIME),
                    Err(Refusal::KeysUnavailable(
                        "the loader panicked or took too long".into(),
                    )),
                ),
            };
            if invalidations == self.invalidations.load(Ordering::SeqCst) {
                self.absent.insert(Arc::clone(tenant), absent);
            }
            return result;
        }
    }

    fn absent(&self, tenant: &str) -> Option<Absent> {
        let absent = self.absent.get(tenant)?;
        (Instant::now() < absent.until).then_some(absent)
    }
}

impl Absent {
    fn new(failed: bool, lifetime: Duration) -> Self {
        Self {
            failed,
            until: Instant::now() + lifetime,
        }
    }

    fn result<K>(self) -> Result<Option<K>, Refusal> {
        match self.failed {
            true => Err(Refusal::KeysUnavailable(
                "loading them failed a moment ago".into(),
            )),
            false => Ok(None),
        }
    }
}

impl<K> Clone for Tenants<K> {
    fn clone(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
        }
    }
}

impl<K> fmt::Debug for Tenants<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tenants")
            .field("lifetime", &self.inner.lifetime)
            .finish_non_exhaustive()
    }
}

/// The keys of a source: the same for all requests, or per tenant.
#[derive(Clone, Debug)]
pub(crate) enum Keys<K> {
    Same(K),
    /// With a random key, for unknown tenants.
    Tenants(Tenants<K>, K),
}

/// The keys for one request.
pub(crate) struct Resolved<K> {
    pub(crate) keys: K,
    tenant: Option<Arc<str>>,
    is_unknown: bool,
}

impl<K: Clone + Send + Sync + 'static> Keys<K> {
    pub(crate) async fn resolve(&self, parts: &Parts) -> Result<Resolved<K>, Refusal> {
        let (keys, tenant, is_unknown) = match self {
            Self::Same(keys) => (keys.clone(), None, false),
            Self::Tenants(tenants, decoy) => match tenants.keys(parts).await? {
                Some((tenant, keys)) => (keys, Some(tenant), false),
                None => (decoy.clone(), None, true),
            },
        };
        Ok(Resolved {
            keys,
            tenant,
            is_unknown,
        })
    }
}

impl Keys<Verifier> {
    #[expect(clippy::expect_used, reason = "the text is a valid secret")]
    pub(crate) fn of_tenants(tenants: Tenants<Verifier>, scheme: Scheme) -> Self {
        let secret = Secret::from(Uuid::new_v4().to_string());
        let decoy = Key::new("unknown tenant", &secret).expect("a secret of letters and digits");
        Self::Tenants(tenants, Verifier::new(scheme, decoy))
    }

    /// Checks the head of a signed request.
    pub(crate) async fn begin(&self, parts: &Parts) -> Result<Authentication, Refusal> {
        if let Self::Same(verifier) = self {
            return Ok(verifier.begin(&parts.headers)?.into());
        }
        let resolved = self.resolve(parts).await?;
        let verification = resolved.keys.begin(&parts.headers)?;
        Ok(resolved.complete(verification.into()))
    }
}

impl<K> Resolved<K> {
    pub(crate) fn complete(self, mut authentication: Authentication) -> Authentication {
        authentication.tenant = self.tenant;
        authentication.unknown_tenant = self.is_unknown;
        authentication
    }
}

/// Our defaults. None of the services publishes a value.
const DEFAULT_TENANTS: usize = 10_000;
const DEFAULT_LIFETIME: Duration = Duration::from_secs(60);
const FAILURE_LIFETIME: Duration = Duration::from_secs(1);
const LOAD_TIMEOUT: Duration = Duration::from_secs(10);
/// A longer name is unknown. This bounds the cache of unknown tenants.
const LONGEST_NAME: usize = 256;
