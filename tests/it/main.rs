#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

#[cfg(integration)]
mod client;
#[cfg(integration)]
mod fakes;
#[cfg(integration)]
mod inventory;
#[cfg(integration)]
mod leaks;
#[cfg(integration)]
mod log;
#[cfg(integration)]
mod lune;
#[cfg(integration)]
mod preo;
#[cfg(integration)]
mod pretix;
#[cfg(integration)]
mod receiver;
mod signature;
#[cfg(integration)]
mod support;
#[cfg(integration)]
#[path = "../../build/yaml.rs"]
mod yaml;
