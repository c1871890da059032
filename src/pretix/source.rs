use http::request::Parts;

use super::{BasicAuth, Notification};
use crate::receiver::{
    self, Ack, AckKind, Authenticated, Authentication, DecodeError, Event, Refusal,
};

/// The notifications of one pretix, for a [`Receiver`](crate::receiver::Receiver).
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
/// A notification is told from others by its organizer and its `notification_id`.
#[derive(Clone, Debug)]
pub struct Source {
    auth: BasicAuth,
    installation: String,
}

impl Source {
    /// Notifications that carry credentials accepted by this.
    pub fn new(auth: BasicAuth) -> Self {
        Self {
            auth,
            installation: String::new(),
        }
    }

    /// Tells this installation from others that share a store.
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
        let authenticated = self.auth.verify(&parts.headers);
        let authenticated =
            authenticated.map_err(|error| Refusal::Credentials(error.to_string()))?;
        Ok(Authentication::credentials(authenticated.key_name()))
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
