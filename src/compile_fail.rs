//! What must not compile, each with the error that a user sees.
//!
//! A webhook is named where it is retrieved:
//!
//! ```compile_fail,E0061
//! # fn example(preo: webhook_sdk::preo::PreoClient) {
//! let _ = preo.retrieve_webhook();
//! # }
//! ```
//!
//! A body is built with every required field; here `url` is missing:
//!
//! ```compile_fail,E0277
//! let body = webhook_sdk::preo::WebhookCreate::builder()
//!     .organization_id("org_1")
//!     .name("Consents")
//!     .events(["consent.given"])
//!     .build();
//! ```
//!
//! A page has no negative size:
//!
//! ```compile_fail,E0277
//! # fn example(preo: webhook_sdk::preo::PreoClient) {
//! let _ = preo.list_webhooks().page_size(-1);
//! # }
//! ```
//!
//! A misspelled parameter:
//!
//! ```compile_fail,E0599
//! # fn example(preo: webhook_sdk::preo::PreoClient) {
//! let _ = preo.list_webhooks().is_activ(true);
//! # }
//! ```
//!
//! A request that is prepared and not sent:
//!
//! ```compile_fail
//! #![deny(unused_must_use)]
//! # fn example(preo: webhook_sdk::preo::PreoClient) {
//! preo.delete_webhook("wh_1");
//! # }
//! ```
//!
//! A number where an enum orders a list:
//!
//! ```compile_fail,E0277
//! # fn example(preo: webhook_sdk::preo::PreoClient) {
//! let _ = preo.list_webhooks().ordering([1]);
//! # }
//! ```
//!
//! A text where a switch is:
//!
//! ```compile_fail,E0277
//! # fn example(preo: webhook_sdk::preo::PreoClient) {
//! let _ = preo.list_webhooks().is_active("yes");
//! # }
//! ```
//!
//! The same calls written right:
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
