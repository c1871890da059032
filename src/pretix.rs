//! pretix: an organizer's webhooks, and notifications of orders, check-ins, events and products.
//!
//! pretix signs nothing. Whoever learns a webhook's URL can send to it, and the body alone proves
//! nothing. So a receiver does three things:
//!
//! 1. [`BasicAuth`] checks the credentials that pretix takes from the webhook's [`TargetUrl`].
//! 2. [`Notification`] says what happened, in ids only.
//! 3. The handler fetches the object named by [`Notification::refetch_path`] with its own API token
//!    and acts on that answer, not on the notification.
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
//! # What pretix does with the answer
//!
//! Any 2xx is success. Everything else, a redirect too, and silence for 30 seconds is a failure and
//! is sent again, up to eleven times over about two and a half days; pretix follows no redirect.
//! One answer is final: 410 switches the webhook off, and only `receiver::Ack::danger_disable_webhook` makes it.
//!
//! Notifications may come twice, late, or out of order. All retries and all webhooks share one
//! [`notification_id`](Notification::notification_id).
//!
//! # The webhooks themselves
//!
//! With the feature `client`, `PretixClient` lists, creates, changes and disables an organizer's
//! webhooks. What goes wrong easily in pretix's API can't be said with it: an `EventScope` is
//! always sent whole, a `WebhookReplace` has every field, and a redirect is never followed.
//! Nothing deletes a webhook; see `PretixClient::delete_webhook_and_retrieve`.
//!
//! Sources: <https://docs.pretix.eu/en/latest/api/webhooks.html>, and pretix 2026.8.0 as it runs.

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
