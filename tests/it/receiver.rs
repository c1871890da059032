#[cfg(all(
    feature = "axum",
    feature = "lune",
    feature = "preo",
    feature = "pretix"
))]
mod bodies;
#[cfg(all(
    feature = "axum",
    feature = "lune",
    feature = "preo",
    feature = "pretix"
))]
pub(crate) mod handling;
#[cfg(all(
    feature = "axum",
    feature = "lune",
    feature = "preo",
    feature = "pretix"
))]
mod lune;
#[cfg(feature = "redis")]
mod redis;
#[cfg(feature = "redis")]
mod redis_server;
#[cfg(all(
    feature = "axum",
    feature = "lune",
    feature = "preo",
    feature = "pretix"
))]
mod status;
#[cfg(feature = "receiver")]
mod store;
#[cfg(all(
    feature = "axum",
    feature = "lune",
    feature = "preo",
    feature = "pretix"
))]
pub(crate) mod support;
#[cfg(all(
    feature = "axum",
    feature = "lune",
    feature = "preo",
    feature = "pretix"
))]
mod tracing;
