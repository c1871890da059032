use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::JsonError;
use crate::decode;
use crate::pretix::Action;

/// A notification without a specific type, with its JSON.
///
/// ```
/// use webhook_sdk::pretix::Notification;
///
/// let body = br#"{"notification_id": 7, "badge": 3, "action": "pretix.plugins.badges.printed"}"#;
/// let Notification::Unknown(unknown) = Notification::from_slice(body)? else {
///     panic!("a plugin's action")
/// };
///
/// #[derive(serde::Deserialize)]
/// struct Printed { badge: u64 }
/// assert_eq!(unknown.json::<Printed>()?.badge, 3);
/// assert_eq!(unknown.raw().as_bytes(), body);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct UnknownNotification {
    /// The id of the log entry.
    pub notification_id: u64,
    /// The action.
    pub action: Action,
    organizer: Option<String>,
    event: Option<String>,
    raw: Box<RawValue>,
}

impl UnknownNotification {
    pub(super) fn new(notification_id: u64, action: Action, raw: &RawValue) -> Self {
        let origin: Origin<'_> = serde_json::from_str(raw.get()).unwrap_or_default();
        Self {
            notification_id,
            action,
            organizer: origin.organizer.and_then(text),
            event: origin.event.and_then(text),
            raw: raw.to_owned(),
        }
    }

    /// The whole body as it was received.
    pub fn raw(&self) -> &str {
        self.raw.get()
    }

    /// Decodes the whole body as another type.
    ///
    /// # Errors
    ///
    /// Returns an error if the body doesn't match the type. The error contains the JSON
    /// path, but no value.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, JsonError> {
        decode::json(self.raw.get().as_bytes(), decode::Type::Any)
    }

    pub(super) fn organizer(&self) -> Option<&str> {
        self.organizer.as_deref()
    }

    pub(super) fn event(&self) -> Option<&str> {
        self.event.as_deref()
    }

    pub(super) fn refetch_path(&self) -> Option<String> {
        None
    }
}

impl PartialEq for UnknownNotification {
    fn eq(&self, other: &Self) -> bool {
        self.raw.get() == other.raw.get()
    }
}

impl Eq for UnknownNotification {}

#[derive(Default, Deserialize)]
struct Origin<'a> {
    #[serde(borrow)]
    organizer: Option<&'a RawValue>,
    #[serde(borrow)]
    event: Option<&'a RawValue>,
}

fn text(raw: &RawValue) -> Option<String> {
    serde_json::from_str(raw.get()).ok()
}
