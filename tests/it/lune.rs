#[cfg(integration)]
mod client;
mod decode;
#[cfg(integration)]
mod ensure;
#[cfg(integration)]
mod errors;
#[cfg(integration)]
mod flow;
mod signature;
#[cfg(integration)]
pub(crate) mod support;
mod text;
#[cfg(integration)]
mod url;
