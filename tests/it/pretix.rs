#[cfg(feature = "pretix")]
mod action;
#[cfg(feature = "pretix")]
mod auth;
#[cfg(all(feature = "client", feature = "pretix"))]
mod client;
#[cfg(all(feature = "client", feature = "pretix"))]
mod decoding;
#[cfg(feature = "pretix")]
mod document;
#[cfg(all(feature = "client", feature = "pretix", feature = "testing"))]
mod ensure;
#[cfg(all(feature = "client", feature = "pretix"))]
mod errors;
#[cfg(all(feature = "client", feature = "pretix"))]
mod fetch;
#[cfg(all(
    feature = "testing",
    feature = "lune",
    feature = "preo",
    feature = "pretix"
))]
mod flow;
#[cfg(all(feature = "client", feature = "pretix"))]
mod live;
#[cfg(feature = "pretix")]
mod notification;
#[cfg(feature = "pretix")]
#[cfg(all(feature = "pretix", any(feature = "client", feature = "testing")))]
pub(crate) mod support;
#[cfg(feature = "pretix")]
mod target_url;
