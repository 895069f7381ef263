//! Loops: a request that this SCP forwarded already, and how many SCPs one may pass (TS 29.500 6.10.10).

use http::header::{self, Entry};
use http::{HeaderMap, HeaderValue};
use pinion_protocols::sbi::{MaxForwardHops, NodeType, Value as _};

use crate::call::Call;
use crate::cause::Cause;
use crate::context::Context;
use crate::failure::Failure;
use crate::names;
use crate::problem::Problem;

/// Refuses what came round, and what passed as many SCPs as it may.
///
/// # Errors
/// `MSG_LOOP_DETECTED`, `MAX_SCP_HOPS_REACHED`.
pub fn check(call: &mut Call) -> Result<(), Failure> {
    let context = &call.context;
    if context.looped {
        return Err(Problem::new(Cause::MsgLoopDetected).detail("this SCP forwarded the request already").into());
    }
    if context.hops == Some(0) {
        return Err(Problem::new(Cause::MaxScpHopsReached)
            .detail("the request passed as many SCPs as it may")
            .into());
    }
    Ok(())
}

/// Leaves this SCP's mark in what the next hop is sent.
pub(crate) fn mark(headers: &mut HeaderMap, context: &Context) {
    let prepared = &context.origin.prepared;
    headers.append(header::VIA, prepared.tag.clone());
    let left = context.hops.map_or(prepared.settings.forward_hops, |hops| Some(hops.saturating_sub(1)));
    if let Some(left) = left
        && let Ok(value) = HeaderValue::try_from(format!("{left}; nodetype=scp"))
    {
        match headers.entry(names::MAX_FORWARD_HOPS) {
            Entry::Vacant(entry) => {
                entry.insert(value);
            }
            Entry::Occupied(mut entry) => {
                let others: Vec<_> = entry.iter().filter(|it| is_of_others(it)).cloned().collect();
                entry.insert(value);
                others.into_iter().for_each(|it| entry.append(it));
            }
        }
    }
}

/// Whether it is what is left to nodes of another type, which they count.
fn is_of_others(hops: &HeaderValue) -> bool {
    MaxForwardHops::parse(hops.as_bytes()).is_ok_and(|it| it.node_type != NodeType::Scp)
}
