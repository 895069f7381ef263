//! What a message says to one side, said to the other.

use std::net::IpAddr;

use pinion_protocols::pfcp::{
    Addresses, Cause, Element, ElementType, Elements, Error, FSeid, FTeid, Message, MessageType, NodeId,
    OuterHeaderCreation, Patch, Place,
};

use crate::front::flag;
use crate::peers::Peers;
use crate::random::Random;
use crate::sessions::SessionId;
use crate::tunnels::{Plane, TunnelChange, Tunnels};

/// Why a request is not passed on: the cause it is answered with, and the element that it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) cause: Cause,
    pub(crate) about: Option<ElementType>,
}

impl Refusal {
    pub(crate) const fn plain(cause: Cause) -> Self {
        Self { cause, about: None }
    }

    pub(crate) const fn about(cause: Cause, element: ElementType) -> Self {
        Self { cause, about: Some(element) }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        match error {
            Error::Value { kind, .. } | Error::EnterpriseCut { kind, .. } | Error::Depth { kind, .. } => {
                Self::about(Cause::INVALID_LENGTH, kind)
            }
            Error::ElementCut { kind: Some(kind), .. } => Self::about(Cause::INVALID_LENGTH, kind),
            _ => Self::plain(Cause::INVALID_LENGTH),
        }
    }
}

/// Who the balancer is, and which session is spoken of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Own {
    pub(crate) address: IpAddr,
    pub(crate) session: SessionId,
}

impl Own {
    fn node(self) -> Element<'static> {
        Element::NodeId(NodeId::Address(self.address))
    }

    fn session(self) -> Element<'static> {
        Element::FSeid(FSeid { seid: self.session.seid(), addresses: self.address.into() })
    }
}

/// What a request of an SMF is to become.
pub(crate) struct Downwards<'a> {
    pub(crate) own: Own,
    pub(crate) plane: &'a Plane,
    /// The session's tunnels.
    pub(crate) tunnels: &'a Tunnels,
    /// The name of the UPF.
    pub(crate) upf: &'a str,
    /// Whether the UPF is to choose TEIDs anew.
    pub(crate) anew: bool,
    /// Whether TEIDs may be the SMF's choice.
    pub(crate) smf_teids: bool,
}

impl Downwards<'_> {
    /// The patches. `peer` gives the UPF's end of another session's tunnel.
    pub(crate) fn patches(
        &self,
        message: &Message<'_>,
        mut peer: impl FnMut(SessionId, u32, Addresses) -> Option<FTeid>,
    ) -> Result<Vec<Patch<'static>>, Refusal> {
        let establishes = message.message_type() == MessageType::SessionEstablishmentRequest;
        let mut patches = Vec::new();
        for element in message.elements() {
            let element = element?;
            let with = match element.kind() {
                ElementType::NodeId if establishes => Some(self.own.node()),
                ElementType::FSeid if establishes => Some(self.own.session()),
                // What is said of the SMF is for the balancer: to the UPF nothing changes.
                kind if is_of_the_peer(kind) => None,
                _ => continue,
            };
            patches.push(Patch { offset: element.offset(), with });
        }
        self.ends(message, &mut patches)?;
        let mut found = Vec::new();
        headers(message.elements(), 0, &mut found)?;
        for (offset, header) in found {
            let Some(teid) = header.teid.filter(|_| self.plane.is_ours(header.addresses)) else { continue };
            let end = self.plane.owner(teid, header.addresses).and_then(|id| peer(id, teid, header.addresses));
            // A tunnel between two UPFs of the balancer goes direct.
            if let Some(FTeid::Given { teid, addresses }) = end {
                let with = OuterHeaderCreation { teid: Some(teid), addresses, ..header };
                patches.push(Patch { offset, with: Some(Element::OuterHeaderCreation(with)) });
            }
        }
        patches.sort_unstable_by_key(|patch| patch.offset);
        Ok(patches)
    }

    /// The UPF's ends of tunnels, as it knows them.
    fn ends(&self, message: &Message<'_>, patches: &mut Vec<Patch<'static>>) -> Result<(), Refusal> {
        const WRONG: Refusal = Refusal::about(Cause::INVALID_F_TEID_ALLOCATION, ElementType::FTeid);
        // Seldom needed: where clients know the tunnels already.
        let mut choices = None;
        let mut choose = |teid, addresses| -> Result<FTeid, Error> {
            let choices = match &mut choices {
                Some(choices) => choices,
                none => none.insert(Choices::of(message)?),
            };
            Ok(choices.instead_of(teid, addresses))
        };
        let restores = restores(message)?;
        for local in message.local_tunnels() {
            let local = local?;
            let FTeid::Given { teid, addresses } = local.tunnel else { continue };
            // A tunnel whose clients send to the UPF directly.
            if !self.plane.is_ours(addresses) {
                continue;
            }
            let with = match self.plane.theirs(self.tunnels, teid, addresses) {
                Some(_) if self.anew => choose(teid, addresses)?,
                Some(theirs) => theirs,
                // TS 29.244 5.5.1: the SMF makes a session again whose tunnels clients know.
                None if restores && self.plane.is_free(teid, addresses) => choose(teid, addresses)?,
                None if self.smf_teids && self.plane.owner(teid, addresses).is_none() => {
                    FTeid::Given { teid, addresses: self.plane.beside(addresses, self.upf) }
                }
                None => return Err(WRONG),
            };
            patches.push(Patch { offset: local.offset, with: Some(Element::FTeid(with)) });
        }
        Ok(())
    }
}

/// Wishes that a UPF chooses, in place of tunnels that clients know.
struct Choices {
    /// Numbers of wishes that the SMF has itself.
    used: Vec<u8>,
    /// Tunnels that rules share, and go on sharing: each has a number.
    shared: Vec<(u32, Option<u8>)>,
}

impl Choices {
    fn of(message: &Message<'_>) -> Result<Self, Error> {
        let mut used = Vec::new();
        for local in message.local_tunnels() {
            if let FTeid::Choose { id: Some(id), .. } = local?.tunnel {
                used.push(id);
            }
        }
        Ok(Self { used, shared: Vec::new() })
    }

    fn instead_of(&mut self, teid: u32, addresses: Addresses) -> FTeid {
        let known = self.shared.iter().find(|(known, _)| *known == teid).map(|(_, id)| *id);
        let id = known.unwrap_or_else(|| {
            let id = (0..=u8::MAX).find(|id| !self.used.contains(id));
            self.used.extend(id);
            self.shared.push((teid, id));
            id
        });
        FTeid::Choose { v4: addresses.v4.is_some(), v6: addresses.v6.is_some(), id }
    }
}

/// Whether an SMF makes a session again that was lost (RESTI, TS 29.244 8.2.148).
pub(crate) fn restores(message: &Message<'_>) -> Result<bool, Error> {
    flag(message, ElementType::PfcpsereqFlags, 1)
}

/// The tunnels that clients know of a session that is made again.
pub(crate) fn known(request: &Message<'_>, plane: &Plane) -> Result<Tunnels, Error> {
    let mut known = Vec::new();
    for local in request.local_tunnels() {
        let local = local?;
        if let (FTeid::Given { teid, addresses }, Some(place)) = (local.tunnel, local.place)
            && plane.is_ours(addresses)
        {
            known.push(((place, local.redundant), teid));
        }
    }
    Ok(Tunnels::placed(known.into_iter(), Peers::default()))
}

/// What a response or a report of a UPF is to become, its tunnels aside.
pub(crate) fn upwards(message: &Message<'_>, own: Own) -> Result<Vec<Patch<'static>>, Error> {
    let mut patches = Vec::new();
    for element in message.elements() {
        let element = element?;
        let with = match element.kind() {
            ElementType::NodeId => Some(own.node()),
            ElementType::FSeid => Some(own.session()),
            kind if is_of_the_peer(kind) => None,
            _ => continue,
        };
        patches.push(Patch { offset: element.offset(), with });
    }
    Ok(patches)
}

/// Learns the tunnels that a UPF of this name tells of; what its message is to become, and what is to be put into force.
pub(crate) fn learn(
    message: &Message<'_>,
    (own, upf): (Own, &str),
    (plane, tunnels): (&mut Plane, &mut Tunnels),
    lost: Option<&Tunnels>,
    random: &mut Random,
    (patches, changes): (&mut Vec<Patch<'static>>, &mut Vec<TunnelChange>),
) -> Result<(), Refusal> {
    for local in message.local_tunnels() {
        let local = local?;
        let FTeid::Given { teid, addresses } = local.tunnel else { continue };
        if plane.is_ours(addresses) || plane.is_anothers(addresses, upf) {
            // Nobody but the balancer, or but another UPF, is there.
            return Err(Refusal::about(Cause::MANDATORY_INCORRECT, ElementType::FTeid));
        }
        let end = (local.place.map(|place| (place, local.redundant)), teid, addresses);
        if let Some((told, more)) = plane.learn(tunnels, own.session, end, lost, random) {
            patches.push(Patch { offset: local.offset, with: Some(Element::FTeid(told)) });
            changes.extend(more);
        }
    }
    patches.sort_unstable_by_key(|patch| patch.offset);
    Ok(())
}

/// The tunnels that an SMF chose itself, once the UPF took them.
pub(crate) fn chosen(
    request: &Message<'_>,
    own: Own,
    (plane, tunnels): (&mut Plane, &mut Tunnels),
    upf: &str,
    random: &mut Random,
) -> Result<Vec<TunnelChange>, Error> {
    let mut changes = Vec::new();
    for local in request.local_tunnels() {
        let local = local?;
        let FTeid::Given { teid, addresses } = local.tunnel else { continue };
        if !plane.is_ours(addresses) || plane.theirs(tunnels, teid, addresses).is_some() {
            continue;
        }
        let place = local.place.map(|place| (place, local.redundant));
        let end = (place, teid, plane.beside(addresses, upf));
        if let Some((_, more)) = plane.learn(tunnels, own.session, end, None, random) {
            changes.extend(more);
        }
    }
    Ok(changes)
}

/// The rules that a request takes away.
pub(crate) fn removed(request: &Message<'_>) -> Result<Vec<Place>, Error> {
    let mut places = Vec::new();
    for element in request.elements() {
        let element = element?;
        let id = match element.kind() {
            ElementType::RemovePdr => ElementType::PdrId,
            ElementType::RemoveTrafficEndpoint => ElementType::TrafficEndpointId,
            _ => continue,
        };
        let Some(children) = element.group()? else { continue };
        match children.find(id)?.map(|id| id.parse()).transpose()? {
            Some(Element::PdrId(number)) => places.push(Place::Rule(number)),
            Some(Element::TrafficEndpointId(number)) => places.push(Place::Endpoint(number)),
            _ => {}
        }
    }
    Ok(places)
}

/// Whether an element at the top of a session's message speaks of the peer itself, and not of the session: who it
/// is, how loaded, what else would stand in for it.
fn is_of_the_peer(kind: ElementType) -> bool {
    matches!(
        kind,
        ElementType::NodeId
            | ElementType::FSeid
            | ElementType::FqCsid
            | ElementType::GroupId
            | ElementType::LoadControlInformation
            | ElementType::OverloadControlInformation
            | ElementType::AlternativeSmfIpAddress
            | ElementType::CpPfcpEntityIpAddress
            | ElementType::SmfSetId
    )
}

/// Outer headers that a message has put around packets: those of FARs, deep within.
fn headers(elements: Elements<'_>, depth: u8, found: &mut Vec<(usize, OuterHeaderCreation)>) -> Result<(), Error> {
    for element in elements {
        let element = element?;
        match (depth, element.kind()) {
            (0, ElementType::CreateFar | ElementType::UpdateFar)
            | (
                1,
                ElementType::ForwardingParameters
                | ElementType::UpdateForwardingParameters
                | ElementType::DuplicatingParameters
                | ElementType::UpdateDuplicatingParameters,
            ) => {
                if let Some(children) = element.group()? {
                    headers(children, depth.saturating_add(1), found)?;
                }
            }
            (2, ElementType::OuterHeaderCreation) => {
                if let Element::OuterHeaderCreation(header) = element.parse()? {
                    found.push((element.offset(), header));
                }
            }
            _ => {}
        }
    }
    Ok(())
}
