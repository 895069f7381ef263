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
    /// Whether another attempt was sent since that was asked last.
    sent: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    silent: Vec<Silent>,
    asked: Option<Box<Asked>>,
}

/// One that says nothing.
#[derive(Debug)]
pub(crate) struct Silent {
    pub(crate) root: ApiRoot,
    /// Whether nothing was sent to it: the request waits in line for a stream.
    pub(crate) in_line: bool,
}

/// What somebody was asked, so that another can be.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) request: Request<Content>,
    pub(crate) plan: Option<Plan>,
}

impl Asked {
    /// What a call asks of whomever.
    fn of(call: &Call) -> Self {
        Self { request: call.copied(), plan: call.plan.clone() }
    }
}

impl Slow {
    /// Whom a call is for says nothing. Where that may act on it, and it may not be done twice, it is nobody else's.
    pub(crate) fn tell(&self, call: &Call, in_line: bool) {
        let Some(target) = call.target.as_ref().filter(|_| in_line || call.request.method().is_idempotent())
        else {
            return;
        };
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.silent.push(Silent { root: target.root().clone(), in_line });
        state.asked.get_or_insert_with(|| Box::new(Asked::of(call)));
        self.any.store(true, Ordering::Relaxed);
    }

    /// Another attempt does not wait in line, or does no more.
    pub(crate) fn sent(&self) {
        self.sent.store(true, Ordering::Relaxed);
    }

    /// Whether one does not, since [`Self::take`].
    pub(crate) fn is_sent(&self) -> bool {
        self.sent.load(Ordering::Relaxed)
    }

    /// Whether somebody was told of.
    pub(crate) fn any(&self) -> bool {
        self.any.load(Ordering::Relaxed)
    }

    /// Who was told of since this was asked last.
    pub(crate) fn take(&self) -> Vec<Silent> {
        self.any.store(false, Ordering::Relaxed);
        self.sent.store(false, Ordering::Relaxed);
        std::mem::take(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner).silent)
    }

    /// What they were asked; once.
    pub(crate) fn asked(&self) -> Option<Box<Asked>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).asked.take()
    }
}
