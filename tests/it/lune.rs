mod client;
mod decode;
mod ensure;
mod errors;
mod flow;
mod signature;
pub(crate) mod support;
mod text;
mod url;
