use std::time::Duration;

use crate::signature::{DigestEncoding, Part, Scheme, Verified};

/// How Lune signs: `Lune-HMAC: timestamp=…,organisation=…,v1=…`.
///
/// ```
/// use chrono::DateTime;
/// use http::{HeaderMap, HeaderValue};
/// use webhook_sdk::Secret;
/// use webhook_sdk::lune::{self, Batch, Sender};
/// use webhook_sdk::signature::{Key, Keyring, Verifier};
///
/// let keyring = Keyring::new(Key::new("main", &Secret::from("secret-xxxx"))?);
/// let verifier = Verifier::new(lune::scheme(), keyring);
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
/// Signed are the timestamp's text, a dot and the raw body, with HMAC-SHA256 under the webhook's secret.
/// `v1` may repeat: Lune reserves that for several active secrets. Any other field is ignored.
///
/// Lune doesn't publish how the digest is written, so hexadecimal and base64 are both accepted, the latter
/// padded or not and URL-safe or not. The tolerance is 2 minutes. Lune published that for the past only,
/// and no longer names a number; that it also bounds the future is our default. That the timestamp counts
/// seconds and that the secret is used as its UTF-8 bytes are inferences.
///
/// Rotating a secret invalidates the old one at once. Redeliveries are signed with the new one, so add it to
/// the keyring before anything else.
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

/// Whom the signature header names as the sender.
///
/// **Not covered by the signature**: whoever can send a delivery can write anything here. It suits a log,
/// or finding which webhook's secret to try; what is genuine is told by the key that verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Sender<'a> {
    /// The organisation's identifier.
    Organisation(&'a str),
    /// The account's identifier, as Lune sent it before webhooks belonged to organisations in 2023.
    Account(&'a str),
}

impl<'a> Sender<'a> {
    /// The sender that the header of a verified delivery names; the organisation where it names both.
    #[must_use]
    pub fn of<B>(verified: &'a Verified<B>) -> Option<Self> {
        let organisation = verified.unsigned_field("organisation");
        let account = || verified.unsigned_field("account").map(Self::Account);
        organisation.map(Self::Organisation).or_else(account)
    }

    /// The identifier, of whichever kind.
    #[must_use]
    pub fn id(&self) -> &'a str {
        match self {
            Self::Organisation(id) | Self::Account(id) => id,
        }
    }
}
