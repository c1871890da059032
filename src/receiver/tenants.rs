use std::fmt;
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::request::Parts;
use quick_cache::sync::Cache;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use uuid::Uuid;

use super::guard::run_with_timeout;
use super::observer::Chain;
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
/// The tenant's name is part of every [`EventKey`](super::EventKey), so it must be canonical: the
/// first function must return one spelling per tenant, and the loader must look it up exactly. If
/// `acme` and `ACME` load the same keys, a delivery to the one can be replayed to the other.
///
/// Clones share the same tenants.
///
/// # Responses
///
/// An unknown tenant gets the same response as a wrong signature: 401 without a body, after the
/// body was read and verified with a random key. If the loader fails, panics, or takes longer than
/// 10 s, the delivery gets 503, so the service redelivers it. After a failure, the tenant isn't
/// loaded again for one second. An outsider can still see whether a tenant was loaded recently,
/// known or not, because the first request for it takes as long as the loader. A tenant with
/// several keys is slower than an unknown one, because each key is tried on the body. Before the
/// body is read, the headers of an unknown tenant's request are checked with the [`Scheme`] of the
/// first tenant that was used, and until then with the service's own. If tenants' schemes differ,
/// or none has been used yet, the response to headers of another scheme can show whether a tenant
/// exists.
///
/// # Cache
///
/// The keys of up to 10,000 tenants are cached for 60 s; [`cache`](Self::cache) changes that.
/// Unknown tenants are cached separately, with the same limits, so made-up names can't evict known
/// tenants. At most 64 tenants are loaded at once (our default). A request that doesn't get its
/// turn within the loader's 10 s gets 503. Tenants are loaded before the headers are checked, because
/// their schemes can differ: return `None` for a name that can't be a tenant's, so that made-up ones
/// cost no load. Concurrent requests for the same tenant load its keys
/// once. After keys have changed, call [`invalidate`](Self::invalidate) to load them for the next
/// request. Changes to a cached [`Verifier`]'s keyring take effect at once, until the keys are
/// loaded again.
pub struct Tenants<K> {
    inner: Arc<Inner<K>>,
}

struct Inner<K> {
    name: Name,
    load: Load<K>,
    known: Cache<Arc<str>, Known<K>>,
    absent: Cache<Arc<str>, Absent>,
    lifetime: Duration,
    loads: Semaphore,
}

type Name = Arc<dyn Fn(&Parts) -> Option<String> + Send + Sync>;
type Load<K> = Arc<dyn Fn(String) -> Loading<K> + Send + Sync>;
type Loading<K> = Pin<Box<dyn Future<Output = Result<Option<K>, BoxError>> + Send>>;

#[derive(Clone)]
struct Known<K> {
    keys: K,
    since: Instant,
}

#[derive(Clone)]
struct Absent {
    failed: bool,
    since: Instant,
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
        Self::with_cache(
            Arc::new(name),
            Arc::new(move |tenant| Box::pin(load(tenant))),
            DEFAULT_TENANTS,
            DEFAULT_LIFETIME,
        )
    }

    /// Sets how many tenants are cached, and for how long.
    ///
    /// Call it before the tenants are used: it starts with an empty cache. With a lifetime of zero,
    /// the keys are loaded for every request, except that requests that wait for a load share its
    /// result.
    #[must_use]
    pub fn cache(self, tenants: NonZeroUsize, lifetime: Duration) -> Self {
        let Inner { name, load, .. } = &*self.inner;
        Self::with_cache(Arc::clone(name), Arc::clone(load), tenants.get(), lifetime)
    }

    /// Removes a tenant from the cache, so that the next request loads its keys.
    ///
    /// A request in progress keeps the old keys until its body has arrived, at most for
    /// [`body_timeout`](super::ReceiverBuilder::body_timeout). Removing a key from the keyring of a
    /// cached [`Verifier`] takes effect for it, too.
    pub fn invalidate(&self, tenant: &str) {
        self.inner.known.remove(tenant);
        self.inner.absent.remove(tenant);
    }

    /// Removes all tenants from the cache.
    pub fn invalidate_all(&self) {
        self.inner.known.clear();
        self.inner.absent.clear();
    }

    fn with_cache(name: Name, load: Load<K>, tenants: usize, lifetime: Duration) -> Self {
        Self {
            inner: Arc::new(Inner {
                name,
                load,
                known: Cache::new(tenants),
                absent: Cache::new(tenants),
                lifetime,
                loads: Semaphore::new(CONCURRENT_LOADS),
            }),
        }
    }

    /// The request's tenant and its keys, or `None` if it is unknown.
    pub(crate) async fn keys(&self, parts: &Parts) -> Result<Option<(Arc<str>, K)>, Refusal> {
        match (self.inner.name)(parts) {
            Some(tenant) if (1..=MAX_NAME).contains(&tenant.len()) => {
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
        let started = Instant::now();
        loop {
            if let Some(absent) = self.absent(tenant, started) {
                return absent.result();
            }
            let guard = match self.known.get_value_or_guard_async(tenant).await {
                Ok(known) if is_fresh(known.since, self.lifetime, started) => {
                    return Ok(Some(known.keys));
                }
                Ok(_) => {
                    let is_over = |known: &Known<K>| !is_fresh(known.since, self.lifetime, started);
                    self.known.remove_if(tenant, is_over);
                    continue;
                }
                Err(guard) => guard,
            };
            // An earlier load may have found nothing. The place is taken before the load, because an
            // invalidation of this tenant removes it.
            let place = match self.absent.get_value_or_guard_async(tenant).await {
                Ok(absent) if self.is_current(&absent, started) => return absent.result(),
                Ok(_) => {
                    self.absent
                        .remove_if(tenant, |absent| !self.is_current(absent, started));
                    continue;
                }
                Err(place) => place,
            };
            let load = || async {
                let _permit = self.loads.acquire().await;
                let loaded = (self.load)(tenant.to_string()).await;
                loaded.map_err(|error| Chain(&*error).to_string())
            };
            let loaded = run_with_timeout(Instant::now(), LOAD_TIMEOUT, load).await;
            let since = Instant::now();
            let result = match loaded {
                Ok(Ok(Some(keys))) => {
                    // Fails if the tenant was invalidated in the meantime. This request still uses
                    // the keys.
                    let _ = guard.insert(Known {
                        keys: keys.clone(),
                        since,
                    });
                    return Ok(Some(keys));
                }
                Ok(Ok(None)) => Ok(None),
                Ok(Err(error)) => Err(error),
                Err(_) => Err("the loader panicked or took too long".to_owned()),
            };
            let failed = result.is_err();
            let _ = place.insert(Absent { failed, since });
            return result.map_err(Refusal::KeysUnavailable);
        }
    }

    fn absent(&self, tenant: &str, started: Instant) -> Option<Absent> {
        let absent = self.absent.get(tenant)?;
        self.is_current(&absent, started).then_some(absent)
    }

    fn is_current(&self, absent: &Absent, started: Instant) -> bool {
        let lifetime = match absent.failed {
            true => FAILURE_LIFETIME,
            false => self.lifetime,
        };
        is_fresh(absent.since, lifetime, started)
    }
}

impl Absent {
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
    /// With a random key for unknown tenants, until there is one with the scheme of a known tenant.
    Tenants(Tenants<K>, K, Arc<OnceLock<K>>),
}

/// The keys for one request.
pub(crate) struct Resolved<K> {
    pub(crate) keys: K,
    tenant: Option<Arc<str>>,
    is_unknown: bool,
}

impl<K: Clone + Send + Sync + 'static> Keys<K> {
    pub(crate) fn with_decoy(tenants: Tenants<K>, decoy: K) -> Self {
        Self::Tenants(tenants, decoy, Arc::default())
    }

    pub(crate) async fn resolve(&self, parts: &Parts) -> Result<Resolved<K>, Refusal> {
        let (keys, tenant, is_unknown) = match self {
            Self::Same(keys) => (keys.clone(), None, false),
            Self::Tenants(tenants, first, decoy) => match tenants.keys(parts).await? {
                Some((tenant, keys)) => (keys, Some(tenant), false),
                None => (decoy.get().unwrap_or(first).clone(), None, true),
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
    pub(crate) fn for_tenants(tenants: Tenants<Verifier>, scheme: Scheme) -> Self {
        let secret = Secret::from(Uuid::new_v4().to_string());
        let decoy = Key::new("unknown tenant", &secret).expect("a secret of letters and digits");
        Self::with_decoy(tenants, Verifier::new(scheme, decoy))
    }

    /// Checks the head of a signed request.
    pub(crate) async fn begin(&self, parts: &Parts) -> Result<Authentication, Refusal> {
        if let Self::Same(verifier) = self {
            return Ok(verifier.begin(&parts.headers)?.into());
        }
        let resolved = self.resolve(parts).await?;
        if let (Self::Tenants(_, first, decoy), false) = (self, resolved.is_unknown) {
            decoy.get_or_init(|| resolved.keys.with_keys_of(first));
        }
        let verification = resolved.keys.begin(&parts.headers)?;
        Ok(resolved.complete(verification.into()))
    }
}

impl<K> Resolved<K> {
    /// Refuses credentials.
    #[cfg(feature = "pretix")]
    pub(crate) fn refusal(&self, reason: &dyn fmt::Display) -> Refusal {
        match self.is_unknown {
            true => Refusal::UnknownTenant,
            false => Refusal::Credentials(reason.to_string()),
        }
    }

    pub(crate) fn complete(self, mut authentication: Authentication) -> Authentication {
        authentication.tenant = self.tenant;
        authentication.unknown_tenant = self.is_unknown;
        authentication
    }
}

/// Whether a result is young enough, or came while the request that needs it waited.
fn is_fresh(since: Instant, lifetime: Duration, started: Instant) -> bool {
    since > started || since.elapsed() < lifetime
}

/// Our defaults. None of the services publishes a value.
const DEFAULT_TENANTS: usize = 10_000;
const DEFAULT_LIFETIME: Duration = Duration::from_secs(60);
const FAILURE_LIFETIME: Duration = Duration::from_secs(1);
const LOAD_TIMEOUT: Duration = Duration::from_secs(10);
const CONCURRENT_LOADS: usize = 64;
/// A longer name is unknown. This bounds the cache of unknown tenants.
const MAX_NAME: usize = 256;
