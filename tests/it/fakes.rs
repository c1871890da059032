mod conformance;
mod lune;
mod preo;
mod pretix;
mod pretix_replay;
mod request;
pub(crate) mod support;
mod truth;
