//! Named entries that are exchanged while they are read.

use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};

/// An entry that is told from others by its name.
pub(crate) trait Named: Clone {
    fn name(&self) -> &str;
}

/// At least one entry, each under a name of its own. Readers never wait.
///
/// A clone is a handle to the same entries.
#[derive(Clone)]
pub(crate) struct Roster<T> {
    entries: Arc<ArcSwap<Vec<T>>>,
}

/// Why a roster isn't changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RosterError {
    NameTaken(String),
    NoSuchName(String),
    LastEntry(String),
}

impl<T: Named> Roster<T> {
    pub(crate) fn new(entry: T) -> Self {
        Self {
            entries: Arc::new(ArcSwap::from_pointee(vec![entry])),
        }
    }

    pub(crate) fn add(&self, entry: &T) -> Result<(), RosterError> {
        self.change(|entries| {
            if entries.iter().any(|other| other.name() == entry.name()) {
                return Err(RosterError::NameTaken(entry.name().to_owned()));
            }
            Ok(entries.iter().chain([entry]).cloned().collect())
        })
    }

    pub(crate) fn replace(&self, name: &str, with: impl Fn(T) -> T) -> Result<(), RosterError> {
        self.change(|entries| {
            let position = position(entries, name)?;
            let mut changed = entries.to_vec();
            changed[position] = with(changed[position].clone());
            Ok(changed)
        })
    }

    pub(crate) fn remove(&self, name: &str) -> Result<(), RosterError> {
        self.change(|entries| {
            let position = position(entries, name)?;
            if entries.len() == 1 {
                return Err(RosterError::LastEntry(name.to_owned()));
            }
            let mut changed = entries.to_vec();
            changed.remove(position);
            Ok(changed)
        })
    }

    /// In the order in which the entries were added.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = self.load();
        entries
            .iter()
            .map(|entry| entry.name().to_owned())
            .collect()
    }

    pub(crate) fn load(&self) -> Guard<Arc<Vec<T>>> {
        self.entries.load()
    }

    /// Applies a change again until no other one has come between.
    fn change(
        &self,
        change: impl Fn(&[T]) -> Result<Vec<T>, RosterError>,
    ) -> Result<(), RosterError> {
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

fn position<T: Named>(entries: &[T], name: &str) -> Result<usize, RosterError> {
    let position = entries.iter().position(|entry| entry.name() == name);
    position.ok_or_else(|| RosterError::NoSuchName(name.to_owned()))
}
