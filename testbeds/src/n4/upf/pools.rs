//! What an UPF gives to its sessions: TEIDs and user addresses.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::net::Ipv4Addr;

use super::{Bearer, Tunnel};

/// TEIDs and user addresses, and which session has each.
#[derive(Debug)]
pub(super) struct Pools {
    n3: Ipv4Addr,
    teids: (u32, u32),
    next_teid: u32,
    pool: Option<(Ipv4Addr, u32)>,
    next_ue: u32,
    tunnels: HashMap<u32, u64>,
    ues: BTreeMap<Ipv4Addr, u64>,
}

impl Pools {
    pub(super) fn new(n3: Ipv4Addr, teids: (u32, u32), pool: Option<(Ipv4Addr, u32)>) -> Self {
        Self { n3, teids, next_teid: teids.0, pool, next_ue: 0, tunnels: HashMap::new(), ues: BTreeMap::new() }
    }

    /// Begins anew: a restart gives the same again.
    pub(super) fn clear(&mut self) {
        *self = Self::new(self.n3, self.teids, self.pool);
    }

    pub(super) fn of_teid(&self, teid: u32) -> Option<u64> {
        self.tunnels.get(&teid).copied()
    }

    pub(super) fn of_ue(&self, ue: Ipv4Addr) -> Option<u64> {
        self.ues.get(&ue).copied()
    }

    /// Chooses a tunnel for a session; none where all that its steps come to are given.
    pub(super) fn choose_tunnel(&mut self, session: u64) -> Option<Tunnel> {
        // 0 is no tunnel's (TS 29.281 5.1); of the rest, only as many are given as there are tunnels.
        for _ in 0..self.tunnels.len() + 2 {
            let teid = self.next_teid;
            self.next_teid = teid.wrapping_add(self.teids.1);
            if teid != 0
                && let Entry::Vacant(entry) = self.tunnels.entry(teid)
            {
                entry.insert(session);
                return Some(Tunnel { teid, address: self.n3 });
            }
        }
        None
    }

    /// Gives a session a tunnel that somebody else chose; says whether it could.
    pub(super) fn take_tunnel(&mut self, tunnel: Tunnel, session: u64) -> bool {
        tunnel.teid != 0 && *self.tunnels.entry(tunnel.teid).or_insert(session) == session
    }

    /// Chooses a user's address; none where all are given.
    pub(super) fn choose_ue(&mut self, session: u64) -> Option<Ipv4Addr> {
        let (first, count) = self.pool?;
        for _ in 0..count {
            let address = Ipv4Addr::from(u32::from(first).wrapping_add(self.next_ue));
            self.next_ue = self.next_ue.wrapping_add(1).checked_rem(count).unwrap_or(0);
            if *self.ues.entry(address).or_insert(session) == session {
                return Some(address);
            }
        }
        None
    }

    /// Gives a session the address that the SMF chose. The later of two sessions gets the packets.
    pub(super) fn take_ue(&mut self, ue: Ipv4Addr, session: u64) {
        self.ues.insert(ue, session);
    }

    /// Takes back what a session has.
    pub(super) fn release(&mut self, bearer: &Bearer) {
        for pdr in bearer.pdrs.values() {
            if let Some(tunnel) = pdr.tunnel
                && self.of_teid(tunnel.teid) == Some(bearer.seid)
            {
                self.tunnels.remove(&tunnel.teid);
            }
        }
        if let Some(ue) = bearer.ue
            && self.of_ue(ue) == Some(bearer.seid)
        {
            self.ues.remove(&ue);
        }
    }

    /// Takes back all that a session was given, whether its rules name it or not.
    pub(super) fn forget(&mut self, session: u64) {
        self.tunnels.retain(|_, owner| *owner != session);
        self.ues.retain(|_, owner| *owner != session);
    }

    /// Gives a session again what it has.
    pub(super) fn keep(&mut self, bearer: &Bearer) {
        for tunnel in bearer.pdrs.values().filter_map(|pdr| pdr.tunnel) {
            self.tunnels.insert(tunnel.teid, bearer.seid);
        }
        if let Some(ue) = bearer.ue {
            self.ues.entry(ue).or_insert(bearer.seid);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn teids_run_out_where_their_steps_come_back() {
        let mut pools = Pools::new([198, 51, 100, 9].into(), (0, 1 << 30), Some(([10, 0, 0, 1].into(), 2)));
        let teids = [1, 2, 3, 4].map(|session| pools.choose_tunnel(session).map(|tunnel| tunnel.teid));
        assert_eq!(teids, [Some(1 << 30), Some(2 << 30), Some(3 << 30), None]);
        let last = |ue: Option<Ipv4Addr>| ue.map(|ue| ue.octets()[3]);
        assert_eq!([1, 2, 3].map(|session| last(pools.choose_ue(session))), [Some(1), Some(2), None]);
    }
}
