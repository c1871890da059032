#[cfg(all(feature = "client", feature = "lune"))]
mod client;
#[cfg(feature = "lune")]
mod decode;
#[cfg(all(feature = "client", feature = "lune", feature = "testing"))]
mod ensure;
#[cfg(all(feature = "client", feature = "lune"))]
mod errors;
#[cfg(all(
    feature = "axum",
    feature = "testing",
    feature = "lune",
    feature = "preo",
    feature = "pretix"
))]
mod flow;
#[cfg(feature = "lune")]
mod signature;
#[cfg(all(feature = "client", feature = "lune"))]
pub(crate) mod support;
#[cfg(feature = "lune")]
mod text;
#[cfg(all(feature = "client", feature = "lune"))]
mod url;
