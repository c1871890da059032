//! Verification beside published crates: `cargo bench --manifest-path benches/peers/Cargo.toml`.
