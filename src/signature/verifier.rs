use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use hmac::Mac;
use http::HeaderMap;

use super::claim::{Claim, feed};
use super::clock::{Clock, Moment};
use super::digest::authenticates;
use super::freshness::Freshness;
use super::verified::UnsignedFields;
use super::{Keyring, Scheme, Verification, Verified, VerifyError};

/// Judges deliveries by a scheme and the keys of a keyring.
///
/// ```
/// use http::{HeaderMap, HeaderValue};
/// use webhook_sdk::Secret;
/// use webhook_sdk::signature::{Key, Keyring, Scheme, Verifier, VerifyError};
///
/// let scheme = Scheme::builder("x-hub-signature-256").prefix("sha256=").build()?;
/// let keyring = Keyring::new(Key::new("main", &Secret::from("It's a Secret to Everybody"))?);
/// let verifier = Verifier::new(scheme, keyring);
///
/// let mut headers = HeaderMap::new();
/// headers.insert("x-hub-signature-256", HeaderValue::from_static(
///     "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
/// ));
/// assert_eq!(verifier.verify(&headers, b"Hello, World!")?.key(), "main");
/// assert_eq!(verifier.verify(&headers, b"Hello, world!").err(), Some(VerifyError::Mismatch));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// The signature is judged before the timestamp, and compared in constant time. A clone is cheap
/// and shares the keyring. Verifying in one call allocates nothing on the good path, except on the
/// first use of a keyring in a thread, for a scheme with more than six parts on a side of the body,
/// and for more than eight unsigned fields or more than 64 bytes of them.
#[derive(Clone)]
pub struct Verifier {
    scheme: Arc<Scheme>,
    keyring: Keyring,
    tolerance: Option<Duration>,
    /// `None` is the system's clock, which is read more cheaply than through a date.
    clock: Option<Arc<dyn Clock>>,
}

impl Verifier {
    /// A verifier with the scheme's tolerance and the system's clock.
    pub fn new(scheme: Scheme, keyring: Keyring) -> Self {
        Self {
            tolerance: scheme.tolerance(),
            scheme: Arc::new(scheme),
            keyring,
            clock: None,
        }
    }

    /// How far the timestamp may lie from now, in either direction, the bound included.
    ///
    /// The fraction of a second of the clock counts: with 60 s, a delivery is refused from 60.000000001 s on.
    /// With a scheme that has no timestamp, everything is refused with [`VerifyError::NoTimestampInScheme`].
    #[must_use]
    pub fn tolerance(mut self, tolerance: Duration) -> Self {
        self.tolerance = Some(tolerance);
        self
    }

    /// Accepts a genuine signature of any age, so a captured delivery can be replayed for ever.
    #[must_use]
    pub fn danger_skip_freshness(mut self) -> Self {
        self.tolerance = None;
        self
    }

    /// Takes the time from this clock.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Some(Arc::new(clock));
        self
    }

    /// The scheme.
    pub fn scheme(&self) -> &Scheme {
        &self.scheme
    }

    /// The keyring; changing it changes what this verifier accepts.
    pub fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    /// Judges a request by its headers and its raw body.
    ///
    /// # Errors
    /// A [`VerifyError`] that names the first rule broken, in this order: the headers, the keys, the
    /// signature, the timestamp's distance from now.
    pub fn verify<'b>(
        &self,
        headers: &HeaderMap,
        body: &'b [u8],
    ) -> Result<Verified<&'b [u8]>, VerifyError> {
        let mut claim = Claim::default();
        claim.read(&self.scheme, headers)?;
        self.judge(&claim, body)
    }

    /// Judges a stored body by its stored signature: the digest, with or without the scheme's prefix.
    ///
    /// # Errors
    /// [`VerifyError::HeadersNeeded`] if the scheme signs anything but the body and literals, else as
    /// [`verify`](Self::verify).
    pub fn verify_detached<'b>(
        &self,
        signature: &str,
        body: &'b [u8],
    ) -> Result<Verified<&'b [u8]>, VerifyError> {
        let mut claim = Claim::default();
        claim.read_detached(&self.scheme, signature)?;
        self.judge(&claim, body)
    }

    /// Judges the headers before the body is read.
    ///
    /// ```
    /// # use http::HeaderMap;
    /// # use webhook_sdk::Secret;
    /// # use webhook_sdk::signature::{Key, Keyring, Scheme, Signer, Verifier};
    /// # let scheme = Scheme::builder("x-signature").build()?;
    /// # let secret = Secret::from("swordfish");
    /// # let mut headers = HeaderMap::new();
    /// # Signer::new(scheme.clone(), &secret)?.sign(&mut headers, b"Hello, World!")?;
    /// # let verifier = Verifier::new(scheme, Keyring::new(Key::new("main", &secret)?));
    /// let mut verification = verifier.begin(&headers)?;
    /// verification.update(b"Hello, ");
    /// verification.update(b"World!");
    /// assert_eq!(verification.finish()?.key(), "main");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// Nothing is allocated for up to two active keys.
    ///
    /// # Errors
    /// Any [`VerifyError`] about a header, or [`VerifyError::NoActiveKey`].
    pub fn begin(&self, headers: &HeaderMap) -> Result<Verification, VerifyError> {
        let mut claim = Claim::default();
        claim.read(&self.scheme, headers)?;
        let freshness = Freshness::new(claim.timestamp, self.tolerance)?;
        let keys = self.keyring.load();
        Verification::begin(&claim, &keys, freshness, self.clock.clone())
    }

    fn judge<'b>(
        &self,
        claim: &Claim<'_>,
        body: &'b [u8],
    ) -> Result<Verified<&'b [u8]>, VerifyError> {
        let freshness = Freshness::new(claim.timestamp, self.tolerance)?;
        let moment = Moment::of(self.clock.as_deref());
        let keys = self.keyring.load();
        let mut refusal = VerifyError::NoActiveKey;
        for key in keys.iter().filter(|key| key.is_active(&moment)) {
            let mut mac = key.mac();
            feed(&mut mac, &claim.before_body);
            mac.update(body);
            feed(&mut mac, &claim.after_body);
            if authenticates(mac, &claim.signatures) {
                freshness.check(&moment)?;
                let name = key.shared_name();
                let fields = UnsignedFields::of(&claim.others);
                return Ok(Verified::new(body, name, claim.timestamp, fields));
            }
            refusal = VerifyError::Mismatch;
        }
        Err(refusal)
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
