mod bodies;
mod frameworks;
pub(crate) mod handling;
mod inbox;
mod lune;
mod observer;
#[cfg(feature = "postgres")]
mod postgres_server;
#[cfg(feature = "redis")]
mod redis;
#[cfg(feature = "redis")]
mod redis_server;
mod scope;
mod status;
mod store;
pub(crate) mod support;
mod tenants;
mod tracing;
