//! Load of this SCP: so many requests at a time, the most important first, the least important refused (TS 29.500 6.4, 6.8).

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context as Task, Poll, ready};

use tokio::sync::oneshot;
use tokio::time::timeout_at;
use tower::{Layer, Service};

use crate::before::Way;
use crate::call::{Call, Reply};
use crate::cause::Cause;
use crate::deadline;
use crate::failure::Failure;
use crate::problem::Problem;
use crate::settings::Limits;

/// Who may work and who waits. Copies share it.
#[derive(Clone, Debug, Default)]
pub struct Gate {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    working: usize,
    /// By priority, 0 first, and then by turn.
    waiting: BTreeMap<(u8, u64), oneshot::Sender<Result<Place, Full>>>,
    turn: u64,
}

/// A place among those that are worked on; given to the next when it is dropped.
#[derive(Debug)]
pub struct Place {
    gate: Gate,
}

/// There was no room, not even to wait.
#[derive(Debug)]
struct Full;

enum Asked {
    Place(Place),
    Wait(oneshot::Receiver<Result<Place, Full>>),
    Full,
}

impl Gate {
    /// How full it is: requests at work and waiting.
    #[must_use]
    pub fn load(&self) -> (usize, usize) {
        let state = self.lock();
        (state.working, state.waiting.len())
    }

    /// What is at work and waits, in percent of what can be at work.
    pub(crate) fn percent(&self, limits: &Limits) -> usize {
        let (working, waiting) = self.load();
        working.saturating_add(waiting).saturating_mul(100) / limits.requests.max(1)
    }

    fn ask(&self, priority: u8, limits: &Limits) -> Asked {
        let mut state = self.lock();
        if state.working < limits.requests {
            state.working += 1;
            return Asked::Place(Place { gate: self.clone() });
        }
        let mut refused = None;
        if state.waiting.len() >= limits.waiting {
            // Who went away is in nobody's way before.
            state.waiting.retain(|_, it| !it.is_closed());
        }
        if state.waiting.len() >= limits.waiting {
            match state.waiting.last_entry() {
                Some(last) if last.key().0 > priority => refused = Some(last.remove()),
                _ => return Asked::Full,
            }
        }
        let (sender, receiver) = oneshot::channel();
        let turn = state.turn;
        state.turn = state.turn.wrapping_add(1);
        state.waiting.insert((priority, turn), sender);
        drop(state);
        if let Some(refused) = refused {
            let _ = refused.send(Err(Full));
        }
        Asked::Wait(receiver)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.gate.lock();
        while let Some((_, next)) = state.waiting.pop_first() {
            if next.is_closed() {
                continue;
            }
            drop(state);
            // Who went away in between drops the place it was sent, which comes back here.
            let _ = next.send(Ok(Self { gate: self.gate.clone() }));
            return;
        }
        state.working = state.working.saturating_sub(1);
    }
}

/// Puts [`Overload`] around a service.
#[derive(Clone, Debug)]
pub struct OverloadLayer {
    /// Who may work.
    pub gate: Gate,
}

/// Lets so many calls into the service at a time.
#[derive(Clone, Debug)]
pub struct Overload<S> {
    gate: Gate,
    inner: S,
}

impl<S> Layer<S> for OverloadLayer {
    type Service = Overload<S>;

    fn layer(&self, inner: S) -> Overload<S> {
        Overload { gate: self.gate.clone(), inner }
    }
}

impl<S> Service<Call> for Overload<S>
where
    S: Service<Call, Response = Reply, Error = Failure> + Clone + Send + 'static,
    S::Future: Send + Unpin,
{
    type Response = Reply;
    type Error = Failure;
    type Future = Way<Admitted<S::Future>>;

    fn poll_ready(&mut self, _: &mut Task<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, call: Call) -> Self::Future {
        let context = &call.context;
        let limits = &context.arrival.prepared.settings.limits;
        match self.gate.ask(context.priority, limits) {
            Asked::Place(place) => Way::On(Admitted { inner: self.inner.call(call), place: Some(place) }),
            Asked::Wait(receiver) => {
                let mut inner = self.inner.clone();
                Way::Round(Box::pin(async move {
                    let waited = timeout_at(call.context.deadline.at, receiver).await;
                    let Ok(Ok(Ok(place))) = waited else {
                        return Err(if waited.is_err() && call.context.deadline.asked {
                            deadline::late()
                        } else {
                            full()
                        });
                    };
                    let reply = inner.call(call).await;
                    drop(place);
                    reply
                }))
            }
            Asked::Full => Way::Ended(Some(full())),
        }
    }
}

/// A call that was let in.
#[derive(Debug)]
pub struct Admitted<F> {
    inner: F,
    /// Its place, until it is answered.
    place: Option<Place>,
}

impl<F> Future for Admitted<F>
where
    F: Future<Output = Result<Reply, Failure>> + Unpin,
{
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Self::Output> {
        let answer = ready!(Pin::new(&mut self.inner).poll(task));
        self.place = None;
        Poll::Ready(answer)
    }
}

fn full() -> Failure {
    Problem::new(Cause::NfCongestion).detail("the SCP has more requests than it can do").retry_after(1).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(asked: Asked) -> oneshot::Receiver<Result<Place, Full>> {
        match asked {
            Asked::Wait(receiver) => receiver,
            Asked::Place(_) | Asked::Full => panic!("it should wait"),
        }
    }

    #[test]
    fn the_most_important_are_let_in_first_and_the_least_important_refused() {
        let gate = Gate::default();
        let limits = Limits { requests: 1, waiting: 2, ..Limits::default() };
        let Asked::Place(first) = gate.ask(24, &limits) else { panic!("there is room") };
        let mut low = wait(gate.ask(30, &limits));
        let mut middle = wait(gate.ask(10, &limits));
        let mut high = wait(gate.ask(0, &limits));
        assert!(matches!(low.try_recv(), Ok(Err(Full))));
        assert!(matches!(gate.ask(31, &limits), Asked::Full));
        drop(first);
        let second = high.try_recv().unwrap().unwrap();
        assert!(middle.try_recv().is_err());
        drop(second);
        drop(middle.try_recv().unwrap().unwrap());
        assert_eq!(gate.load(), (0, 0));
    }

    #[test]
    fn who_went_away_is_passed_over() {
        let gate = Gate::default();
        let limits = Limits { requests: 1, waiting: 2, ..Limits::default() };
        let Asked::Place(first) = gate.ask(24, &limits) else { panic!("there is room") };
        drop(wait(gate.ask(0, &limits)));
        let mut waiting = wait(gate.ask(1, &limits));
        drop(first);
        drop(waiting.try_recv().unwrap().unwrap());
        assert_eq!(gate.load(), (0, 0));
    }
}
