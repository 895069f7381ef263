//! Who says nothing for as long as an attempt may take: told where an attempt waits, heard where there may be another.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::api_root::ApiRoot;

/// Those of one request.
#[derive(Debug, Default)]
pub(crate) struct Slow {
    /// Whether there is anybody: most requests never look further.
    any: AtomicBool,
    roots: Mutex<Vec<ApiRoot>>,
}

impl Slow {
    /// One says nothing.
    pub(crate) fn tell(&self, root: &ApiRoot) {
        self.roots.lock().unwrap_or_else(PoisonError::into_inner).push(root.clone());
        self.any.store(true, Ordering::Relaxed);
    }

    /// Whether somebody was told of.
    pub(crate) fn any(&self) -> bool {
        self.any.load(Ordering::Relaxed)
    }

    /// Who was told of since this was asked last.
    pub(crate) fn take(&self) -> Vec<ApiRoot> {
        self.any.store(false, Ordering::Relaxed);
        std::mem::take(&mut *self.roots.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
