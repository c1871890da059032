//! The services.

/// A service and where its document and its handwritten types are.
pub(crate) struct Provider {
    /// The module below `crate`, which is also the name of the Cargo feature.
    pub(crate) module: &'static str,
    /// The document's file name, relative to the package.
    pub(crate) document: &'static str,
    /// Component schemas for which the module has a handwritten type of the same name, because it
    /// is needed without the `client` feature or because it checks more than a schema can say.
    pub(crate) handwritten: &'static [&'static str],
}

/// All services, whether their feature is enabled or not.
pub(crate) const PROVIDERS: &[Provider] = &[
    Provider {
        module: "lune",
        document: "openapi-lune.yaml",
        handwritten: &["SecretSuffix", "TargetUrl", "WebhookUrl"],
    },
    Provider {
        module: "preo",
        document: "openapi.yaml",
        handwritten: &["Payload"],
    },
];
