//! Tells a genuine, fresh delivery from a forged or replayed one.
//!
//! A [`Scheme`] says how a service signs, a [`Keyring`] holds the secrets, and a [`Verifier`] judges
//! a request by both. Every scheme is HMAC-SHA256 with a full 32-byte digest.
//!
//! ```
//! use std::time::Duration;
//! use http::HeaderMap;
//! use webhook_sdk::Secret;
//! use webhook_sdk::signature::{Key, Keyring, Part, Scheme, Signer, Verifier};
//!
//! let scheme = Scheme::builder("example-signature")
//!     .fields("v1")
//!     .timestamp_field("t")
//!     .sign([Part::Timestamp, Part::literal("."), Part::Body])
//!     .tolerance(Duration::from_secs(300))
//!     .build()?;
//! let secret = Secret::from("swordfish");
//!
//! let mut headers = HeaderMap::new();
//! Signer::new(scheme.clone(), &secret)?.sign(&mut headers, b"{}")?;
//!
//! let verifier = Verifier::new(scheme, Keyring::new(Key::new("2026", &secret)?));
//! let delivery = verifier.verify(&headers, b"{}")?;
//! assert_eq!(delivery.payload(), b"{}");
//! assert_eq!(delivery.key(), "2026");
//! assert!(verifier.verify(&headers, b"{ }").is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod claim;
mod clock;
mod digest;
mod error;
mod freshness;
mod key;
mod keyring;
mod scheme;
mod signer;
mod verification;
mod verified;
mod verifier;

pub use self::claim::MAX_SIGNATURES;
pub use self::clock::{Clock, SystemClock};
pub use self::digest::DigestEncoding;
pub use self::error::{KeyError, KeyringError, SchemeError, SignError, VerifyError};
pub use self::key::Key;
pub use self::keyring::Keyring;
pub use self::scheme::{Part, Scheme, SchemeBuilder};
pub use self::signer::Signer;
pub use self::verification::Verification;
pub use self::verified::Verified;
pub use self::verifier::Verifier;
