use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;

use super::claim::Claim;
use super::clock::{Clock, Distance, Reading};
use super::digest::authenticates;
use super::{Keyring, Scheme, Verification, Verified, VerifyError};

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
    clock: Option<Arc<dyn Clock>>,
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
    /// Fractions of a second count: with 60 s, a delivery is refused from 60.000000001 s on. If the
    /// scheme has no timestamp, every delivery is refused with
    /// [`VerifyError::NoTimestampInScheme`].
    #[must_use]
    pub fn tolerance(mut self, tolerance: Duration) -> Self {
        self.tolerance = Some(tolerance);
        self
    }

    /// Accepts genuine signatures of any age, so a captured delivery can be replayed forever.
    #[must_use]
    pub fn danger_skip_freshness(mut self) -> Self {
        self.tolerance = None;
        self
    }

    /// Sets the clock. Defaults to the system clock.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Some(Arc::new(clock));
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
        let mut claim = Claim::default();
        self.read(&mut claim, headers)?;
        self.judge(&mut claim, body)
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
        let mut claim = Claim::default();
        claim.read_detached(&self.scheme, signature)?;
        self.check_tolerance(&claim)?;
        self.judge(&mut claim, body)
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
            claim: Claim::default(),
        };
        self.read(&mut verification.claim, headers)?;
        Ok(verification)
    }

    /// This verifier with the keys of another one, or `None` if both have the same scheme.
    #[cfg(feature = "receiver")]
    pub(crate) fn with_keys_of(&self, other: &Self) -> Option<Self> {
        let is_same = Arc::ptr_eq(&self.scheme, &other.scheme);
        (!is_same).then(|| Self {
            keyring: other.keyring.clone(),
            ..self.clone()
        })
    }

    fn read(&self, claim: &mut Claim, headers: &HeaderMap) -> Result<(), VerifyError> {
        claim.read(&self.scheme, headers)?;
        self.check_tolerance(claim)
    }

    fn check_tolerance(&self, claim: &Claim) -> Result<(), VerifyError> {
        match (self.tolerance, claim.timestamp) {
            (Some(_), None) => Err(VerifyError::NoTimestampInScheme),
            _ => Ok(()),
        }
    }

    pub(super) fn judge<B: AsRef<[u8]>>(
        &self,
        claim: &mut Claim,
        body: B,
    ) -> Result<Verified<B>, VerifyError> {
        let now = Reading::of(self.clock.as_deref());
        let mut refusal = VerifyError::NoActiveKey;
        for key in self.keyring.load().iter() {
            if !key.is_active(&now) {
                continue;
            }
            let mut mac = key.secret.mac();
            claim.signed.feed(&mut mac, body.as_ref());
            if authenticates(mac, &claim.signatures) {
                self.check_age(claim.timestamp, &now)?;
                let unsigned = std::mem::take(&mut claim.unsigned);
                return Ok(Verified::new(body, key, claim.timestamp, unsigned));
            }
            refusal = VerifyError::Mismatch;
        }
        Err(refusal)
    }

    fn check_age(&self, timestamp: Option<i64>, now: &Reading<'_>) -> Result<(), VerifyError> {
        let (Some(timestamp), Some(tolerance)) = (timestamp, self.tolerance) else {
            return Ok(());
        };
        match now.distance(timestamp) {
            Distance::Past(age) if age > tolerance => Err(VerifyError::TooOld { age, tolerance }),
            Distance::Future(ahead) if ahead > tolerance => {
                Err(VerifyError::TooNew { ahead, tolerance })
            }
            _ => Ok(()),
        }
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
