//! Interim answers (1xx) on their way to a client: told where a next hop is asked, sent on where its client is answered
//! (RFC 9110 15.2).

use std::sync::{Mutex, OnceLock, PoisonError};

use http::{Response, StatusCode};

/// Those of one request: of most there are none, and nothing is kept.
#[derive(Debug, Default)]
pub(crate) struct Early {
    state: OnceLock<Box<Mutex<State>>>,
}

#[derive(Debug, Default)]
struct State {
    heads: Vec<Response<()>>,
    told: usize,
}

/// Interim answers that a request may have: its client need not read them, and until it does they are kept.
const MOST: usize = 16;

impl Early {
    /// One came. That which switches protocols is none of HTTP/2 (RFC 9113 8.6).
    pub(crate) fn tell(&self, head: Response<()>) {
        let mut state = self.state.get_or_init(Box::default).lock().unwrap_or_else(PoisonError::into_inner);
        if state.told < MOST && head.status() != StatusCode::SWITCHING_PROTOCOLS {
            state.told += 1;
            state.heads.push(head);
        }
    }

    /// The client may send its content.
    pub(crate) fn go_on(&self) {
        let mut head = Response::new(());
        *head.status_mut() = StatusCode::CONTINUE;
        self.tell(head);
    }

    /// What came since this was asked last.
    pub(crate) fn take(&self) -> Vec<Response<()>> {
        let take =
            |state: &Mutex<State>| std::mem::take(&mut state.lock().unwrap_or_else(PoisonError::into_inner).heads);
        self.state.get().map(|state| take(state)).unwrap_or_default()
    }
}
