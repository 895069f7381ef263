//! Which of users' packets leave their tunnels on the way to their UPF (uplink classifier, TS 23.501 5.6.4.2), by the
//! rules of their sessions (TS 29.244 5.2.1A).
//!
//! A PDR for packets from the access side whose SDF filters describe flows, and whose FAR forwards to the core by a network
//! instance that is a [`Breakout`]'s, becomes filters of its tunnel. Any other PDR of the tunnel ends the list: what it
//! matches before a later PDR does is for the UPF.

use std::net::IpAddr;
use std::sync::Arc;

use foldhash::{HashMap, HashSet};
use pinion_protocols::addresses::is_within;
use pinion_protocols::pfcp::{
    Element, ElementType, Elements, Error, FTeid, Message, OuterHeaderCreation, Place, UeAddress,
};

use crate::flows::{Flow, cut};
use crate::front::{FrontEnd, Output};
use crate::placement::is_named;
use crate::sessions::{Phase, SessionId};
use crate::settings::Breakout;
use crate::tunnels::{Plane, Tunnels};

/// The filters of a tunnel, in their order, in place of those that were said before; none: it has none any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TunnelFilters {
    /// The address and TEID that clients send to.
    pub at: (IpAddr, u32),
    /// The GTP-U service that the address is of, and the path.
    pub service: (Arc<str>, u8),
    /// At the most [`FILTERS_MOST`].
    pub filters: Vec<FlowFilter>,
}

/// How many filters a tunnel has at the most.
pub const FILTERS_MOST: usize = 16;

/// Users' packets that go elsewhere than to the UPF of their session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowFilter {
    /// IP protocol; 0: any.
    pub protocol: u8,
    /// The user.
    pub from: FlowSide,
    /// Whom it speaks to.
    pub to: FlowSide,
    /// The endpoint that gets them, `POOL/NAME`.
    pub via: Arc<str>,
    /// The TEID that it knows the user by; `None`: the packets leave their tunnel.
    pub teid: Option<u32>,
}

/// One end of packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlowSide {
    /// Its prefix, nothing set beyond the length; `None`: any address of either family.
    pub prefix: Option<(IpAddr, u8)>,
    /// First and last port; all of them where the protocol has none.
    pub ports: [u16; 2],
}

const ANY_PORT: [u16; 2] = [0, u16::MAX];
/// Source Interface (TS 29.244 8.2.2) and Destination Interface (8.2.24).
const ACCESS: u8 = 0;
const CORE: u8 = 1;
/// Apply Action: FORW and nothing else (TS 29.244 8.2.26).
const FORW: u8 = 2;
/// Outer Header Creation: GTP-U over UDP over IPv4 or IPv6 (TS 29.244 8.2.56).
const GTPU: [u16; 2] = [0x0100, 0x0200];

/// What the host was told of a session's filters.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Told {
    any: bool,
    /// How many rules were meant to be learned, and could not be.
    unlearned: u64,
}

impl<Proof> FrontEnd<Proof> {
    /// Has the filters of a session's tunnels be what its rules say by now. After its tunnels are in force.
    pub(crate) fn classify(&mut self, id: SessionId) {
        let Some(session) = self.sessions.get_mut(id).filter(|session| session.phase == Phase::Open) else {
            return;
        };
        let Some(rules) = &session.rules else { return };
        let before = session.tunnels.filters;
        if self.settings.breakouts.is_empty() && !before.any {
            return;
        }
        let ways = Ways { breakouts: &self.settings.breakouts, plane: &self.plane };
        let read = rules.establishment().and_then(|rules| Book::read(&rules, &session.tunnels, ways));
        let lists: Vec<(u32, List)> = match read {
            Ok(book) => session.tunnels.all_ours().map(|ours| (ours, book.list(ours))).collect(),
            // The UPF took it nevertheless.
            Err(_) => {
                session.tunnels.all_ours().map(|ours| (ours, List { unlearned: 1, ..List::default() })).collect()
            }
        };
        let any = lists.iter().any(|(_, list)| !list.filters.is_empty());
        let unlearned = lists.iter().map(|(_, list)| list.unlearned).sum();
        session.tunnels.filters = Told { any, unlearned };
        self.counts.unlearned += unlearned.saturating_sub(before.unlearned);
        if any || before.any {
            let filters = lists.into_iter().map(|(ours, list)| (ours, list.filters)).collect();
            let said = self.plane.filters(&session.tunnels, &filters);
            self.push(Output::Classify(said));
        }
    }

    /// The same for all sessions, as where other network instances break out.
    pub(crate) fn classify_all(&mut self) {
        let all: Vec<SessionId> = self.sessions.iter().map(|(id, _)| id).collect();
        for id in all {
            self.classify(id);
        }
    }
}

/// Where packets may go.
#[derive(Clone, Copy)]
struct Ways<'a> {
    breakouts: &'a [Breakout],
    plane: &'a Plane,
}

/// What a FAR does with packets.
#[derive(Clone, Debug)]
enum Far {
    /// What its UPF alone can do.
    Ordinary,
    /// It breaks out, and does something else besides that only its UPF can do.
    Unfit,
    /// They go to an endpoint, in a tunnel of this TEID, or out of theirs.
    Via(Arc<str>, Option<u32>),
}

/// The filters of a tunnel, and how many rules could not become such.
#[derive(Debug, Default)]
struct List {
    filters: Vec<FlowFilter>,
    unlearned: u64,
}

/// A PDR.
struct Pdr {
    precedence: u32,
    /// The TEIDs of ours that its packets come by; `None`: it is not said.
    ours: Option<Vec<u32>>,
    means: Means,
}

enum Means {
    Filters(Vec<FlowFilter>),
    /// It is for the UPF; whether it was meant to break out.
    Ordinary(bool),
}

/// The PDRs of a session that packets of tunnels may match, in the order in which they are tried.
struct Book(Vec<Pdr>);

impl Book {
    fn read(rules: &Message<'_>, tunnels: &Tunnels, ways: Ways<'_>) -> Result<Self, Error> {
        let (mut fars, mut closed, mut pdrs) = (HashMap::default(), HashSet::default(), Vec::new());
        for element in rules.elements() {
            let element = element?;
            let Some(children) = element.group()? else { continue };
            match element.kind() {
                ElementType::CreateFar => fars.extend(far(children, ways)?),
                ElementType::CreateQer => closed.extend(closed_gate(children)?),
                ElementType::CreatePdr => pdrs.push(children),
                _ => {}
            }
        }
        let mut read = Vec::new();
        for children in pdrs {
            read.extend(pdr(children, tunnels, &fars, &closed)?);
        }
        // Of two that are tried at once, the one for the UPF goes first.
        read.sort_by_key(|pdr| (pdr.precedence, matches!(pdr.means, Means::Filters(_))));
        Ok(Self(read))
    }

    /// What becomes of a tunnel's packets.
    fn list(&self, ours: u32) -> List {
        let (mut list, mut ended) = (List::default(), false);
        for pdr in self.0.iter().filter(|pdr| pdr.ours.as_ref().is_none_or(|all| all.contains(&ours))) {
            match &pdr.means {
                Means::Filters(filters) if !ended && list.filters.len() + filters.len() <= FILTERS_MOST => {
                    list.filters.extend(filters.iter().cloned());
                }
                Means::Filters(_) | Means::Ordinary(true) => {
                    list.unlearned += 1;
                    ended = true;
                }
                Means::Ordinary(false) => ended = true,
            }
        }
        list
    }
}

/// A FAR's number, and what it does (TS 29.244 7.5.2.3).
fn far(children: Elements<'_>, ways: Ways<'_>) -> Result<Option<(u32, Far)>, Error> {
    let (mut number, mut forwards, mut fits, mut parameters) = (None, false, true, Parameters::default());
    for element in children {
        let element = element?;
        match (element.kind(), element.parse()?) {
            (_, Element::FarId(id)) => number = Some(id),
            (_, Element::ApplyAction(flags)) => {
                forwards = flags
                    .octets()
                    .split_first()
                    .is_some_and(|(first, rest)| *first == FORW && rest.iter().all(|octet| *octet == 0));
            }
            (ElementType::ForwardingParameters, Element::Group(_, within)) => parameters = Parameters::of(within)?,
            _ => fits = false,
        }
    }
    let Some(number) = number else { return Ok(None) };
    let network = parameters.network.filter(|_| forwards && parameters.to == Some(CORE));
    let named = |network: &[u8]| ways.breakouts.iter().find(|it| is_named(network, &it.network_instance));
    let Some(breakout) = network.and_then(named) else { return Ok(Some((number, Far::Ordinary))) };
    let leads = match parameters.header {
        None => Some(None),
        Some(header) if GTPU.contains(&header.description) => {
            let at_upf = header.addresses.into_iter().all(|address| ways.plane.is_at(address, &breakout.via));
            header.teid.filter(|_| at_upf).map(Some)
        }
        Some(_) => None,
    };
    let leads = leads.filter(|_| fits && !parameters.more);
    Ok(Some((number, leads.map_or(Far::Unfit, |teid| Far::Via(Arc::clone(&breakout.via), teid)))))
}

/// Where and how packets are forwarded.
#[derive(Default)]
struct Parameters<'a> {
    to: Option<u8>,
    network: Option<&'a [u8]>,
    header: Option<OuterHeaderCreation>,
    /// Whether there is something that only the UPF can do, such as a redirection or a marking.
    more: bool,
}

impl<'a> Parameters<'a> {
    fn of(within: Elements<'a>) -> Result<Self, Error> {
        let mut parameters = Self::default();
        for element in within {
            let element = element?;
            match element.parse()? {
                Element::DestinationInterface(to) => parameters.to = Some(to),
                Element::NetworkInstance(network) => parameters.network = Some(network),
                Element::OuterHeaderCreation(header) => parameters.header = Some(header),
                // Which of several interfaces it is, where the network instance says it all.
                _ if element.kind() == ElementType::TgppInterfaceType => {}
                _ => parameters.more = true,
            }
        }
        Ok(parameters)
    }
}

/// The number of a QER that lets nothing up (TS 29.244 8.2.7).
fn closed_gate(children: Elements<'_>) -> Result<Option<u32>, Error> {
    let (mut number, mut closed) = (None, false);
    for element in children {
        let element = element?;
        if element.kind() == ElementType::GateStatus {
            closed = element.value().first().is_none_or(|gates| gates >> 2 & 3 != 0);
        } else if let Element::QerId(id) = element.parse()? {
            number = Some(id);
        }
    }
    Ok(number.filter(|_| closed))
}

/// A PDR (TS 29.244 7.5.2.2); none where packets of no tunnel match it.
fn pdr(
    children: Elements<'_>,
    tunnels: &Tunnels,
    fars: &HashMap<u32, Far>,
    closed: &HashSet<u32>,
) -> Result<Option<Pdr>, Error> {
    let (mut number, mut precedence, mut far, mut detects) = (None, 0, &Far::Ordinary, Pdi::default());
    let mut fits = true;
    for element in children {
        let element = element?;
        match (element.kind(), element.parse()?) {
            (_, Element::PdrId(id)) => number = Some(id),
            (_, Element::Precedence(value)) => precedence = value,
            (_, Element::FarId(id)) => far = fars.get(&id).unwrap_or(&Far::Ordinary),
            (_, Element::QerId(id)) => fits &= !closed.contains(&id),
            (_, Element::OuterHeaderRemoval(_) | Element::UrrId(_)) => {}
            (ElementType::Pdi, Element::Group(_, within)) => detects = Pdi::of(within)?,
            _ => fits = false,
        }
    }
    let ours = detects.ours(number, tunnels);
    if ours.is_none() && detects.from != Some(ACCESS) {
        return Ok(None);
    }
    let means = match far {
        Far::Ordinary => Means::Ordinary(false),
        Far::Unfit => Means::Ordinary(true),
        Far::Via(via, teid) => {
            let fits = fits && detects.from == Some(ACCESS) && ours.is_some();
            let filters = detects.filters(via, *teid).filter(|filters| fits && !filters.is_empty());
            filters.map_or(Means::Ordinary(true), Means::Filters)
        }
    };
    Ok(Some(Pdr { precedence, ours, means }))
}

/// What packets a PDR is for.
#[derive(Default)]
struct Pdi {
    from: Option<u8>,
    tunnel: Option<FTeid>,
    endpoint: Option<u8>,
    /// Of each SDF filter; `None`: one that cannot be a filter here.
    flows: Vec<Option<Flow>>,
    users: Vec<UeAddress>,
    /// Whether there is something else that packets must be, as of an application or a QFI.
    more: bool,
}

impl Pdi {
    fn of(within: Elements<'_>) -> Result<Self, Error> {
        let mut pdi = Self::default();
        for element in within {
            let element = element?;
            match element.parse()? {
                Element::SourceInterface(from) => pdi.from = Some(from),
                Element::FTeid(tunnel) => pdi.tunnel = Some(tunnel),
                Element::TrafficEndpointId(endpoint) => pdi.endpoint = Some(endpoint),
                Element::UeIpAddress(user) => pdi.users.push(user),
                Element::SdfFilter(filter) => {
                    let whole =
                        filter.traffic_class.is_none() && filter.security.is_none() && filter.flow_label.is_none();
                    let flow = filter.flow.filter(|_| whole);
                    pdi.flows.push(flow.and_then(|flow| Flow::parse(flow).ok()));
                }
                Element::NetworkInstance(_) => {}
                _ if element.kind() == ElementType::TgppInterfaceType => {}
                _ => pdi.more = true,
            }
        }
        Ok(pdi)
    }

    /// The TEIDs of ours that packets come by.
    fn ours(&self, number: Option<u16>, tunnels: &Tunnels) -> Option<Vec<u32>> {
        if let Some(FTeid::Given { teid, .. }) = self.tunnel
            && tunnels.all_ours().any(|ours| ours == teid)
        {
            return Some(vec![teid]);
        }
        let place = match (self.tunnel, self.endpoint, number) {
            (None, Some(endpoint), _) => Place::Endpoint(endpoint),
            (Some(_), _, Some(number)) => Place::Rule(number),
            _ => return None,
        };
        let ours: Vec<u32> = tunnels.places().filter(|((of, _), _)| *of == place).map(|(_, ours)| ours).collect();
        Some(ours).filter(|ours| !ours.is_empty())
    }

    /// Filters for all of its flows; `None` where it is for something that they cannot say.
    fn filters(&self, via: &Arc<str>, teid: Option<u32>) -> Option<Vec<FlowFilter>> {
        // A traffic endpoint may say more of the user than is looked at here.
        if self.more || self.endpoint.is_some() {
            return None;
        }
        let users = users(&self.users)?;
        let mut filters = Vec::new();
        for flow in &self.flows {
            let Flow { protocol, remote, user } = flow.as_ref()?;
            let from = sides(user.prefix, &users, remote.prefix)?;
            for (prefix, ports) in pairs(&from, &user.ports) {
                let from = FlowSide { prefix, ports };
                for (prefix, ports) in pairs(&[remote.prefix], &remote.ports) {
                    let to = FlowSide { prefix, ports };
                    filters.push(FlowFilter { protocol: *protocol, from, to, via: Arc::clone(via), teid });
                }
            }
        }
        Some(filters)
    }
}

type Prefix = (IpAddr, u8);

/// Each prefix with each range of ports; no range: all ports.
fn pairs(prefixes: &[Option<Prefix>], ports: &[[u16; 2]]) -> impl Iterator<Item = (Option<Prefix>, [u16; 2])> {
    let ports = if ports.is_empty() { &[ANY_PORT] } else { ports };
    prefixes.iter().flat_map(move |prefix| ports.iter().map(move |ports| (*prefix, *ports)))
}

/// The user's addresses (TS 29.244 8.2.62); `None`: they are not known here, or not what packets are from.
fn users(all: &[UeAddress]) -> Option<Vec<Prefix>> {
    let mut users = Vec::new();
    for user in all {
        if user.destination || user.choose_v4 || user.choose_v6 {
            return None;
        }
        users.extend(user.addresses.v4.map(|v4| (IpAddr::V4(v4), 32)));
        let length = user.prefix.unwrap_or_else(|| 64_u8.saturating_sub(user.delegated.unwrap_or(0)));
        users.extend(user.addresses.v6.map(|v6| (cut(IpAddr::V6(v6), length), length)));
    }
    Some(users).filter(|users| users.iter().all(|(_, length)| (1..=128).contains(length)))
}

/// Where packets of a flow are from: the user's addresses, as far as the flow is theirs; where they are not known, what
/// the flow says. `None`: it is none of the user's.
fn sides(said: Option<Prefix>, users: &[Prefix], remote: Option<Prefix>) -> Option<Vec<Option<Prefix>>> {
    if users.is_empty() {
        return Some(vec![said]);
    }
    let like = |user: &Prefix| remote.is_none_or(|(remote, _)| remote.is_ipv4() == user.0.is_ipv4());
    let both = |user: &Prefix| match said {
        None => Some(*user),
        Some(said) if user.1 >= said.1 => Some(*user).filter(|user| is_within(user.0, said.0, said.1)),
        Some(said) => Some(said).filter(|said| is_within(said.0, user.0, user.1)),
    };
    let sides: Vec<_> = users.iter().filter(|user| like(user)).filter_map(both).map(Some).collect();
    Some(sides).filter(|sides| !sides.is_empty())
}
