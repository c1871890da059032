//! Named secrets that can be replaced while they are in use.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::{ArcSwap, Guard};
use chrono::{DateTime, TimeDelta, Utc};
use thiserror::Error;

use crate::clock::Now;

/// A secret with a name and, once it is retired, an expiry.
#[derive(Clone, Debug)]
pub(crate) struct Entry<T> {
    pub(crate) name: Arc<str>,
    /// The sender that the secret belongs to, if the set has several senders.
    pub(crate) owner: Option<Arc<str>>,
    pub(crate) secret: T,
    pub(crate) expires_at: Option<DateTime<Utc>>,
}

impl<T> Entry<T> {
    pub(crate) fn new(name: impl Into<Arc<str>>, secret: T) -> Self {
        Self {
            name: name.into(),
            owner: None,
            secret,
            expires_at: None,
        }
    }

    pub(crate) fn is_active(&self, now: &Now<'_>) -> bool {
        self.expires_at.is_none_or(|end| now.is_before(end))
    }

    fn expiring(mut self, end: DateTime<Utc>) -> Self {
        self.expires_at = Some(self.expires_at.map_or(end, |earlier| earlier.min(end)));
        self
    }
}

/// A set of at least one entry. Readers never wait, and always see a complete set.
///
/// Clones share the same entries.
#[derive(Clone)]
pub(crate) struct KeySet<T> {
    entries: Arc<ArcSwap<Vec<Entry<T>>>>,
}

impl<T: Clone + PartialEq> KeySet<T> {
    pub(crate) fn new(entries: Vec<Entry<T>>) -> Result<Self, KeyringError> {
        check(&entries)?;
        Ok(Self::unchecked(entries))
    }

    pub(crate) fn from_entry(entry: Entry<T>) -> Self {
        Self::unchecked(vec![entry])
    }

    /// Adds an entry, which is tried first. An expired one with the same secret is dropped.
    pub(crate) fn add(&self, entry: &Entry<T>) -> Result<(), KeyringError> {
        let now = Utc::now();
        self.change(|entries| {
            let mut entries = entries.to_vec();
            entries.retain(|old| {
                old.secret != entry.secret || old.expires_at.is_none_or(|end| now < end)
            });
            check_distinct(&entries, entry)?;
            entries.insert(0, entry.clone());
            Ok(entries)
        })
    }

    /// Retires the entries with this name; the first one not at once if an older one is in use.
    pub(crate) fn retire(&self, name: &str, retire: Retire) -> Result<(), KeyringError> {
        let now = Utc::now();
        self.change(|entries| {
            let Some(current) = entries.iter().position(|entry| *entry.name == *name) else {
                return Err(KeyringError::NotFound { name: name.into() });
            };
            let is_in_use = |old: &Entry<T>| old.expires_at.is_none_or(|end| now < end);
            let mut older = entries[current + 1..]
                .iter()
                .filter(|old| *old.name == *name);
            let keeps_current = retire == Retire::now() && older.any(is_in_use);
            let retired = |(index, entry): (usize, &Entry<T>)| match *entry.name == *name
                && !(keeps_current && index == current)
            {
                true => retire.apply(entry.clone()),
                false => Some(entry.clone()),
            };
            let kept: Vec<_> = entries.iter().enumerate().filter_map(retired).collect();
            match kept.is_empty() {
                true => Err(KeyringError::Last { name: name.into() }),
                false => Ok(kept),
            }
        })
    }

    /// Replaces all entries. The old ones are kept after the new ones until `retire` ends them.
    pub(crate) fn replace(&self, new: &[Entry<T>], retire: Retire) -> Result<(), KeyringError> {
        check(new)?;
        let now = Utc::now();
        self.change(|entries| {
            let retired = entries
                .iter()
                .filter(|old| old.expires_at.is_none_or(|end| now < end))
                .filter(|old| new.iter().all(|entry| entry.secret != old.secret))
                .filter_map(|old| retire.apply(old.clone()));
            Ok(new.iter().cloned().chain(retired).collect())
        })
    }

    /// The names, in the order in which the entries are tried.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = self.load();
        entries.iter().map(|entry| entry.name.to_string()).collect()
    }

    pub(crate) fn load(&self) -> Guard<Arc<Vec<Entry<T>>>> {
        self.entries.load()
    }

    fn unchecked(entries: Vec<Entry<T>>) -> Self {
        Self {
            entries: Arc::new(ArcSwap::from_pointee(entries)),
        }
    }

    /// Applies a change, and retries if there was a concurrent change.
    fn change(
        &self,
        change: impl Fn(&[Entry<T>]) -> Result<Vec<Entry<T>>, KeyringError>,
    ) -> Result<(), KeyringError> {
        let mut outcome = Ok(());
        self.entries.rcu(|entries| match change(entries) {
            Ok(changed) => {
                outcome = Ok(());
                Arc::new(changed)
            }
            Err(error) => {
                outcome = Err(error);
                Arc::clone(entries)
            }
        });
        outcome
    }
}

/// When a replaced secret stops being accepted.
///
/// ```
/// use std::time::Duration;
/// use webhook_sdk::Secret;
/// use webhook_sdk::signature::{Key, Keyring, Retire};
///
/// let keyring = Keyring::new(Key::new("2026-10", &Secret::from("swordfish"))?);
/// let new = Key::new("2026-11", &Secret::from("marlin"))?;
/// keyring.replace([new], Retire::after(Duration::from_secs(4 * 24 * 60 * 60)))?;
/// assert_eq!(keyring.names(), ["2026-11", "2026-10"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A secret that already expires earlier keeps its expiry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retire(Option<DateTime<Utc>>);

impl Retire {
    /// Retires it at once: the next request signed with it is refused.
    pub fn now() -> Self {
        Self(None)
    }

    /// Retires it after a grace period, starting now on the system clock.
    pub fn after(grace: Duration) -> Self {
        let end = TimeDelta::from_std(grace)
            .ok()
            .and_then(|grace| Utc::now().checked_add_signed(grace));
        Self::at(end.unwrap_or(DateTime::<Utc>::MAX_UTC))
    }

    /// Retires it at a point in time.
    pub fn at(moment: DateTime<Utc>) -> Self {
        Self(Some(moment))
    }

    fn apply<T>(self, entry: Entry<T>) -> Option<Entry<T>> {
        self.0.map(|end| entry.expiring(end))
    }
}

/// An error from building or changing a set of keys or credentials.
///
/// Returned by [`Keyring`](crate::signature::Keyring) and pretix's `BasicAuth`, which are then
/// unchanged.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyringError {
    /// The set would be empty.
    #[error("there is no key; at least one is needed")]
    Empty,
    /// Two keys have the same name.
    #[error("the name {name:?} is already in use; choose another name or retire that key first")]
    NameTaken {
        /// The name.
        name: String,
    },
    /// Two names have the same secret, so deliveries would be ambiguous.
    ///
    /// HMAC pads keys with zero bytes, so keys that differ only in trailing zero bytes are the same.
    #[error("{name:?} and {other:?} have the same secret; keep one of them")]
    SecretTaken {
        /// The name of the rejected key.
        name: String,
        /// The name of the key that already has this secret.
        other: String,
    },
    /// No key has this name.
    #[error("there is no key named {name:?}; `names()` lists the keys")]
    NotFound {
        /// The name.
        name: String,
    },
    /// The only key can't be removed.
    #[error("{name:?} is the only key; add its successor first")]
    Last {
        /// The name.
        name: String,
    },
}

fn check<T: PartialEq>(entries: &[Entry<T>]) -> Result<(), KeyringError> {
    if entries.is_empty() {
        return Err(KeyringError::Empty);
    }
    (1..entries.len()).try_for_each(|index| check_distinct(&entries[..index], &entries[index]))
}

fn check_distinct<T: PartialEq>(
    entries: &[Entry<T>],
    entry: &Entry<T>,
) -> Result<(), KeyringError> {
    let name = || entry.name.to_string();
    for other in entries {
        if other.name == entry.name {
            return Err(KeyringError::NameTaken { name: name() });
        }
        if other.secret == entry.secret {
            let other = other.name.to_string();
            return Err(KeyringError::SecretTaken {
                name: name(),
                other,
            });
        }
    }
    Ok(())
}
