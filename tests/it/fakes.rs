mod conformance;
mod lune;
mod preo;
mod pretix;
mod pretix_replay;
#[cfg(feature = "receiver")]
mod request;
pub(crate) mod support;
mod truth;
