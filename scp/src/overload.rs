//! Load of this SCP: so many requests at a time, the most important first, the least important refused (TS 29.500 6.4, 6.8).

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context as Task, Poll, ready};

use smallvec::SmallVec;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};
use tower::{Layer, Service};

use crate::before::Way;
use crate::call::{Back, Call, Serve};
use crate::cause::Cause;
use crate::deadline;
use crate::failure::Failure;
use crate::problem::Problem;
use crate::settings::Limits;

/// Who may work and who waits. Copies share it.
#[derive(Clone, Debug, Default)]
pub struct Gate {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    /// How many are at work, and [`WAITS`]. As long as nobody waits it is all there is to a place that is taken or given back;
    /// while somebody does it changes under the queue's lock alone, so that no place is given back past who waits for it.
    word: AtomicUsize,
    queue: Mutex<Queue>,
}

/// Set while somebody waits, or is about to.
const WAITS: usize = 1 << (usize::BITS - 1);

#[derive(Debug, Default)]
struct Queue {
    /// By priority, 0 first, and then by turn.
    waiting: BTreeMap<(u8, u64), Sender>,
    turn: u64,
    /// How many may be at work, as it was when somebody came last and could not be let in at once.
    bound: usize,
}

type Sender = oneshot::Sender<Result<Place, Full>>;

/// A place among those that are worked on; given to the next when it is dropped, unless there are fewer places by then.
#[derive(Debug)]
pub struct Place {
    gate: Gate,
}

/// There was no room, not even to wait.
#[derive(Debug)]
struct Full;

/// One that waits, until it is told or goes away.
#[derive(Debug)]
struct Waiting {
    gate: Gate,
    key: (u8, u64),
    given: oneshot::Receiver<Result<Place, Full>>,
}

enum Asked {
    Place(Place),
    Wait(Waiting),
    Full,
}

impl Gate {
    /// How full it is: requests at work and waiting.
    #[must_use]
    pub fn load(&self) -> (usize, usize) {
        match self.shared.word.load(Ordering::Relaxed) {
            word if word & WAITS == 0 => (word, 0),
            _ => {
                let queue = self.lock();
                (self.working(), queue.waiting.len())
            }
        }
    }

    /// What is at work and waits, in percent of what can be at work.
    pub(crate) fn percent(&self, limits: &Limits) -> usize {
        let (working, waiting) = self.load();
        working.saturating_add(waiting).saturating_mul(100) / limits.requests.max(1)
    }

    fn ask(&self, priority: u8, limits: &Limits) -> Asked {
        let room = |working: usize| working < limits.requests;
        if self.change(|working| room(working).then(|| working + 1)) {
            return Asked::Place(Place { gate: self.clone() });
        }
        let mut queue = self.lock();
        // Who gives a place back from here on comes by the queue.
        self.shared.word.fetch_or(WAITS, Ordering::AcqRel);
        queue.bound = limits.requests;
        // Where there is more room than there was, it is theirs who wait.
        let next = self.next(&mut queue);
        if room(self.working()) {
            self.shared.word.fetch_add(1, Ordering::AcqRel);
            self.leave(&queue);
            drop(queue);
            self.let_in(next);
            return Asked::Place(Place { gate: self.clone() });
        }
        let mut refused = None;
        if queue.waiting.len() >= limits.waiting {
            match queue.waiting.last_entry() {
                Some(last) if last.key().0 > priority => refused = Some(last.remove()),
                _ => {
                    self.leave(&queue);
                    drop(queue);
                    self.let_in(next);
                    return Asked::Full;
                }
            }
        }
        let (sender, given) = oneshot::channel();
        let turn = queue.turn;
        queue.turn = queue.turn.wrapping_add(1);
        let key = (priority, turn);
        queue.waiting.insert(key, sender);
        drop(queue);
        self.let_in(next);
        if let Some(refused) = refused {
            let _ = refused.send(Err(Full));
        }
        Asked::Wait(Waiting { gate: self.clone(), key, given })
    }

    /// Changes how many are at work, where nobody waits and there is something to change.
    fn change(&self, to: impl Fn(usize) -> Option<usize>) -> bool {
        let word = &self.shared.word;
        let changed = word.fetch_update(Ordering::AcqRel, Ordering::Relaxed, |word| {
            if word & WAITS == 0 { to(word) } else { None }
        });
        changed.is_ok()
    }

    fn working(&self) -> usize {
        self.shared.word.load(Ordering::Relaxed) & !WAITS
    }

    /// Those of the queue for whom there is room, counted as at work; to be let in when it is left.
    fn next(&self, queue: &mut Queue) -> SmallVec<[Sender; 1]> {
        let mut next = SmallVec::new();
        while self.working() < queue.bound
            && let Some((_, first)) = queue.waiting.pop_first()
        {
            self.shared.word.fetch_add(1, Ordering::AcqRel);
            next.push(first);
        }
        next
    }

    fn let_in(&self, next: SmallVec<[Sender; 1]>) {
        for it in next {
            // Who goes away just now drops the place it was sent, which comes back to the queue.
            let _ = it.send(Ok(Place { gate: self.clone() }));
        }
    }

    /// Leaves the queue: where it is empty, nobody waits.
    fn leave(&self, queue: &Queue) {
        if queue.waiting.is_empty() {
            self.shared.word.fetch_and(!WAITS, Ordering::AcqRel);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.shared.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Waiting {
    /// Who goes away is in nobody's way from then on, so that a queue that is full need never be searched.
    fn drop(&mut self) {
        let mut queue = self.gate.lock();
        let gone = queue.waiting.remove(&self.key);
        self.gate.leave(&queue);
        drop(queue);
        drop(gone);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.gate.change(|working| working.checked_sub(1)) {
            return;
        }
        let mut queue = self.gate.lock();
        self.gate.shared.word.fetch_sub(1, Ordering::AcqRel);
        let next = self.gate.next(&mut queue);
        self.gate.leave(&queue);
        drop(queue);
        self.gate.let_in(next);
    }
}

/// Puts [`Overload`] around a service.
#[derive(Clone, Copy, Debug)]
pub struct OverloadLayer;

/// Lets so many calls into the service at a time.
#[derive(Clone, Copy, Debug)]
pub struct Overload<S> {
    inner: S,
}

impl<S> Layer<S> for OverloadLayer {
    type Service = Overload<S>;

    fn layer(&self, inner: S) -> Overload<S> {
        Overload { inner }
    }
}

impl<S> Service<Box<Call>> for Overload<S>
where
    S: Serve + Clone + Send + 'static,
    S::Future: Send + Unpin,
{
    type Response = Box<Call>;
    type Error = Infallible;
    type Future = Way<Admitted<S::Future>>;

    fn poll_ready(&mut self, _: &mut Task<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, call: Box<Call>) -> Self::Future {
        match call.parts().gate.ask(call.context.priority, &call.prepared().settings.limits) {
            Asked::Place(place) => Way::On(Admitted { inner: self.inner.call(call), place: Some(place) }),
            Asked::Wait(mut waiting) => {
                let (mut inner, mut call) = (self.inner.clone(), call);
                Way::Round(Box::pin(async move {
                    let waited = timeout_at(call.context.deadline.at, &mut waiting.given).await;
                    drop(waiting);
                    let Ok(Ok(Ok(place))) = waited else {
                        let late = waited.is_err() && call.context.deadline.asked;
                        return Ok(call.with(Err(if late { deadline::late() } else { full() })));
                    };
                    call.begun = Instant::now();
                    let call = inner.call(call).await;
                    drop(place);
                    call
                }))
            }
            Asked::Full => Way::ended(call, full()),
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
    F: Future<Output = Back> + Unpin,
{
    type Output = Back;

    fn poll(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Back> {
        let call = ready!(Pin::new(&mut self.inner).poll(task));
        self.place = None;
        Poll::Ready(call)
    }
}

fn full() -> Failure {
    Problem::new(Cause::NfCongestion).detail("the SCP has more requests than it can do").retry_after(1).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(asked: Asked) -> Waiting {
        match asked {
            Asked::Wait(waiting) => waiting,
            Asked::Place(_) | Asked::Full => panic!("it should wait"),
        }
    }

    /// What came of it, where something did.
    fn outcome(of: &mut Waiting) -> Option<Result<Place, Full>> {
        of.given.try_recv().ok()
    }

    #[test]
    fn the_most_important_are_let_in_first_and_the_least_important_refused() {
        let gate = Gate::default();
        let limits = Limits { requests: 1, waiting: 2, ..Limits::default() };
        let Asked::Place(first) = gate.ask(24, &limits) else { panic!("there is room") };
        let mut low = wait(gate.ask(30, &limits));
        let mut middle = wait(gate.ask(10, &limits));
        let mut high = wait(gate.ask(0, &limits));
        assert!(matches!(outcome(&mut low), Some(Err(Full))));
        assert!(matches!(gate.ask(31, &limits), Asked::Full));
        drop(first);
        let second = outcome(&mut high).unwrap().unwrap();
        assert!(outcome(&mut middle).is_none());
        drop(second);
        drop(outcome(&mut middle).unwrap().unwrap());
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
        drop(outcome(&mut waiting).unwrap().unwrap());
        assert_eq!(gate.load(), (0, 0));
    }

    #[test]
    fn f6_a_lower_bound_holds_as_soon_as_places_are_given_back() {
        let gate = Gate::default();
        let bound = |requests| Limits { requests, waiting: 10, ..Limits::default() };
        let [Asked::Place(first), Asked::Place(second)] = [(); 2].map(|()| gate.ask(24, &bound(2))) else {
            panic!("there is room")
        };
        let [mut third, mut fourth] = [(); 2].map(|()| wait(gate.ask(24, &bound(2))));
        let mut last = wait(gate.ask(31, &bound(1)));
        drop(first);
        assert!(outcome(&mut third).is_none());
        assert_eq!(gate.load(), (1, 3));
        drop(second);
        let third = outcome(&mut third).unwrap().unwrap();
        assert!(outcome(&mut fourth).is_none());
        drop(third);
        drop(outcome(&mut fourth).unwrap().unwrap());
        drop(outcome(&mut last).unwrap().unwrap());
        assert_eq!(gate.load(), (0, 0));
    }

    #[test]
    fn f6_places_of_a_higher_bound_are_theirs_first_who_wait() {
        let gate = Gate::default();
        let bound = |requests| Limits { requests, waiting: 10, ..Limits::default() };
        let Asked::Place(first) = gate.ask(24, &bound(1)) else { panic!("there is room") };
        let (mut low, mut high) = (wait(gate.ask(20, &bound(1))), wait(gate.ask(0, &bound(1))));
        let mut late = wait(gate.ask(31, &bound(2)));
        let high = outcome(&mut high).unwrap().unwrap();
        assert!(outcome(&mut low).is_none());
        let Asked::Place(latest) = gate.ask(31, &bound(5)) else { panic!("there is room for all") };
        let others = [outcome(&mut low).unwrap().unwrap(), outcome(&mut late).unwrap().unwrap()];
        assert_eq!(gate.load(), (5, 0));
        drop((first, high, latest, others));
        assert_eq!(gate.load(), (0, 0));
    }

    /// Places come and go on several threads, some of whom wait: never more are at work than may be, and nobody is left behind.
    #[test]
    fn f6_threads_share_places_and_leave_nobody_waiting() {
        const MOST: usize = 3;
        let limits = Limits { requests: MOST, waiting: 1_000, ..Limits::default() };
        let (gate, working) = (Gate::default(), AtomicUsize::new(0));
        std::thread::scope(|threads| {
            for thread in 0..8_u8 {
                let (gate, limits, working) = (&gate, &limits, &working);
                threads.spawn(move || {
                    for turn in 0..5_000_u16 {
                        let place = match gate.ask(thread, limits) {
                            Asked::Place(place) => place,
                            // Some go away again.
                            Asked::Wait(_) if turn % 7 == 0 => continue,
                            Asked::Wait(mut waiting) => loop {
                                match outcome(&mut waiting) {
                                    Some(place) => break place.unwrap(),
                                    None => std::thread::yield_now(),
                                }
                            },
                            Asked::Full => panic!("there is room to wait"),
                        };
                        assert!(working.fetch_add(1, Ordering::SeqCst) < MOST);
                        if turn % 3 == 0 {
                            std::thread::yield_now();
                        }
                        working.fetch_sub(1, Ordering::SeqCst);
                        drop(place);
                    }
                });
            }
        });
        assert_eq!(gate.load(), (0, 0));
    }

    /// As the gate should be, in the plainest words: who works, and who waits in the order in which they came.
    #[derive(Default)]
    struct Model {
        bound: usize,
        working: usize,
        waiting: Vec<(u8, usize)>,
    }

    impl Model {
        /// Who is let in of those who wait, where there is room.
        fn next(&mut self) -> Option<usize> {
            if self.working >= self.bound {
                return None;
            }
            let first = self.waiting.iter().min().copied()?;
            self.waiting.retain(|it| *it != first);
            self.working += 1;
            Some(first.1)
        }
    }

    #[test]
    fn f6_whatever_comes_and_goes_is_let_in_and_refused_as_in_a_simple_model() {
        bolero::check!().with_type::<Vec<(u8, u8)>>().for_each(|steps: &Vec<(u8, u8)>| {
            let mut limits = Limits { requests: 2, waiting: 3, ..Limits::default() };
            let (gate, mut model) = (Gate::default(), Model::default());
            let (mut places, mut waiting) = (Vec::new(), std::collections::BTreeMap::new());
            for (number, (does, which)) in steps.iter().enumerate() {
                match does % 5 {
                    // One comes.
                    0 | 1 => {
                        let priority = which % 32;
                        let asked = gate.ask(priority, &limits);
                        model.bound = limits.requests;
                        while let Some(next) = model.next() {
                            let place = outcome(&mut waiting.remove(&next).unwrap());
                            places.push(place.unwrap().unwrap());
                        }
                        if model.working < limits.requests {
                            model.working += 1;
                            let Asked::Place(place) = asked else { panic!("there is room") };
                            places.push(place);
                            continue;
                        }
                        if model.waiting.len() >= limits.waiting {
                            let last = *model.waiting.iter().max().unwrap();
                            if last.0 <= priority {
                                assert!(matches!(asked, Asked::Full));
                                continue;
                            }
                            model.waiting.retain(|it| *it != last);
                            assert!(matches!(outcome(&mut waiting.remove(&last.1).unwrap()), Some(Err(Full))));
                        }
                        model.waiting.push((priority, number));
                        waiting.insert(number, wait(asked));
                    }
                    // One is done.
                    2 if !places.is_empty() => {
                        drop(places.swap_remove(usize::from(*which) % places.len()));
                        model.working -= 1;
                        if let Some(next) = model.next() {
                            let place = outcome(&mut waiting.remove(&next).unwrap());
                            places.push(place.unwrap().unwrap());
                        }
                    }
                    // One who waits goes away.
                    3 if !model.waiting.is_empty() => {
                        let gone = model.waiting.swap_remove(usize::from(*which) % model.waiting.len());
                        waiting.remove(&gone.1);
                    }
                    // There may be more or fewer at work from now on.
                    4 => limits.requests = usize::from(which % 4) + 1,
                    _ => {}
                }
                assert_eq!(gate.load(), (model.working, model.waiting.len()));
            }
        });
    }
}
