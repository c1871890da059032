#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

#[cfg(all(feature = "preo", feature = "testing"))]
mod preo_fake;
