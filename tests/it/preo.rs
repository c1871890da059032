#[cfg(all(
    feature = "testing",
    feature = "lune",
    feature = "preo",
    feature = "pretix"
))]
mod flow;
