#![doc = include_str!("../README.md")]

#[cfg(feature = "client")]
mod error;
mod open_enum;
#[cfg(feature = "client")]
pub mod pagination;
#[cfg(feature = "client")]
mod patch;
#[cfg(feature = "client")]
mod query;
mod secret;
#[cfg(feature = "client")]
mod transport;

#[cfg(feature = "preo")]
pub mod preo;

pub use self::secret::Secret;
#[cfg(feature = "client")]
pub use self::{
    error::{Error, FieldError},
    patch::Patch,
    query::CommaSeparated,
    transport::{Auth, ClientBuilder, ResponseValue, RetryPolicy, Service, Transport},
};
