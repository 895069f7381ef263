//! Addresses, routes and neighbours, by rtnetlink.

use std::net::IpAddr;

use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE};
use netlink_packet_route::address::{AddressAttribute, AddressFlags, AddressMessage};
use netlink_packet_route::neighbour::{NeighbourAttribute, NeighbourMessage, NeighbourState};
use netlink_packet_route::route::{
    RouteAttribute, RouteHeader, RouteMessage, RouteProtocol, RouteScope, RouteType,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};

use super::{Mac, Namespace};
use crate::failure::Failure;

impl Namespace {
    /// Adds an address, valid at once.
    ///
    /// # Errors
    ///
    /// [`Failure::NoInterface`], [`Failure::Netlink`].
    pub fn add_address(&self, interface: &str, address: IpAddr, length: u8) -> Result<(), Failure> {
        let message = self.address(interface, address, length)?;
        let request = RouteNetlinkMessage::NewAddress(message);
        let flags = NLM_F_CREATE | NLM_F_EXCL;
        self.ask(flags, request, || format!("address {address}/{length} on {interface}")).map(drop)
    }

    /// Takes an address away.
    ///
    /// # Errors
    ///
    /// [`Failure::NoInterface`], [`Failure::Netlink`].
    pub fn remove_address(&self, interface: &str, address: IpAddr, length: u8) -> Result<(), Failure> {
        let request = RouteNetlinkMessage::DelAddress(self.address(interface, address, length)?);
        self.ask(0, request, || format!("remove {address}/{length} from {interface}")).map(drop)
    }

    /// Adds a route to `network`/`length` (length 0: the default route) out of
    /// an interface, by a gateway or, without one, on the link itself.
    /// A route to the same network is replaced.
    ///
    /// # Errors
    ///
    /// [`Failure::NoInterface`], [`Failure::Netlink`].
    pub fn add_route(
        &self,
        network: IpAddr,
        length: u8,
        interface: &str,
        gateway: Option<IpAddr>,
    ) -> Result<(), Failure> {
        let mut message = RouteMessage::default();
        message.header.address_family = family(network);
        message.header.destination_prefix_length = length;
        message.header.table = RouteHeader::RT_TABLE_MAIN;
        message.header.protocol = RouteProtocol::Static;
        message.header.kind = RouteType::Unicast;
        message.header.scope =
            if gateway.is_none() && network.is_ipv4() { RouteScope::Link } else { RouteScope::Universe };
        if length > 0 {
            message.attributes.push(RouteAttribute::Destination(network.into()));
        }
        message.attributes.extend(gateway.map(|via| RouteAttribute::Gateway(via.into())));
        message.attributes.push(RouteAttribute::Oif(self.index(interface)?));
        let request = RouteNetlinkMessage::NewRoute(message);
        let flags = NLM_F_CREATE | NLM_F_REPLACE;
        self.ask(flags, request, || format!("route {network}/{length} by {gateway:?} on {interface}")).map(drop)
    }

    /// Tells the namespace who has an address on a link, for ever, so that it
    /// asks nobody.
    ///
    /// # Errors
    ///
    /// [`Failure::NoInterface`], [`Failure::Netlink`].
    pub fn add_neighbour(&self, interface: &str, address: IpAddr, mac: Mac) -> Result<(), Failure> {
        let mut message = NeighbourMessage::default();
        message.header.family = family(address);
        message.header.ifindex = self.index(interface)?;
        message.header.state = NeighbourState::Permanent;
        message.attributes = vec![
            NeighbourAttribute::Destination(address.into()),
            NeighbourAttribute::LinkLayerAddress(mac.0.to_vec()),
        ];
        let request = RouteNetlinkMessage::NewNeighbour(message);
        let flags = NLM_F_CREATE | NLM_F_REPLACE;
        self.ask(flags, request, || format!("neighbour {address} {mac} on {interface}")).map(drop)
    }

    fn address(&self, interface: &str, address: IpAddr, length: u8) -> Result<AddressMessage, Failure> {
        let mut message = AddressMessage::default();
        message.header.family = family(address);
        message.header.prefix_len = length;
        message.header.index = self.index(interface)?;
        message.attributes = vec![
            AddressAttribute::Local(address),
            AddressAttribute::Address(address),
            AddressAttribute::Flags(AddressFlags::Nodad),
        ];
        Ok(message)
    }
}

fn family(address: IpAddr) -> AddressFamily {
    if address.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 }
}
