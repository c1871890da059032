//! The services that clients are generated for.

/// A service, its document, and its handwritten types.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Provider {
    /// The module in `crate`, which is also the name of the Cargo feature.
    pub(crate) module: &'static str,
    /// The document's file name, relative to the package.
    pub(crate) document: &'static str,
    /// Component schemas with a handwritten type of the same name, because it is needed without the
    /// `client` feature or has checks that a schema can't express.
    pub(crate) handwritten: &'static [&'static str],
    /// Expressions for types that don't convert from text, for the examples in the documentation.
    pub(crate) examples: &'static [(&'static str, &'static str)],
    /// The common prefix of all paths. Its parameters are settings of the client.
    pub(crate) root: &'static str,
    /// The header parameters that the transport sends by itself.
    pub(crate) headers: &'static [&'static str],
    /// The variant of `testing::ErrorFormat` for the service's errors.
    pub(crate) errors: &'static str,
    /// Properties of request bodies that are only valid together.
    pub(crate) groups: &'static [Group],
}

/// Properties that become one field of a handwritten type, which serializes all of them.
#[derive(Debug)]
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
        handwritten: &["RedactedUrl", "SecretSuffix", "WebhookUrl"],
        examples: &[(
            "WebhookUrl",
            r#"webhook_sdk::lune::WebhookUrl::try_from("https://example.com/hooks")?"#,
        )],
        root: "",
        headers: &[],
        errors: "Coded",
        groups: &[],
    },
    Provider {
        module: "preo",
        document: "openapi.yaml",
        handwritten: &["Payload", "RedactedUrl", "Signature"],
        examples: &[],
        root: "",
        headers: &[],
        errors: "Drf",
        groups: &[],
    },
    Provider {
        module: "pretix",
        document: "openapi-pretix.yaml",
        handwritten: &["ActionType", "TargetUrl"],
        examples: &[
            (
                "TargetUrl",
                r#"webhook_sdk::pretix::TargetUrl::without_credentials("https://example.com/hooks")?"#,
            ),
            ("EventScope", "webhook_sdk::pretix::EventScope::All"),
        ],
        root: "/api/v1/organizers/{organizer}",
        headers: &["X-Idempotency-Key"],
        errors: "Drf",
        groups: &[Group {
            properties: &["all_events", "limit_events"],
            field: "events",
            handwritten: "EventScope",
            doc: "The events that the webhook is called for.",
        }],
    },
];
