//! Who plays: hosts, networks and services of the demonstration.
//!
//! Two networks carry N2, so that every association has two paths; a third carries N3, a fourth N4. Every host is joined
//! to the balancer by a link of its own on each network that it is on.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use pinion_networks::topology::{self, Place};

/// How many gNBs there are.
pub(crate) const GNBS: u8 = 6;
/// How many AMFs there are.
pub(crate) const AMFS: u8 = 3;
/// How many UPFs there are.
pub(crate) const UPFS: u8 = 3;
/// The SMF.
pub(crate) const SMF: Member = Member { role: Role::Smf, number: 1 };
/// How many UEs there are.
pub(crate) const UES: u32 = 120;
/// How many tunnels a gNB has.
pub(crate) const TUNNELS: u8 = 4;

/// A network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Network {
    /// The first of N2.
    First,
    /// The second of N2.
    Second,
    /// N3.
    User,
    /// N4.
    Control,
}

impl Network {
    /// All, in the order of the topology's paths.
    pub(crate) const ALL: [Self; 4] = [Self::First, Self::Second, Self::User, Self::Control];

    /// Those of N2.
    pub(crate) const N2: [Self; 2] = [Self::First, Self::Second];

    /// Its number among the topology's paths, from 1.
    pub(crate) const fn path(self) -> u8 {
        match self {
            Self::First => 1,
            Self::Second => 2,
            Self::User => 3,
            Self::Control => 4,
        }
    }

    /// Whether it carries N2.
    pub(crate) fn is_n2(self) -> bool {
        Self::N2.contains(&self)
    }

    /// The network that an address is on.
    pub(crate) fn of(address: IpAddr) -> Option<Self> {
        let IpAddr::V4(address) = address else { return None };
        let [_, path, ..] = address.octets();
        Self::ALL.into_iter().find(|network| network.path() == path)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::First => "N2 a",
            Self::Second => "N2 b",
            Self::User => "N3",
            Self::Control => "N4",
        })
    }
}

/// What a host is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// It asks.
    Gnb,
    /// It answers NGAP.
    Amf,
    /// It answers GTP-U and PFCP.
    Upf,
    /// It asks by PFCP.
    Smf,
}

/// A host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    /// What it is for.
    pub(crate) role: Role,
    /// Its number among its like, from 1.
    pub(crate) number: u8,
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let role = match self.role {
            Role::Gnb => "gnb",
            Role::Amf => "amf",
            Role::Upf => "upf",
            Role::Smf => "smf",
        };
        f.pad(&format!("{role}-{}", self.number))
    }
}

impl Member {
    /// The networks that it is on.
    pub(crate) const fn networks(self) -> &'static [Network] {
        match self.role {
            Role::Gnb => &[Network::First, Network::Second, Network::User],
            Role::Amf => &Network::N2,
            Role::Upf => &[Network::User, Network::Control],
            Role::Smf => &[Network::Control],
        }
    }

    /// Its number among the topology's endpoints; `None`: it is a client.
    pub(crate) const fn endpoint(self) -> Option<u8> {
        match self.role {
            Role::Gnb => None,
            Role::Amf => Some(self.number),
            Role::Upf => Some(AMFS.saturating_add(self.number)),
            Role::Smf => Some(AMFS.saturating_add(UPFS).saturating_add(self.number)),
        }
    }

    /// Where it meets the balancer on a network.
    pub(crate) fn place(self, network: Network) -> Place {
        match self.endpoint() {
            None => topology::client(network.path(), self.number, false),
            Some(number) => topology::endpoint(network.path(), number, false),
        }
    }

    /// Its address on a network.
    pub(crate) fn address(self, network: Network) -> IpAddr {
        self.place(network).host.0
    }

    /// Its addresses on N2.
    pub(crate) fn on_n2(self) -> [IpAddr; 2] {
        Network::N2.map(|network| self.address(network))
    }
}

/// Everybody: gNBs, AMFs, UPFs, the SMF.
pub(crate) fn members() -> impl Iterator<Item = Member> {
    let all = |role, many| (1..=many).map(move |number| Member { role, number });
    all(Role::Gnb, GNBS).chain(all(Role::Amf, AMFS)).chain(all(Role::Upf, UPFS)).chain([SMF])
}

/// Where gNBs find an AMF: an address on each network of N2.
pub(crate) fn amf_service() -> [IpAddr; 2] {
    Network::N2.map(|network| topology::service(network.path(), 1, false))
}

/// Where gNBs find Pinion as the AMF of their UEs, and AMFs as their gNB: on each network of N2, and nobody's address but its own.
pub(crate) fn ue_service() -> [IpAddr; 2] {
    Network::N2.map(|network| topology::service(network.path(), 3, false))
}

/// Where gNBs find a UPF.
pub(crate) fn upf_service() -> IpAddr {
    topology::service(Network::User.path(), 2, false)
}

/// Where the SMF finds a UPF, and UPFs an SMF: an address that the balancer itself has.
pub(crate) fn pfcp_service() -> IpAddr {
    topology::service(Network::Control.path(), 1, false)
}

/// A user's session, and the tunnel that it has between its gNB and a UPF.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tunnel {
    /// Its number, from 0.
    pub(crate) number: u8,
    /// Whose it is.
    pub(crate) gnb: u8,
}

impl Tunnel {
    /// The TEID of the gNB's end, which it chooses itself. The UPF's end is learned.
    pub(crate) const fn gnb_teid(self) -> u32 {
        0x9000 + self.number as u32
    }
}

/// The address of the user whose session has this number.
pub(crate) const fn user(number: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 45, 0, number)
}

/// All tunnels.
pub(crate) fn tunnels() -> impl Iterator<Item = Tunnel> {
    let all = (1..=GNBS).flat_map(|gnb| std::iter::repeat_n(gnb, usize::from(TUNNELS)));
    (0..).zip(all).map(|(number, gnb)| Tunnel { number, gnb })
}
