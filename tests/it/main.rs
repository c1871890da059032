#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod client;
#[cfg(all(
    feature = "testing",
    feature = "lune",
    feature = "preo",
    feature = "pretix"
))]
mod fakes;
#[cfg(all(
    feature = "client",
    feature = "lune",
    feature = "preo",
    feature = "pretix"
))]
mod leaks;
#[cfg(any(
    all(feature = "client", feature = "preo"),
    all(feature = "axum", feature = "preo", feature = "pretix")
))]
mod log;
mod lune;
mod preo;
mod pretix;
mod receiver;
mod signature;
#[cfg(all(
    feature = "client",
    any(feature = "lune", feature = "preo", feature = "pretix")
))]
mod support;
#[cfg(feature = "client")]
#[path = "../../build/yaml.rs"]
mod yaml;
