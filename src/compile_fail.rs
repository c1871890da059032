//! Code that must not compile, with the error code that a user sees.
//!
//! The id of a webhook is required:
//!
//! ```compile_fail,E0061
//! # fn example(preo: webhook_sdk::preo::PreoClient) {
//! let _ = preo.retrieve_webhook();
//! # }
//! ```
//!
//! A request body requires all required fields. Here `url` is missing:
//!
//! ```compile_fail,E0277
//! let body = webhook_sdk::preo::WebhookCreate::builder()
//!     .organization_id("org_1")
//!     .name("Consents")
//!     .events(["consent.given"])
//!     .build();
//! ```
//!
//! A page size can't be negative:
//!
//! ```compile_fail,E0277
//! # fn example(preo: webhook_sdk::preo::PreoClient) {
//! let _ = preo.list_webhooks().page_size(-1);
//! # }
//! ```
//!
//! A parameter is misspelled:
//!
//! ```compile_fail,E0599
//! # fn example(preo: webhook_sdk::preo::PreoClient) {
//! let _ = preo.list_webhooks().is_activ(true);
//! # }
//! ```
//!
//! A request is built but not sent:
//!
//! ```compile_fail
//! #![deny(unused_must_use)]
//! # fn example(preo: webhook_sdk::preo::PreoClient) {
//! preo.delete_webhook("wh_1");
//! # }
//! ```
//!
//! A number is not an ordering:
//!
//! ```compile_fail,E0277
//! # fn example(preo: webhook_sdk::preo::PreoClient) {
//! let _ = preo.list_webhooks().ordering([1]);
//! # }
//! ```
//!
//! A string is not a boolean:
//!
//! ```compile_fail,E0277
//! # fn example(preo: webhook_sdk::preo::PreoClient) {
//! let _ = preo.list_webhooks().is_active("yes");
//! # }
//! ```
//!
//! The corrected calls:
//!
//! ```
//! # #![deny(unused_must_use)]
//! # fn example(preo: webhook_sdk::preo::PreoClient, edition: Option<&str>) {
//! use webhook_sdk::preo::WebhookOrdering;
//!
//! let _ = preo.retrieve_webhook("wh_1");
//! let _ = preo.list_webhooks().page_size(1).is_active(true).edition_id(edition);
//! let _ = preo.list_webhooks().page_size(None).is_active(Some(false));
//! let _ = preo.list_webhooks().ordering(["name"]);
//! let _ = preo.list_webhooks().ordering([&WebhookOrdering::Name]);
//! let body = webhook_sdk::preo::WebhookCreate::builder()
//!     .organization_id("org_1")
//!     .name("Consents")
//!     .url("https://example.com/hooks")
//!     .events(["consent.given"])
//!     .build();
//! # let _ = body;
//! # }
//! ```
