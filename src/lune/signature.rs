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
/// let verifier = lune::verifier(&Secret::from("secret-xxxx"))?.tolerance(Duration::from_secs(300));
/// # let verifier = verifier.clock(|| DateTime::from_timestamp(1_631_550_100, 0).unwrap());
///
/// let mut headers = HeaderMap::new();
/// headers.insert("lune-hmac", HeaderValue::from_static(
///     "timestamp=1631550089,organisation=org1,v1=5Df5Q05KBKoLYku3GzpSmrOkSFILO9NOpgNk8Z+902o=",
/// ));
/// let delivery = verifier.verify(&headers, br#"{"events":[]}"#)?;
///
/// assert_eq!(Sender::of(&delivery), Some(Sender::Organisation("org1")));
/// assert!(Batch::decode(delivery.payload())?.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// The key is named `main`. For several keys or other names, pass a
/// [`Keyring`](crate::signature::Keyring) and [`scheme`] to [`Verifier::new`].
///
/// # Tolerance
///
/// A delivery is accepted for 2 minutes after its timestamp by default;
/// [`tolerance`](Verifier::tolerance) changes that.
///
/// **Inference:** Lune redelivers until a batch is acknowledged, and has told receivers to refuse
/// timestamps older than 2 minutes. Both hold only if each redelivery is signed afresh, so the
/// default assumes that it is. Lune doesn't publish it. If it isn't so, a redelivery that comes more
/// than 2 minutes after the first attempt is refused with
/// [`VerifyError::TooOld`](crate::signature::VerifyError::TooOld), again and again, and because
/// Lune keeps an account's events in order, nothing later of that account arrives either. Watch for
/// that refusal, and if redeliveries cause it, raise the tolerance above the longest outage that you
/// want to survive. Within the tolerance, a captured delivery can be replayed; a
/// receiver recognizes its events for as long as its store remembers them.
///
/// # Errors
///
/// A [`KeyError`] for a secret that can't be a key; see [`Key::new`].
pub fn verifier(secret: &Secret) -> Result<Verifier, KeyError> {
    Ok(Verifier::new(scheme(), Key::new("main", secret)?))
}

/// Lune's signature scheme: `Lune-HMAC: timestamp=…,organisation=…,v1=…`.
///
/// Signed are the timestamp's text, a dot and the raw body, with HMAC-SHA256 under the webhook's
/// secret. `v1` may repeat: Lune reserves that for several active secrets. Any other field is
/// ignored.
///
/// Lune doesn't publish how the digest is encoded, so hexadecimal and base64 are both accepted, the
/// latter padded or not and URL-safe or not. The tolerance is 2 minutes; see
/// [`verifier`](verifier#tolerance). Lune published that for the past only, and no longer names a
/// number; that it also bounds the future is our default. That the timestamp counts seconds and that
/// the secret is used as its UTF-8 bytes are inferences.
///
/// Rotating a secret invalidates the old one at once, and Lune signs what it sends later with the
/// new one, so add it to the keyring before anything else. That this includes redeliveries of
/// earlier batches is an inference.
///
/// Source: <https://docs.lune.co/general-concepts/webhooks>.
#[must_use]
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

/// The sender that the signature header names.
///
/// **Not covered by the signature**: anyone who can send a delivery can write anything here. Use it
/// for logs, or to find the webhook whose secret to try. What is genuine follows from the key that
/// verified the delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Sender<'a> {
    /// The organisation's identifier.
    Organisation(&'a str),
    /// The account's identifier, as Lune sent it before webhooks belonged to organisations in 2023.
    Account(&'a str),
}

impl<'a> Sender<'a> {
    /// Reads the sender of a verified delivery; the organisation if the header names both.
    #[must_use]
    pub fn of<B>(verified: &'a Verified<B>) -> Option<Self> {
        let organisation = verified.unsigned_field("organisation");
        let account = || verified.unsigned_field("account").map(Self::Account);
        organisation.map(Self::Organisation).or_else(account)
    }

    /// The identifier, of either kind.
    #[must_use]
    pub fn id(&self) -> &'a str {
        match self {
            Self::Organisation(id) | Self::Account(id) => id,
        }
    }
}
