#[cfg(all(
    feature = "axum",
    feature = "lune",
    feature = "preo",
    feature = "pretix"
))]
mod bodies;
#[cfg(all(feature = "axum", feature = "client", feature = "preo"))]
mod frameworks;
#[cfg(all(
    feature = "axum",
    feature = "lune",
    feature = "preo",
    feature = "pretix"
))]
pub(crate) mod handling;
#[cfg(all(
    feature = "lune",
    feature = "preo",
    any(feature = "postgres", feature = "sqlite")
))]
mod inbox;
#[cfg(all(
    feature = "axum",
    feature = "lune",
    feature = "preo",
    feature = "pretix"
))]
mod lune;
#[cfg(all(
    feature = "axum",
    feature = "lune",
    feature = "preo",
    feature = "pretix"
))]
mod observer;
#[cfg(all(feature = "lune", feature = "postgres", feature = "preo"))]
mod postgres_server;
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
mod scope;
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
mod tenants;
#[cfg(all(
    feature = "axum",
    feature = "lune",
    feature = "preo",
    feature = "pretix"
))]
mod tracing;
