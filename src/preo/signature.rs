use crate::Secret;
use crate::signature::{Key, KeyError, Scheme, Verifier};

/// Creates a verifier for Preo's deliveries from a webhook's secret.
///
/// ```
/// use http::HeaderMap;
/// use webhook_sdk::{Secret, preo};
///
/// let verifier = preo::verifier(&Secret::from("the secret of the create call"))?;
/// assert!(verifier.verify(&HeaderMap::new(), b"{}").is_err());
/// # Ok::<_, webhook_sdk::signature::KeyError>(())
/// ```
///
/// The key is named `main`. For several keys or other names, pass a
/// [`Keyring`](crate::signature::Keyring) and [`scheme`] to [`Verifier::new`].
///
/// # Errors
///
/// Returns a [`KeyError`] if the secret isn't valid; see [`Key::new`].
pub fn verifier(secret: &Secret) -> Result<Verifier, KeyError> {
    Ok(Verifier::new(scheme(), Key::new("main", secret)?))
}

/// Preo's signature scheme: the hexadecimal HMAC-SHA256 of the body, without a timestamp.
///
/// Preo publishes only that a payload has an HMAC signature of at most 64 characters. That it is
/// the hexadecimal digest of the body alone is an inference, and the header `x-preo-signature` is our
/// default. For anything else, build a [`Scheme`]. To change only the header:
///
/// ```
/// use webhook_sdk::Secret;
/// use webhook_sdk::signature::{Key, Scheme, Verifier};
///
/// let scheme = Scheme::builder("x-webhook-signature").build()?;
/// let key = Key::new("2026-11", &Secret::from("the secret of the create call"))?;
/// let verifier = Verifier::new(scheme, key);
/// # let _ = verifier;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
///
/// Without a timestamp, a captured delivery can be replayed forever, so deduplicate events.
#[expect(clippy::expect_used, reason = "every part of the scheme is a constant")]
pub fn scheme() -> Scheme {
    Scheme::builder("x-preo-signature")
        .build()
        .expect("a constant scheme")
}
