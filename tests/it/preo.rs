#[cfg(all(
    feature = "testing",
    feature = "lune",
    feature = "preo",
    feature = "pretix"
))]
mod flow;
#[cfg(all(
    feature = "receiver",
    feature = "testing",
    feature = "lune",
    feature = "preo",
    feature = "pretix"
))]
mod recover;
