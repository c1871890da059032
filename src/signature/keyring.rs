use std::fmt;
use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};
use chrono::{DateTime, Utc};

use super::{Key, KeyringError};

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
    keys: Arc<ArcSwap<Vec<Key>>>,
}

impl Keyring {
    /// A keyring with one key.
    pub fn new(key: Key) -> Self {
        Self::of(vec![key])
    }

    /// A keyring with several keys, tried in this order.
    ///
    /// # Errors
    /// [`KeyringError::Empty`] if there is no key, [`KeyringError::NameTaken`] if two have one name.
    pub fn from_keys(keys: impl IntoIterator<Item = Key>) -> Result<Self, KeyringError> {
        let mut ring = Vec::new();
        for key in keys {
            ring = with_added(&ring, key)?;
        }
        if ring.is_empty() {
            return Err(KeyringError::Empty);
        }
        Ok(Self::of(ring))
    }

    /// Adds a key, accepted from the next verification on.
    ///
    /// # Errors
    /// [`KeyringError::NameTaken`] if a key has this name already.
    pub fn add(&self, key: Key) -> Result<(), KeyringError> {
        self.change(|keys| with_added(keys, key.clone()))
    }

    /// Sets the moment from which a key is skipped, in place of any earlier one.
    ///
    /// # Errors
    /// [`KeyringError::NoSuchKey`] if no key has this name.
    pub fn retire(&self, name: &str, at: DateTime<Utc>) -> Result<(), KeyringError> {
        self.change(|keys| {
            let mut changed = keys.to_vec();
            let key = &mut changed[position(keys, name)?];
            *key = key.clone().expires_at(at);
            Ok(changed)
        })
    }

    /// Removes a key, refused from the next verification on.
    ///
    /// # Errors
    /// [`KeyringError::NoSuchKey`] if no key has this name, [`KeyringError::LastKey`] if it is the only one.
    pub fn remove(&self, name: &str) -> Result<(), KeyringError> {
        self.change(|keys| {
            let position = position(keys, name)?;
            if keys.len() == 1 {
                return Err(KeyringError::LastKey { name: name.into() });
            }
            let mut changed = keys.to_vec();
            changed.remove(position);
            Ok(changed)
        })
    }

    /// The names of all keys, expired ones too, in the order in which they are tried.
    pub fn names(&self) -> Vec<String> {
        let keys = self.load();
        keys.iter().map(|key| key.name().to_owned()).collect()
    }

    pub(super) fn load(&self) -> Guard<Arc<Vec<Key>>> {
        self.keys.load()
    }

    fn of(keys: Vec<Key>) -> Self {
        Self {
            keys: Arc::new(ArcSwap::from_pointee(keys)),
        }
    }

    fn change(
        &self,
        change: impl Fn(&[Key]) -> Result<Vec<Key>, KeyringError>,
    ) -> Result<(), KeyringError> {
        let mut outcome = Ok(());
        self.keys.rcu(|keys| match change(keys) {
            Ok(changed) => {
                outcome = Ok(());
                Arc::new(changed)
            }
            Err(error) => {
                outcome = Err(error);
                Arc::clone(keys)
            }
        });
        outcome
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Keyring").field(&self.names()).finish()
    }
}

fn with_added(keys: &[Key], key: Key) -> Result<Vec<Key>, KeyringError> {
    if keys.iter().any(|other| other.name() == key.name()) {
        return Err(KeyringError::NameTaken {
            name: key.name().into(),
        });
    }
    let mut changed = keys.to_vec();
    changed.push(key);
    Ok(changed)
}

fn position(keys: &[Key], name: &str) -> Result<usize, KeyringError> {
    keys.iter()
        .position(|key| key.name() == name)
        .ok_or_else(|| KeyringError::NoSuchKey { name: name.into() })
}
