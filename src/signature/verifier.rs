use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use http::HeaderMap;

use super::digest::authenticates;
use super::headers::SignatureHeaders;
use super::{Keyring, Scheme, SchemeError, Verified, VerifyError};
use crate::clock::{Clock, Now};

/// Verifies deliveries with a scheme and a keyring.
///
/// ```
/// use http::{HeaderMap, HeaderValue};
/// use webhook_sdk::Secret;
/// use webhook_sdk::signature::{Key, Scheme, Verifier, VerifyError};
///
/// let scheme = Scheme::builder("x-hub-signature-256").prefix("sha256=").build()?;
/// let key = Key::new("main", &Secret::from("It's a Secret to Everybody"))?;
/// let verifier = Verifier::new(scheme, key);
///
/// let mut headers = HeaderMap::new();
/// headers.insert("x-hub-signature-256", HeaderValue::from_static(
///     "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
/// ));
/// assert_eq!(verifier.verify(&headers, b"Hello, World!")?.key_name(), "main");
/// assert_eq!(verifier.verify(&headers, b"Hello, world!").err(), Some(VerifyError::Mismatch));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// The signature is checked before the timestamp, and compared in constant time. Cloning is cheap,
/// and clones share the keyring.
///
/// A successful verification allocates nothing, except for the first use of a keyring in a thread,
/// more than two signatures, more than 64 signed bytes before or after the body, or more than 64
/// bytes of unsigned fields.
#[derive(Clone)]
pub struct Verifier {
    scheme: Arc<Scheme>,
    keyring: Keyring,
    tolerance: Option<Duration>,
    /// `None` is the system clock.
    clock: Option<Arc<Clock>>,
}

impl Verifier {
    /// Creates a verifier with the scheme's tolerance and the system clock.
    ///
    /// It takes a [`Key`](super::Key), or a [`Keyring`] to accept several keys or to change them
    /// later.
    pub fn new(scheme: Scheme, keys: impl Into<Keyring>) -> Self {
        Self {
            tolerance: scheme.tolerance(),
            scheme: Arc::new(scheme),
            keyring: keys.into(),
            clock: None,
        }
    }

    /// Sets how far the timestamp may lie from now, in either direction, inclusive.
    ///
    /// Fractions of a second count: with 60 s, a delivery is refused from 60.000000001 s on.
    ///
    /// # Errors
    ///
    /// Returns [`SchemeError::ToleranceWithoutTimestamp`] if the scheme has no timestamp.
    pub fn tolerance(mut self, tolerance: Duration) -> Result<Self, SchemeError> {
        if self.scheme.timestamp.is_none() {
            return Err(SchemeError::ToleranceWithoutTimestamp);
        }
        self.tolerance = Some(tolerance);
        Ok(self)
    }

    /// Accepts genuine signatures of any age, so a captured delivery can be replayed forever.
    #[must_use]
    pub fn danger_skip_freshness(mut self) -> Self {
        self.tolerance = None;
        self
    }

    /// Sets the clock, for tests. Defaults to the system clock.
    ///
    /// ```
    /// use chrono::DateTime;
    /// # use webhook_sdk::Secret;
    /// # use webhook_sdk::signature::{Key, Scheme, Verifier};
    /// # let scheme = Scheme::builder("x-signature").build()?;
    /// # let key = Key::new("main", &Secret::from("swordfish"))?;
    /// let verifier = Verifier::new(scheme, key).clock(|| DateTime::UNIX_EPOCH);
    /// # let _ = verifier;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn clock(mut self, now: impl Fn() -> DateTime<Utc> + Send + Sync + 'static) -> Self {
        self.clock = Some(Arc::new(now));
        self
    }

    /// The scheme.
    pub fn scheme(&self) -> &Scheme {
        &self.scheme
    }

    /// The keyring. Changing it changes what this verifier accepts.
    pub fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    /// Verifies the headers and the raw body of a request.
    ///
    /// # Errors
    ///
    /// Returns a [`VerifyError`] for the first check that fails, in this order: headers, keys,
    /// signature, age.
    pub fn verify<'b>(
        &self,
        headers: &HeaderMap,
        body: &'b [u8],
    ) -> Result<Verified<&'b [u8]>, VerifyError> {
        let mut parsed = SignatureHeaders::default();
        parsed.read(&self.scheme, headers)?;
        self.check(&mut parsed, body)
    }

    /// Verifies a stored body with its stored signature.
    ///
    /// The signature is the digest, with or without the scheme's prefix.
    ///
    /// # Errors
    ///
    /// Returns [`VerifyError::HeadersNeeded`] if the scheme signs anything but the body and
    /// literals. Otherwise, the errors are those of [`verify`](Self::verify).
    pub fn verify_detached<'b>(
        &self,
        signature: &str,
        body: &'b [u8],
    ) -> Result<Verified<&'b [u8]>, VerifyError> {
        let mut parsed = SignatureHeaders::default();
        parsed.read_detached(&self.scheme, signature)?;
        self.check(&mut parsed, body)
    }

    /// Checks the headers before the body is read.
    ///
    /// ```
    /// # use http::HeaderMap;
    /// # use webhook_sdk::Secret;
    /// # use webhook_sdk::signature::{Key, Scheme, Signer, Verifier};
    /// # let scheme = Scheme::builder("x-signature").build()?;
    /// # let secret = Secret::from("swordfish");
    /// # let mut headers = HeaderMap::new();
    /// # Signer::new(scheme.clone(), &secret)?.sign(&mut headers, b"Hello, World!")?;
    /// # let verifier = Verifier::new(scheme, Key::new("main", &secret)?);
    /// let verification = verifier.begin(&headers)?;
    /// let body = b"Hello, World!".to_vec();
    /// let verified = verification.finish(body)?;
    /// assert_eq!(verified.into_payload(), b"Hello, World!");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns a [`VerifyError`] if a header is missing or malformed.
    pub fn begin(&self, headers: &HeaderMap) -> Result<Verification, VerifyError> {
        let mut verification = Verification {
            verifier: self.clone(),
            parsed: SignatureHeaders::default(),
        };
        verification.parsed.read(&self.scheme, headers)?;
        Ok(verification)
    }

    /// This verifier with the keys of another one.
    #[cfg(feature = "receiver")]
    pub(crate) fn with_keys_of(&self, other: &Self) -> Self {
        Self {
            keyring: other.keyring.clone(),
            ..self.clone()
        }
    }

    fn check<B: AsRef<[u8]>>(
        &self,
        parsed: &mut SignatureHeaders,
        body: B,
    ) -> Result<Verified<B>, VerifyError> {
        let now = Now::new(self.clock.as_deref());
        let rest = parsed.signed.fill_block(body.as_ref());
        let mut refusal = VerifyError::NoActiveKey;
        for key in self.keyring.load().iter() {
            if !key.is_active(&now) {
                continue;
            }
            let mut mac = key.secret.mac();
            parsed.signed.feed(&mut mac, rest);
            if authenticates(mac, &parsed.signatures) {
                self.check_age(parsed.timestamp, &now)?;
                let unsigned = std::mem::take(&mut parsed.unsigned);
                return Ok(Verified::new(body, key, parsed.timestamp, unsigned));
            }
            refusal = VerifyError::Mismatch;
        }
        Err(refusal)
    }

    fn check_age(&self, timestamp: Option<u64>, now: &Now<'_>) -> Result<(), VerifyError> {
        let (Some(timestamp), Some(tolerance)) = (timestamp, self.tolerance) else {
            return Ok(());
        };
        let (now, signed) = (now.since_epoch(), Duration::from_secs(timestamp));
        let age = now.saturating_sub(signed);
        let ahead = signed.saturating_sub(now);
        if age > tolerance {
            return Err(VerifyError::TooOld { age, tolerance });
        }
        if ahead > tolerance {
            return Err(VerifyError::TooNew { ahead, tolerance });
        }
        Ok(())
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("scheme", &self.scheme)
            .field("keyring", &self.keyring)
            .field("tolerance", &self.tolerance)
            .finish_non_exhaustive()
    }
}

/// A verification with checked headers that still needs the body.
///
/// Returned by [`Verifier::begin`], which has an example. It borrows nothing, so it can be kept
/// while the body is read.
pub struct Verification {
    verifier: Verifier,
    parsed: SignatureHeaders,
}

impl Verification {
    /// Verifies the body: first its signature with the current keys, then the timestamp.
    ///
    /// # Errors
    ///
    /// Returns [`VerifyError::NoActiveKey`], [`VerifyError::Mismatch`], [`VerifyError::TooOld`] or
    /// [`VerifyError::TooNew`].
    pub fn finish<B: AsRef<[u8]>>(mut self, body: B) -> Result<Verified<B>, VerifyError> {
        self.verifier.check(&mut self.parsed, body)
    }
}

impl fmt::Debug for Verification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verification")
            .field("verifier", &self.verifier)
            .finish_non_exhaustive()
    }
}
