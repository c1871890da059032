use std::time::Duration;

use crate::Secret;
use crate::signature::{DigestEncoding, Key, KeyError, Part, Scheme, Verified, Verifier};

/// Creates a verifier for Lune's deliveries from a webhook's secret.
///
/// ```
/// use std::time::Duration;
/// use chrono::DateTime;
/// use http::{HeaderMap, HeaderValue};
/// use webhook_sdk::Secret;
/// use webhook_sdk::lune::{self, Batch, Sender};
///
/// let verifier = lune::verifier(&Secret::from("secret-xxxx"))?.tolerance(Duration::from_secs(300))?;
/// # let verifier = verifier.clock(|| DateTime::from_timestamp(1_631_550_100, 0).unwrap());
///
/// let mut headers = HeaderMap::new();
/// headers.insert("lune-hmac", HeaderValue::from_static(
///     "timestamp=1631550089,organisation=org1,v1=5Df5Q05KBKoLYku3GzpSmrOkSFILO9NOpgNk8Z+902o=",
/// ));
/// let delivery = verifier.verify(&headers, br#"{"events":[]}"#)?;
///
/// assert_eq!(Sender::of(&delivery), Some(Sender::Organisation("org1")));
/// assert!(Batch::from_slice(delivery.payload())?.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// The key is named `main`. For several keys or other names, pass a
/// [`Keyring`](crate::signature::Keyring) and [`scheme`] to [`Verifier::new`].
///
/// # Tolerance
///
/// By default, a delivery is accepted for 2 minutes after its timestamp.
/// [`tolerance`](Verifier::tolerance) changes that.
///
/// **Inference:** Lune redelivers a batch until it is acknowledged, and has told receivers to
/// refuse timestamps older than 2 minutes. Both only make sense if each redelivery has a new
/// signature, so the default assumes that. Lune doesn't publish it. If the assumption is wrong, a
/// redelivery more than 2 minutes after the first attempt is always refused with
/// [`VerifyError::TooOld`](crate::signature::VerifyError::TooOld), and because Lune keeps an
/// account's events in order, later events of that account don't arrive either. Watch for this
/// error, and if redeliveries cause it, raise the tolerance above the longest outage that you want
/// to survive. Within the tolerance, a captured delivery can be replayed; a
/// receiver detects its events as duplicates for as long as its store
/// remembers them.
///
/// # Errors
///
/// Returns a [`KeyError`] if the secret isn't valid; see [`Key::new`].
pub fn verifier(secret: &Secret) -> Result<Verifier, KeyError> {
    Ok(Verifier::new(scheme(), Key::new("main", secret)?))
}

/// Lune's signature scheme: `Lune-HMAC: timestamp=…,organisation=…,v1=…`.
///
/// The signature is an HMAC-SHA256 of the timestamp's text, a dot, and the raw body, keyed with the
/// webhook's secret. `v1` can be repeated: Lune reserves that for several active secrets. Any other
/// field is ignored.
///
/// Lune doesn't publish the encoding of the digest, so hexadecimal and Base64 (standard or
/// URL-safe, with or without padding) are both accepted. The tolerance is 2 minutes; see
/// [`verifier`](verifier#tolerance). Lune published that number only for timestamps in the past,
/// and no longer documents it. Applying it to the future is our default. That the timestamp is in
/// seconds and that the key is the UTF-8 text of the secret are inferences.
///
/// Rotating a secret invalidates the old one at once, and Lune signs all later requests with the
/// new one, so add it to the keyring first. That this includes redeliveries of earlier batches is
/// an inference.
///
/// Source: <https://docs.lune.co/general-concepts/webhooks>.
pub fn scheme() -> Scheme {
    #[expect(clippy::expect_used, reason = "the description is constant")]
    Scheme::builder("lune-hmac")
        .fields("v1")
        .timestamp_field("timestamp")
        .encoding(DigestEncoding::HexOrBase64)
        .sign([Part::Timestamp, Part::literal("."), Part::Body])
        .tolerance(Duration::from_secs(120))
        .build()
        .expect("a scheme of constant parts")
}

/// The sender in the signature header.
///
/// **It isn't covered by the signature**: anyone who can send a delivery can put anything here. Use
/// it for logs, or to find the webhook whose secret to try. To identify the sender, use the name of
/// the key that verified the delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Sender<'a> {
    /// The organization's identifier.
    Organisation(&'a str),
    /// The account's id, which Lune sent before webhooks belonged to organizations in 2023.
    Account(&'a str),
}

impl<'a> Sender<'a> {
    /// Returns the sender of a verified delivery, preferring the organization over the account.
    pub fn of<B>(verified: &'a Verified<B>) -> Option<Self> {
        let organisation = verified.unsigned_field("organisation");
        let account = || verified.unsigned_field("account").map(Self::Account);
        organisation.map(Self::Organisation).or_else(account)
    }

    /// The id of the organization or account.
    pub fn id(&self) -> &'a str {
        match self {
            Self::Organisation(id) | Self::Account(id) => id,
        }
    }
}
