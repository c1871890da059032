//! Names for combinations of features, so that the code doesn't repeat them.

use std::env;

/// Tells the compiler which combinations are on.
pub(crate) fn emit() {
    let client = on("client");
    let testing = on("testing");
    let service = on("lune") || on("preo") || on("pretix");
    let names = [
        // A service to call, receive from or stand in for.
        ("service", service),
        // A service whose lists have pages.
        ("pages", on("preo") || on("pretix")),
        // A service whose secrets can be rotated.
        ("rotation", client && (on("lune") || on("preo"))),
        // Enums that keep values they don't know.
        (
            "open_enum",
            client && on("preo") || on("lune") || on("pretix"),
        ),
        // What the code in the README and the guides needs.
        (
            "readme",
            testing
                && ["axum", "lune", "postgres", "preo", "pretix", "redis"]
                    .into_iter()
                    .all(on),
        ),
    ];
    for (name, is_on) in names {
        println!("cargo::rustc-check-cfg=cfg({name})");
        if is_on {
            println!("cargo::rustc-cfg={name}");
        }
    }
}

fn on(feature: &str) -> bool {
    env::var_os(format!("CARGO_FEATURE_{}", feature.to_uppercase())).is_some()
}
