//! Sessions that user space begins and ends: pins and their counts together.
//!
//! XDP counts the sessions that it places. What user space puts there or takes away, it counts itself, in a table of
//! its own; how many sessions an endpoint has is the difference.

use std::collections::HashMap;

use pinion_steering::{Flow, FlowKey};

use crate::{Cursor, LoadError, Maps};

/// Puts a flow there as it was kept elsewhere; where there is one by now, that one stays. Whether it was put.
///
/// # Errors
/// [`LoadError::Map`] or [`LoadError::Bound`] where it does not fit.
pub fn restore(maps: &mut dyn Maps, key: &FlowKey, flow: &Flow) -> Result<bool, LoadError> {
    if maps.read_flow(key)?.is_some() {
        return Ok(false);
    }
    maps.put_flow(key, flow)?;
    count(maps, key, flow, -1)?;
    Ok(true)
}

/// Takes a flow away. Whether it was there.
///
/// # Errors
/// [`LoadError::Map`] where the kernel refuses.
pub fn forget(maps: &mut dyn Maps, key: &FlowKey, flow: &Flow) -> Result<bool, LoadError> {
    let gone = maps.remove_flow(key)?;
    if gone {
        count(maps, key, flow, 1)?;
    }
    Ok(gone)
}

/// Counts every flow as a session of its endpoint, reading `most` at once: for flows that came with counts at zero.
pub(crate) fn count_all(maps: &mut dyn Maps, most: usize) -> Result<(), LoadError> {
    let mut by_target: HashMap<u32, i32> = HashMap::new();
    let mut from = Some(Cursor::default());
    while let Some(at) = from {
        let page = maps.flows_page(at, most)?;
        for (_, flow) in page.entries.iter().filter(|(key, flow)| key.is_session(flow)) {
            let count = by_target.entry(flow.target).or_default();
            *count = count.saturating_add(1);
        }
        from = page.next;
    }
    for (target, count) in by_target {
        let owner = maps.read_target(target)?.owner;
        maps.end_sessions(owner, -count)?;
    }
    Ok(())
}

/// Counts sessions of a flow's endpoint that ended.
fn count(maps: &mut dyn Maps, key: &FlowKey, flow: &Flow, ended: i32) -> Result<(), LoadError> {
    if !key.is_session(flow) {
        return Ok(());
    }
    let endpoint = maps.read_target(flow.target)?.owner;
    maps.end_sessions(endpoint, ended)
}
