#[cfg(all(feature = "client", feature = "preo", feature = "testing"))]
mod flow;
