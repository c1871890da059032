//! The pictures of the guides as data URLs, because rustdoc copies no files.

use std::fmt::Write as _;
use std::fs;

pub(crate) fn emit() {
    for (file, variable) in [
        ("docs/receiver.svg", "PICTURE_RECEIVER"),
        ("docs/rotation.svg", "PICTURE_ROTATION"),
    ] {
        println!("cargo::rerun-if-changed={file}");
        let mut url = String::from("data:image/svg+xml,");
        for byte in fs::read(file).unwrap_or_default() {
            let _ = write!(url, "%{byte:02X}");
        }
        println!("cargo::rustc-env={variable}={url}");
    }
}
