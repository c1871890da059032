//! Generates the clients of the enabled services from their OpenAPI documents.

#[cfg(feature = "client")]
#[path = "build/codegen.rs"]
mod codegen;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    #[cfg(feature = "client")]
    if let Err(error) = codegen::run() {
        eprintln!("{error}");
        std::process::exit(1);
    }
}
