//! Generates Rust code from an OpenAPI document, and writes it to `OUT_DIR`.

use std::path::{Path, PathBuf};
use std::{env, fs};

#[path = "document.rs"]
mod document;
#[path = "examples.rs"]
mod examples;
#[path = "generate.rs"]
mod generate;
#[path = "models.rs"]
mod models;
#[path = "operations.rs"]
mod operations;
#[path = "prepare.rs"]
mod prepare;
#[path = "provider.rs"]
mod provider;
#[path = "requests.rs"]
mod requests;
#[path = "rust.rs"]
mod rust;
#[path = "stubs.rs"]
mod stubs;
#[path = "yaml.rs"]
mod yaml;

use document::{Document, Error};
use provider::PROVIDERS;

/// Generates the code of each service whose feature is enabled.
pub(crate) fn run() -> Result<(), Error> {
    println!("cargo::rerun-if-changed=build");
    let root = directory("CARGO_MANIFEST_DIR")?;
    let out = directory("OUT_DIR")?;
    for provider in PROVIDERS {
        if env::var_os(format!("CARGO_FEATURE_{}", provider.module.to_uppercase())).is_none() {
            continue;
        }
        println!("cargo::rerun-if-changed={}", provider.document);
        let document = Document::read(&root.join(provider.document))?;
        let code = generate::generate(&document, provider)?;
        write(&out.join(format!("{}.rs", provider.module)), &code)?;
    }
    Ok(())
}

fn directory(variable: &str) -> Result<PathBuf, Error> {
    env::var_os(variable)
        .map(PathBuf::from)
        .ok_or_else(|| Error::new(variable, "is set by cargo and missing here"))
}

fn write(path: &Path, code: &str) -> Result<(), Error> {
    fs::write(path, code).map_err(|error| Error::new(path.display(), error))
}
