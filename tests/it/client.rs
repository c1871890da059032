#[cfg(all(feature = "client", feature = "preo"))]
mod calls;
#[cfg(feature = "client")]
mod codegen;
#[cfg(all(feature = "client", feature = "preo", feature = "testing"))]
mod ensure;
#[cfg(all(feature = "client", feature = "preo"))]
mod errors;
#[cfg(all(feature = "client", feature = "preo", feature = "pretix"))]
mod faults;
#[cfg(all(feature = "client", feature = "preo"))]
mod lists;
#[cfg(all(
    feature = "testing",
    feature = "lune",
    feature = "preo",
    feature = "pretix"
))]
mod properties;
#[cfg(all(
    feature = "testing",
    feature = "lune",
    feature = "preo",
    feature = "pretix"
))]
mod responses;
#[cfg(all(feature = "client", feature = "preo"))]
mod retries;
#[cfg(all(
    feature = "testing",
    feature = "lune",
    feature = "preo",
    feature = "pretix"
))]
mod rotation;
#[cfg(all(
    feature = "testing",
    feature = "lune",
    feature = "preo",
    feature = "pretix"
))]
mod stubs;
#[cfg(all(feature = "client", feature = "preo"))]
mod tracing;
#[cfg(all(
    feature = "testing",
    feature = "lune",
    feature = "preo",
    feature = "pretix"
))]
mod unordered;
