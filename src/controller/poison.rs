//! Locks that no panic can leave behind.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// The value behind a lock. Every critical section here is a single insertion or look-up, so a panic
/// cannot leave it half done.
pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
