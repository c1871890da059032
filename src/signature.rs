//! Verifies signatures and timestamps of webhook deliveries.
//!
//! A [`Scheme`] describes how a service signs, a [`Key`] is a secret, and a [`Verifier`] checks
//! requests with both. A [`Keyring`] contains several keys, which can be replaced while verifiers
//! use them. Every scheme is HMAC-SHA256 with a full 32-byte digest.
//!
//! ```
//! use std::time::Duration;
//! use http::HeaderMap;
//! use webhook_sdk::Secret;
//! use webhook_sdk::signature::{Key, Part, Scheme, Signer, Verifier};
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
//! let verifier = Verifier::new(scheme, Key::new("2026", &secret)?);
//! let delivery = verifier.verify(&headers, b"{}")?;
//! assert_eq!(delivery.payload(), b"{}");
//! assert_eq!(delivery.key_name(), "2026");
//! assert!(verifier.verify(&headers, b"{ }").is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod digest;
mod error;
mod headers;
mod key;
mod keyring;
mod part;
mod scheme;
mod signer;
mod verified;
mod verifier;

pub use self::digest::{DigestEncoding, MAX_SIGNATURES};
pub use self::error::{KeyError, SchemeError, SignError, VerifyError};
pub use self::key::Key;
pub use self::keyring::Keyring;
pub use self::part::Part;
pub use self::scheme::{Scheme, SchemeBuilder};
pub use self::signer::Signer;
pub use self::verified::Verified;
pub use self::verifier::{Verification, Verifier};
pub use crate::key_set::{KeyringError, Retire};
