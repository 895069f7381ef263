//! Requests that wait for their responses on one connection. Most wait far less than they may, and a timer for each would be
//! made in vain: those that waited for long already are woken, and have a timer from then on.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Duration;

use slab::Slab;

/// Those of one connection.
#[derive(Debug)]
pub(super) struct Waits {
    turn: Duration,
    /// Two of them.
    turns: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    turns: u64,
    all: Slab<Wait>,
}

#[derive(Debug)]
struct Wait {
    since: u64,
    /// None: it was woken.
    waker: Option<Waker>,
}

impl Waits {
    /// Those that are asked once in every `turn` how long they have waited.
    pub(super) fn new(turn: Duration) -> Self {
        Self { turn, turns: turn.saturating_mul(2), state: Mutex::default() }
    }

    /// How often they are asked.
    pub(super) const fn turn(&self) -> Duration {
        self.turn
    }

    /// Whether who waits from now on is woken before so long is over.
    pub(super) fn are_within(&self, most: Duration) -> bool {
        most >= self.turns
    }

    /// From now on somebody waits, to be woken when one turn is over or two.
    pub(super) fn enter(&self, waker: &Waker) -> usize {
        let mut state = self.lock();
        let since = state.turns;
        state.all.insert(Wait { since, waker: Some(waker.clone()) })
    }

    /// Whether he need not have been woken yet.
    pub(super) fn stays(&self, at: usize, waker: &Waker) -> bool {
        let mut state = self.lock();
        let waiting = state.all.get_mut(at).and_then(|it| it.waker.as_mut());
        waiting.map(|known| known.clone_from(waker)).is_some()
    }

    /// He waits no more.
    pub(super) fn leave(&self, at: usize) {
        let gone = self.lock().all.try_remove(at);
        drop(gone);
    }

    /// A turn is over.
    pub(super) fn next_turn(&self) {
        let mut state = self.lock();
        state.turns = state.turns.wrapping_add(1);
        let turns = state.turns;
        let long = |it: &mut Wait| turns.wrapping_sub(it.since) >= 2;
        let woken: Vec<_> =
            state.all.iter_mut().filter_map(|(_, it)| if long(it) { it.waker.take() } else { None }).collect();
        drop(state);
        woken.into_iter().for_each(Waker::wake);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn woken() -> (Arc<Woken>, Waker) {
        let woken = Arc::new(Woken::default());
        (Arc::clone(&woken), woken.into())
    }

    #[test]
    fn who_waits_for_long_is_woken_once_and_who_left_is_not() {
        let waits = Waits::new(Duration::from_secs(1));
        let [(first, waker), (second, other), (third, another)] = [woken(), woken(), woken()];
        let count = |of: &Woken| of.0.load(Ordering::Relaxed);
        let at = waits.enter(&waker);
        waits.next_turn();
        let [beside, gone] = [waits.enter(&other), waits.enter(&another)];
        waits.leave(gone);
        assert_eq!(count(&first), 0, "that may be just now");
        assert!(waits.stays(at, &waker));
        waits.next_turn();
        assert_eq!((count(&first), count(&second)), (1, 0));
        assert!(!waits.stays(at, &waker) && waits.stays(beside, &other));
        waits.next_turn();
        assert_eq!((count(&first), count(&second), count(&third)), (1, 1, 0));
        waits.leave(at);
        waits.leave(beside);
        assert!(waits.lock().all.is_empty());
        assert_eq!(Arc::strong_count(&third), 2, "nothing is kept of who left");
    }

    #[test]
    fn who_asks_for_another_to_be_woken_is_not_woken_himself() {
        let waits = Waits::new(Duration::from_secs(1));
        let [(first, waker), (second, other)] = [woken(), woken()];
        let at = waits.enter(&waker);
        assert!(waits.stays(at, &other));
        waits.next_turn();
        waits.next_turn();
        let count = |of: &Woken| of.0.load(Ordering::Relaxed);
        assert_eq!((count(&first), count(&second)), (0, 1));
    }

    #[test]
    fn what_is_sooner_than_two_turns_may_be_missed() {
        let waits = Waits::new(Duration::from_secs(1));
        assert!(waits.are_within(Duration::from_secs(2)));
        assert!(!waits.are_within(Duration::from_millis(1_999)));
    }
}
