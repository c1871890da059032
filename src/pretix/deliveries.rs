use bytes::Bytes;
use http::HeaderMap;

use super::reply::Kind;
use super::{BasicAuth, Notification, Reply};
use crate::receiver::{
    Authentication, Event, EventKey, Handled, HandlerResult, Provider, ProviderError,
};

/// The notifications of one pretix, for a [`Receiver`](crate::receiver::Receiver).
///
/// ```
/// use webhook_sdk::Secret;
/// use webhook_sdk::pretix::{BasicAuth, Credentials, Deliveries};
/// use webhook_sdk::receiver::Receiver;
///
/// let credentials = Credentials::new("pretix", Secret::from("swordfish"))?;
/// let receiver = Receiver::new(Deliveries::new(BasicAuth::new("2026", &credentials)));
/// # let _ = receiver;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
///
/// A notification is told from others by its organizer and its `notification_id`.
#[derive(Clone, Debug)]
pub struct Deliveries {
    auth: BasicAuth,
    name: String,
}

impl Deliveries {
    /// Notifications that carry credentials accepted by this.
    pub fn new(auth: BasicAuth) -> Self {
        Self {
            auth,
            name: "pretix".to_owned(),
        }
    }

    /// Tells this installation from others that share a store.
    ///
    /// Organizers and ids are unique within one installation only.
    #[must_use]
    pub fn installation(mut self, host: &str) -> Self {
        self.name = format!("pretix@{host}");
        self
    }
}

impl Provider for Deliveries {
    type Event = Notification;

    fn name(&self) -> &str {
        &self.name
    }

    fn authenticate(&self, headers: &HeaderMap) -> Result<Authentication, ProviderError> {
        let authenticated = self.auth.verify(headers);
        let authenticated =
            authenticated.map_err(|error| ProviderError::Credentials(error.to_string()))?;
        Ok(Authentication::Credentials(
            authenticated.key_name().to_owned(),
        ))
    }

    fn decode(&self, body: &Bytes) -> Result<Vec<Event<Notification>>, ProviderError> {
        let notification = Notification::from_slice(body)
            .map_err(|error| ProviderError::Body(error.to_string()))?;
        let id = notification.notification_id();
        let key = match notification.organizer() {
            Some(organizer) => EventKey::new(&self.name, &format!("{organizer}:{id}")),
            None => EventKey::digest(&self.name, body),
        };
        Ok(vec![Event::new(key, notification)])
    }
}

impl HandlerResult<Deliveries> for Reply {
    fn handled(self) -> Handled {
        match self.0 {
            Kind::Done => Handled::Done,
            Kind::SendAgain => Handled::SendAgain,
            Kind::DisableWebhook => Handled::Disable,
        }
    }
}
