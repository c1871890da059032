//! Typed clients, signature verification and test fakes for the webhooks of Preo, pretix and Lune.

mod secret;
pub mod signature;

pub use secret::Secret;
