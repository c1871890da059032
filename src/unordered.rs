use std::collections::BTreeSet;
use std::ops::Deref;

use serde::{Deserialize, Serialize};

/// A list whose order and repetitions have no meaning.
///
/// The services reorder such lists and drop repetitions, so it compares as a set. It dereferences
/// to a slice, and keeps the items as they were sent or set.
///
/// ```
/// use webhook_sdk::Unordered;
///
/// let accounts = Unordered::from(["acc_1", "acc_2"]);
///
/// assert_eq!(accounts, ["acc_2", "acc_1", "acc_2"]);
/// assert_ne!(accounts, ["acc_2"]);
/// assert!(accounts.contains(&"acc_1"));
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Unordered<T>(Vec<T>);

impl<T: Ord> PartialEq for Unordered<T> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().collect::<BTreeSet<_>>() == other.iter().collect()
    }
}

impl<T: Ord> Eq for Unordered<T> {}

impl<T: PartialEq<U>, U, const N: usize> PartialEq<[U; N]> for Unordered<T> {
    fn eq(&self, other: &[U; N]) -> bool {
        self.iter()
            .all(|item| other.iter().any(|other| item == other))
            && other
                .iter()
                .all(|other| self.iter().any(|item| item == other))
    }
}

impl<T> Deref for Unordered<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T> Default for Unordered<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> From<Vec<T>> for Unordered<T> {
    fn from(items: Vec<T>) -> Self {
        Self(items)
    }
}

impl<T, const N: usize> From<[T; N]> for Unordered<T> {
    fn from(items: [T; N]) -> Self {
        Self(items.into())
    }
}

impl<T> FromIterator<T> for Unordered<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Self(items.into_iter().collect())
    }
}

impl<T> IntoIterator for Unordered<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a, T> IntoIterator for &'a Unordered<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
