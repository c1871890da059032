mod conformance;
mod lune;
mod preo;
mod pretix;
mod pretix_replay;
pub(crate) mod support;
