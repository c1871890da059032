#![cfg_attr(
    all(
        feature = "axum",
        feature = "client",
        feature = "lune",
        feature = "preo",
        feature = "pretix",
        feature = "testing"
    ),
    doc = include_str!("../README.md")
)]
#![cfg_attr(
    not(all(
        feature = "axum",
        feature = "client",
        feature = "lune",
        feature = "preo",
        feature = "pretix",
        feature = "testing"
    )),
    doc = "Typed clients, signature verification and test fakes for webhooks."
)]
#![cfg_attr(
    not(any(feature = "preo", feature = "pretix", feature = "lune")),
    allow(
        dead_code,
        unused_imports,
        reason = "the client's mechanism without a service to call"
    )
)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "client")]
mod client;
#[cfg(feature = "client")]
mod error;
#[cfg(any(
    all(feature = "client", feature = "preo"),
    feature = "lune",
    feature = "pretix"
))]
mod open_enum;
#[cfg(feature = "client")]
mod optional;
#[cfg(feature = "client")]
mod patch;
#[cfg(feature = "client")]
mod query;
#[cfg(feature = "receiver")]
pub mod receiver;
mod roster;
mod secret;
pub mod signature;
#[cfg(feature = "testing")]
pub mod testing;

#[cfg(feature = "lune")]
pub mod lune;
#[cfg(feature = "preo")]
pub mod preo;
#[cfg(feature = "pretix")]
pub mod pretix;

#[cfg(all(feature = "client", any(feature = "lune", feature = "preo")))]
pub use self::client::rotation::Rotation;
pub use self::secret::Secret;
#[cfg(feature = "client")]
pub use self::{
    client::pagination,
    client::{Auth, ClientBuilder, Response, ResponseParts, RetryPolicy, Service},
    error::{Error, FieldError},
    optional::IntoOptional,
    patch::Patch,
};
/// The HTTP client below [`ClientBuilder::http`], re-exported so that its version matches.
#[cfg(feature = "client")]
#[doc(no_inline)]
pub use reqwest;
