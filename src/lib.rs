// The first definition of a link counts: in the documentation, the README's links to guides lead to their modules.
#![cfg_attr(readme, doc = "[receiving guide]: guides::receiving")]
#![cfg_attr(readme, doc = "[recovery guide]: guides::recovery")]
#![cfg_attr(readme, doc = "[testing guide]: guides::testing")]
#![cfg_attr(readme, doc = "[debugging guide]: guides::debugging_signatures")]
#![cfg_attr(readme, doc = "[migration guide]: guides::migration")]
#![cfg_attr(readme, doc = "[service guide]: guides::adding_a_service")]
#![cfg_attr(not(readme), doc = "[receiving guide]: #guides")]
#![cfg_attr(not(readme), doc = "[recovery guide]: #guides")]
#![cfg_attr(not(readme), doc = "[testing guide]: #guides")]
#![cfg_attr(not(readme), doc = "[debugging guide]: #guides")]
#![cfg_attr(not(readme), doc = "[migration guide]: #guides")]
#![cfg_attr(not(readme), doc = "[service guide]: #guides")]
#![doc = ""]
// Its code needs all of the features that it shows.
#![cfg_attr(any(readme, not(doctest)), doc = include_str!("../README.md"))]
#![cfg_attr(
    not(all(feature = "lune", feature = "preo", feature = "pretix")),
    allow(
        dead_code,
        unused_imports,
        unused_macros,
        reason = "the services share mechanisms, and each uses a part"
    )
)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "client")]
mod client;
mod clock;
#[cfg(any(
    feature = "client",
    feature = "lune",
    feature = "pretix",
    feature = "receiver"
))]
mod decode;
#[cfg(feature = "client")]
mod error;
#[cfg(all(readme, any(doc, doctest)))]
pub mod guides;
mod key_set;
#[cfg(open_enum)]
mod open_enum;
#[cfg(feature = "client")]
mod optional;
#[cfg(feature = "client")]
mod patch;
#[cfg(any(feature = "client", feature = "pretix"))]
mod percent;
#[cfg(feature = "client")]
mod query;
#[cfg(feature = "receiver")]
pub mod receiver;
#[cfg(any(feature = "client", feature = "pretix"))]
mod redact;
#[cfg(feature = "client")]
mod required;
mod secret;
pub mod signature;
#[cfg(feature = "testing")]
pub mod testing;
#[cfg(any(feature = "client", open_enum))]
mod text;
#[cfg(feature = "client")]
mod unordered;

#[cfg(feature = "lune")]
pub mod lune;
#[cfg(feature = "preo")]
pub mod preo;
#[cfg(feature = "pretix")]
pub mod pretix;

#[cfg(feature = "client")]
pub use self::client::ensure::Ensured;
#[cfg(rotation)]
pub use self::client::rotation::Rotation;
#[cfg(any(
    feature = "client",
    feature = "lune",
    feature = "pretix",
    feature = "receiver"
))]
pub use self::decode::JsonError;
#[cfg(any(feature = "client", feature = "pretix"))]
pub use self::redact::RedactedUrl;
pub use self::secret::Secret;
#[cfg(feature = "client")]
pub use self::{
    client::pagination,
    client::{Auth, ClientBuilder, Response, ResponseParts, RetryPolicy, Service},
    error::{Error, ErrorKind, FieldError},
    optional::IntoOptional,
    patch::Patch,
    required::RequiredField,
    unordered::Unordered,
};
/// The HTTP client below [`ClientBuilder::http`], re-exported so that its version matches.
#[cfg(feature = "client")]
#[doc(no_inline)]
pub use reqwest;
