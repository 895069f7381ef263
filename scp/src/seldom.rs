//! What as a rule there is nothing of: to see that costs no lock.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// A collection that stays empty in most SCPs.
#[derive(Debug, Default)]
pub(crate) struct Seldom<T> {
    /// Whether there ever was anything in it.
    any: AtomicBool,
    all: RwLock<T>,
}

impl<T> Seldom<T> {
    /// All of it; none where there never was anything in it.
    pub(crate) fn some(&self) -> Option<RwLockReadGuard<'_, T>> {
        self.any.load(Ordering::Acquire).then(|| self.read())
    }

    /// All of it.
    pub(crate) fn read(&self) -> RwLockReadGuard<'_, T> {
        self.all.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// All of it, to be changed.
    pub(crate) fn write(&self) -> RwLockWriteGuard<'_, T> {
        // Before anything can be in it: who is told that there is nothing asked before there was.
        self.any.store(true, Ordering::Release);
        self.all.write().unwrap_or_else(PoisonError::into_inner)
    }
}
