//! Typed clients, signature verification and test fakes for the webhooks of Preo, pretix and Lune.

#[cfg(feature = "pretix")]
mod open_enum;
#[cfg(feature = "pretix")]
pub mod pretix;
mod secret;

pub use secret::Secret;
