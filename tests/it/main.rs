#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

#[cfg(feature = "client")]
mod codegen;
#[cfg(feature = "lune")]
mod lune_decode;
#[cfg(feature = "lune")]
mod lune_processor;
#[cfg(feature = "lune")]
mod lune_text;
#[cfg(all(feature = "client", feature = "preo"))]
mod preo_client;
#[cfg(all(feature = "client", feature = "preo"))]
mod preo_errors;
#[cfg(all(feature = "preo", feature = "testing"))]
mod preo_fake;
#[cfg(all(feature = "client", feature = "preo", feature = "testing"))]
mod preo_flow;
#[cfg(all(feature = "client", feature = "preo"))]
mod preo_pagination;
#[cfg(all(feature = "client", feature = "preo"))]
mod preo_retry;
#[cfg(all(feature = "client", feature = "preo"))]
mod preo_tracing;
#[cfg(all(feature = "client", feature = "preo"))]
mod support;
#[cfg(all(feature = "client", feature = "preo"))]
mod surface;
