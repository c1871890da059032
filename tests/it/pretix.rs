mod action;
mod auth;
#[cfg(integration)]
mod client;
#[cfg(integration)]
mod decoding;
#[cfg(integration)]
mod document;
#[cfg(integration)]
mod ensure;
#[cfg(integration)]
mod errors;
#[cfg(integration)]
mod fetch;
#[cfg(integration)]
mod flow;
#[cfg(integration)]
mod live;
mod notification;
#[cfg(integration)]
pub(crate) mod support;
#[cfg(integration)]
mod target_url;
