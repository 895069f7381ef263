//! What as a rule there is nothing of: to see that costs no lock.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// A collection that stays empty in most SCPs.
#[derive(Debug, Default)]
pub(crate) struct Seldom<T> {
    /// Whether there may be anything in it.
    any: AtomicBool,
    all: RwLock<T>,
}

impl<T> Seldom<T> {
    /// All of it; none where there is nothing in it.
    pub(crate) fn some(&self) -> Option<RwLockReadGuard<'_, T>> {
        self.any.load(Ordering::Acquire).then(|| self.read())
    }

    /// All of it; none where what is in it is over. Who finds that out spares others the look.
    pub(crate) fn holding(&self, is_over: impl Fn(&T) -> bool) -> Option<RwLockReadGuard<'_, T>> {
        let all = self.some()?;
        if !is_over(&all) {
            return Some(all);
        }
        drop(all);
        let all = self.all.write().unwrap_or_else(PoisonError::into_inner);
        // Something may have come in between.
        if is_over(&all) {
            self.any.store(false, Ordering::Release);
        }
        None
    }

    /// All of it.
    pub(crate) fn read(&self) -> RwLockReadGuard<'_, T> {
        self.all.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// All of it, to be changed.
    pub(crate) fn write(&self) -> RwLockWriteGuard<'_, T> {
        let all = self.all.write().unwrap_or_else(PoisonError::into_inner);
        // Before anything is put in, and while nobody finds that there is nothing.
        self.any.store(true, Ordering::Release);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_over_is_not_looked_at_again_until_there_is_more() {
        let numbers = Seldom::<Vec<u8>>::default();
        assert!(numbers.some().is_none());
        numbers.write().push(1);
        assert!(numbers.holding(|it| it.contains(&2)).is_some_and(|it| *it == [1]));
        assert!(numbers.holding(|it| it.contains(&1)).is_none());
        assert!(numbers.some().is_none());
        numbers.write().push(3);
        assert!(numbers.some().is_some_and(|it| *it == [1, 3]));
    }
}
