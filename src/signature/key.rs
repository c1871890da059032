use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use hmac::KeyInit;

use super::KeyError;
use super::clock::{Moment, nanoseconds};
use super::digest::HmacSha256;
use crate::Secret;

/// A named secret, ready to verify or sign with.
///
/// ```
/// use chrono::{TimeDelta, Utc};
/// use webhook_sdk::Secret;
/// use webhook_sdk::signature::Key;
///
/// let old = Key::new("2025", &Secret::from("swordfish"))?.expires_at(Utc::now() + TimeDelta::days(1));
/// assert_eq!(old.name(), "2025");
/// # Ok::<(), webhook_sdk::signature::KeyError>(())
/// ```
///
/// The HMAC key schedule is computed here, once. The name is for people: it appears in logs and in
/// [`Verified::key`](super::Verified::key). A clone shares the schedule.
#[derive(Clone)]
pub struct Key {
    name: Arc<str>,
    schedule: Arc<HmacSha256>,
    expires_at: Option<DateTime<Utc>>,
}

impl Key {
    /// A key from the UTF-8 bytes of a secret.
    ///
    /// # Errors
    /// [`KeyError::EmptySecret`] if the secret is empty.
    pub fn new(name: impl Into<Arc<str>>, secret: &Secret) -> Result<Self, KeyError> {
        Self::from_bytes(name, secret.expose().as_bytes())
    }

    /// A key from raw bytes, for services whose secret is an encoding of the key.
    ///
    /// # Errors
    /// [`KeyError::EmptySecret`] if there are no bytes.
    pub fn from_bytes(name: impl Into<Arc<str>>, bytes: &[u8]) -> Result<Self, KeyError> {
        if bytes.is_empty() {
            return Err(KeyError::EmptySecret);
        }
        let schedule = HmacSha256::new_from_slice(bytes).map_err(|_| KeyError::EmptySecret)?;
        Ok(Self {
            name: name.into(),
            schedule: Arc::new(schedule),
            expires_at: None,
        })
    }

    /// Ends the key's life: from this moment on it is skipped.
    #[must_use]
    pub fn expires_at(mut self, moment: DateTime<Utc>) -> Self {
        self.expires_at = Some(moment);
        self
    }

    #[cfg(all(feature = "client", any(feature = "lune", feature = "preo")))]
    pub(super) fn expires_by(self, moment: DateTime<Utc>) -> Self {
        let end = self.expires_at.map_or(moment, |end| end.min(moment));
        self.expires_at(end)
    }

    /// The key's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn shared_name(&self) -> Arc<str> {
        Arc::clone(&self.name)
    }

    pub(super) fn mac(&self) -> HmacSha256 {
        HmacSha256::clone(&self.schedule)
    }

    pub(super) fn is_active(&self, moment: &Moment<'_>) -> bool {
        self.expires_at
            .is_none_or(|end| moment.nanoseconds() < nanoseconds(end))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("name", &self.name)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}
