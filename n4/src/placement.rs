//! Which UPF a new session gets.

use std::hash::BuildHasher;
use std::net::IpAddr;

use foldhash::fast::FixedState;
use pinion_protocols::pfcp::{Element, ElementType, Elements, Error, Message, SNssai};

use crate::front::FrontEnd;
use crate::settings::{Placement, Serves};

/// What a session is placed by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wish<'a> {
    pub(crate) dnn: Option<&'a [u8]>,
    pub(crate) slice: Option<SNssai>,
    pub(crate) networks: Vec<&'a [u8]>,
    pub(crate) users: Vec<IpAddr>,
    /// Whether the UPF is to choose the user's address.
    pub(crate) chooses_user: bool,
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
                .all(|user| serves.ue_addresses.iter().any(|(prefix, length)| within(*user, *prefix, *length)))
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

/// A UPF that takes the session.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate<'a> {
    pub(crate) number: u16,
    pub(crate) name: &'a str,
    pub(crate) weight: u32,
    pub(crate) priority: u8,
    pub(crate) sessions: u32,
    /// Percent of its capacity that it says is in use.
    pub(crate) load: u8,
}

impl<Proof> FrontEnd<Proof> {
    /// The UPF that gets a session.
    pub(crate) fn place(&mut self, wish: &Wish<'_>, key: u64) -> Option<u16> {
        let mut candidates: Vec<Candidate<'_>> = (0..)
            .zip(&self.upfs)
            .filter(|(_, upf)| upf.takes_sessions() && wish.fits(&upf.config.serves))
            .map(|(number, upf)| Candidate {
                number,
                name: &upf.config.name,
                weight: upf.config.weight,
                priority: upf.config.priority,
                sessions: upf.sessions,
                load: upf.load.percent(self.now),
            })
            .collect();
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

/// Chooses among candidates. `turn`: how many sessions were placed before; `key`: what hashing goes by.
pub(crate) fn choose(placement: Placement, candidates: &[Candidate<'_>], turn: u64, key: u64) -> Option<u16> {
    let group = candidates.iter().filter(|it| it.weight > 0).map(|it| it.priority).min()?;
    let group = || candidates.iter().filter(move |it| it.weight > 0 && it.priority == group);
    let chosen = match placement {
        Placement::LeastSessions => group().min_by_key(|it| {
            let full = (u64::from(it.sessions) + 1) * (100 + u64::from(it.load.min(100)));
            full.saturating_mul(1 << 20) / u64::from(it.weight)
        }),
        Placement::Hash => group().max_by(|a, b| score(a, key).total_cmp(&score(b, key))),
        Placement::RoundRobin => {
            let total: u64 = group().map(|it| u64::from(it.weight)).sum();
            let mut left = turn.checked_rem(total)?;
            group().find(|it| match left.checked_sub(u64::from(it.weight)) {
                Some(less) => {
                    left = less;
                    false
                }
                None => true,
            })
        }
    };
    chosen.map(|it| it.number)
}

/// Weighted rendezvous hashing: when a UPF goes, the sessions of the others stay where they are.
fn score(candidate: &Candidate<'_>, key: u64) -> f64 {
    let hash = FixedState::with_seed(0).hash_one((candidate.name, key));
    // In (0, 1): 52 bits of the hash, and a half.
    let even = ((hash >> 12) as f64 + 0.5) / (1_u64 << 52) as f64;
    f64::from(candidate.weight) / -even.ln()
}

/// Whether a name on the wire, plain or as labels of the DNS (TS 29.244 8.2.4, 8.2.117), is this one.
fn is_named(wire: &[u8], name: &str) -> bool {
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

fn within(address: IpAddr, prefix: IpAddr, length: u8) -> bool {
    match (address, prefix) {
        (IpAddr::V4(address), IpAddr::V4(prefix)) => {
            (address.to_bits() ^ prefix.to_bits()).leading_zeros() >= u32::from(length.min(32))
        }
        (IpAddr::V6(address), IpAddr::V6(prefix)) => {
            (address.to_bits() ^ prefix.to_bits()).leading_zeros() >= u32::from(length.min(128))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    fn upf(number: u16, weight: u32, sessions: u32) -> Candidate<'static> {
        let name = ["upfs/a", "upfs/b", "upfs/c"][usize::from(number)];
        Candidate { number, name, weight, priority: 0, sessions, load: 0 }
    }

    fn placed(placement: Placement, upfs: &[Candidate<'_>]) -> HashMap<u16, u32> {
        let mut counts = HashMap::new();
        for turn in 0..6_000 {
            *counts.entry(choose(placement, upfs, turn, turn * 77).unwrap()).or_default() += 1;
        }
        counts
    }

    #[test]
    fn the_emptiest_for_its_weight_gets_the_session() {
        let least = |upfs: &[Candidate<'_>]| choose(Placement::LeastSessions, upfs, 0, 0);
        assert_eq!(least(&[upf(0, 1, 10), upf(1, 1, 9)]), Some(1));
        assert_eq!(least(&[upf(0, 2, 10), upf(1, 1, 9)]), Some(0));
        let busy = Candidate { load: 90, ..upf(1, 1, 9) };
        assert_eq!(least(&[upf(0, 1, 10), busy]), Some(0));
        assert_eq!(least(&[upf(0, 0, 0)]), None);
        assert_eq!(least(&[]), None);
    }

    #[test]
    fn shares_are_as_the_weights() {
        for placement in [Placement::RoundRobin, Placement::Hash] {
            let counts = placed(placement, &[upf(0, 1, 0), upf(1, 2, 0), upf(2, 0, 0)]);
            assert!((1_900..=2_100).contains(&counts[&0]), "{placement:?} {counts:?}");
            assert_eq!(counts.get(&2), None);
        }
    }

    #[test]
    fn a_upf_that_goes_moves_no_other_sessions() {
        let upfs = [upf(0, 1, 0), upf(1, 1, 0), upf(2, 1, 0)];
        for key in 0..1_000 {
            let before = choose(Placement::Hash, &upfs, 0, key).unwrap();
            let after = choose(Placement::Hash, &upfs[..2], 0, key).unwrap();
            assert!(before == 2 || before == after, "{key}");
        }
    }

    #[test]
    fn the_first_group_that_has_a_upf_gets_the_session() {
        let second = Candidate { priority: 5, ..upf(0, 1, 0) };
        let choose = |upfs: &[Candidate<'_>]| super::choose(Placement::LeastSessions, upfs, 0, 0);
        assert_eq!(choose(&[second, upf(1, 1, 99)]), Some(1));
        assert_eq!(choose(&[second]), Some(0));
    }

    #[test]
    fn upfs_take_what_they_serve() {
        let user: IpAddr = [10, 45, 3, 4].into();
        let wish = Wish {
            dnn: Some(b"\x08internet"),
            slice: Some(SNssai { sst: 1, sd: [0, 0, 1] }),
            networks: vec![b"access"],
            users: vec![user],
            chooses_user: false,
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
