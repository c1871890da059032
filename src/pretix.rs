//! pretix: a client for webhooks, and notifications about orders, check-ins, and events.
//!
//! pretix doesn't sign its requests. Anyone who knows a webhook's URL can send to it, and the body
//! proves nothing. Therefore, a receiver does three things:
//!
//! 1. [`BasicAuth`] checks the credentials, which pretix takes from the webhook's [`TargetUrl`].
//! 2. [`Notification`] tells what happened. It only contains ids.
//! 3. The handler fetches the object at [`Notification::refetch_path`] with its own API token, and
//!    acts on that response, not on the notification.
//!
//! ```
//! use http::header::{AUTHORIZATION, HeaderMap, HeaderValue};
//! use webhook_sdk::Secret;
//! use webhook_sdk::pretix::{BasicAuth, Credentials, Notification, TargetUrl};
//!
//! let credentials = Credentials::new("pretix", Secret::from("swordfish"))?;
//! let target = TargetUrl::new("https://example.org/hooks", &credentials)?;
//! assert_eq!(target.to_string(), "https://***@example.org/***");
//! let auth = BasicAuth::new("2026", &credentials);
//!
//! let mut headers = HeaderMap::new();
//! headers.insert(AUTHORIZATION, HeaderValue::from_static("Basic cHJldGl4OnN3b3JkZmlzaA=="));
//! auth.verify(&headers)?;
//!
//! let notification = Notification::from_slice(
//!     br#"{"notification_id": 28, "organizer": "bigevents", "event": "democon", "code": "XUBZQ",
//!          "action": "pretix.event.order.placed"}"#,
//! )?;
//! let Notification::Order(order) = &notification else { panic!("an order was placed") };
//! assert_eq!(order.code.as_deref(), Some("XUBZQ"));
//! assert_eq!(
//!     notification.refetch_path().as_deref(),
//!     Some("/api/v1/organizers/bigevents/events/democon/orders/XUBZQ/"),
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # How pretix handles responses
//!
//! Any 2xx is a success. Any other status, including a redirect, and a timeout of 30 seconds are
//! failures, which pretix retries up to eleven times over about two and a half days. A 410 is
//! final: it disables the webhook. A receiver only sends it for
//! `receiver::Ack::danger_disable_webhook`.
//!
//! Notifications can arrive more than once, late, or out of order. All retries and all webhooks
//! share one [`notification_id`](Notification::notification_id).
//!
//! # Managing webhooks
//!
//! With the feature `client`, `PretixClient` lists, creates, updates, and disables an organizer's
//! webhooks. It prevents common mistakes with pretix's API: an `EventScope` is always sent as a
//! whole, a `WebhookReplace` has every field, and redirects are never followed. A webhook can't
//! be deleted; see `PretixClient::delete_webhook_and_retrieve`.
//!
//! Sources: <https://docs.pretix.eu/en/latest/api/webhooks.html>, and the behavior of pretix
//! 2026.8.0.

mod action;
mod auth;
#[cfg(feature = "client")]
mod client;
mod credentials;
#[cfg(feature = "client")]
mod ensure;
#[cfg(feature = "client")]
mod event_scope;
#[cfg(feature = "client")]
mod fetch;
#[cfg(feature = "client")]
#[allow(
    missing_docs,
    unreachable_pub,
    unnameable_types,
    dead_code,
    unused_imports,
    clippy::all,
    clippy::unwrap_used,
    reason = "generated code"
)]
mod generated;
mod notification;
#[cfg(feature = "receiver")]
mod source;
mod target_url;

pub use self::action::{Action, ActionType};
pub use self::auth::{AuthError, BasicAuth, VerifiedCredentials};
pub use self::credentials::{Credentials, CredentialsError};
#[cfg(feature = "client")]
pub use self::ensure::EnsureWebhook;
#[cfg(feature = "client")]
pub use self::event_scope::EventScope;
#[cfg(feature = "client")]
pub use self::fetch::Fetch;
#[cfg(all(feature = "client", feature = "testing"))]
pub use self::generated::stub;
#[cfg(feature = "client")]
pub use self::generated::{
    PretixClient, missing,
    models::{
        WebhookCreate, WebhookCreateBuilder, WebhookReplace, WebhookReplaceBuilder, WebhookUpdate,
    },
    operation,
    types::{Webhook, WebhookPage},
};
pub use self::notification::{
    CheckInNotification, CustomerNotification, EventNotification, GiftCardNotification,
    ItemNotification, Notification, NotificationError, OrderNotification, QuotaNotification,
    SubEventNotification, UnknownNotification, VoucherNotification, WaitingListNotification,
};
#[cfg(feature = "receiver")]
pub use self::source::Source;
pub use self::target_url::{TargetUrl, TargetUrlError};
