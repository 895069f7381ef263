//! Who says nothing for as long as an attempt may take: told where an attempt waits, heard where there may be another.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use http::Request;

use crate::api_root::ApiRoot;
use crate::call::Call;
use crate::kept::Content;
use crate::producer::Plan;

/// Those of one request.
#[derive(Debug, Default)]
pub(crate) struct Slow {
    /// Whether there is anybody: most requests never look further.
    any: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    roots: Vec<ApiRoot>,
    asked: Option<Box<Asked>>,
}

/// What somebody was asked, so that another can be.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) request: Request<Content>,
    pub(crate) plan: Option<Plan>,
}

impl Asked {
    /// What a call asks of whomever.
    pub(crate) fn of(call: &Call) -> Self {
        Self { request: call.copied(), plan: call.plan.clone() }
    }
}

impl Slow {
    /// One says nothing.
    pub(crate) fn tell(&self, root: &ApiRoot, asked: impl FnOnce() -> Asked) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.roots.push(root.clone());
        state.asked.get_or_insert_with(|| Box::new(asked()));
        self.any.store(true, Ordering::Relaxed);
    }

    /// Whether somebody was told of.
    pub(crate) fn any(&self) -> bool {
        self.any.load(Ordering::Relaxed)
    }

    /// Who was told of since this was asked last.
    pub(crate) fn take(&self) -> Vec<ApiRoot> {
        self.any.store(false, Ordering::Relaxed);
        std::mem::take(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner).roots)
    }

    /// What they were asked; once.
    pub(crate) fn asked(&self) -> Option<Box<Asked>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).asked.take()
    }
}
