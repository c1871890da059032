use std::fmt;
use std::sync::Arc;

use data_encoding::BASE64;
use hmac::digest::CtOutput;
use http::header::AUTHORIZATION;
use http::{HeaderMap, StatusCode};
use sha2::{Digest, Sha256};
use thiserror::Error;
use zeroize::Zeroizing;

use super::{Credentials, TargetUrl};
use crate::roster::{Named, Roster, RosterError};

/// Checks the credentials of a notification against those that are accepted now.
///
/// ```
/// use http::header::{AUTHORIZATION, HeaderMap, HeaderValue};
/// use webhook_sdk::Secret;
/// use webhook_sdk::pretix::{AuthError, BasicAuth, Credentials};
///
/// let old = Credentials::new("pretix", Secret::from("swordfish"))?;
/// let auth = BasicAuth::new("2025", &old);
///
/// let mut headers = HeaderMap::new();
/// assert_eq!(auth.verify(&headers), Err(AuthError::HeaderMissing));
/// headers.insert(AUTHORIZATION, HeaderValue::from_static("Basic cHJldGl4OnN3b3JkZmlzaA=="));
/// assert_eq!(auth.verify(&headers)?.pair(), "2025");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// This is the only authentication there is: pretix signs nothing. It shows that the sender knows
/// the password, not that the body is pretix's own, so fetch what it names; see
/// [`Notification::refetch_path`](super::Notification::refetch_path).
///
/// To change the password: [`add`](Self::add) the new pair, give the webhook a target URL with it,
/// and [`remove`](Self::remove) the old pair. pretix reads the URL anew for each attempt, retries
/// included, so the old pair is done with once the attempts under way have ended, within a minute or
/// so (source: pretix 2026.8.0).
///
/// A clone is a handle to the same pairs: a change through one is seen by the next verification
/// through any other. Readers never wait. There is always at least one pair, and a pair's digest
/// only is kept. User and password are compared together, and with every pair, in constant time.
#[derive(Clone)]
pub struct BasicAuth {
    pairs: Roster<Pair>,
}

impl BasicAuth {
    /// Accepts one pair, under a name for logs.
    pub fn new(name: impl Into<Arc<str>>, credentials: &Credentials) -> Self {
        Self {
            pairs: Roster::new(Pair::new(name.into(), credentials)),
        }
    }

    /// Accepts another pair, from the next verification on.
    ///
    /// # Errors
    ///
    /// [`PairError::NameTaken`] if there is a pair of this name.
    pub fn add(
        &self,
        name: impl Into<Arc<str>>,
        credentials: &Credentials,
    ) -> Result<(), PairError> {
        Ok(self.pairs.add(&Pair::new(name.into(), credentials))?)
    }

    /// Refuses a pair, from the next verification on.
    ///
    /// # Errors
    ///
    /// [`PairError::NoSuchPair`] if no pair has this name, [`PairError::LastPair`] if it is the
    /// only one.
    pub fn remove(&self, name: &str) -> Result<(), PairError> {
        Ok(self.pairs.remove(name)?)
    }

    /// The names of the accepted pairs, the oldest first.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.pairs.names()
    }

    /// Finds the accepted pair in a request's `Authorization` header.
    ///
    /// # Errors
    ///
    /// If the header is missing, repeated or malformed, or holds no accepted pair. Answer 401,
    /// which pretix takes for a failure and tries again.
    pub fn verify(&self, headers: &HeaderMap) -> Result<Authenticated, AuthError> {
        let mut buffer = Zeroizing::new([0; MAX_DECODED]);
        let presented = CtOutput::new(Sha256::digest(presented(headers, &mut buffer)?));

        let mut matched = None;
        for pair in self.pairs.load().iter() {
            if pair.digest == presented {
                matched = Some(Arc::clone(&pair.name));
            }
        }
        matched
            .map(|pair| Authenticated { pair })
            .ok_or(AuthError::Mismatch)
    }
}

impl fmt::Debug for BasicAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BasicAuth").field(&self.names()).finish()
    }
}

/// Proof that a request carried accepted credentials; only [`BasicAuth`] makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authenticated {
    pair: Arc<str>,
}

impl Authenticated {
    /// The name of the pair that matched.
    #[must_use]
    pub fn pair(&self) -> &str {
        &self.pair
    }
}

/// Why a request was refused. No variant holds anything of what it presented.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AuthError {
    /// There is no `Authorization` header.
    #[error("the header authorization is missing; has the target URL credentials?")]
    HeaderMissing,
    /// There is more than one `Authorization` header.
    #[error("the header authorization occurs more than once")]
    HeaderRepeated,
    /// The scheme is not Basic.
    #[error("the authentication scheme is not Basic")]
    NotBasic,
    /// The credentials are longer than a target URL can hold.
    #[error("the credentials are longer than {MAX_DECODED} bytes")]
    TooLong,
    /// The credentials are not padded standard base64.
    #[error("the credentials are not valid base64")]
    NotBase64,
    /// The credentials are not UTF-8.
    #[error("the credentials are not UTF-8 text")]
    NotUtf8,
    /// The credentials have no colon.
    #[error("the credentials have no colon between user and password")]
    NoColon,
    /// No accepted pair has this user and this password.
    #[error("user and password match no accepted pair")]
    Mismatch,
}

impl AuthError {
    /// The status code to answer with: 401.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        StatusCode::UNAUTHORIZED
    }
}

/// Why the pairs of a [`BasicAuth`] can't be changed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PairError {
    /// A pair of this name is there already.
    #[error("there is a pair named {name:?} already; choose another name or remove it first")]
    NameTaken {
        /// The pair's name.
        name: String,
    },
    /// No pair has this name.
    #[error("there is no pair named {name:?}")]
    NoSuchPair {
        /// The name that was asked for.
        name: String,
    },
    /// The pair is the only one.
    #[error("the pair {name:?} is the only one; add its successor first")]
    LastPair {
        /// The pair's name.
        name: String,
    },
}

/// More than a target URL's credentials can come to, decoded.
const MAX_DECODED: usize = TargetUrl::MAX_LENGTH;

#[derive(Clone)]
struct Pair {
    name: Arc<str>,
    digest: CtOutput<Sha256>,
}

impl Pair {
    fn new(name: Arc<str>, credentials: &Credentials) -> Self {
        let digest = Sha256::new()
            .chain_update(credentials.user())
            .chain_update(":")
            .chain_update(credentials.password().expose());
        Self {
            name,
            digest: CtOutput::new(digest.finalize()),
        }
    }
}

impl Named for Pair {
    fn name(&self) -> &str {
        &self.name
    }
}

impl From<RosterError> for PairError {
    fn from(error: RosterError) -> Self {
        match error {
            RosterError::NameTaken(name) => Self::NameTaken { name },
            RosterError::NoSuchName(name) => Self::NoSuchPair { name },
            RosterError::LastEntry(name) => Self::LastPair { name },
        }
    }
}

/// The `user:password` of the one header, decoded into the buffer.
fn presented<'a>(
    headers: &HeaderMap,
    buffer: &'a mut [u8; MAX_DECODED],
) -> Result<&'a [u8], AuthError> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().ok_or(AuthError::HeaderMissing)?.as_bytes();
    if values.next().is_some() {
        return Err(AuthError::HeaderRepeated);
    }

    let space = value
        .iter()
        .position(|byte| *byte == b' ')
        .ok_or(AuthError::NotBasic)?;
    let (scheme, encoded) = value.split_at(space);
    if !scheme.eq_ignore_ascii_case(b"basic") {
        return Err(AuthError::NotBasic);
    }
    let encoded = encoded.trim_ascii();

    let length = BASE64
        .decode_len(encoded.len())
        .map_err(|_| AuthError::NotBase64)?;
    let room = buffer.get_mut(..length).ok_or(AuthError::TooLong)?;
    let length = BASE64
        .decode_mut(encoded, room)
        .map_err(|_| AuthError::NotBase64)?;
    let decoded = &buffer[..length];

    let text = std::str::from_utf8(decoded).map_err(|_| AuthError::NotUtf8)?;
    if !text.contains(':') {
        return Err(AuthError::NoColon);
    }
    Ok(decoded)
}
