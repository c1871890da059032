//! Typed clients, signature verification and test fakes for the webhooks of Preo, pretix and Lune.

#[cfg(feature = "testing")]
pub mod testing;
