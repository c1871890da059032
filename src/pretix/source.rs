use http::request::Parts;

use super::{BasicAuth, Notification};
use crate::receiver::{
    self, Ack, AckKind, Authenticated, Authentication, DecodeError, Event, Keys, Refusal, Tenants,
};

/// Notifications of pretix, for a [`Receiver`](crate::receiver::Receiver).
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
    /// Notifications that carry credentials accepted by this.
    pub fn new(auth: BasicAuth) -> Self {
        Self::of(Keys::Same(auth))
    }

    /// Notifications to many tenants, each with its own credentials.
    pub fn for_tenants(tenants: Tenants<BasicAuth>) -> Self {
        Self::of(Keys::Tenants(tenants, BasicAuth::decoy()))
    }

    /// Takes the secret from the URL's path instead of the `Authorization` header.
    ///
    /// ```
    /// use webhook_sdk::Secret;
    /// use webhook_sdk::pretix::{BasicAuth, Credentials, Source};
    ///
    /// // The webhook's target URL is https://shop.example/hooks/pretix/dXNlLWEtbG9uZy1yYW5kb20tb25l
    /// let secret = Secret::from("dXNlLWEtbG9uZy1yYW5kb20tb25l");
    /// let auth = BasicAuth::new("2026", &Credentials::new("path", secret)?);
    /// let source = Source::new(auth).secret_in_path();
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// The last segment of the path has to be the password of accepted credentials whose user is
    /// `path`. It is compared as it stands in the URL, percent-encoding included. Servers and
    /// proxies log paths, so prefer credentials where you can.
    #[must_use]
    pub fn secret_in_path(mut self) -> Self {
        self.secret_in_path = true;
        self
    }

    fn of(keys: Keys<BasicAuth>) -> Self {
        Self {
            keys,
            installation: String::new(),
            secret_in_path: false,
        }
    }

    /// Separates this installation's events from those of others that share the receiver's name.
    ///
    /// Organizers and ids are unique within one installation only.
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

    /// pretix 2026.8.0 sends well under a kilobyte; 64 KiB.
    fn max_body_bytes(&self) -> usize {
        64 * 1024
    }

    async fn authenticate(&self, parts: &Parts) -> Result<Authentication, Refusal> {
        let resolved = self.keys.resolve(parts).await?;
        let verified = match self.secret_in_path {
            true => {
                let secret = parts.uri.path().rsplit('/').next().unwrap_or_default();
                resolved.keys.verify_pair(PATH_USER, secret)
            }
            false => resolved.keys.verify(&parts.headers),
        };
        let verified = verified.map_err(|error| Refusal::Credentials(error.to_string()))?;
        let authentication = Authentication::credentials(verified.key_name());
        Ok(resolved.complete(authentication.owner(verified.user())))
    }

    fn decode(
        &self,
        delivery: &Authenticated<'_>,
    ) -> Result<Vec<Event<Notification>>, DecodeError> {
        let notification = Notification::from_slice(delivery.body())
            .map_err(|error| DecodeError::new(error.to_string()))?;
        let id = notification.notification_id().to_string();
        let key = match notification.organizer() {
            Some(organizer) => delivery.event_key(&[&self.installation, organizer, &id]),
            None => delivery.digest_key(delivery.body()),
        };
        Ok(vec![delivery.event(key, notification)])
    }
}

impl Ack<Source> {
    /// Switches the webhook off at pretix: 410, and **no further notification** of any kind comes
    /// from it.
    ///
    /// pretix sets `enabled` to false at once, as after a `DELETE`, and reports it to nobody. What
    /// happens from then on is lost, until somebody sets `enabled` again through the API or the web
    /// interface. Return it only when this receiver is shut down for good.
    ///
    /// A handler can't make it from a status code. So one that forwards the status of some other
    /// call, such as the 410 of a deleted object, can't switch the webhook off by accident.
    pub const fn danger_disable_webhook() -> Self {
        Self::of(AckKind::Disable)
    }
}

/// The user of credentials whose password is a secret path.
const PATH_USER: &str = "path";
