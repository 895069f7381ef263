//! Who plays: hosts, networks and services of the demonstration.
//!
//! Two networks carry N2, so that every association has two paths; a third carries N3. Every host is joined to the
//! balancer by a link of its own on each network that it is on.

use std::fmt;
use std::net::IpAddr;

use pinion_networks::topology::{self, Place};

/// How many gNBs there are.
pub(crate) const GNBS: u8 = 6;
/// How many AMFs there are.
pub(crate) const AMFS: u8 = 3;
/// How many UPFs there are.
pub(crate) const UPFS: u8 = 3;
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
}

impl Network {
    /// All, in the order of the topology's paths.
    pub(crate) const ALL: [Self; 3] = [Self::First, Self::Second, Self::User];

    /// Its number among the topology's paths, from 1.
    pub(crate) const fn path(self) -> u8 {
        match self {
            Self::First => 1,
            Self::Second => 2,
            Self::User => 3,
        }
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
    /// It answers GTP-U.
    Upf,
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
        };
        f.pad(&format!("{role}-{}", self.number))
    }
}

impl Member {
    /// The networks that it is on.
    pub(crate) const fn networks(self) -> &'static [Network] {
        match self.role {
            Role::Gnb => &Network::ALL,
            Role::Amf => &[Network::First, Network::Second],
            Role::Upf => &[Network::User],
        }
    }

    /// Where it meets the balancer on a network.
    pub(crate) fn place(self, network: Network) -> Place {
        match self.role {
            Role::Gnb => topology::client(network.path(), self.number, false),
            Role::Amf => topology::endpoint(network.path(), self.number, false),
            Role::Upf => topology::endpoint(network.path(), AMFS.saturating_add(self.number), false),
        }
    }

    /// Its address on a network.
    pub(crate) fn address(self, network: Network) -> IpAddr {
        self.place(network).host.0
    }
}

/// Everybody: gNBs, AMFs, UPFs.
pub(crate) fn members() -> impl Iterator<Item = Member> {
    let all = |role, many| (1..=many).map(move |number| Member { role, number });
    all(Role::Gnb, GNBS).chain(all(Role::Amf, AMFS)).chain(all(Role::Upf, UPFS))
}

/// Where gNBs find an AMF: an address on each network of N2.
pub(crate) fn amf_service() -> [IpAddr; 2] {
    [Network::First, Network::Second].map(|network| topology::service(network.path(), 1, false))
}

/// Where gNBs find a UPF.
pub(crate) fn upf_service() -> IpAddr {
    topology::service(Network::User.path(), 2, false)
}

/// A tunnel and who has its other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tunnel {
    /// Its number, from 0.
    pub(crate) number: u8,
    /// Whose it is.
    pub(crate) gnb: u8,
    /// The number of the UPF that serves it.
    pub(crate) upf: u8,
}

impl Tunnel {
    /// The TEID that the gNB sends to.
    pub(crate) const fn teid(self) -> u32 {
        0x1000 + self.number as u32
    }

    /// The TEID as its UPF knows it.
    pub(crate) const fn upf_teid(self) -> u32 {
        0x5000 + self.number as u32
    }

    /// The TEID that the UPF answers to.
    pub(crate) const fn gnb_teid(self) -> u32 {
        0x9000 + self.number as u32
    }
}

/// All tunnels, each UPF with its share.
pub(crate) fn tunnels() -> Vec<Tunnel> {
    let all = (1..=GNBS).flat_map(|gnb| std::iter::repeat_n(gnb, usize::from(TUNNELS)));
    (0..).zip(all).map(|(number, gnb)| Tunnel { number, gnb, upf: number % UPFS + 1 }).collect()
}

/// The tunnels after a UPF is gone: its own are shared out among the others.
pub(crate) fn without(tunnels: &[Tunnel], gone: u8) -> Vec<Tunnel> {
    let mut others = (1..=UPFS).filter(|upf| *upf != gone).cycle();
    let moved = |tunnel: &Tunnel| match tunnel.upf == gone {
        true => Tunnel { upf: others.next().unwrap_or(gone), ..*tunnel },
        false => *tunnel,
    };
    tunnels.iter().map(moved).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_tunnels_of_the_upf_that_is_gone_move() {
        let before = tunnels();
        let after = without(&before, 2);
        assert_eq!(before.len(), 24);
        for (before, after) in before.iter().zip(&after) {
            assert_eq!(before.upf != after.upf, before.upf == 2, "{before:?}");
            assert!(after.upf != 2 && (1..=UPFS).contains(&after.upf));
        }
    }
}
