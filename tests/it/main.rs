#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

#[cfg(feature = "lune")]
mod lune_decode;
#[cfg(feature = "lune")]
mod lune_processor;
#[cfg(feature = "lune")]
mod lune_signature;
#[cfg(feature = "lune")]
mod lune_text;
