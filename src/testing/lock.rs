use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks `mutex`, even one that a panic elsewhere has poisoned.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
