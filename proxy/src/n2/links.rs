//! The links of SCTP of Pinion's own: where its addresses are, and by which interfaces its peers are reached.
//!
//! The host's kernel has none of the addresses. It sees packets to them all the same, and would send those on where it
//! forwards, and say that nobody is there: so each address has a route in it that silently drops them.

use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;

use futures_util::TryStreamExt as _;
use pinion_transport::link::{self, Interface, Link, Route};
use rtnetlink::packet_route::AddressFamily;
use rtnetlink::packet_route::link::LinkAttribute;
use rtnetlink::packet_route::route::{
    RouteAddress, RouteAttribute, RouteHeader, RouteMessage, RouteNextHop, RouteProtocol, RouteScope, RouteType,
};
use rtnetlink::{Error, Handle, RouteMessageBuilder};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::config::Host;

/// What links are wanted for.
pub(super) struct Wanted<'a> {
    /// Own addresses.
    pub(super) own: &'a [IpAddr],
    /// The interface of each; where none is named, the one whose network it is of.
    pub(super) homes: &'a [String],
    /// Interfaces that packets come by too.
    pub(super) interfaces: &'a [String],
    /// Whom else there must be a way to.
    pub(super) peers: Vec<IpAddr>,
}

/// What the kernel says of an interface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Known {
    mtu: u32,
    routes: Vec<Route>,
}

/// Opens the links, one an interface, and has the kernel leave the addresses alone.
///
/// # Errors
/// `NotFound` where an address has no interface, or it is no Ethernet; the system's.
pub(super) async fn open(wanted: Wanted<'_>) -> io::Result<(Vec<Link>, Quiet)> {
    let host = Host::here()?;
    let (connection, handle, _) = rtnetlink::new_connection()?;
    let pump = tokio::spawn(connection);
    let known = known(&handle).await.map_err(io::Error::other)?;
    let mut links = Vec::new();
    for (name, addresses) in plan(&wanted, &host, &known)? {
        let interface = match Interface::find(&name) {
            Err(error) if addresses.is_empty() => {
                tracing::warn!(interface = name, %error, "no NGAP comes by this interface");
                continue;
            }
            found => found?,
        };
        let Known { mtu, routes } = known.get(&name).cloned().unwrap_or_default();
        let home: Vec<IpAddr> = addresses.iter().map(|(address, _)| *address).collect();
        let guests = wanted.own.iter().copied().filter(|address| !home.contains(address)).collect();
        let mtu = u16::try_from(mtu).unwrap_or(u16::MAX);
        tracing::info!(interface = name, ?home, "SCTP of Pinion's own");
        let config = link::Config { guests, routes, mtu, ..link::Config::new(interface.mac, addresses) };
        links.push(Link::open(&interface, config)?);
    }
    Ok((links, Quiet::begin(handle, pump, wanted.own).await))
}

/// Which interfaces there are links on, and the addresses that are at home there, with the lengths of their networks.
fn plan(
    wanted: &Wanted<'_>,
    host: &Host,
    known: &BTreeMap<String, Known>,
) -> io::Result<BTreeMap<String, Vec<(IpAddr, u8)>>> {
    let mut plan: BTreeMap<String, Vec<(IpAddr, u8)>> = BTreeMap::new();
    for (index, &address) in wanted.own.iter().enumerate() {
        let near = host.near(address);
        let named = wanted.homes.get(index);
        let home = named.or(near.map(|(name, _)| name)).ok_or_else(|| {
            let what = format!("no Ethernet of this host is in a network with {address}; name its interface");
            io::Error::new(io::ErrorKind::NotFound, what)
        })?;
        let alone = if address.is_ipv4() { 32 } else { 128 };
        let networks = host.networks.iter().filter(|(name, network)| name == home && network.leads_to(address));
        let bits = networks.map(|(_, network)| network.to.1).max().unwrap_or(alone);
        plan.entry(home.clone()).or_default().push((address, bits));
    }
    let near = wanted.peers.iter().filter_map(|peer| way(*peer, known));
    // Peers that are found later may be there.
    let far = known.iter().filter(|(_, known)| known.routes.iter().any(|route| route.via.is_some()));
    for name in wanted.interfaces.iter().chain(near).chain(far.map(|(name, _)| name)) {
        plan.entry(name.clone()).or_default();
    }
    Ok(plan)
}

/// The interface by which somebody is reached.
fn way(peer: IpAddr, known: &BTreeMap<String, Known>) -> Option<&String> {
    let ways = known.iter().flat_map(|(name, known)| known.routes.iter().map(move |route| (name, route)));
    ways.filter(|(_, route)| route.leads_to(peer)).max_by_key(|(_, route)| route.to.1).map(|(name, _)| name)
}

/// The interfaces, with what the main table leads to by each.
async fn known(handle: &Handle) -> Result<BTreeMap<String, Known>, Error> {
    let mut names = BTreeMap::new();
    let mut known = BTreeMap::new();
    let mut links = handle.link().get().execute();
    while let Some(link) = links.try_next().await? {
        let (mut name, mut mtu) = (None, 0);
        for attribute in link.attributes {
            match attribute {
                LinkAttribute::IfName(found) => name = Some(found),
                LinkAttribute::Mtu(found) => mtu = found,
                _ => {}
            }
        }
        let Some(name) = name else { continue };
        names.insert(link.header.index, name.clone());
        known.insert(name, Known { mtu, routes: Vec::new() });
    }
    for family in [AddressFamily::Inet, AddressFamily::Inet6] {
        let mut wanted = RouteMessage::default();
        wanted.header.address_family = family;
        let mut routes = handle.route().get(wanted).execute();
        while let Some(message) = routes.try_next().await? {
            for (index, route) in ways(&message) {
                let known = names.get(&index).and_then(|name| known.get_mut(name));
                known.into_iter().for_each(|known| known.routes.push(route));
            }
        }
    }
    Ok(known)
}

/// Where a route of the main table leads, with the indices of the interfaces.
fn ways(message: &RouteMessage) -> Vec<(u32, Route)> {
    let header = &message.header;
    if header.kind != RouteType::Unicast || header.table != RouteHeader::RT_TABLE_MAIN {
        return Vec::new();
    }
    let (mut to, mut via, mut index, mut hops) = (None, None, None, Vec::new());
    for attribute in &message.attributes {
        match attribute {
            RouteAttribute::Destination(destination) => to = ip(destination),
            RouteAttribute::Gateway(gateway) => via = ip(gateway),
            RouteAttribute::Oif(interface) => index = Some(*interface),
            RouteAttribute::MultiPath(all) => hops.extend(all.iter().map(hop)),
            _ => {}
        }
    }
    let all = match header.address_family {
        AddressFamily::Inet => [0; 4].into(),
        _ => [0; 16].into(),
    };
    hops.extend(index.map(|index| (index, via)));
    let to = (to.unwrap_or(all), header.destination_prefix_length);
    hops.into_iter().map(|(index, via)| (index, Route { to, via })).collect()
}

fn hop(hop: &RouteNextHop) -> (u32, Option<IpAddr>) {
    let gateway = |attribute: &RouteAttribute| match attribute {
        RouteAttribute::Gateway(gateway) => ip(gateway),
        _ => None,
    };
    (hop.interface_index, hop.attributes.iter().find_map(gateway))
}

fn ip(address: &RouteAddress) -> Option<IpAddr> {
    match address {
        RouteAddress::Inet(v4) => Some((*v4).into()),
        RouteAddress::Inet6(v6) => Some((*v6).into()),
        _ => None,
    }
}

/// As long as it lives, the kernel drops what is sent to the addresses, and says nothing.
#[derive(Debug)]
pub struct Quiet {
    ended: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Quiet {
    async fn begin(handle: Handle, pump: JoinHandle<()>, addresses: &[IpAddr]) -> Self {
        let mut added = Vec::new();
        for address in addresses {
            let Some(route) = silence(*address) else { continue };
            match handle.route().add(route.clone()).replace().execute().await {
                Ok(()) => added.push(route),
                Err(error) => tracing::warn!(
                    %address, %error,
                    "the kernel is not told to leave this address alone: where it forwards, it tells peers that nobody is there"
                ),
            }
        }
        let (ended, end) = oneshot::channel::<()>();
        let task = tokio::spawn(async move {
            // It is dropped, with or without a word.
            let _ = end.await;
            for route in added {
                if let Err(error) = handle.route().del(route).execute().await {
                    tracing::warn!(%error, "a route that drops what is sent to an address of Pinion's stays");
                }
            }
            pump.abort();
        });
        Self { ended, task }
    }

    /// Has the kernel take the addresses for what they are, and waits until it does.
    pub async fn end(self) {
        drop(self.ended);
        // It was aborted, or has done what it could.
        let _ = self.task.await;
    }
}

/// A route that drops, and says nothing.
fn silence(address: IpAddr) -> Option<RouteMessage> {
    let bits = if address.is_ipv4() { 32 } else { 128 };
    let route = RouteMessageBuilder::<IpAddr>::new().destination_prefix(address, bits).ok()?;
    let route = route.kind(RouteType::BlackHole).scope(RouteScope::Universe).protocol(RouteProtocol::Static);
    Some(route.build())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn known(routes: &[(&str, &str, u8, Option<&str>)]) -> BTreeMap<String, Known> {
        let mut known = BTreeMap::<String, Known>::new();
        for (name, to, bits, via) in routes {
            let route = Route { to: (ip(to), *bits), via: via.map(ip) };
            known.entry((*name).to_owned()).or_default().routes.push(route);
        }
        known
    }

    /// `ip route` of a host with two networks of gNBs and two of AMFs, one behind a router, and one of its own.
    #[test]
    fn links_are_where_addresses_and_peers_are() {
        let known = known(&[
            ("n2-a", "192.0.2.0", 24, None),
            ("n2-b", "198.51.100.0", 24, None),
            ("core", "10.0.0.0", 24, None),
            ("core", "10.1.0.0", 16, Some("10.0.0.254")),
            ("near", "10.2.0.0", 24, None),
            ("other", "10.3.0.0", 24, None),
        ]);
        let network = |name: &str, to: &str| (name.to_owned(), Route { to: (ip(to), 24), via: None });
        let host = Host {
            networks: vec![network("n2-a", "192.0.2.254"), network("n2-b", "198.51.100.254")],
            ..Host::default()
        };
        let own = [ip("192.0.2.1"), ip("198.51.100.1")];
        let wanted = |homes| Wanted { own: &own, homes, interfaces: &[], peers: vec![ip("10.2.0.9")] };
        let planned = plan(&wanted(&[]), &host, &known).unwrap();
        let names: Vec<&str> = planned.keys().map(String::as_str).collect();
        assert_eq!(names, ["core", "n2-a", "n2-b", "near"]);
        assert_eq!((&planned["n2-a"][..], &planned["n2-b"][..]), (&[(own[0], 24)][..], &[(own[1], 24)][..]));
        assert!(planned["core"].is_empty() && planned["near"].is_empty());

        // Named, and of no network there: nobody else is at home with it.
        let homes = ["n2-a".to_owned(), "n2-a".to_owned()];
        let planned = plan(&wanted(&homes), &host, &known).unwrap();
        assert_eq!(planned["n2-a"], [(own[0], 24), (own[1], 32)]);
        assert_eq!(plan(&wanted(&[]), &Host::default(), &known).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
