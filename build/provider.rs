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
    /// How every path of the document begins, where the client says it once for all operations: its
    /// parameters are settings of the client.
    pub(crate) root: &'static str,
    /// The header parameters that the transport sends of its own accord.
    pub(crate) headers: &'static [&'static str],
    /// Properties of request bodies that are right or wrong only together.
    pub(crate) groups: &'static [Group],
}

/// Properties that become one field, of a handwritten type that is serialized as all of them.
pub(crate) struct Group {
    pub(crate) properties: &'static [&'static str],
    pub(crate) field: &'static str,
    /// The type's name in the service's module.
    pub(crate) handwritten: &'static str,
    pub(crate) doc: &'static str,
}

/// All services, whether their feature is enabled or not.
pub(crate) const PROVIDERS: &[Provider] = &[
    Provider {
        module: "lune",
        document: "openapi-lune.yaml",
        handwritten: &["SecretSuffix", "TargetUrl", "WebhookUrl"],
        root: "",
        headers: &[],
        groups: &[],
    },
    Provider {
        module: "preo",
        document: "openapi.yaml",
        handwritten: &["Payload", "Signature"],
        root: "",
        headers: &[],
        groups: &[],
    },
    Provider {
        module: "pretix",
        document: "openapi-pretix.yaml",
        handwritten: &["ActionType", "TargetUrl"],
        root: "/api/v1/organizers/{organizer}",
        headers: &["X-Idempotency-Key"],
        groups: &[Group {
            properties: &["all_events", "limit_events"],
            field: "events",
            handwritten: "EventScope",
            doc: "The events for which the webhook is called.",
        }],
    },
];
