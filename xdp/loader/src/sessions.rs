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

#[cfg(test)]
mod tests {
    use pinion_steering::{Address, Target, protocol};

    use super::*;
    use crate::Bounds;
    use crate::user::UserEngine;

    #[test]
    fn flows_that_came_without_counts_are_counted_once_a_session() {
        let mut engine = UserEngine::new(Bounds { flows: 100, targets: 8, ..Bounds::default() });
        let own = |last| Address::v4([192, 0, 2, last]);
        let target = Target { address: own(2), port: 80, paths: 1, up: 1, owner: 4, flags: 0, reserved: 0 };
        engine.put_target(5, &target).unwrap();
        for port in 1..=5 {
            let flow = Flow { target: 5, ..Flow::default() };
            let forward = FlowKey::tuple(own(1), 80, own(9), port, protocol::UDP);
            let reply = FlowKey::tuple(own(9), port, own(2), 80, protocol::UDP);
            engine.put_flow(&forward, &flow).unwrap();
            engine.put_flow(&reply, &Flow { reply: 1, ..flow }).unwrap();
        }
        count_all(&mut engine, 3).unwrap();
        assert_eq!((engine.sessions(4).unwrap(), engine.sessions(5).unwrap()), (5, 0));
    }
}
