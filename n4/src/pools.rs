//! Pools of users' addresses that UPFs have (TS 29.244 5.21.3.2, 7.4.4.1.1), told for several UPFs as one.

use pinion_protocols::pfcp::{ElementType, Error, Message, MessageWriter};
use serde::{Deserialize, Serialize};

/// Pools that are for the same users.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pool {
    /// What they are for: network instance, slices, version of the addresses; elements, each of a type once or more.
    of: Vec<(u16, Box<[u8]>)>,
    /// Their identities.
    names: Vec<Box<[u8]>>,
}

/// More pools, and more names of one, are not kept.
const MOST: usize = 64;

/// What a message tells of; none where it tells of none.
pub(crate) fn of(message: &Message<'_>) -> Result<Option<Vec<Pool>>, Error> {
    let mut pools = None;
    for element in message.elements() {
        let element = element?;
        let children = element.group()?.filter(|_| element.kind() == ElementType::UeIpAddressPoolInformation);
        let Some(children) = children else { continue };
        let mut pool = Pool { of: Vec::new(), names: Vec::new() };
        for child in children {
            let child = child?;
            match child.kind() {
                ElementType::UeIpAddressPoolIdentity => pool.names.push(child.value().into()),
                kind => pool.of.push((kind.into(), child.value().into())),
            }
        }
        pool.of.sort_unstable();
        add(pools.get_or_insert_default(), &pool);
    }
    Ok(pools)
}

/// What several UPFs have: where two have the same for the same users it is told once.
pub(crate) fn of_all<'a>(upfs: impl Iterator<Item = &'a [Pool]>) -> Vec<Pool> {
    let mut all = Vec::new();
    upfs.flatten().for_each(|pool| add(&mut all, pool));
    // Whichever UPF came first.
    all.sort_unstable_by(|one, other| one.of.cmp(&other.of));
    all.iter_mut().for_each(|pool| pool.names.sort_unstable());
    all
}

fn add(pools: &mut Vec<Pool>, new: &Pool) {
    let Some(known) = pools.iter_mut().find(|pool| pool.of == new.of) else {
        if pools.len() < MOST {
            pools.push(new.clone());
        }
        return;
    };
    for name in &new.names {
        if known.names.len() < MOST && !known.names.contains(name) {
            known.names.push(name.clone());
        }
    }
}

/// Whether one of them has a name.
pub(crate) fn has(pools: &[Pool], name: &[u8]) -> bool {
    pools.iter().any(|pool| pool.names.iter().any(|known| **known == *name))
}

/// Tells of pools.
pub(crate) fn write(pools: &[Pool], writer: &mut MessageWriter<'_>) {
    for pool in pools {
        writer.nested(ElementType::UeIpAddressPoolInformation, |writer| {
            for name in &pool.names {
                writer.element(ElementType::UeIpAddressPoolIdentity, |out| out.extend_from_slice(name));
            }
            for (kind, value) in &pool.of {
                writer.element(ElementType::from(*kind), |out| out.extend_from_slice(value));
            }
        });
    }
}
