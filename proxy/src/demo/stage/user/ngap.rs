//! The N2 front end of a simulated daemon: the code is the daemon's own ([`pinion_n2`]), and so is the SCTP that it speaks
//! over; only the clock and the wires are the stage's.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use pinion_n2::{Leg, Output};
use pinion_protocols::ip::protocol;
use pinion_protocols::sctp::endpoint::{AssociationId, Datagram, Endpoint, Event, Message, Time};
use pinion_transport::link::Packet;

use crate::config::model::Config;
use crate::demo::configuration::UE_SERVICE;
use crate::demo::error::DemoError;
use crate::demo::{NGAP, NGAP_PORT, cast};
use crate::n2::{Told, timers};
use crate::pool::Pools;

/// What the front end draws its choices from.
const SEED: u64 = 2;

/// Its own ports of associations to AMFs, one after another.
const PORTS: std::ops::Range<u16> = 49_152..u16::MAX;

/// The front end.
pub(super) struct Ngap {
    state: pinion_n2::FrontEnd,
    told: Told,
    endpoint: Endpoint,
    lines: BTreeMap<AssociationId, Line>,
    /// Counts associations of gNBs.
    accepted: u64,
    ports: std::iter::Cycle<std::ops::Range<u16>>,
    began: Time,
    /// Whether it was told something, and not asked since.
    heard: bool,
}

/// An association.
struct Line {
    leg: Leg,
    /// The AMF that it leads to.
    amf: Option<Arc<str>>,
}

impl Ngap {
    /// One without gNBs.
    pub(super) fn start(config: &Config, pools: &Pools, now: Time) -> Result<Self, DemoError> {
        let refused = || DemoError::Configuration(format!("service {UE_SERVICE}: it has no front end"));
        let told = told(config, pools).ok_or_else(refused)?;
        let mut seed = [0x5a; 32];
        for (place, byte) in seed.iter_mut().zip(now.as_micros().to_le_bytes()) {
            *place = byte;
        }
        let mut endpoint = Endpoint::new(timers(), seed);
        endpoint.listen(NGAP_PORT, &told.here);
        Ok(Self {
            state: pinion_n2::FrontEnd::new(told.settings.clone(), SEED),
            told,
            endpoint,
            lines: BTreeMap::new(),
            accepted: 0,
            ports: PORTS.cycle(),
            began: now,
            heard: false,
        })
    }

    /// Is told what is known of AMFs by now.
    pub(super) fn tell(&mut self, config: &Config, pools: &Pools, now: Time) {
        let Some(told) = told(config, pools).filter(|told| *told != self.told) else { return };
        if told.settings != self.told.settings {
            self.state.configure(self.since(now), told.settings.clone());
        }
        self.told = told;
        let is_gone = |line: &Line| {
            let place = line.amf.as_ref().and_then(|amf| self.told.addresses.get(amf));
            place.is_some_and(Vec::is_empty)
        };
        let gone: Vec<_> = self.lines.extract_if(.., |_, line| is_gone(line)).collect();
        for (association, line) in gone {
            self.endpoint.abort(now, association, b"no answer to probes");
            self.state.closed(now.since(self.began), line.leg);
        }
        self.heard = true;
    }

    /// Takes a packet for the service.
    pub(super) fn hear(&mut self, now: Time, packet: &Packet) {
        if packet.protocol == protocol::SCTP {
            let Packet { source, destination, payload, .. } = packet.clone();
            self.endpoint.receive(now, &Datagram { source, destination, bytes: payload });
            self.heard = true;
        }
    }

    /// When [`Ngap::expire`] is to be called, at the latest.
    pub(super) fn deadline(&self) -> Time {
        let due = self.began.after(self.state.next());
        if self.heard { self.began } else { self.endpoint.deadline().map_or(due, |sooner| sooner.min(due)) }
    }

    /// Does what is due.
    pub(super) fn expire(&mut self, now: Time) {
        self.endpoint.expire(now);
        self.state.tick(self.since(now));
    }

    /// What it sends by now.
    pub(super) fn speak(&mut self, now: Time) -> Vec<Packet> {
        self.heard = false;
        self.attend(now);
        while let Some(output) = self.state.output() {
            self.put_out(now, output);
            self.attend(now);
        }
        let mut packets = Vec::new();
        while let Some(sent) = self.endpoint.poll_transmit(now) {
            let packet = Packet::new(sent.source, sent.destination, protocol::SCTP, sent.bytes);
            packets.push(Packet { fragment: sent.fragment, ..packet });
        }
        packets
    }

    fn put_out(&mut self, now: Time, output: Output) {
        match output {
            Output::Send { leg, stream, bytes } => {
                if let Some(association) = self.association(leg) {
                    // Refused only in the moment that it ends, which is heard.
                    let _ = self.endpoint.send(now, association, Message::new(stream, NGAP, bytes));
                }
            }
            Output::Open { upstream, amf } => {
                let leg = Leg::Amf(upstream);
                let to: &[IpAddr] = self.told.addresses.get(&amf).map(Vec::as_slice).unwrap_or_default();
                let port = self.ports.next().unwrap_or_default();
                match self.endpoint.connect(now, (&self.told.here, port), (to, NGAP_PORT)) {
                    Ok(association) => drop(self.lines.insert(association, Line { leg, amf: Some(amf) })),
                    Err(_) => self.state.closed(self.since(now), leg),
                }
            }
            Output::Close { leg } => {
                if let Some(association) = self.association(leg) {
                    self.lines.remove(&association);
                    self.endpoint.shutdown(now, association);
                }
            }
            // They are probed.
            Output::Amf { .. } => {}
        }
    }

    fn attend(&mut self, now: Time) {
        let since = self.since(now);
        while let Some((association, event)) = self.endpoint.poll_event() {
            if let Event::Established { accepted: true, .. } = event {
                self.accepted = self.accepted.saturating_add(1);
                self.lines.insert(association, Line { leg: Leg::Gnb(self.accepted), amf: None });
            }
            let Some(leg) = self.lines.get(&association).map(|line| line.leg) else { continue };
            match (event, leg) {
                (Event::Established { outbound_streams, .. }, Leg::Gnb(number)) => {
                    self.state.accepted(since, number, outbound_streams);
                }
                (Event::Established { outbound_streams, .. }, Leg::Amf(number)) => {
                    self.state.connected(since, number, outbound_streams);
                }
                (Event::Message(it), _) => self.state.receive(since, leg, it.stream, it.protocol, &it.payload),
                (event, _) if event.is_last() || event == Event::PeerShutdown => {
                    self.lines.remove(&association);
                    self.state.closed(since, leg);
                }
                _ => {}
            }
        }
    }

    fn association(&self, leg: Leg) -> Option<AssociationId> {
        self.lines.iter().find(|(_, line)| line.leg == leg).map(|(association, _)| *association)
    }

    fn since(&self, now: Time) -> Duration {
        now.since(self.began)
    }
}

/// Whether an address is the front end's.
pub(super) fn is_for(packet: &Packet) -> bool {
    cast::ue_service().contains(&packet.destination)
}

fn told(config: &Config, pools: &Pools) -> Option<Told> {
    let service = config.services.iter().find(|service| service.name == UE_SERVICE)?;
    crate::n2::settings(pools, service)
}
