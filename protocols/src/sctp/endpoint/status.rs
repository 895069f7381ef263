//! What can be asked about an endpoint and its associations.

use alloc::vec::Vec;
use core::net::IpAddr;
use core::time::Duration;

use super::Endpoint;
use super::message::AssociationId;
use super::path::Reach;

/// What was not worth an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Packets that are not SCTP, or have a wrong checksum or impossible ends.
    pub malformed: u64,
    /// Packets of no association (RFC 9260 8.4).
    pub out_of_the_blue: u64,
    /// Packets with a wrong verification tag (RFC 9260 8.5).
    pub wrong_tag: u64,
    /// Cookies that this endpoint did not make, or that fit nothing there is.
    pub bad_cookies: u64,
    /// Cookies that came too late.
    pub stale_cookies: u64,
}

/// What is known of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PathStatus {
    /// Own address that is used.
    pub local: IpAddr,
    /// The peer's address.
    pub remote: IpAddr,
    /// Whether it is the primary path.
    pub primary: bool,
    /// How it answers.
    pub reach: Reach,
    /// Whether the peer has shown that it is there (RFC 9260 5.4).
    pub confirmed: bool,
    /// Smoothed round-trip time, once measured.
    pub round_trip: Option<Duration>,
    /// Retransmission timeout.
    pub rto: Duration,
    /// Congestion window, bytes.
    pub window: u32,
    /// Bytes outstanding.
    pub outstanding: u32,
    /// Largest IP packet, bytes.
    pub mtu: u16,
}

impl Endpoint {
    /// The paths of an association.
    pub fn paths(&self, id: AssociationId) -> Vec<PathStatus> {
        let Some(slot) = self.slots.get(id) else { return Vec::new() };
        let primary = usize::from(slot.association.primary);
        let paths = slot.association.paths.iter().enumerate();
        paths
            .map(|(index, path)| PathStatus {
                local: path.local,
                remote: path.remote,
                primary: index == primary,
                reach: path.reach,
                confirmed: path.confirmed,
                round_trip: path.rtt.map(|(srtt, _)| Duration::from_micros(srtt.into())),
                rto: path.rto,
                window: path.cwnd,
                outstanding: path.flight,
                mtu: path.mtu,
            })
            .collect()
    }

    /// Bytes that wait to be acknowledged, with what keeping them costs.
    pub fn buffered(&self, id: AssociationId) -> u32 {
        self.slots.get(id).map_or(0, |slot| slot.association.outbound.buffered)
    }

    /// Both ports and both verification tags: the own ones first.
    pub fn identity(&self, id: AssociationId) -> Option<((u16, u32), (u16, u32))> {
        let association = &self.slots.get(id)?.association;
        Some(((association.local_port, association.local_tag), (association.remote_port, association.peer_tag)))
    }

    /// Associations that there are.
    pub fn associations(&self) -> impl Iterator<Item = AssociationId> + '_ {
        self.slots.ids()
    }

    /// What was not worth an event.
    pub fn counters(&self) -> Counters {
        self.counters
    }
}
