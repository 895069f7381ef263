//! Reads what is looked for in messages, and writes what several of them have.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use pinion_protocols::pfcp::{
    Addresses, Cause, Element, ElementType, Elements, FSeid, FTeid, Message, NodeId, UeAddress,
};

use super::Tunnel;

/// Node of an association: the address that its Node ID says.
pub(super) fn node(message: &Message<'_>) -> Option<Ipv4Addr> {
    match message.routing().ok()?.node? {
        NodeId::Address(IpAddr::V4(address)) => Some(address),
        _ => None,
    }
}

/// The cause of a response.
pub(super) fn cause(message: &Message<'_>) -> Option<Cause> {
    message.routing().ok()?.cause
}

/// The sender's end of the session.
pub(super) fn f_seid(message: &Message<'_>) -> Option<FSeid> {
    message.routing().ok()?.session.map(|(session, _)| session)
}

/// When the sender started.
pub(super) fn recovery(message: &Message<'_>) -> Option<u32> {
    match find(message.elements(), ElementType::RecoveryTimeStamp)? {
        Element::RecoveryTimeStamp(stamp) => Some(stamp),
        _ => None,
    }
}

/// The first element of a type.
pub(super) fn find(elements: Elements<'_>, kind: ElementType) -> Option<Element<'_>> {
    elements.find(kind).ok().flatten()?.parse().ok()
}

/// The elements of the first group of a type.
pub(super) fn group(elements: Elements<'_>, kind: ElementType) -> Option<Elements<'_>> {
    elements.find(kind).ok().flatten()?.group().ok().flatten()
}

/// The elements of each group of a type.
pub(super) fn groups(elements: Elements<'_>, kind: ElementType) -> impl Iterator<Item = Elements<'_>> {
    elements.flatten().filter(move |element| element.kind() == kind).filter_map(|element| element.group().ok()?)
}

/// Where later messages of a session go: its F-SEID's address and the peer's port (TS 29.244 5.6.1, 6.6).
pub(super) fn session_socket(session: &FSeid, from: SocketAddr) -> SocketAddr {
    session.addresses.v4.map_or(from, |address| SocketAddr::new(address.into(), from.port()))
}

/// The sender's own end of a session, at an IPv4 address.
pub(super) fn own(seid: u64, address: Ipv4Addr) -> Element<'static> {
    Element::FSeid(FSeid { seid, addresses: v4(address) })
}

/// The sender's Node ID.
pub(super) fn own_node(address: Ipv4Addr) -> Element<'static> {
    Element::NodeId(NodeId::Address(address.into()))
}

/// The number of the rule or traffic endpoint that a group is about.
pub(super) fn rule(elements: &Elements<'_>, kind: ElementType) -> Option<u32> {
    match find(elements.clone(), kind)? {
        Element::PdrId(number) => Some(number.into()),
        Element::TrafficEndpointId(number) => Some(number.into()),
        Element::FarId(number) | Element::QerId(number) | Element::UrrId(number) => Some(number),
        _ => None,
    }
}

/// An IPv4 address alone.
pub(super) fn v4(address: Ipv4Addr) -> Addresses {
    IpAddr::V4(address).into()
}

/// A user's address, as the source or the destination of packets; where there is none, the UPF is to choose one.
pub(super) fn user(address: Option<Ipv4Addr>, destination: bool) -> Element<'static> {
    Element::UeIpAddress(UeAddress {
        addresses: Addresses { v4: address, v6: None },
        destination,
        delegated: None,
        prefix: None,
        choose_v4: address.is_none(),
        choose_v6: false,
    })
}

impl Tunnel {
    /// What an F-TEID gives.
    pub(super) fn of(element: Option<Element<'_>>) -> Option<Self> {
        match element? {
            Element::FTeid(FTeid::Given { teid, addresses }) => Some(Self { teid, address: addresses.v4? }),
            Element::OuterHeaderCreation(header) => {
                Some(Self { teid: header.teid?, address: header.addresses.v4? })
            }
            _ => None,
        }
    }

    /// As an F-TEID.
    pub(super) fn f_teid(self) -> FTeid {
        FTeid::Given { teid: self.teid, addresses: v4(self.address) }
    }
}
