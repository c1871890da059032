use std::fmt;
use std::sync::Arc;

use arc_swap::Guard;

use super::Key;
use super::key::Schedule;
use crate::key_set::{Entry, KeySet, KeyringError, Retire};

/// A set of signing keys that can be changed while verifiers use it.
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
/// Clones share the same keys: a change through one clone affects the next verification through any
/// other. Reading never blocks, and every change is atomic.
///
/// [`replace`](Self::replace) sets all keys at once, for example after reloading a configuration.
/// [`add`](Self::add) and [`retire`](Self::retire) change one key. A keyring always contains a key,
/// although all of its keys may have expired.
#[derive(Clone)]
pub struct Keyring {
    keys: KeySet<Schedule>,
}

impl Keyring {
    /// Creates a keyring with one key.
    pub fn new(key: Key) -> Self {
        Self {
            keys: KeySet::from_entry(key.entry),
        }
    }

    /// Creates a keyring with several keys, tried in this order.
    ///
    /// # Errors
    ///
    /// Returns a [`KeyringError`] if there is no key, or if two keys have the same name or the same
    /// secret.
    pub fn from_keys(keys: impl IntoIterator<Item = Key>) -> Result<Self, KeyringError> {
        let keys = KeySet::new(keys.into_iter().map(|key| key.entry).collect())?;
        Ok(Self { keys })
    }

    /// Replaces all keys at once.
    ///
    /// The new keys are tried first, in this order. The old ones follow until `retire` ends them;
    /// [`Retire::now`] drops them. Keys are matched by secret: if a secret changes under the same
    /// name, the key is new, and the old secret is retired under that name. An old key whose secret
    /// is also among the new keys isn't kept twice. Expired old keys are dropped.
    ///
    /// # Errors
    ///
    /// Same as [`from_keys`](Self::from_keys). The keys are then unchanged.
    pub fn replace(
        &self,
        keys: impl IntoIterator<Item = Key>,
        retire: Retire,
    ) -> Result<(), KeyringError> {
        let keys: Vec<_> = keys.into_iter().map(|key| key.entry).collect();
        self.keys.replace(&keys, retire)
    }

    /// Adds a key, which is accepted, and tried first, from the next verification on.
    ///
    /// A key that has the same secret, but has expired, is dropped.
    ///
    /// # Errors
    ///
    /// Returns a [`KeyringError`] if another key has this name or this secret.
    pub fn add(&self, key: Key) -> Result<(), KeyringError> {
        self.keys.add(&key.entry)
    }

    /// Stops accepting the key with this name, at once or after a grace period.
    ///
    /// If [`replace`](Self::replace) left older keys of this name, [`Retire::now`] removes only them,
    /// and a second call removes the current one.
    ///
    /// # Errors
    ///
    /// Returns [`KeyringError::NotFound`] if no key has this name, and [`KeyringError::Last`] for
    /// [`Retire::now`] on the only key.
    pub fn retire(&self, name: &str, retire: Retire) -> Result<(), KeyringError> {
        self.keys.retire(name, retire)
    }

    /// The names of all keys, including expired ones, in the order they are tried.
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
