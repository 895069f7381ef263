//! The attempts of a request after its first.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context as Task, Poll};

use http::{Method, Uri};
use tokio::time::Instant;

use super::pays;
use crate::call::{Back, Call, Reply, Serve};
use crate::failure::{Failure, Fault, Upstream};
use crate::producer::{Plan, Step, Target};
use crate::redirect::{self, Elsewhere};
use crate::slow::{Silent, Slow};
use crate::tally::Event;

/// Those who cannot be reached that one request is spent on.
const UNREACHED: usize = 8;

/// What came of waiting.
pub(super) enum Came {
    /// An attempt ended.
    Back(Box<Call>),
    /// One says nothing for as long as it may.
    Slow,
}

/// Attempts after the first, as many as may be. Those that only say nothing are waited for beside the others: the first answer
/// counts, whoever it is of.
pub(super) async fn rest<S>(mut again: Again<S>, mut under_way: Vec<S::Future>, mut came: Came) -> Back
where
    S: Serve,
    S::Future: Unpin,
{
    // What was answered, or went wrong, last.
    let mut outcome: Option<Box<Call>> = None;
    // Attempts that wait in line for a stream, and get none while somebody else is looked for: what may be done once is sent once.
    let mut in_line = Vec::new();
    // Attempts of which it is not known yet whether there is anybody to ask.
    let mut begun = 0;
    loop {
        let nobody = matches!(&came, Came::Back(call) if matches!(call.answer, Err(Failure::Exhausted)));
        let tried = std::mem::take(&mut begun);
        if !nobody {
            again.call.parts().budget.tried(tried);
        }
        let next = match came {
            // Nobody else is left: what was answered, or went wrong, before is what there is to say.
            Came::Back(_) if nobody && !(under_way.is_empty() && in_line.is_empty()) => again.nobody_beside(),
            Came::Back(_) if nobody => again.exhausted(outcome.as_deref()),
            Came::Back(mut call) => {
                redirect::read(&mut call).await;
                let next = match &call.answer {
                    Ok(reply) => {
                        under_way.clear();
                        in_line.clear();
                        again.elsewhere(reply, call.target.as_ref())
                    }
                    Err(Failure::Upstream(failed)) => {
                        if !failed.untouched() {
                            in_line.clear();
                        }
                        // Whoever was asked beside one that was slow is waited for when that one fails at last.
                        let last = under_way.is_empty() || !again.call.tried.contains(&failed.api_root);
                        last.then(|| again.instead(failed, outcome.as_deref())).flatten()
                    }
                    Err(_) => None,
                };
                outcome = Some(call);
                next
            }
            Came::Slow => {
                let slow = again.call.context.slow.take();
                if under_way.len() == 1 && slow.iter().all(|it| it.in_line) {
                    let next = again.rather(slow);
                    if next.is_some() {
                        in_line.append(&mut under_way);
                    }
                    next
                } else {
                    again.beside(slow)
                }
            }
        };
        begun += u64::from(next.is_some());
        under_way.extend(next.map(|next| again.service.call(next)));
        if under_way.is_empty() && Instant::now() < again.call.context.deadline.at {
            under_way.append(&mut in_line);
        }
        if under_way.is_empty() {
            break;
        }
        came = next_of(&mut under_way, &mut in_line, &again.call.context.slow).await;
    }
    Ok(outcome.unwrap_or(again.call))
}

/// The first that ends of those that are under way, or that one of them says nothing. Who was in line is not once another is sent.
async fn next_of<F>(under_way: &mut Vec<F>, in_line: &mut Vec<F>, slow: &Slow) -> Came
where
    F: Future<Output = Back> + Unpin,
{
    poll_fn(|task: &mut Task<'_>| {
        for at in 0..under_way.len() {
            let Some(one) = under_way.get_mut(at) else { break };
            if let Poll::Ready(Ok(call)) = Pin::new(one).poll(task) {
                drop(under_way.swap_remove(at));
                return Poll::Ready(Came::Back(call));
            }
        }
        if !in_line.is_empty() && slow.is_sent() {
            in_line.clear();
        }
        if slow.any() { Poll::Ready(Came::Slow) } else { Poll::Pending }
    })
    .await
}

/// How the next hop failed that was asked before; none where it did not.
fn failure(before: Option<&Call>) -> Option<&Upstream> {
    match &before?.answer {
        Err(Failure::Upstream(failed)) => Some(failed),
        Ok(_) | Err(_) => None,
    }
}

/// Whether another attempt may not do again what was done already (RFC 9110 9.2.2, RFC 9113 8.7).
fn safe(failed: &Upstream, method: &Method) -> bool {
    match failed.fault {
        Fault::Content(_) | Fault::Unsendable(_) | Fault::Busy => false,
        _ => failed.untouched() || method.is_idempotent(),
    }
}

/// Whether another attempt adds nothing to the load: nobody has seen anything of the request. Who refuses a stream has.
fn free(failed: &Upstream) -> bool {
    failed.untouched() && !matches!(failed.fault, Fault::Refused)
}

/// Whether it could not be reached, or was spared: that is no attempt at it, and there is one at somebody else.
fn unreached(failed: &Upstream) -> bool {
    free(failed) && !matches!(failed.fault, Fault::GoAway)
}

/// What is needed for another attempt.
pub(super) struct Again<S> {
    service: S,
    /// What attempts are copies of.
    call: Box<Call>,
    /// Attempts that there were, but for those at somebody who could not be reached.
    attempts: usize,
    /// Those.
    unreached: usize,
    /// Whether the last was taken from the budget.
    paid: bool,
    /// Whether nobody is left who could be asked.
    exhausted: bool,
}

impl<S> Again<S> {
    pub(super) const fn new(service: S, call: Box<Call>) -> Self {
        Self { service, call, attempts: 1, unreached: 0, paid: false, exhausted: false }
    }

    /// The attempt instead of one that failed; none where that is not safe, or not to be had.
    fn instead(&mut self, failed: &Upstream, before: Option<&Call>) -> Option<Box<Call>> {
        if unreached(failed) {
            self.unreached();
        }
        if !self.left() || !safe(failed, self.call.request.method()) || !self.pay(free(failed)) {
            return None;
        }
        // A connection that was being closed, or a stream too many, says nothing against who it was to; and where there is nobody
        // else, another failure may pass. Once.
        let again = failure(before).is_some_and(|before| before.api_root == failed.api_root);
        let passing = match failed.fault {
            Fault::GoAway | Fault::Refused => true,
            Fault::Broken(_) | Fault::Reset(_) => self.alone(),
            _ => false,
        };
        if passing && !again {
            self.call.repeated |= !failed.untouched();
        } else {
            self.call.tried.push(failed.api_root.clone());
        }
        self.attempt()
    }

    /// The attempt beside those that say nothing; none where it might do again what is done already.
    fn beside(&mut self, slow: Vec<Silent>) -> Option<Box<Call>> {
        let may = self.call.request.method().is_idempotent() && self.call.request.body().is_there();
        if !may || !self.is_next(&slow) || !self.pay(false) {
            return None;
        }
        self.call.tried.extend(slow.into_iter().map(|it| it.root));
        self.attempt()
    }

    /// The attempt rather than those that only wait in line: whatever is asked, as nothing was sent.
    fn rather(&mut self, slow: Vec<Silent>) -> Option<Box<Call>> {
        if !self.is_next(&slow) || !self.pay(true) {
            return None;
        }
        self.unreached();
        self.call.tried.extend(slow.into_iter().map(|it| it.root));
        self.attempt()
    }

    /// Whether there may be another attempt because of these: whoever was asked last has its time first.
    fn is_next(&self, slow: &[Silent]) -> bool {
        let last = slow.iter().any(|it| !self.call.tried.contains(&it.root));
        last && !self.exhausted && self.left()
    }

    /// The attempt that an answer leads to; none where the answer is to be had itself.
    fn elsewhere(&mut self, reply: &Reply, answered: Option<&Target>) -> Option<Box<Call>> {
        if !self.left() {
            return None;
        }
        let settings = &self.call.prepared().settings;
        let Elsewhere { target, path } = redirect::elsewhere(reply, answered?, settings)?;
        self.call.prepared().tally.one(Event::RedirectFollowed);
        self.call.plan = Some(Plan::place(target));
        self.call.tried.clear();
        self.call.context.slow.take();
        if let Some(path) = path {
            *self.call.request.uri_mut() = Uri::from(path);
        }
        self.paid = false;
        self.attempt()
    }

    /// There was nobody else to ask beside who says nothing.
    fn nobody_beside(&mut self) -> Option<Box<Call>> {
        self.exhausted = true;
        self.attempts = self.attempts.saturating_sub(1);
        if std::mem::take(&mut self.paid) {
            self.call.parts().budget.refund();
        }
        None
    }

    /// There was nobody else to ask: who only closed a connection once more is asked on another.
    fn exhausted(&mut self, outcome: Option<&Call>) -> Option<Box<Call>> {
        self.nobody_beside();
        let Upstream { api_root, .. } = failure(outcome).filter(|it| matches!(it.fault, Fault::GoAway))?;
        let before = self.call.tried.len();
        self.call.tried.retain(|it| it != api_root);
        let again = self.call.tried.len() < before && self.left();
        again.then(|| self.attempt()).flatten()
    }

    /// Whether there is one place to go, and nobody to look for.
    fn alone(&self) -> bool {
        let steps = self.call.steps();
        steps.len() == 1 && matches!(steps.first(), Some(Step::Place(_)))
    }

    /// Whether there may be another attempt.
    fn left(&self) -> bool {
        let context = &self.call.context;
        let most = context.origin.prepared.settings.retries.attempts;
        self.attempts < most && self.unreached < UNREACHED && Instant::now() < context.deadline.at
    }

    /// The last attempt was at somebody who could not be reached.
    fn unreached(&mut self) {
        self.attempts = self.attempts.saturating_sub(1);
        self.unreached += 1;
    }

    /// Takes an attempt from the budget, where it is not free.
    fn pay(&mut self, free: bool) -> bool {
        self.paid = !free && pays(&self.call);
        free || self.paid
    }

    fn attempt(&mut self) -> Option<Box<Call>> {
        self.attempts += 1;
        self.call.request.body().is_readable().then(|| self.call.again(Instant::now()))
    }
}
