#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

#[cfg(feature = "client")]
mod codegen;
#[cfg(any(
    all(feature = "client", feature = "preo"),
    all(feature = "axum", feature = "preo", feature = "pretix")
))]
mod log;
#[cfg(all(feature = "client", feature = "lune"))]
mod lune_client;
#[cfg(feature = "lune")]
mod lune_decode;
#[cfg(all(feature = "client", feature = "lune"))]
mod lune_errors;
#[cfg(all(feature = "lune", feature = "testing"))]
mod lune_fake;
#[cfg(all(feature = "client", feature = "lune", feature = "testing"))]
mod lune_flow;
#[cfg(feature = "lune")]
mod lune_processor;
#[cfg(feature = "lune")]
mod lune_signature;
#[cfg(all(feature = "client", feature = "lune"))]
mod lune_support;
#[cfg(feature = "lune")]
mod lune_text;
#[cfg(all(feature = "client", feature = "lune"))]
mod lune_url;
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
#[cfg(all(feature = "client", feature = "preo", feature = "testing"))]
mod preo_rotation;
#[cfg(all(feature = "client", feature = "preo"))]
mod preo_tracing;
#[cfg(feature = "pretix")]
mod pretix_action;
#[cfg(feature = "pretix")]
mod pretix_auth;
#[cfg(all(feature = "client", feature = "pretix"))]
mod pretix_client;
#[cfg(all(feature = "client", feature = "pretix"))]
mod pretix_decoding;
#[cfg(feature = "pretix")]
mod pretix_document;
#[cfg(all(feature = "pretix", feature = "testing"))]
mod pretix_fake;
#[cfg(all(feature = "client", feature = "pretix", feature = "testing"))]
mod pretix_flow;
#[cfg(all(feature = "client", feature = "pretix"))]
mod pretix_live;
#[cfg(feature = "pretix")]
mod pretix_notification;
#[cfg(all(feature = "pretix", feature = "testing"))]
mod pretix_replay;
#[cfg(feature = "pretix")]
mod pretix_reply;
#[cfg(all(feature = "pretix", any(feature = "client", feature = "testing")))]
mod pretix_support;
#[cfg(feature = "pretix")]
mod pretix_target_url;
#[cfg(all(
    feature = "axum",
    feature = "lune",
    feature = "preo",
    feature = "pretix"
))]
mod receiver_bodies;
#[cfg(all(
    feature = "axum",
    feature = "lune",
    feature = "preo",
    feature = "pretix"
))]
mod receiver_handling;
#[cfg(feature = "redis")]
mod receiver_redis;
#[cfg(all(
    feature = "axum",
    feature = "lune",
    feature = "preo",
    feature = "pretix"
))]
mod receiver_status;
#[cfg(feature = "receiver")]
mod receiver_store;
#[cfg(all(
    feature = "axum",
    feature = "lune",
    feature = "preo",
    feature = "pretix"
))]
mod receiver_support;
#[cfg(all(
    feature = "axum",
    feature = "lune",
    feature = "preo",
    feature = "pretix"
))]
mod receiver_tracing;
#[cfg(feature = "redis")]
mod redis_server;
mod signature;
mod signature_parts;
mod signature_scheme;
mod signature_secret;
mod signature_signer;
#[cfg(all(feature = "client", any(feature = "preo", feature = "pretix")))]
mod support;
#[cfg(all(
    feature = "client",
    any(feature = "lune", feature = "preo", feature = "pretix")
))]
mod surface;
