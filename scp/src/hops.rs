//! Loops: a request that this SCP forwarded already, and how many SCPs one may pass (TS 29.500 6.10.10).

use http::HeaderValue;
use http::header::{self, Entry};
use pinion_protocols::sbi::{MaxForwardHops, NodeType, Value as _};

use crate::call::Call;
use crate::cause::Cause;
use crate::failure::Failure;
use crate::names;
use crate::problem::Problem;

/// Refuses what came round, and leaves this SCP's mark.
///
/// # Errors
/// `MSG_LOOP_DETECTED`, `MAX_SCP_HOPS_REACHED`.
pub fn check(call: &mut Call) -> Result<(), Failure> {
    let context = &call.context;
    let prepared = &context.arrival.prepared;
    if context.looped {
        return Err(Problem::new(Cause::MsgLoopDetected).detail("this SCP forwarded the request already").into());
    }
    let left = match context.hops {
        Some(hops) => Some(hops.checked_sub(1).ok_or_else(|| {
            Problem::new(Cause::MaxScpHopsReached).detail("the request passed as many SCPs as it may")
        })?),
        None => prepared.settings.forward_hops,
    };
    let tag = prepared.tag.clone();
    let headers = call.request.headers_mut();
    headers.append(header::VIA, tag);
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
    Ok(())
}

/// Whether it is what is left to nodes of another type, which they count.
fn is_of_others(hops: &HeaderValue) -> bool {
    MaxForwardHops::parse(hops.as_bytes()).is_ok_and(|it| it.node_type != NodeType::Scp)
}
