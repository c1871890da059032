//! Typed clients, signature verification and test fakes for the webhooks of Preo, pretix and Lune.

#[cfg(feature = "lune")]
pub mod lune;
#[cfg(feature = "lune")]
mod open_enum;
mod secret;
pub mod signature;

pub use secret::Secret;
