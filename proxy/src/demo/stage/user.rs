//! The stage without a kernel: simulated links and time, and the user-space engine where XDP would be. The same calls
//! give the same frames at the same times.

mod daemon;
mod front_end;
mod ngap;
mod scp;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use pinion_loader::setup::Setup;
use pinion_loader::user::UserEngine;
use pinion_loader::{Engine as _, Maps as _};
use pinion_n4::Kept;
use pinion_protocols::ip::Ipv4;
use pinion_protocols::sctp::endpoint::Time;
use pinion_steering::Verdict;
use pinion_transport::link::{self, Frame, Host, Mac, Packet};

use super::{Arrived, Seen, Stage};
use crate::config;
use crate::config::model::Config;
use crate::demo::cast::{self, Member, Network, Role};
use crate::demo::configuration;
use crate::demo::error::DemoError;
use crate::demo::sbi::ground::Ground;
use crate::health::Chance;
use daemon::Daemon;
use scp::Running;

/// How long a frame takes from player to player.
const DELAY: Duration = Duration::from_micros(300);

/// How long the daemon takes to start.
const START: Duration = Duration::from_millis(400);

/// The stage.
pub(crate) struct UserStage {
    now: Time,
    engine: UserEngine,
    /// What was laid out where: it outlives the daemon, as a file does.
    setup: Setup,
    /// And so does what the N4 front end keeps.
    kept: BTreeMap<Kept, Bytes>,
    chance: Chance,
    links: Vec<Wire>,
    cut: Option<Network>,
    flying: BTreeMap<(Time, u64), Arrived>,
    order: u64,
    daemon: Option<Daemon>,
    scp: Option<Running>,
    ready: Time,
    /// Real time passes as fast as simulated time; `false`: as fast as can be.
    paced: Option<tokio::time::Instant>,
}

/// A link, and the balancer's kernel at its end.
struct Wire {
    node: usize,
    member: Member,
    network: Network,
    host: Host,
}

impl UserStage {
    /// An empty stage. `paced`: time passes as it does for those who watch.
    pub(crate) fn new(paced: bool) -> Result<Self, DemoError> {
        let config = read()?;
        let links = cast::members().enumerate().flat_map(|(node, member)| {
            let wire = move |network: &Network| {
                let (address, mac) = member.place(*network).balancer;
                let addresses = match network {
                    Network::Control => vec![(address, 24), (cast::pfcp_service(), 32)],
                    _ => vec![(address, 24)],
                };
                let guests = if network.is_n2() { cast::ue_service().to_vec() } else { Vec::new() };
                let host = Host::new(link::Config { guests, ..link::Config::new(Mac(mac.0), addresses) });
                Wire { node, member, network: *network, host }
            };
            member.networks().iter().map(wire)
        });
        Ok(Self {
            now: Time::ZERO,
            engine: UserEngine::new(config.bounds),
            setup: Setup::default(),
            kept: BTreeMap::new(),
            chance: Chance::keyed([1, 2]),
            links: links.collect(),
            cut: None,
            flying: BTreeMap::new(),
            order: 0,
            daemon: None,
            scp: None,
            ready: Time::ZERO,
            paced: paced.then(tokio::time::Instant::now),
        })
    }

    /// Takes a frame from a link through the engine, and on.
    fn steer(&mut self, link: usize, frame: &[u8]) {
        let tick = u32::try_from(self.now.as_micros() >> 20).unwrap_or(u32::MAX);
        let [.., r0, r1, r2, r3] = self.chance.draw().to_be_bytes();
        // Memory's clock is set by a call that never fails.
        let _ = self.engine.imagine(tick, u32::from_be_bytes([r0, r1, r2, r3]));
        let (outcome, bytes) = self.engine.steer(frame);
        let bytes = BytesMut::from(bytes);
        match outcome.verdict {
            Verdict::Drop => {}
            Verdict::Pass => self.let_through(link, &bytes),
            Verdict::Transmit | Verdict::Redirect => self.forward(link, bytes),
        }
        // Nobody listens to the ring.
        let _ = self.engine.events();
    }

    /// What XDP lets through is for the balancer's own addresses.
    fn let_through(&mut self, link: usize, frame: &[u8]) {
        let now = self.now;
        let Some(wire) = self.links.get_mut(link) else { return };
        if let Some(packet) = wire.host.receive(now, frame)
            && let Some(daemon) = &mut self.daemon
            && let Some(then) = daemon.hear(now, &packet)
        {
            wire.host.send(now, then);
        }
        self.flush(link);
    }

    /// Sends what the balancer's kernel has for a link.
    fn flush(&mut self, link: usize) {
        while let Some(frame) = self.links.get_mut(link).and_then(|wire| wire.host.poll_frame()) {
            self.deliver(link, frame.to_bytes());
        }
    }

    /// The engine knows no neighbours; the link that leads to the destination has one.
    fn forward(&mut self, came: usize, mut frame: BytesMut) {
        let to = frame.get(14..).and_then(|packet| Ipv4::parse(packet).ok()).map(|ip| IpAddr::V4(ip.destination));
        // Not IP: an answer to ARP, and it goes back.
        let Some(to) = to else { return self.deliver(came, frame.freeze()) };
        let there = |wire: &Wire| wire.member.address(wire.network) == to;
        let Some(link) = self.links.iter().position(there) else { return };
        let Some(place) = self.links.get(link).map(|wire| wire.member.place(wire.network)) else { return };
        if let Some((ends, _)) = frame.split_first_chunk_mut::<12>() {
            let macs = [place.host.1.0, place.balancer.1.0];
            ends.copy_from_slice(macs.as_flattened());
        }
        self.deliver(link, frame.freeze());
    }

    fn deliver(&mut self, link: usize, frame: Bytes) {
        let Some(wire) = self.links.get(link) else { return };
        if self.is_cut(wire) {
            return;
        }
        self.order = self.order.wrapping_add(1);
        let arrived = Arrived { node: wire.node, network: wire.network, frame };
        self.flying.insert((self.now.after(DELAY), self.order), arrived);
    }

    fn is_cut(&self, wire: &Wire) -> bool {
        wire.member.role == Role::Gnb && self.cut == Some(wire.network)
    }

    /// Sends what is due, and puts in force what the daemon concludes.
    fn attend(&mut self) -> Result<(), DemoError> {
        let now = self.now;
        let Some(daemon) = &mut self.daemon else { return Ok(()) };
        let mut packets = daemon.expire(now);
        if let Some(specs) = daemon.plan(now) {
            self.setup.apply(&mut self.engine, &specs)?;
        }
        packets.extend(daemon.speak(now, &mut self.engine, &self.setup, &mut self.kept)?);
        for packet in packets {
            let there = |wire: &Wire| wire.member.address(wire.network) == packet.destination;
            let Some(link) = self.links.iter().position(there) else { continue };
            if let Some(wire) = self.links.get_mut(link) {
                let source = match packet.source {
                    source if source.is_unspecified() => wire.member.place(wire.network).balancer.0,
                    source => source,
                };
                wire.host.send(now, Packet { source, ..packet });
            }
            self.flush(link);
        }
        Ok(())
    }
}

impl Stage for UserStage {
    const ENGINE: &'static str = "user";

    fn now(&self) -> Time {
        self.now
    }

    fn send(&mut self, node: usize, network: Network, frame: Frame) {
        let link = self.links.iter().position(|wire| wire.node == node && wire.network == network);
        let Some(link) = link else { return };
        let cut = self.links.get(link).is_none_or(|wire| self.is_cut(wire));
        if !cut {
            self.steer(link, &frame.to_bytes());
        }
    }

    async fn receive(&mut self, until: Time, arrived: &mut Vec<Arrived>) -> Result<(), DemoError> {
        loop {
            let flying = self.flying.first_key_value().map(|((at, _), _)| *at);
            let daemon = self.daemon.as_ref().and_then(Daemon::deadline);
            let next = [flying, daemon].into_iter().flatten().min().unwrap_or(until).min(until);
            self.now = self.now.max(next);
            if let Some(began) = self.paced {
                tokio::time::sleep_until(began + self.now.since(Time::ZERO)).await;
            }
            if daemon.is_some_and(|due| due <= self.now) {
                self.attend()?;
            }
            while let Some(first) = self.flying.first_entry().filter(|first| first.key().0 <= self.now) {
                arrived.push(first.remove());
            }
            if !arrived.is_empty() || self.now >= until {
                return Ok(());
            }
        }
    }

    fn cut(&mut self, network: Network, cut: bool) -> Result<(), DemoError> {
        self.cut = cut.then_some(network);
        Ok(())
    }

    fn start(&mut self) -> Result<(), DemoError> {
        self.ready = self.now.after(START);
        self.daemon = Some(Daemon::new(read()?, &self.kept, self.now)?);
        self.attend()
    }

    fn kill(&mut self) -> Result<(), DemoError> {
        self.daemon = None;
        Ok(())
    }

    fn ready(&mut self) -> Result<bool, DemoError> {
        Ok(self.daemon.is_some() && self.ready <= self.now)
    }

    fn ground(&mut self) -> Ground {
        let now = tokio::time::Instant::now();
        self.paced.get_or_insert(now - self.now.since(Time::ZERO));
        Ground::Loopback
    }

    fn scp(&mut self, nrf: SocketAddr) -> Result<SocketAddr, DemoError> {
        let running = Running::start(nrf)?;
        let at = running.at;
        self.scp = Some(running);
        Ok(at)
    }

    fn endpoints(&self) -> Vec<Seen> {
        self.daemon.as_ref().map(|daemon| daemon.endpoints(self.now)).unwrap_or_default()
    }
}

/// The configuration of the demonstration, read as the daemon reads it.
fn read() -> Result<Config, DemoError> {
    understood(&configuration::yaml(None))
}

fn understood(yaml: &str) -> Result<Config, DemoError> {
    let wrong = |mistakes: Vec<config::Mistake>| {
        let lines: Vec<_> = mistakes.iter().map(ToString::to_string).collect();
        DemoError::Configuration(lines.join("; "))
    };
    config::parse(yaml.as_bytes(), &config::Host::default()).map(|read| read.config).map_err(wrong)
}
