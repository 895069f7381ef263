//! Which UPF a new session gets.

use std::net::IpAddr;

use pinion_exchange::placement::{Candidate, Placement, choose};
use pinion_protocols::addresses::is_within;
use pinion_protocols::pfcp::{Element, ElementType, Elements, Error, Message, SNssai};

use crate::front::FrontEnd;
use crate::pools;
use crate::settings::Serves;
use crate::upf::Upf;

/// What a session is placed by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wish<'a> {
    pub(crate) dnn: Option<&'a [u8]>,
    pub(crate) slice: Option<SNssai>,
    pub(crate) networks: Vec<&'a [u8]>,
    pub(crate) users: Vec<IpAddr>,
    /// Whether the UPF is to choose the user's address.
    pub(crate) chooses_user: bool,
    /// Pools that it is to choose it from.
    pub(crate) pools: Vec<&'a [u8]>,
}

impl<'a> Wish<'a> {
    /// That of an establishment request.
    pub(crate) fn of(message: &Message<'a>) -> Result<Self, Error> {
        let mut wish = Self::default();
        wish.look(message.elements())?;
        Ok(wish)
    }

    fn look(&mut self, elements: Elements<'a>) -> Result<(), Error> {
        for element in elements {
            let element = element?;
            match element.kind() {
                ElementType::CreatePdr | ElementType::Pdi | ElementType::CreateTrafficEndpoint => {
                    if let Some(children) = element.group()? {
                        self.look(children)?;
                    }
                }
                ElementType::UeIpAddressPoolIdentity => self.pools.push(element.value()),
                ElementType::ApnDnn
                | ElementType::SNssai
                | ElementType::NetworkInstance
                | ElementType::UeIpAddress => match element.parse()? {
                    Element::Dnn(dnn) => self.dnn = Some(dnn),
                    Element::SNssai(slice) => self.slice = Some(slice),
                    Element::NetworkInstance(name) => self.networks.push(name),
                    Element::UeIpAddress(user) => {
                        self.chooses_user |= user.choose_v4 || user.choose_v6;
                        self.users.extend(user.addresses);
                    }
                    _ => {}
                },
                _ => {}
            }
        }
        Ok(())
    }

    /// Whether a UPF takes such a session.
    pub(crate) fn fits(&self, serves: &Serves) -> bool {
        let dnn = || self.dnn.is_some_and(|dnn| serves.dnns.iter().any(|name| is_named(dnn, name)));
        let slice = || {
            self.slice.is_some_and(|slice| {
                serves.slices.iter().any(|(sst, sd)| *sst == slice.sst && sd.is_none_or(|sd| sd == slice.sd))
            })
        };
        let network = || {
            self.networks.iter().all(|network| serves.network_instances.iter().any(|name| is_named(network, name)))
        };
        let user = || {
            self.users
                .iter()
                .all(|user| serves.ue_addresses.iter().any(|(prefix, length)| is_within(*user, *prefix, *length)))
        };
        (serves.dnns.is_empty() || dnn())
            && (serves.slices.is_empty() || slice())
            && (serves.network_instances.is_empty() || network())
            && (serves.ue_addresses.is_empty() || user())
    }

    /// What hashing goes by: the first of the user's addresses, whole for IPv4, its /64 for IPv6.
    pub(crate) fn user(&self) -> Option<u64> {
        self.users.first().map(|user| match user {
            IpAddr::V4(v4) => u64::from(v4.to_bits()),
            IpAddr::V6(v6) => (v6.to_bits() >> 64) as u64,
        })
    }
}

impl<Proof> FrontEnd<Proof> {
    /// The UPF that gets a session.
    pub(crate) fn place(&mut self, wish: &Wish<'_>, key: u64) -> Option<u16> {
        let able: Vec<bool> = self.upfs.iter().map(Upf::takes_sessions).collect();
        self.place_among(wish, key, &able)
    }

    /// The UPF that gets a session, of those that are able to.
    pub(crate) fn place_among(&mut self, wish: &Wish<'_>, key: u64, able: &[bool]) -> Option<u16> {
        let mut candidates: Vec<Candidate<'_>> = (0..)
            .zip(self.upfs.iter().zip(able))
            .filter(|(_, (upf, able))| **able && wish.fits(&upf.config.serves))
            .map(|(number, (upf, _))| Candidate {
                number,
                name: &upf.config.name,
                weight: upf.config.weight,
                priority: upf.config.priority,
                sessions: upf.sessions,
                load: upf.load.percent(self.now),
            })
            .collect();
        // Pools that no UPF tells of are not what they are placed by.
        let upfs = &self.upfs;
        let has = |it: &Candidate<'_>| {
            let upf = upfs.get(usize::from(it.number));
            upf.is_some_and(|upf| wish.pools.iter().all(|name| pools::has(&upf.pools, name)))
        };
        if upfs.iter().any(|upf| wish.pools.iter().any(|name| pools::has(&upf.pools, name))) {
            candidates.retain(has);
        }
        // An overloaded UPF is spared as often as it asks, where another one can take its share.
        let dice = u8::try_from(self.random.word() % 100).unwrap_or_default();
        let upfs = &self.upfs;
        let spared = |it: &Candidate<'_>| {
            upfs.get(usize::from(it.number)).is_some_and(|upf| dice < upf.load.reduction(self.now))
        };
        if candidates.iter().any(|it| it.weight > 0 && !spared(it)) {
            candidates.retain(|it| !spared(it));
        }
        let key = match self.settings.placement {
            Placement::Hash => wish.user().unwrap_or(key),
            Placement::LeastSessions | Placement::RoundRobin => key,
        };
        let chosen = choose(self.settings.placement, &candidates, self.placed, key)?;
        self.placed = self.placed.wrapping_add(1);
        Some(chosen)
    }
}

/// Whether a name on the wire, plain or as labels of the DNS (TS 29.244 8.2.4, 8.2.117), is this one.
pub(crate) fn is_named(wire: &[u8], name: &str) -> bool {
    wire.eq_ignore_ascii_case(name.as_bytes()) || labels(wire).is_some_and(|text| text.eq_ignore_ascii_case(name))
}

fn labels(mut wire: &[u8]) -> Option<String> {
    let mut text = String::new();
    while let Some((&length, rest)) = wire.split_first() {
        if length == 0 && rest.is_empty() {
            break;
        }
        let (label, rest) = rest.split_at_checked(usize::from(length))?;
        if !text.is_empty() {
            text.push('.');
        }
        text.push_str(core::str::from_utf8(label).ok()?);
        wire = rest;
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn upfs_take_what_they_serve() {
        let user: IpAddr = [10, 45, 3, 4].into();
        let wish = Wish {
            dnn: Some(b"\x08internet"),
            slice: Some(SNssai { sst: 1, sd: [0, 0, 1] }),
            networks: vec![b"access"],
            users: vec![user],
            chooses_user: false,
            pools: Vec::new(),
        };
        assert!(wish.fits(&Serves::default()));
        let serves = |dnn: &str, slice, network: &str, length| Serves {
            dnns: vec![dnn.into()],
            slices: vec![slice],
            network_instances: vec![network.into()],
            ue_addresses: vec![([10, 45, 0, 0].into(), length)],
        };
        assert!(wish.fits(&serves("Internet", (1, None), "access", 16)));
        assert!(wish.fits(&serves("internet", (1, Some([0, 0, 1])), "access", 22)));
        assert!(!wish.fits(&serves("ims", (1, None), "access", 16)));
        assert!(!wish.fits(&serves("internet", (1, Some([0, 0, 2])), "access", 16)));
        assert!(!wish.fits(&serves("internet", (2, None), "access", 16)));
        assert!(!wish.fits(&serves("internet", (1, None), "core", 16)));
        assert!(!wish.fits(&serves("internet", (1, None), "access", 24)));
    }
}
