#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

#[cfg(feature = "pretix")]
mod pretix_action;
#[cfg(feature = "pretix")]
mod pretix_auth;
#[cfg(feature = "pretix")]
mod pretix_document;
#[cfg(feature = "pretix")]
mod pretix_notification;
#[cfg(feature = "pretix")]
mod pretix_reply;
#[cfg(feature = "pretix")]
mod pretix_target_url;
