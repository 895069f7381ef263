//! Tunnels: where UPFs say that they are, and where clients are told that they are.

use std::net::IpAddr;
use std::sync::Arc;

use foldhash::HashMap;
use pinion_protocols::pfcp::{Addresses, FTeid, Place};

use crate::filters::Told;
use crate::keep::KeptTunnel;
use crate::peers::{Lead, Peers, Sender};
use crate::random::Random;
use crate::sessions::SessionId;
use crate::settings::UserPlane;
use crate::view::TunnelView;

mod filters;

/// Where packets of a tunnel go, or no longer go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TunnelChange {
    /// They go to an endpoint.
    Pin {
        /// The address and TEID that clients send to.
        at: (IpAddr, u32),
        /// The GTP-U service that the address is of, and the path.
        service: (Arc<str>, u8),
        /// The endpoint, `POOL/NAME`, and the TEID as it knows it.
        to: (Arc<str>, u32),
    },
    /// There is no such tunnel any more.
    Unpin {
        /// The address and TEID that clients sent to.
        at: (IpAddr, u32),
    },
}

impl TunnelChange {
    /// What clients send to.
    #[must_use]
    pub fn at(&self) -> (IpAddr, u32) {
        match self {
            Self::Pin { at, .. } | Self::Unpin { at } => *at,
        }
    }
}

/// Numbers of a service and of its endpoint, and the path that an address is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Leg {
    service: u16,
    endpoint: u16,
    path: u8,
}

/// A tunnel of a session, in one address family or in both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tunnel {
    /// The TEID that clients are told.
    ours: u32,
    /// The TEID that the UPF chose.
    theirs: u32,
    legs: [Option<Leg>; 2],
}

/// What a tunnel's packets are for: a rule, and whether the tunnel is its second one, for redundant transmission.
pub(crate) type Use = (Place, bool);

/// The tunnels of a session, and which rules packets of each are for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tunnels {
    tunnels: Vec<Tunnel>,
    places: Vec<(Use, u32)>,
    /// The clients' ends.
    pub(crate) peers: Peers,
    pub(crate) filters: Told,
}

impl Tunnels {
    /// No tunnels yet, but which rules their packets are for, and where clients' ends are.
    pub(crate) fn placed(places: impl Iterator<Item = (Use, u32)>, peers: Peers) -> Self {
        Self { places: places.collect(), peers, ..Self::default() }
    }

    /// Which rules packets are for, and the TEID of ours that they come by.
    pub(crate) fn places(&self) -> impl Iterator<Item = (Use, u32)> {
        self.places.iter().copied()
    }

    /// The TEIDs of ours.
    pub(crate) fn all_ours(&self) -> impl Iterator<Item = u32> {
        self.tunnels.iter().map(|tunnel| tunnel.ours)
    }

    /// The TEID of ours that a rule's packets come by.
    fn ours(&self, place: Use) -> Option<u32> {
        self.places.iter().find(|(known, _)| *known == place).map(|(_, ours)| *ours)
    }

    /// A rule's packets come by a tunnel of this TEID of ours from now on.
    fn place(&mut self, place: Option<Use>, ours: u32) {
        let Some(place) = place else { return };
        match self.places.iter_mut().find(|(known, _)| *known == place) {
            Some(known) => known.1 = ours,
            None => self.places.push((place, ours)),
        }
    }

    /// Takes out the tunnels that no rule's packets come by any more, once these are gone.
    pub(crate) fn remove(&mut self, gone: &[Place]) -> Vec<Tunnel> {
        let Self { tunnels, places, .. } = self;
        let is_gone = |((place, _), _): &(Use, u32)| gone.contains(place);
        let before: Vec<u32> = places.iter().filter(|place| is_gone(place)).map(|it| it.1).collect();
        places.retain(|place| !is_gone(place));
        tunnels
            .extract_if(.., |tunnel| {
                before.contains(&tunnel.ours) && !places.iter().any(|(_, ours)| *ours == tunnel.ours)
            })
            .collect()
    }

    /// Takes out a tunnel that is at none of the places any more.
    fn abandoned(&mut self, ours: u32) -> Option<Tunnel> {
        if self.places.iter().any(|(_, other)| *other == ours) {
            return None;
        }
        let at = self.tunnels.iter().position(|tunnel| tunnel.ours == ours)?;
        Some(self.tunnels.swap_remove(at))
    }

    /// Takes out all.
    pub(crate) fn take(&mut self) -> Vec<Tunnel> {
        self.places.clear();
        std::mem::take(&mut self.tunnels)
    }
}

/// A GTP-U service. It keeps its number, and its endpoints theirs, over reloads.
#[derive(Debug)]
struct Service {
    name: Arc<str>,
    addresses: Vec<IpAddr>,
    endpoints: Vec<Endpoint>,
}

#[derive(Debug)]
struct Endpoint {
    name: Arc<str>,
    addresses: Vec<IpAddr>,
}

/// All addresses of tunnels, and which TEIDs of ours are taken.
#[derive(Debug, Default)]
pub(crate) struct Plane {
    services: Vec<Service>,
    theirs: HashMap<IpAddr, Leg>,
    ours: HashMap<IpAddr, (u16, u8)>,
    taken: HashMap<(IpAddr, u32), SessionId>,
}

impl Plane {
    /// Takes over what is configured.
    pub(crate) fn configure(&mut self, configured: &[UserPlane]) {
        self.theirs.clear();
        self.ours.clear();
        for plane in configured {
            let number = position(
                &mut self.services,
                |known| known.name == plane.service,
                || Service { name: Arc::clone(&plane.service), addresses: Vec::new(), endpoints: Vec::new() },
            );
            let Some(service) = self.services.get_mut(usize::from(number)) else { continue };
            service.addresses.clone_from(&plane.addresses);
            for (path, address) in (0..).zip(&plane.addresses) {
                self.ours.insert(*address, (number, path));
            }
            for (name, addresses) in &plane.endpoints {
                let endpoint = position(
                    &mut service.endpoints,
                    |known| known.name == *name,
                    || Endpoint { name: Arc::clone(name), addresses: Vec::new() },
                );
                if let Some(known) = service.endpoints.get_mut(usize::from(endpoint)) {
                    known.addresses.clone_from(addresses);
                }
                for (path, address) in (0..).zip(addresses) {
                    // The first service of several that an endpoint is behind is the one that it is named by.
                    self.theirs.entry(*address).or_insert(Leg { service: number, endpoint, path });
                }
            }
        }
    }

    /// Whether an address is one that clients send to.
    pub(crate) fn is_ours(&self, addresses: Addresses) -> bool {
        addresses.into_iter().any(|address| self.ours.contains_key(&address))
    }

    /// Whether an address is that of another UPF than the one of this name.
    pub(crate) fn is_anothers(&self, addresses: Addresses, upf: &str) -> bool {
        let mut owners = addresses.into_iter().filter_map(|address| self.endpoint(*self.theirs.get(&address)?));
        owners.any(|endpoint| short(&endpoint.name) != short(upf))
    }

    /// What clients are told of a tunnel that a UPF has; none where its address is behind no service. `lost`: the tunnels
    /// of the session on a UPF that is no more, whose clients are to notice nothing.
    pub(crate) fn learn(
        &mut self,
        tunnels: &mut Tunnels,
        session: SessionId,
        (place, theirs, addresses): (Option<Use>, u32, Addresses),
        lost: Option<&Tunnels>,
        random: &mut Random,
    ) -> Option<(FTeid, Vec<TunnelChange>)> {
        let legs = [addresses.v4.map(IpAddr::V4), addresses.v6.map(IpAddr::V6)]
            .map(|address| address.and_then(|address| self.theirs.get(&address).copied()));
        if legs == [None, None] {
            return None;
        }
        let known = tunnels.tunnels.iter().find(|tunnel| tunnel.theirs == theirs && tunnel.legs == legs).copied();
        if let Some(known) = known {
            let before = place.and_then(|place| tunnels.ours(place));
            tunnels.place(place, known.ours);
            return Some((self.told(&known), self.end_unused(tunnels, before)));
        }
        let before = place.and_then(|place| tunnels.ours(place));
        let kept = place.and_then(|place| match lost {
            Some(lost) => lost.ours(place),
            None => self.moved(tunnels, place, legs),
        });
        // At another address a TEID may be somebody else's.
        let kept = kept.filter(|ours| {
            let tunnel = Tunnel { ours: *ours, theirs, legs };
            self.at(&tunnel)
                .all(|at| self.taken.get(&at).is_none_or(|owner| [session, SessionId::NONE].contains(owner)))
        });
        let ours = kept.unwrap_or_else(|| self.free(theirs, legs, random));
        let tunnel = Tunnel { ours, theirs, legs };
        match tunnels.tunnels.iter_mut().find(|tunnel| tunnel.ours == ours) {
            Some(before) => *before = tunnel,
            None => tunnels.tunnels.push(tunnel),
        }
        tunnels.place(place, ours);
        let at: Vec<(IpAddr, u32)> = self.at(&tunnel).collect();
        self.taken.extend(at.into_iter().map(|at| (at, session)));
        let mut changes = self.end_unused(tunnels, before.filter(|before| *before != ours));
        changes.extend(self.pins(&tunnel));
        Some((self.told(&tunnel), changes))
    }

    /// Ends a tunnel where nothing comes by it any more.
    fn end_unused(&mut self, tunnels: &mut Tunnels, ours: Option<u32>) -> Vec<TunnelChange> {
        let ended = ours.and_then(|ours| tunnels.abandoned(ours));
        self.end_all(ended.as_slice())
    }

    /// What ends of a session's tunnels on a UPF that is no more: where clients find none of those on the next one.
    pub(crate) fn end_lost(&mut self, lost: &Tunnels, now: &Tunnels) -> Vec<TunnelChange> {
        let at = |tunnels: &Tunnels| -> Vec<(IpAddr, u32)> {
            tunnels.tunnels.iter().flat_map(|tunnel| self.at(tunnel)).collect()
        };
        let (before, stays) = (at(lost), at(now));
        let ended: Vec<_> = before.into_iter().filter(|at| !stays.contains(at)).collect();
        self.unpin(ended)
    }

    /// Takes tunnels back that are not in force after all: out of a session where it is still there, and out of use.
    pub(crate) fn take_back(
        &mut self,
        session: SessionId,
        tunnels: Option<&mut Tunnels>,
        changes: &[TunnelChange],
    ) {
        let at: Vec<_> = changes.iter().map(TunnelChange::at).collect();
        if let Some(tunnels) = tunnels {
            let gone: Vec<u32> = tunnels
                .tunnels
                .extract_if(.., |tunnel| self.at(tunnel).any(|of| at.contains(&of)))
                .map(|tunnel| tunnel.ours)
                .collect();
            tunnels.places.retain(|(_, ours)| !gone.contains(ours));
        }
        for at in at {
            if self.taken.get(&at) == Some(&session) {
                self.taken.remove(&at);
            }
        }
    }

    /// Keeps TEIDs from being given to others, for as long as they may still lead somewhere: those that nobody has by now.
    pub(crate) fn hold(&mut self, changes: Vec<TunnelChange>) -> Vec<TunnelChange> {
        let mut held = changes;
        held.retain(|change| !self.taken.contains_key(&change.at()));
        self.taken.extend(held.iter().map(|change| (change.at(), SessionId::NONE)));
        held
    }

    /// Those of TEIDs that still lead somewhere, and are nobody's.
    pub(crate) fn hold_on(&mut self, changes: Vec<TunnelChange>) -> Vec<TunnelChange> {
        self.release(&changes);
        self.hold(changes)
    }

    /// TEIDs lead nowhere any more.
    pub(crate) fn release(&mut self, changes: &[TunnelChange]) {
        for at in changes.iter().map(TunnelChange::at) {
            if self.taken.get(&at) == Some(&SessionId::NONE) {
                self.taken.remove(&at);
            }
        }
    }

    /// The TEID that clients of a rule were told, where its new tunnel is behind the same addresses.
    fn moved(&self, tunnels: &Tunnels, place: Use, legs: [Option<Leg>; 2]) -> Option<u32> {
        let ours = tunnels.ours(place)?;
        let before = tunnels.tunnels.iter().find(|tunnel| tunnel.ours == ours)?;
        let spots = |legs: [Option<Leg>; 2]| legs.map(|leg| leg.map(|leg| (leg.service, leg.path)));
        // Another rule's packets may still come by the old one.
        let alone = tunnels.places.iter().filter(|(_, other)| *other == ours).count() == 1;
        (alone && spots(before.legs) == spots(legs)).then_some(ours)
    }

    /// The UPF's end of a tunnel of the session that clients know by this.
    pub(crate) fn theirs(&self, tunnels: &Tunnels, teid: u32, addresses: Addresses) -> Option<FTeid> {
        let mut known = tunnels.tunnels.iter().filter(|tunnel| tunnel.ours == teid);
        known.find(|tunnel| self.at(tunnel).any(|(address, _)| addresses.contains(address))).map(|it| self.end(it))
    }

    /// Whose tunnel clients know by this.
    pub(crate) fn owner(&self, teid: u32, addresses: Addresses) -> Option<SessionId> {
        addresses.into_iter().find_map(|address| self.taken.get(&(address, teid)).copied())
    }

    /// Whether nobody has a tunnel that clients would know by this; one that is only held is on its way out.
    pub(crate) fn is_free(&self, teid: u32, addresses: Addresses) -> bool {
        self.owner(teid, addresses).is_none_or(|owner| owner == SessionId::NONE)
    }

    /// Those that are to end still.
    pub(crate) fn still_held(&self, changes: Vec<TunnelChange>) -> Vec<TunnelChange> {
        let held = |change: &TunnelChange| self.taken.get(&change.at()) == Some(&SessionId::NONE);
        changes.into_iter().filter(held).collect()
    }

    /// The addresses of a UPF where clients know these of the service; the UPF is known by its name without its pool.
    pub(crate) fn beside(&self, addresses: Addresses, upf: &str) -> Addresses {
        let beside = addresses.into_iter().filter_map(|address| {
            let (service, path) = self.ours.get(&address)?;
            let endpoints = &self.services.get(usize::from(*service))?.endpoints;
            let endpoint = endpoints.iter().find(|endpoint| short(&endpoint.name) == short(upf))?;
            endpoint.addresses.get(usize::from(*path)).copied()
        });
        beside.collect()
    }

    /// What ends tunnels.
    pub(crate) fn end_all(&mut self, tunnels: &[Tunnel]) -> Vec<TunnelChange> {
        let at = tunnels.iter().flat_map(|tunnel| self.at(tunnel)).collect();
        self.unpin(at)
    }

    fn unpin(&mut self, ended: Vec<(IpAddr, u32)>) -> Vec<TunnelChange> {
        for at in &ended {
            self.taken.remove(at);
        }
        ended.into_iter().map(|at| TunnelChange::Unpin { at }).collect()
    }

    /// What of a session's tunnels outlives the process.
    pub(crate) fn kept(&self, tunnels: &Tunnels) -> Vec<KeptTunnel> {
        let kept = |tunnel: &Tunnel| KeptTunnel {
            ours: tunnel.ours,
            theirs: tunnel.theirs,
            addresses: tunnel.legs.map(|leg| self.upf_address(leg?)),
        };
        tunnels.tunnels.iter().map(kept).collect()
    }

    /// Takes a session's tunnels over, and what puts them into force. Those that are behind no service any more end.
    pub(crate) fn take_over(
        &mut self,
        session: SessionId,
        kept: &[KeptTunnel],
        mut tunnels: Tunnels,
    ) -> (Tunnels, Vec<TunnelChange>) {
        let mut changes = Vec::new();
        for KeptTunnel { ours, theirs, addresses } in kept {
            let legs = addresses.map(|address| self.theirs.get(&address?).copied());
            let tunnel = Tunnel { ours: *ours, theirs: *theirs, legs };
            let at: Vec<(IpAddr, u32)> = self.at(&tunnel).collect();
            if at.is_empty() {
                continue;
            }
            self.taken.extend(at.into_iter().map(|at| (at, session)));
            changes.extend(self.pins(&tunnel));
            tunnels.tunnels.push(tunnel);
        }
        (tunnels, changes)
    }

    /// Where clients' ends lead: to the session's UPF, as far as clients reach it over the family of the end.
    pub(crate) fn leads(&self, tunnels: &Tunnels) -> Vec<Lead> {
        let lead = |client: (IpAddr, u32)| {
            let family = usize::from(client.0.is_ipv6());
            let mut legs = tunnels.tunnels.iter().filter_map(|tunnel| *tunnel.legs.get(family)?);
            let leg = legs.find(|_| !self.ours.contains_key(&client.0))?;
            let service = self.services.get(usize::from(leg.service))?;
            let (service, endpoint) = (Arc::clone(&service.name), Arc::clone(&self.endpoint(leg)?.name));
            Some(Lead { client, to: Some(Sender { service, path: leg.path, endpoint }) })
        };
        tunnels.peers.ends().filter_map(lead).collect()
    }

    /// A session's tunnels, for those who ask.
    pub(crate) fn views(&self, tunnels: &Tunnels) -> Vec<TunnelView> {
        let view = |tunnel: &Tunnel| TunnelView { at: self.at(tunnel).collect(), upf_teid: tunnel.theirs };
        tunnels.tunnels.iter().map(view).collect()
    }

    /// A TEID that is free at all addresses of the tunnel: the UPF's own where it can be, so that nothing need be
    /// rewritten.
    fn free(&self, wanted: u32, legs: [Option<Leg>; 2], random: &mut Random) -> u32 {
        let mut ours = wanted;
        loop {
            let tunnel = Tunnel { ours, theirs: wanted, legs };
            if ours != 0 && !self.at(&tunnel).any(|at| self.taken.contains_key(&at)) {
                return ours;
            }
            ours = random.word();
        }
    }

    /// Where clients send to.
    fn at(&self, tunnel: &Tunnel) -> impl Iterator<Item = (IpAddr, u32)> {
        let ours = tunnel.ours;
        tunnel.legs.into_iter().flatten().filter_map(move |leg| {
            let service = self.services.get(usize::from(leg.service))?;
            Some((*service.addresses.get(usize::from(leg.path))?, ours))
        })
    }

    /// What clients are told.
    fn told(&self, tunnel: &Tunnel) -> FTeid {
        FTeid::Given { teid: tunnel.ours, addresses: self.at(tunnel).map(|(address, _)| address).collect() }
    }

    /// What the UPF said.
    fn end(&self, tunnel: &Tunnel) -> FTeid {
        let addresses = tunnel.legs.into_iter().flatten().filter_map(|leg| self.upf_address(leg));
        FTeid::Given { teid: tunnel.theirs, addresses: addresses.collect() }
    }

    /// The UPF.
    fn endpoint(&self, leg: Leg) -> Option<&Endpoint> {
        self.services.get(usize::from(leg.service))?.endpoints.get(usize::from(leg.endpoint))
    }

    /// The address of the UPF.
    fn upf_address(&self, leg: Leg) -> Option<IpAddr> {
        self.endpoint(leg)?.addresses.get(usize::from(leg.path)).copied()
    }

    /// What puts a session's tunnels into force.
    pub(crate) fn all_pins(&self, tunnels: &Tunnels) -> Vec<TunnelChange> {
        tunnels.tunnels.iter().flat_map(|tunnel| self.pins(tunnel)).collect()
    }

    fn pins(&self, tunnel: &Tunnel) -> Vec<TunnelChange> {
        let legs = tunnel.legs.into_iter().flatten();
        legs.filter_map(|leg| {
            let service = self.services.get(usize::from(leg.service))?;
            Some(TunnelChange::Pin {
                at: (*service.addresses.get(usize::from(leg.path))?, tunnel.ours),
                service: (Arc::clone(&service.name), leg.path),
                to: (Arc::clone(&self.endpoint(leg)?.name), tunnel.theirs),
            })
        })
        .collect()
    }
}

/// The number of what is known, or is taken in.
fn position<T>(all: &mut Vec<T>, is: impl Fn(&T) -> bool, new: impl FnOnce() -> T) -> u16 {
    let at = all.iter().position(is).unwrap_or_else(|| {
        all.push(new());
        all.len().saturating_sub(1)
    });
    u16::try_from(at).unwrap_or(u16::MAX)
}

/// A name without its pool.
fn short(name: &str) -> &str {
    name.rsplit_once('/').map_or(name, |(_, short)| short)
}
