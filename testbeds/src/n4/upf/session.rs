//! A session, as an UPF knows it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};

use pinion_protocols::pfcp::FSeid;

use super::{Far, Pdr, Tunnel};

/// A session with its rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bearer {
    /// The UPF's SEID.
    pub seid: u64,
    /// Node ID of the SMF that established it.
    pub node: Ipv4Addr,
    /// The SMF's end of it.
    pub cp: FSeid,
    /// Where reports go.
    pub smf: SocketAddr,
    /// Packet detection rules.
    pub pdrs: BTreeMap<u16, Pdr>,
    /// Tunnels of traffic endpoints.
    pub endpoints: BTreeMap<u8, Tunnel>,
    /// Forwarding action rules.
    pub fars: BTreeMap<u32, Far>,
    /// QoS enforcement rules.
    pub qers: BTreeSet<u32>,
    /// Usage reporting rules, and how many reports of each were made.
    pub urrs: BTreeMap<u32, u32>,
    /// QoS flow of packets to the user.
    pub qfi: Option<u8>,
    /// The user's address.
    pub ue: Option<Ipv4Addr>,
    /// Packets and octets from the user.
    pub uplink: (u64, u64),
    /// Packets and octets to the user.
    pub downlink: (u64, u64),
    /// Packets to the user that were held or dropped.
    pub held: u64,
    /// Whether the SMF was told that packets are held.
    pub notified: bool,
}

impl Bearer {
    pub(super) fn new(seid: u64, node: Ipv4Addr, cp: FSeid, smf: SocketAddr) -> Self {
        Self {
            seid,
            node,
            cp,
            smf,
            pdrs: BTreeMap::new(),
            endpoints: BTreeMap::new(),
            fars: BTreeMap::new(),
            qers: BTreeSet::new(),
            urrs: BTreeMap::new(),
            qfi: None,
            ue: None,
            uplink: (0, 0),
            downlink: (0, 0),
            held: 0,
            notified: false,
        }
    }

    /// The end of its uplink.
    #[must_use]
    pub fn tunnel(&self) -> Option<Tunnel> {
        self.pdrs.values().find_map(|pdr| pdr.tunnel)
    }

    /// What becomes of packets to the user, and the rule that finds them.
    #[must_use]
    pub fn towards_user(&self) -> Option<(u16, Far)> {
        let rules = self.pdrs.iter().filter(|(_, pdr)| !pdr.access);
        let (number, pdr) = rules.min_by_key(|(_, pdr)| pdr.precedence)?;
        Some((*number, *self.fars.get(&pdr.far)?))
    }
}
