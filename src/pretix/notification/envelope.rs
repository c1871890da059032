use serde::Deserialize;
use serde_json::value::RawValue;
use thiserror::Error;

use super::Action;

/// The fields of every notification.
pub(super) struct Envelope<'a> {
    pub(super) notification_id: u64,
    pub(super) action: Action,
    pub(super) raw: &'a RawValue,
}

impl<'a> Envelope<'a> {
    pub(super) fn from_slice(body: &'a [u8]) -> Result<Self, NotificationError> {
        let raw: &RawValue =
            serde_json::from_slice(body).map_err(|_| NotificationError::NotJson)?;
        // A derived struct would also accept an array.
        if !raw.get().starts_with('{') {
            return Err(NotificationError::NotAnObject);
        }
        let fields: Fields =
            serde_json::from_slice(body).map_err(|_| NotificationError::NotANotification)?;
        Ok(Self {
            notification_id: fields.notification_id,
            action: fields.action,
            raw,
        })
    }
}

/// An error from decoding a notification. It never contains the body.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NotificationError {
    /// The body is not JSON in UTF-8.
    #[error("the body is not JSON")]
    NotJson,
    /// The body is JSON, but not an object.
    #[error("the body is not a JSON object")]
    NotAnObject,
    /// `notification_id` or `action` is missing, occurs twice, or has the wrong type.
    #[error("the body needs exactly one number `notification_id` and one string `action`")]
    NotANotification,
}

#[derive(Deserialize)]
struct Fields {
    notification_id: u64,
    action: Action,
}
