//! Which gNBs are served.

use std::net::IpAddr;

use pinion_protocols::addresses::is_within;
use pinion_protocols::ngap::value::{Cause, GlobalRanNodeId, SupportedTaList};

/// Which gNBs are served: those that fit all that is given; what is empty fits all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Admission {
    /// Global RAN Node IDs.
    pub nodes: Vec<GlobalRanNodeId>,
    /// PLMN identities, digits in half octets, of which a gNB broadcasts one at least.
    pub plmns: Vec<[u8; 3]>,
    /// Tracking area codes, of which it supports one at least, for such a PLMN.
    pub tacs: Vec<[u8; 3]>,
    /// Prefixes, address and length, of which each address of an association has one.
    pub prefixes: Vec<(IpAddr, u8)>,
}

impl Admission {
    /// Whether there may be an association with somebody who has these addresses.
    pub(crate) fn fits(&self, addresses: &[IpAddr]) -> bool {
        let known =
            |address: &IpAddr| self.prefixes.iter().any(|(prefix, length)| is_within(*address, *prefix, *length));
        self.prefixes.is_empty() || (!addresses.is_empty() && addresses.iter().all(known))
    }

    /// Why a gNB is not served; `None`: it is. `areas`: what it supports, where it says so.
    pub(crate) fn refusal(&self, node: &GlobalRanNodeId, areas: Option<&SupportedTaList>) -> Option<Cause> {
        let fits_all = self.plmns.is_empty() && self.tacs.is_empty();
        let fits = |areas: &SupportedTaList| {
            areas.0.iter().any(|area| {
                let tac = self.tacs.is_empty() || self.tacs.contains(&area.tac);
                tac && (self.plmns.is_empty() || area.plmns.0.iter().any(|it| self.plmns.contains(&it.plmn.0)))
            })
        };
        if !self.nodes.is_empty() && !self.nodes.contains(node) {
            Some(Cause::UNSPECIFIED)
        } else if fits_all || areas.is_some_and(fits) {
            None
        } else {
            // TS 38.413 8.7.1.4: none of the PLMNs is that of an AMF.
            Some(Cause::UNKNOWN_PLMN)
        }
    }
}
