use std::fmt;
use std::sync::Arc;

use arc_swap::Guard;

use super::Key;
use super::key::Schedule;
use crate::roster::{Entry, KeyringError, Retire, Roster};

/// The keys that verifiers accept, exchangeable while they run.
///
/// ```
/// use std::time::Duration;
/// use webhook_sdk::Secret;
/// use webhook_sdk::signature::{Key, Keyring, Retire};
///
/// let keyring = Keyring::new(Key::new("2026-10", &Secret::from("swordfish"))?);
///
/// let new = Key::new("2026-11", &Secret::from("marlin"))?;
/// keyring.replace([new], Retire::after(Duration::from_secs(3600)))?;
/// assert_eq!(keyring.names(), ["2026-11", "2026-10"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A clone is a handle to the same keys: a change through one is seen by the next verification
/// through any other. Reading never blocks, and every change is atomic: a verification sees all of
/// it or nothing.
///
/// [`replace`](Self::replace) sets all keys at once, as when reloading a configuration;
/// [`add`](Self::add) and [`retire`](Self::retire) change one. A keyring always holds a key, although
/// all of its keys may have expired.
#[derive(Clone)]
pub struct Keyring {
    keys: Roster<Schedule>,
}

impl Keyring {
    /// Creates a keyring of one key.
    pub fn new(key: Key) -> Self {
        Self {
            keys: Roster::of(key.entry),
        }
    }

    /// Creates a keyring of several keys, tried in this order.
    ///
    /// # Errors
    ///
    /// A [`KeyringError`] if there is no key, or if two keys have the same name or the same secret.
    pub fn from_keys(keys: impl IntoIterator<Item = Key>) -> Result<Self, KeyringError> {
        let keys = Roster::new(keys.into_iter().map(|key| key.entry).collect())?;
        Ok(Self { keys })
    }

    /// Replaces all keys at once.
    ///
    /// The new keys are tried first, in this order. The old ones follow until `retire` ends them;
    /// [`Retire::now`] drops them. What counts is the secret: a key that kept its name but not its
    /// secret is a new one, and its old secret is retired under the same name. An old key whose
    /// secret is also among the new keys is not kept twice. Old keys that have expired are dropped.
    ///
    /// # Errors
    ///
    /// As [`from_keys`](Self::from_keys); the keys are then unchanged.
    pub fn replace(
        &self,
        keys: impl IntoIterator<Item = Key>,
        retire: Retire,
    ) -> Result<(), KeyringError> {
        let keys: Vec<_> = keys.into_iter().map(|key| key.entry).collect();
        self.keys.replace(&keys, retire)
    }

    /// Adds a key, accepted from the next verification on.
    ///
    /// # Errors
    ///
    /// A [`KeyringError`] if another key has this name or this secret.
    pub fn add(&self, key: Key) -> Result<(), KeyringError> {
        self.keys.add(&key.entry)
    }

    /// Stops accepting the key of this name: at once, or after a grace period.
    ///
    /// # Errors
    ///
    /// [`KeyringError::NotFound`] if no key has this name; [`KeyringError::Last`] for
    /// [`Retire::now`] on the only key.
    pub fn retire(&self, name: &str, retire: Retire) -> Result<(), KeyringError> {
        self.keys.retire(name, retire)
    }

    /// The names of all keys, expired ones included, in the order in which they are tried.
    pub fn names(&self) -> Vec<String> {
        self.keys.names()
    }

    pub(super) fn load(&self) -> Guard<Arc<Vec<Entry<Schedule>>>> {
        self.keys.load()
    }
}

impl From<Key> for Keyring {
    fn from(key: Key) -> Self {
        Self::new(key)
    }
}

impl From<&Key> for Keyring {
    fn from(key: &Key) -> Self {
        Self::new(key.clone())
    }
}

impl From<&Keyring> for Keyring {
    /// Another handle to the same keys.
    fn from(keyring: &Keyring) -> Self {
        keyring.clone()
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Keyring").field(&self.names()).finish()
    }
}
