#[cfg(all(
    feature = "testing",
    feature = "lune",
    feature = "preo",
    feature = "pretix"
))]
mod flow;
#[cfg(all(feature = "testing", feature = "preo"))]
mod payload;
#[cfg(all(
    feature = "receiver",
    feature = "testing",
    feature = "lune",
    feature = "preo",
    feature = "pretix"
))]
mod recover;
