//! UEs of services in mode `association`, as copies of their packets tell of them.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use pinion_loader::Copied;
use pinion_n2::observe::{Bounds, Observer, Seen, Side};
use pinion_steering::{Flow, FlowKey, State};

use crate::control::{HeardService, N2Mode, N2Ue};
use crate::sessions::Names;

/// What is known of all services that are listened to.
#[derive(Debug, Default)]
pub struct Aware {
    services: BTreeMap<Arc<str>, Observer<Associated, About>>,
    /// Copies of what is configured no longer.
    stray: u64,
}

/// Which association: the pin that its gNB's packets go by, and the tag of packets to the gNB. A pin may be another
/// association's by and by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Associated {
    /// The pin.
    pub pin: FlowKey,
    /// The tag.
    pub client_tag: u32,
}

impl Associated {
    /// Whether it lives, by what the pin holds.
    #[must_use]
    pub fn lives(&self, flow: Option<&Flow>) -> bool {
        flow.is_some_and(|flow| flow.tag == self.client_tag && flow.state != State::Closed as u8)
    }
}

/// Who the ends of an association are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// The gNB, by the path that it was last heard on.
    pub gnb: SocketAddr,
    /// The AMF, `POOL/NAME`.
    pub amf: Arc<str>,
}

impl Aware {
    /// Takes copies, in their order. `names` says whose they are.
    pub fn take(&mut self, copies: &[Copied], names: &Names, now: Duration) {
        for Copied { heard, bytes } in copies {
            let place = names.place(heard.endpoint);
            let Some((service, place)) = names.service(heard.service).zip(place) else {
                self.stray = self.stray.saturating_add(1);
                continue;
            };
            let observer = match self.services.get_mut(service) {
                Some(observer) => observer,
                None => {
                    self.services.entry(Arc::clone(service)).or_insert_with(|| Observer::new(Bounds::default()))
                }
            };
            let gnb = SocketAddr::new(IpAddr::from(heard.client), heard.client_port);
            let about = About { gnb, amf: Arc::clone(&place.endpoint) };
            let association = Associated { pin: heard.pin(), client_tag: heard.client_tag };
            let side = if heard.reply == 0 { Side::Gnb } else { Side::Amf };
            observer.packet(&association, about, side, bytes, now);
        }
    }

    /// The associations that are followed.
    #[must_use]
    pub fn associations(&self) -> Vec<Associated> {
        self.services.values().flat_map(Observer::associations).map(|(association, _)| *association).collect()
    }

    /// These associations have ended.
    pub fn end(&mut self, gone: &[Associated]) {
        for observer in self.services.values_mut() {
            gone.iter().for_each(|association| observer.end(association));
        }
    }

    /// Forgets what was silent for long, and services that are not listened to any more.
    pub fn age(&mut self, listened: impl Fn(&str) -> bool, now: Duration) {
        self.services.retain(|service, _| listened(service));
        self.services.values_mut().for_each(|observer| observer.age(now));
    }

    /// UEs of a service behind a number, in the order of their numbers, at the most so many.
    #[must_use]
    pub fn ues(&self, service: &str, after: Option<u64>, most: usize, now: Duration) -> Vec<N2Ue> {
        let ues = self.services.get(service).into_iter().flat_map(|observer| observer.ues(after));
        ues.take(most).map(|seen| ue(&seen, now)).collect()
    }

    /// How it goes, service by service.
    #[must_use]
    pub fn levels(&self) -> Vec<HeardService> {
        let level = |(service, observer): (&Arc<str>, &Observer<_, _>)| HeardService {
            service: service.to_string(),
            associations: observer.associations().count() as u64,
            ues: observer.ue_count() as u64,
            counts: observer.counts(),
        };
        self.services.iter().map(level).collect()
    }
}

fn ue(seen: &Seen<'_, Associated, About>, now: Duration) -> N2Ue {
    let About { gnb, amf } = seen.about;
    N2Ue {
        number: seen.number,
        mode: N2Mode::Association,
        gnb: seen.node.map_or_else(|| gnb.ip().to_string(), ToString::to_string),
        amf: amf.to_string(),
        ran: Some(seen.ran),
        // Nothing is rewritten.
        amf_id: seen.ue.amf,
        gnb_id: seen.ue.amf,
        tmsi: seen.ue.tmsi,
        guami: seen.ue.guami,
        since: now.saturating_sub(seen.ue.since),
        why: format!("its gNB's association from {gnb} is pinned to {amf}, with all of its UEs"),
        procedures: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_association_lives_while_its_pin_is_its_own() {
        let association = Associated { pin: FlowKey::association(5, 38412, 9487), client_tag: 6 };
        let flow = Flow { tag: 6, state: State::Established as u8, ..Flow::default() };
        assert!(association.lives(Some(&flow)));
        assert!(association.lives(Some(&Flow { state: State::Closing as u8, ..flow })));
        assert!(!association.lives(Some(&Flow { state: State::Closed as u8, ..flow })));
        assert!(!association.lives(Some(&Flow { tag: 7, ..flow })));
        assert!(!association.lives(None));
    }
}
