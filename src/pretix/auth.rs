use std::fmt;
use std::sync::Arc;

use data_encoding::BASE64;
use hmac::digest::CtOutput;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use sha2::{Digest, Sha256};
use thiserror::Error;
use zeroize::Zeroizing;

use super::Credentials;
use crate::clock::Now;
use crate::key_set::{Entry, KeySet, KeyringError, Retire};

/// Verifies the credentials of notifications.
///
/// ```
/// use http::header::{AUTHORIZATION, HeaderMap, HeaderValue};
/// use webhook_sdk::Secret;
/// use webhook_sdk::pretix::{AuthError, BasicAuth, Credentials};
///
/// let credentials = Credentials::new("pretix", Secret::from("swordfish"))?;
/// let auth = BasicAuth::new("2025", &credentials);
///
/// let mut headers = HeaderMap::new();
/// assert_eq!(auth.verify(&headers), Err(AuthError::HeaderMissing));
/// headers.insert(AUTHORIZATION, HeaderValue::from_static("Basic cHJldGl4OnN3b3JkZmlzaA=="));
/// assert_eq!(auth.verify(&headers)?.key_name(), "2025");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// This is the only authentication, because pretix doesn't sign requests. It proves that the sender
/// knows the password, not that the body is genuine, so fetch the object of the notification; see
/// [`Notification::refetch_path`](super::Notification::refetch_path).
///
/// To change the password: [`add`](Self::add) the new credentials, update the webhook's target URL,
/// then [`retire`](Self::retire) the old ones. pretix reads the URL for each attempt, retries
/// included, so a grace period of a few minutes is enough (source: pretix 2026.8.0).
/// [`replace`](Self::replace) sets all credentials at once, for example after reloading a
/// configuration.
///
/// Clones share the same credentials: a change through one clone affects the next verification
/// through any other. Reading never blocks, and every change is atomic. Only digests are kept. User
/// and password are compared together, with all credentials, in constant time.
#[derive(Clone)]
pub struct BasicAuth {
    credentials: KeySet<CtOutput<Sha256>>,
}

impl BasicAuth {
    /// Accepts these credentials. The name is used in logs.
    pub fn new(name: impl Into<Arc<str>>, credentials: &Credentials) -> Self {
        Self {
            credentials: KeySet::from_entry(entry(name, credentials)),
        }
    }

    /// Replaces all credentials at once.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use webhook_sdk::Secret;
    /// # use webhook_sdk::pretix::{BasicAuth, Credentials};
    /// use webhook_sdk::signature::Retire;
    ///
    /// # let auth = BasicAuth::new("2025", &Credentials::new("pretix", Secret::from("swordfish"))?);
    /// let new = Credentials::new("pretix", Secret::from("marlin"))?;
    /// auth.replace([("2026", &new)], Retire::after(Duration::from_secs(300)))?;
    /// assert_eq!(auth.names(), ["2026", "2025"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// The old credentials are accepted until `retire` ends them, even if a password changed under
    /// the same name. Old credentials that are also among the new ones aren't kept twice, and
    /// expired ones are dropped.
    ///
    /// # Errors
    ///
    /// Returns a [`KeyringError`] if there are none, or if two have the same name, or the same user
    /// and password. The credentials are then unchanged.
    pub fn replace<'c, N: Into<Arc<str>>>(
        &self,
        credentials: impl IntoIterator<Item = (N, &'c Credentials)>,
        retire: Retire,
    ) -> Result<(), KeyringError> {
        let entries: Vec<_> = credentials
            .into_iter()
            .map(|(name, credentials)| entry(name, credentials))
            .collect();
        self.credentials.replace(&entries, retire)
    }

    /// Adds credentials, which are accepted, and tried first, from the next verification on.
    ///
    /// The same credentials under another name are dropped if they have expired.
    ///
    /// # Errors
    ///
    /// Returns a [`KeyringError`] if this name, or this user and password, already exists.
    pub fn add(
        &self,
        name: impl Into<Arc<str>>,
        credentials: &Credentials,
    ) -> Result<(), KeyringError> {
        self.credentials.add(&entry(name, credentials))
    }

    /// Stops accepting the credentials with this name, at once or after a grace period.
    ///
    /// If [`replace`](Self::replace) left older credentials of this name, [`Retire::now`] removes
    /// only them, and a second call removes the current ones.
    ///
    /// # Errors
    ///
    /// Returns [`KeyringError::NotFound`] if no credentials have this name, and
    /// [`KeyringError::Last`] for [`Retire::now`] on the only ones.
    pub fn retire(&self, name: &str, retire: Retire) -> Result<(), KeyringError> {
        self.credentials.retire(name, retire)
    }

    /// The names of all credentials, including expired ones.
    pub fn names(&self) -> Vec<String> {
        self.credentials.names()
    }

    /// Checks the `Authorization` header of a request.
    ///
    /// # Errors
    ///
    /// Returns an [`AuthError`] if the header is missing, repeated, or malformed, or if its
    /// credentials aren't accepted. Respond with 401, which pretix retries.
    pub fn verify(&self, headers: &HeaderMap) -> Result<VerifiedCredentials, AuthError> {
        let presented = presented(headers)?;
        self.find(|accepted| accepted.secret == presented)
    }

    /// Verifies a password from another part of the request.
    #[cfg(feature = "receiver")]
    pub(super) fn verify_password(&self, password: &str) -> Result<VerifiedCredentials, AuthError> {
        self.find(|accepted| {
            accepted.secret == digest(accepted.owner.as_deref().unwrap_or_default(), password)
        })
    }

    /// Accepts random credentials, for unknown tenants.
    #[cfg(feature = "receiver")]
    pub(super) fn decoy() -> Self {
        let random = uuid::Uuid::new_v4();
        let digest = digest("unknown tenant", &random.to_string());
        Self {
            credentials: KeySet::from_entry(Entry::new("unknown tenant", digest)),
        }
    }

    fn find(
        &self,
        is_presented: impl Fn(&Entry<CtOutput<Sha256>>) -> bool,
    ) -> Result<VerifiedCredentials, AuthError> {
        let now = Now::new(None);
        let mut matched = None;
        for accepted in self.credentials.load().iter() {
            if is_presented(accepted) && accepted.is_active(&now) {
                matched = matched.or_else(|| Some(VerifiedCredentials::of(accepted)));
            }
        }
        matched.ok_or(AuthError::Mismatch)
    }
}

impl fmt::Debug for BasicAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BasicAuth").field(&self.names()).finish()
    }
}

/// Proof that a request carried accepted credentials; only [`BasicAuth`] creates it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedCredentials {
    key_name: Arc<str>,
    user: Arc<str>,
}

impl VerifiedCredentials {
    fn of(accepted: &Entry<CtOutput<Sha256>>) -> Self {
        let key_name = Arc::clone(&accepted.name);
        let user = accepted.owner.clone().unwrap_or_default();
        Self { key_name, user }
    }

    /// The name of the credentials that matched.
    pub fn key_name(&self) -> &str {
        &self.key_name
    }

    /// The user of the credentials.
    ///
    /// Each user is one sender, whose password can change: a receiver deduplicates the notifications of
    /// each user separately.
    pub fn user(&self) -> &str {
        &self.user
    }
}

/// The reason for refusing a request. It doesn't contain the credentials.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AuthError {
    /// There is no `Authorization` header.
    #[error("the header authorization is missing; put credentials into the target URL")]
    HeaderMissing,
    /// There is more than one `Authorization` header.
    #[error("the header authorization occurs more than once")]
    HeaderRepeated,
    /// The scheme is not Basic.
    #[error("the authentication scheme isn't Basic")]
    NotBasic,
    /// The credentials aren't accepted.
    #[error("user and password match no accepted credentials")]
    Mismatch,
}

fn entry(name: impl Into<Arc<str>>, credentials: &Credentials) -> Entry<CtOutput<Sha256>> {
    let digest = digest(credentials.user(), credentials.password().expose());
    Entry {
        owner: Some(credentials.user().into()),
        ..Entry::new(name, digest)
    }
}

/// The digest of what a request with these credentials carries.
fn digest(user: &str, password: &str) -> CtOutput<Sha256> {
    let pair = Zeroizing::new(format!("{user}:{password}"));
    let encoded = Zeroizing::new(BASE64.encode(pair.as_bytes()));
    CtOutput::new(Sha256::digest(encoded.as_bytes()))
}

/// The digest of the encoded credentials in the header.
fn presented(headers: &HeaderMap) -> Result<CtOutput<Sha256>, AuthError> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().ok_or(AuthError::HeaderMissing)?.as_bytes();
    if values.next().is_some() {
        return Err(AuthError::HeaderRepeated);
    }
    match value.split_at_checked(SCHEME.len()) {
        Some((scheme, encoded)) if scheme.eq_ignore_ascii_case(SCHEME) => {
            Ok(CtOutput::new(Sha256::digest(encoded.trim_ascii())))
        }
        _ => Err(AuthError::NotBasic),
    }
}

const SCHEME: &[u8] = b"Basic ";
