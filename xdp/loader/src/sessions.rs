//! Sessions that user space begins and ends: pins and their counts together.
//!
//! XDP counts the sessions that it places. What user space puts there or takes away, it counts itself, in a table of
//! its own; how many sessions an endpoint has is the difference.

use pinion_steering::{Flow, FlowKey};

use crate::{LoadError, Maps};

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

/// Counts sessions of a flow's endpoint that ended.
fn count(maps: &mut dyn Maps, key: &FlowKey, flow: &Flow, ended: i32) -> Result<(), LoadError> {
    if !key.is_session(flow) {
        return Ok(());
    }
    let endpoint = maps.read_target(flow.target)?.owner;
    maps.end_sessions(endpoint, ended)
}
