#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

#[cfg(integration)]
mod client;
#[cfg(integration)]
mod fakes;
#[cfg(integration)]
mod inventory;
#[cfg(integration)]
mod leaks;
#[cfg(receivers)]
mod log;
#[cfg(receivers)]
mod lune;
#[cfg(integration)]
mod preo;
#[cfg(receivers)]
mod pretix;
#[cfg(receivers)]
mod receiver;
mod signature;
#[cfg(integration)]
mod support;
#[cfg(integration)]
#[path = "../../build/yaml.rs"]
mod yaml;
