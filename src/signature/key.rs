use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use hmac::digest::CtOutput;
use hmac::{KeyInit, Mac};

use super::KeyError;
use super::digest::HmacSha256;
use crate::Secret;
use crate::key_set::Entry;

/// A named secret to verify or sign with.
///
/// ```
/// use chrono::{TimeDelta, Utc};
/// use webhook_sdk::Secret;
/// use webhook_sdk::signature::{Key, KeyError};
///
/// let key = Key::new("2025", &Secret::from("swordfish"))?.expires_at(Utc::now() + TimeDelta::days(1));
/// assert_eq!(key.name(), "2025");
///
/// let untrimmed = Key::new("2026", &Secret::from("swordfish\n"));
/// assert_eq!(untrimmed.unwrap_err(), KeyError::SurroundingWhitespace);
/// # Ok::<(), KeyError>(())
/// ```
///
/// The name identifies the key in logs and in [`Verified::key_name`](super::Verified::key_name). It
/// is not a secret. The HMAC key schedule is computed once and shared by clones.
#[derive(Clone)]
pub struct Key {
    pub(super) entry: Entry<Schedule>,
}

impl Key {
    /// Creates a key from the UTF-8 bytes of a secret.
    ///
    /// # Errors
    ///
    /// Returns a [`KeyError`] if the secret is empty, begins or ends with whitespace or another
    /// invisible character, or contains a control character. None of the services documents such a
    /// secret. It usually comes from an unset variable or an untrimmed file. Nothing is trimmed
    /// silently.
    pub fn new(name: impl Into<Arc<str>>, secret: &Secret) -> Result<Self, KeyError> {
        let text = secret.expose();
        if text.chars().all(is_invisible) {
            return Err(KeyError::EmptySecret);
        }
        if text.starts_with(is_invisible) || text.ends_with(is_invisible) {
            return Err(KeyError::SurroundingWhitespace);
        }
        if text.contains(char::is_control) {
            return Err(KeyError::ControlCharacter);
        }
        Self::schedule(name, text.as_bytes())
    }

    /// Creates a key from raw bytes, for services whose secret encodes the key.
    ///
    /// ```
    /// use data_encoding::BASE64;
    /// use webhook_sdk::signature::Key;
    ///
    /// let secret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    /// let bytes = BASE64.decode(secret.trim_start_matches("whsec_").as_bytes())?;
    /// let key = Key::from_bytes("2026", &bytes)?;
    /// # let _ = key;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns [`KeyError::EmptySecret`] if there are no bytes, or only zero bytes: HMAC pads keys
    /// with zero bytes, so both result in the same well-known key. Returns
    /// [`KeyError::SurroundingWhitespace`] for text that begins or ends with whitespace or another
    /// invisible character, such as a file's trailing newline. Bytes are text if they are UTF-8
    /// without control characters other than tabs and line breaks.
    pub fn from_bytes(name: impl Into<Arc<str>>, bytes: &[u8]) -> Result<Self, KeyError> {
        let is_binary = |c: char| c.is_control() && !"\t\r\n".contains(c);
        match std::str::from_utf8(bytes) {
            Ok(text) if text.contains(is_binary) => {}
            Ok(text) if text.starts_with(is_invisible) || text.ends_with(is_invisible) => {
                return Err(KeyError::SurroundingWhitespace);
            }
            _ => {}
        }
        Self::schedule(name, bytes)
    }

    /// Sets the key's expiry, from which on the key is ignored.
    #[must_use]
    pub fn expires_at(mut self, moment: DateTime<Utc>) -> Self {
        self.entry.expires_at = Some(moment);
        self
    }

    /// Sets the sender that the key belongs to.
    ///
    /// An owner is only needed if one keyring contains the keys of several senders: a
    /// receiver deduplicates the events of each owner separately. Keys of the
    /// same owner, such as an old and a new one, count as one sender, and so do all keys without an
    /// owner.
    #[must_use]
    pub fn owner(mut self, owner: impl Into<Arc<str>>) -> Self {
        self.entry.owner = Some(owner.into());
        self
    }

    /// The key's name.
    pub fn name(&self) -> &str {
        &self.entry.name
    }

    fn schedule(name: impl Into<Arc<str>>, bytes: &[u8]) -> Result<Self, KeyError> {
        if bytes.iter().all(|byte| *byte == 0) {
            return Err(KeyError::EmptySecret);
        }
        let mac = HmacSha256::new_from_slice(bytes).map_err(|_| KeyError::EmptySecret)?;
        let fingerprint = mac.clone().finalize();
        Ok(Self {
            entry: Entry::new(name, Schedule(Arc::new((mac, fingerprint)))),
        })
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("name", &self.entry.name)
            .field("expires_at", &self.entry.expires_at)
            .finish_non_exhaustive()
    }
}

/// A keyed HMAC, and its result for an empty message, to compare keys.
#[derive(Clone)]
pub(super) struct Schedule(Arc<(HmacSha256, CtOutput<HmacSha256>)>);

impl Schedule {
    pub(super) fn mac(&self) -> HmacSha256 {
        self.0.0.clone()
    }
}

/// Whether two keys create the same signatures.
impl PartialEq for Schedule {
    fn eq(&self, other: &Self) -> bool {
        self.0.1 == other.0.1
    }
}

/// Characters invisible at the end of a line: whitespace, control characters, the byte order mark,
/// and zero-width spaces.
fn is_invisible(character: char) -> bool {
    character.is_whitespace()
        || character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
}
