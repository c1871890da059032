#[cfg(all(feature = "lune", feature = "testing"))]
mod lune;
#[cfg(all(feature = "preo", feature = "testing"))]
mod preo;
#[cfg(all(feature = "pretix", feature = "testing"))]
mod pretix;
#[cfg(all(feature = "pretix", feature = "testing"))]
mod pretix_replay;
