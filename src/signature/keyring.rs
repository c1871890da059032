use std::fmt;
use std::sync::Arc;

use arc_swap::Guard;
use chrono::{DateTime, Utc};

use super::{Key, KeyringError};
use crate::roster::{Named, Roster, RosterError};

/// The keys that verifiers accept, exchangeable while they run.
///
/// ```
/// use chrono::{TimeDelta, Utc};
/// use webhook_sdk::Secret;
/// use webhook_sdk::signature::{Key, Keyring};
///
/// let keyring = Keyring::new(Key::new("old", &Secret::from("swordfish"))?);
/// keyring.add(Key::new("new", &Secret::from("marlin"))?)?;
/// keyring.retire("old", Utc::now() + TimeDelta::days(1))?;
/// assert_eq!(keyring.names(), ["old", "new"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A clone is a handle to the same keys: a change through one is seen by the next verification
/// through any other. Readers never wait. A keyring always holds a key, though all of its keys may
/// have expired.
#[derive(Clone)]
pub struct Keyring {
    keys: Roster<Key>,
}

impl Keyring {
    /// A keyring with one key.
    pub fn new(key: Key) -> Self {
        Self {
            keys: Roster::new(key),
        }
    }

    /// A keyring with several keys, tried in this order.
    ///
    /// # Errors
    /// [`KeyringError::Empty`] if there is no key, [`KeyringError::NameTaken`] if two have one name.
    pub fn from_keys(keys: impl IntoIterator<Item = Key>) -> Result<Self, KeyringError> {
        let mut keys = keys.into_iter();
        let keyring = Self::new(keys.next().ok_or(KeyringError::Empty)?);
        for key in keys {
            keyring.add(key)?;
        }
        Ok(keyring)
    }

    /// Adds a key, accepted from the next verification on.
    ///
    /// # Errors
    /// [`KeyringError::NameTaken`] if a key has this name already.
    pub fn add(&self, key: Key) -> Result<(), KeyringError> {
        Ok(self.keys.add(&key)?)
    }

    /// Sets the moment from which a key is skipped, in place of any earlier one.
    ///
    /// # Errors
    /// [`KeyringError::NoSuchKey`] if no key has this name.
    pub fn retire(&self, name: &str, at: DateTime<Utc>) -> Result<(), KeyringError> {
        Ok(self.keys.replace(name, |key| key.expires_at(at))?)
    }

    /// Sets the moment from which a key is skipped, unless it has an earlier one.
    #[cfg(all(feature = "client", any(feature = "lune", feature = "preo")))]
    pub(crate) fn retire_by(&self, name: &str, at: DateTime<Utc>) -> Result<(), KeyringError> {
        Ok(self.keys.replace(name, |key| key.expires_by(at))?)
    }

    /// Removes a key, refused from the next verification on.
    ///
    /// # Errors
    /// [`KeyringError::NoSuchKey`] if no key has this name, [`KeyringError::LastKey`] if it is the only one.
    pub fn remove(&self, name: &str) -> Result<(), KeyringError> {
        Ok(self.keys.remove(name)?)
    }

    /// The names of all keys, expired ones too, in the order in which they are tried.
    pub fn names(&self) -> Vec<String> {
        self.keys.names()
    }

    pub(super) fn load(&self) -> Guard<Arc<Vec<Key>>> {
        self.keys.load()
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Keyring").field(&self.names()).finish()
    }
}

impl Named for Key {
    fn name(&self) -> &str {
        self.name()
    }
}

impl From<RosterError> for KeyringError {
    fn from(error: RosterError) -> Self {
        match error {
            RosterError::NameTaken(name) => Self::NameTaken { name },
            RosterError::NoSuchName(name) => Self::NoSuchKey { name },
            RosterError::LastEntry(name) => Self::LastKey { name },
        }
    }
}
