//! Names for combinations of features, so that the code doesn't repeat them.

use std::env;

/// Sets the `cfg`s of enabled combinations.
pub(crate) fn emit() {
    let client = on("client");
    let testing = on("testing");
    let service = on("lune") || on("preo") || on("pretix");
    let readme = ["axum", "lune", "postgres", "preo", "pretix", "redis"];
    let readme = testing && readme.into_iter().all(on);
    let receivers = ["axum", "lune", "preo", "pretix", "sqlite"];
    let names = [
        // A service with a client, a receiver, or a fake.
        ("service", service),
        // A service with paginated lists.
        ("pages", on("preo") || on("pretix")),
        // A service whose secrets can be rotated.
        ("rotation", client && (on("lune") || on("preo"))),
        // Enums that keep unknown values.
        (
            "open_enum",
            client && on("preo") || on("lune") || on("pretix"),
        ),
        // The features needed by the code in the README and the guides.
        ("readme", readme),
        // The features that the tests of the receivers combine.
        ("receivers", receivers.into_iter().all(on)),
        // The features that the tests of the services combine.
        ("integration", readme && on("redis-tls") && on("sqlite")),
    ];
    for (name, is_on) in names {
        println!("cargo::rustc-check-cfg=cfg({name})");
        if is_on {
            println!("cargo::rustc-cfg={name}");
        }
    }
}

fn on(feature: &str) -> bool {
    env::var_os(format!(
        "CARGO_FEATURE_{}",
        feature.to_uppercase().replace('-', "_")
    ))
    .is_some()
}
