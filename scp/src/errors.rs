//! The outermost layer: a failure becomes an answer of this SCP, an error of another is relayed as such (TS 29.500 6.10.8).

use http::{HeaderValue, header};

use crate::body::BodyError;
use crate::call::{Call, Reply};
use crate::cause::Cause;
use crate::failure::{Failure, Fault, Upstream};
use crate::prepared::Prepared;
use crate::problem::Problem;
use crate::{advice, names, peers, redirection};

/// Answers whatever failed inside.
pub fn answer(call: &mut Call) {
    let Call { answer, context, target, .. } = call;
    let prepared = &context.origin.prepared;
    if let Ok(reply) = answer {
        if reply.status().is_client_error() || reply.status().is_server_error() {
            reply.headers_mut().append(header::VIA, prepared.tag.clone());
        }
    } else if let Err(failure) = std::mem::replace(answer, Err(Failure::Exhausted)) {
        let mut reply = own(failure, prepared);
        peers::own(reply.headers_mut(), context);
        (*answer, *target) = (Ok(reply), None);
    }
}

/// The answer to a call that failed.
#[must_use]
pub fn own(failure: Failure, prepared: &Prepared) -> Reply {
    let mut producer = None;
    let mut problem = match failure {
        Failure::Redirected(redirected) => return redirection::reply(&redirected, &prepared.tag),
        Failure::Problem(problem) => *problem,
        Failure::Upstream(upstream) => {
            let problem = of_upstream(&upstream);
            producer = upstream.producer;
            problem
        }
        Failure::Exhausted => {
            Problem::new(Cause::TargetNfNotReachable).detail("nobody who could answer is reachable")
        }
    };
    let statuses = &prepared.settings.statuses;
    problem.status = problem.status.or(match problem.cause {
        Cause::MsgLoopDetected => Some(statuses.looped),
        Cause::MaxScpHopsReached => Some(statuses.hops),
        _ => None,
    });
    let server: &HeaderValue = &prepared.tag;
    let mut reply = problem.reply(server);
    reply.extensions_mut().insert(problem.cause);
    if prepared.settings.retries.final_answers
        && matches!(reply.status().as_u16(), 429 | 503 | 504)
        && let Some(info) = advice::no_retry(producer.as_deref())
    {
        reply.headers_mut().insert(names::RESPONSE_INFO, info);
    }
    reply
}

fn of_upstream(upstream: &Upstream) -> Problem {
    let cause = match &upstream.fault {
        Fault::Overloaded(seconds) => {
            return Problem::new(Cause::NfCongestion).detail(upstream.to_string()).retry_after(*seconds);
        }
        Fault::Content(BodyError::TooLong(_)) => Cause::PayloadTooLarge,
        Fault::Own => Cause::MsgLoopDetected,
        Fault::Content(_) | Fault::Unsendable(_) => Cause::InvalidMsgFormat,
        _ => Cause::TargetNfNotReachable,
    };
    Problem::new(cause).detail(upstream.to_string())
}
