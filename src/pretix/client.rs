use http::Method;
use http::header::HeaderName;
use url::Url;

use super::generated::{OPERATIONS, PretixClient, models, operation, types};
use crate::client::pagination::paginated;
use crate::client::runtime::encode_path;
use crate::client::{Auth, Built, ClientBuilder, ErrorResponse, Operation, Service, sealed};
use crate::error::Error;

impl PretixClient {
    /// Returns a builder for a client of one organizer, with an API token.
    ///
    /// ```
    /// use webhook_sdk::Auth;
    /// use webhook_sdk::pretix::PretixClient;
    ///
    /// let hosted = PretixClient::builder("token", "bigevents").build()?;
    /// let own = PretixClient::builder("token", "bigevents")
    ///     .base_url("https://example.org/tickets")
    ///     .build()?;
    /// let device = PretixClient::builder(Auth::device("token"), "bigevents").build()?;
    /// # let _ = (hosted, own, device);
    /// # Ok::<_, webhook_sdk::Error>(())
    /// ```
    ///
    /// The organizer is the case-sensitive slug, the first path segment of the shop's URL. The team
    /// of the token needs the permission to change the organizer's settings, even for reading. The
    /// base URL defaults to the hosted service.
    ///
    /// A plain token is sent as `Authorization: Token <token>`. Use [`Auth::bearer`] for an OAuth
    /// token and [`Auth::device`] for a device.
    ///
    /// Each call that changes something has a new `X-Idempotency-Key`, which its retries keep, so
    /// that pretix applies it once. This makes a `POST` idempotent.
    pub fn builder(auth: impl Into<Auth>, organizer: impl Into<String>) -> ClientBuilder<Self> {
        let organizer = organizer.into();
        ClientBuilder::new(auth.into(), Settings { organizer })
    }

    /// Disables a webhook, and returns it.
    ///
    /// pretix never deletes a webhook: `delete_webhook` sets `enabled` to false, and returns
    /// nothing. This method makes two calls, so the webhook can change in between.
    ///
    /// # Errors
    ///
    /// Returns the error of the first call that fails. [`Error::operation`] returns which one: if
    /// it is `retrieve_webhook`, the webhook is already disabled.
    pub async fn delete_webhook_and_retrieve(&self, id: i64) -> Result<types::Webhook, Error> {
        self.delete_webhook(id).send().await?;
        self.retrieve_webhook(id).send().await
    }
}

/// The settings specific to pretix.
#[derive(Clone, Debug)]
#[expect(unnameable_types, reason = "set by the builder's constructor alone")]
pub struct Settings {
    organizer: String,
}

impl Service for PretixClient {
    type Extra = Settings;
}

impl sealed::Sealed for PretixClient {
    const BASE_URL: &'static str = "https://pretix.eu";
    const API_PATH: &'static str = "/api/v1";
    const AUTH_SCHEME: &'static str = "Token";
    /// pretix doesn't send request ids. A proxy in front of it may add this header; our default.
    const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
    const OPERATIONS: &'static [Operation] = OPERATIONS;
    const IDEMPOTENCY_KEY: Option<HeaderName> = Some(HeaderName::from_static("x-idempotency-key"));

    fn root(mut base: Url, settings: &Settings) -> Result<Url, Error> {
        let organizer = match settings.organizer.as_str() {
            "" => {
                return Err(Error::configuration(
                    "the organizer is empty: pass its slug",
                ));
            }
            // pretix decodes a path before it splits it at slashes.
            slug if slug == "." || slug == ".." || slug.contains('/') => {
                return Err(Error::configuration(
                    "the organizer is `.` or `..` or has a `/`, which would change the path: pass \
                     its slug",
                ));
            }
            slug => encode_path(slug),
        };
        let path = base.path().trim_end_matches('/');
        if path.contains("/api/v1/") {
            return Err(Error::configuration(
                "the base URL has the path of the API, which the client adds; leave out `/api/v1` \
                 and what follows",
            ));
        }
        let path = format!("{path}/api/v1/organizers/{organizer}");
        base.set_path(&path);
        Ok(base)
    }

    fn hint(response: &ErrorResponse<'_>, settings: &Settings) -> Option<String> {
        let names_action_types = || {
            let mut errors = response.error.field_errors().iter();
            errors.any(|error| error.field.split('.').next() == Some("action_types"))
        };
        let hint = match (response.status.as_u16(), response.method) {
            (400, &Method::PATCH | &Method::PUT) if names_action_types() => {
                "an action type is unknown to this pretix; if the webhook already has it, as after \
                 the removal of a plugin, the webhook can only be disabled, \
                 with `delete_webhook`"
            }
            (401, _) => "pretix doesn't know the token: it is wrong, revoked, or of another kind",
            (403, _) => {
                let organizer = settings.organizer.escape_debug();
                return Some(format!(
                    "no access to the organizer `{organizer}`: its slug is wrong, or the token \
                     lacks the permission to change the organizer's settings"
                ));
            }
            _ => return None,
        };
        Some(hint.to_owned())
    }

    fn from_built(built: Built, _: Settings) -> Result<Self, Error> {
        Ok(Self::new(built))
    }
}

paginated!("list_webhooks", ListWebhooks: WebhookPage of Webhook);

/// Copies all fields, to change and send them back.
///
/// The scope is that of [`events`](types::Webhook::events), which resolves contradictory fields.
impl From<types::Webhook> for models::WebhookReplace {
    fn from(webhook: types::Webhook) -> Self {
        let events = webhook.events();
        Self {
            target_url: webhook.target_url,
            events,
            action_types: webhook.action_types,
            enabled: webhook.enabled,
            comment: webhook.comment,
        }
    }
}
