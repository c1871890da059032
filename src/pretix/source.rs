use http::request::Parts;

use super::{BasicAuth, Notification};
use crate::receiver::{
    self, Ack, AckKind, Authenticated, Authentication, DecodeError, Event, Keys, Refusal, Tenants,
};

/// pretix's notifications, as a source for a [`Receiver`](crate::receiver::Receiver).
///
/// ```
/// use webhook_sdk::Secret;
/// use webhook_sdk::pretix::{BasicAuth, Credentials, Source};
/// use webhook_sdk::receiver::Receiver;
///
/// let credentials = Credentials::new("pretix", Secret::from("swordfish"))?;
/// let receiver = Receiver::new(Source::new(BasicAuth::new("2026", &credentials)));
/// # let _ = receiver;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
///
/// Events are deduplicated by the organizer and the `notification_id`.
#[derive(Clone, Debug)]
pub struct Source {
    keys: Keys<BasicAuth>,
    installation: String,
    secret_in_path: bool,
}

impl Source {
    /// Creates a source from accepted credentials.
    pub fn new(auth: BasicAuth) -> Self {
        Self::with_keys(Keys::Same(auth))
    }

    /// Creates a source for many tenants, each with its own credentials.
    pub fn for_tenants(tenants: Tenants<BasicAuth>) -> Self {
        Self::with_keys(Keys::with_decoy(tenants, BasicAuth::decoy()))
    }

    /// Expects the secret in the URL path instead of the `Authorization` header.
    ///
    /// ```
    /// use webhook_sdk::Secret;
    /// use webhook_sdk::pretix::{BasicAuth, Credentials, Source};
    ///
    /// // The webhook's target URL is https://shop.example/hooks/pretix/dXNlLWEtbG9uZy1yYW5kb20tb25l
    /// let secret = Secret::from("dXNlLWEtbG9uZy1yYW5kb20tb25l");
    /// let auth = BasicAuth::new("2026", &Credentials::new("pretix", secret)?);
    /// let source = Source::new(auth).secret_in_path();
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// The last path segment must be the password of accepted credentials; their user only
    /// separates senders. It is compared without percent-decoding, so use only letters, digits,
    /// `-`, and `_`. Servers and proxies log paths, so prefer credentials if possible.
    #[must_use]
    pub fn secret_in_path(mut self) -> Self {
        self.secret_in_path = true;
        self
    }

    fn with_keys(keys: Keys<BasicAuth>) -> Self {
        Self {
            keys,
            installation: String::new(),
            secret_in_path: false,
        }
    }

    /// Separates the events of this installation from those of others.
    ///
    /// Set it if receivers for several installations share a name: organizers and ids are only
    /// unique within one installation.
    #[must_use]
    pub fn installation(mut self, host: impl Into<String>) -> Self {
        self.installation = host.into();
        self
    }
}

impl receiver::Source for Source {
    type Event = Notification;

    fn name(&self) -> &str {
        "pretix"
    }

    /// 64 KiB. pretix 2026.8.0 sends well under a kilobyte.
    fn max_body_bytes(&self) -> usize {
        64 * 1024
    }

    async fn authenticate(&self, parts: &Parts) -> Result<Authentication, Refusal> {
        let resolved = self.keys.resolve(parts).await?;
        let verified = match self.secret_in_path {
            true => {
                let secret = parts.uri.path().rsplit('/').next().unwrap_or_default();
                resolved.keys.verify_password(secret)
            }
            false => resolved.keys.verify(&parts.headers),
        };
        let verified = verified.map_err(|error| resolved.refusal(&error))?;
        let authentication = Authentication::credentials(verified.key_name());
        Ok(resolved.complete(authentication.owner(verified.user())))
    }

    fn decode(&self, request: &Authenticated<'_>) -> Result<Vec<Event<Notification>>, DecodeError> {
        let notification = Notification::from_slice(request.body())
            .map_err(|error| DecodeError::new(error.to_string()))?;
        let id = notification.notification_id().to_string();
        let key = match notification.organizer() {
            Some(organizer) => request.event_key(&[&self.installation, organizer, &id]),
            None => request.digest_key(request.body()),
        };
        Ok(vec![request.event(key, notification)])
    }
}

impl Ack<Source> {
    /// Disables the webhook in pretix with 410: **no further notification** is sent.
    ///
    /// pretix sets `enabled` to false at once, as after a `DELETE`, without telling anyone. All
    /// later events are lost, until `enabled` is set again through the API or the web interface.
    /// Only return it if this receiver is shut down permanently.
    ///
    /// It can't be created from a status code. This way, a handler that forwards the status of
    /// another call, such as the 410 of a deleted object, can't disable the webhook by accident.
    pub const fn danger_disable_webhook() -> Self {
        Self::new(AckKind::Disable)
    }
}
