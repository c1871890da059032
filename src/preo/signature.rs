use crate::signature::Scheme;

/// The header that a signature is expected in.
///
/// Unpublished, our default.
pub const SIGNATURE_HEADER: &str = "x-preo-signature";

/// How Preo is taken to sign: the HMAC-SHA256 of the body, in hexadecimal, without a timestamp.
///
/// Preo publishes that a payload has an HMAC signature of at most 64 characters, and no more. The
/// hexadecimal digest of the body alone is our reading of that, and [`SIGNATURE_HEADER`] is ours
/// too. Build a [`Scheme`] for any other rule; for another header this is enough:
///
/// ```
/// use webhook_sdk::Secret;
/// use webhook_sdk::signature::{Key, Keyring, Scheme, Verifier};
///
/// let scheme = Scheme::builder("x-webhook-signature").build()?;
/// let key = Key::new("2026-11", &Secret::from("the secret of the create call"))?;
/// let verifier = Verifier::new(scheme, Keyring::new(key));
/// # let _ = verifier;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
///
/// Without a timestamp a captured delivery can be replayed for ever: remember what was handled.
#[expect(clippy::expect_used, reason = "every part of the scheme is a constant")]
pub fn scheme() -> Scheme {
    Scheme::builder(SIGNATURE_HEADER)
        .build()
        .expect("a constant scheme")
}
