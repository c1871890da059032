//! Generates the clients of the enabled services from their OpenAPI documents, and sets `cfg`s.

#[path = "build/cfgs.rs"]
mod cfgs;
#[cfg(feature = "client")]
#[path = "build/codegen.rs"]
mod codegen;
#[path = "build/pictures.rs"]
mod pictures;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    cfgs::emit();
    pictures::emit();
    #[cfg(feature = "client")]
    if let Err(error) = codegen::run() {
        eprintln!("{error}");
        std::process::exit(1);
    }
}
