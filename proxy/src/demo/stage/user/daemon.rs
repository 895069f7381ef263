//! As much of the daemon as needs no kernel: health probes and their judges, pools, the plans that follow from them, and
//! the N4 front end. The code is the daemon's own; only the clock and the wires are the stage's.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use bytes::Bytes;
use pinion_loader::setup::{ServiceSpec, Setup};
use pinion_loader::user::UserEngine;
use pinion_n4::Kept;
use pinion_protocols::ip::{Udp, protocol};
use pinion_protocols::sctp::endpoint::Time;
use pinion_transport::link::Packet;
use tokio::time::Instant;

use super::front_end::FrontEnd;
use super::ngap::{Ngap, is_for};
use crate::config::model::{Config, Probe};
use crate::demo::cast;
use crate::demo::error::DemoError;
use crate::demo::stage::Seen;
use crate::demo::user_plane::datagram;
use crate::health::probe::{gtpu, sctp, udp};
use crate::health::{Answer, Failure, Judge, Outcome, Target, asked, targets};
use crate::pool::{Path, Pools, Sessions};
use crate::sessions::Names;

/// The port that the first path is probed from; each has one of its own.
const PORT: u16 = 50_000;

/// The daemon.
pub(super) struct Daemon {
    config: Config,
    pools: Pools,
    paths: Vec<Probed>,
    front_end: FrontEnd,
    ngap: Ngap,
    began: Instant,
    changed: bool,
}

/// A path that is probed.
struct Probed {
    target: Target,
    port: u16,
    judge: Judge,
    next: Time,
    waiting: Option<Question>,
}

/// A probe that waits for its answer.
#[derive(Clone, Copy)]
struct Question {
    at: Time,
    secret: u32,
}

/// Nobody asks how many sessions there are.
struct Uncounted;

impl Sessions for Uncounted {
    fn of(&self, _pool: &str, _endpoint: &str) -> u64 {
        0
    }
}

impl Daemon {
    /// One that knows nothing of its endpoints yet, and of sessions what the one before kept.
    pub(super) fn new(config: Config, kept: &BTreeMap<Kept, Bytes>, now: Time) -> Result<Self, DemoError> {
        let began = Instant::now();
        let pools = Pools::default().configure(&config, since(now));
        let path = |(target, port): (Target, u16)| {
            let judge = Judge::new(target.health.rise, target.health.fall, began);
            Probed { target, port, judge, next: now, waiting: None }
        };
        let paths = targets(&config).into_iter().zip(PORT..).map(path).collect();
        let front_end = FrontEnd::start(&config, &pools, kept, now)?;
        let ngap = Ngap::start(&config, &pools, now)?;
        Ok(Self { config, pools, paths, front_end, ngap, began, changed: true })
    }

    /// What is to be put in force, where that changed.
    pub(super) fn plan(&mut self, now: Time) -> Option<Vec<ServiceSpec>> {
        std::mem::take(&mut self.changed).then(|| self.pools.plan(&self.config, since(now)).0)
    }

    /// What the front ends send by now; what that of N4 puts into force and keeps is in the tables and kept then.
    pub(super) fn speak(
        &mut self,
        now: Time,
        engine: &mut UserEngine,
        setup: &Setup,
        kept: &mut BTreeMap<Kept, Bytes>,
    ) -> Result<Vec<Packet>, DemoError> {
        let (config, pools) = (&self.config, &self.pools);
        let pool = |name: &str| {
            config.services.iter().find(|service| service.name == name).map(|service| service.pool.as_str())
        };
        // Few turns put a tunnel into force.
        let names = || Names::new(setup, &pools.plan(config, since(now)).0, pool, None);
        let spoken = self.front_end.speak(now, engine, names, kept)?;
        for (upf, seen) in spoken.upfs {
            let Some((pool, endpoint)) = upf.split_once('/') else { continue };
            self.changed |= self.pools.path(pool, endpoint, 0, seen, since(now));
        }
        Ok([spoken.packets, self.ngap.speak(now)].concat())
    }

    /// When [`Daemon::expire`] is to be called, at the latest.
    pub(super) fn deadline(&self) -> Option<Time> {
        let due = |path: &Probed| match path.waiting {
            Some(question) => question.at.after(path.target.health.timeout).min(path.next),
            None => path.next,
        };
        self.paths.iter().map(due).chain([self.front_end.deadline(), self.ngap.deadline()]).min()
    }

    /// Lets the front ends do what is due, judges the probes that nobody answered, and makes those that are due. Where they come from is left open.
    pub(super) fn expire(&mut self, now: Time) -> Vec<Packet> {
        self.front_end.expire(now);
        self.ngap.expire(now);
        let mut probes = Vec::new();
        for at in 0..self.paths.len() {
            let Some(path) = self.paths.get_mut(at) else { continue };
            let (within, interval) = (path.target.health.timeout, path.target.health.interval);
            let late = path.waiting.take_if(|question| now.since(question.at) >= within);
            if late.is_some() {
                let asked = asked(&path.target.health.probe);
                self.judge(at, Failure::Silent { asked, within }.into(), now);
            }
            let due = self.paths.get_mut(at).filter(|path| path.next <= now);
            if let Some(path) = due {
                path.next = now.after(interval);
                probes.extend(path.probe(now));
            }
        }
        probes
    }

    /// Takes a packet for the balancer; what is to be sent for it, beside what the front end says then.
    pub(super) fn hear(&mut self, now: Time, packet: &Packet) -> Option<Packet> {
        if packet.destination == cast::pfcp_service() {
            self.front_end.hear(now, packet);
            return None;
        }
        if is_for(packet) {
            self.ngap.hear(now, packet);
            return None;
        }
        let there = self.paths.iter_mut().enumerate().filter(|(_, path)| path.target.to.ip() == packet.source);
        let (at, path, question, (outcome, then)) = { there }.find_map(|(at, path)| {
            let question = path.waiting?;
            let read = path.read(question, packet)?;
            path.waiting = None;
            Some((at, path, question, read))
        })?;
        let answer = Answer::To(asked(&path.target.health.probe), now.since(question.at));
        self.judge(at, outcome.unwrap_or(Outcome::Answer(answer)), now);
        let (from, to) = (packet.destination, packet.source);
        then.map(|payload| Packet::new(from, to, protocol::SCTP, payload.into()))
    }

    fn judge(&mut self, at: usize, outcome: Outcome, now: Time) {
        let Some(path) = self.paths.get_mut(at) else { return };
        path.judge.hear(outcome, self.began + since(now));
        let seen = Path {
            up: path.judge.up(),
            why: path.judge.why(),
            round_trip: path.judge.round_trip(),
            since: since(now),
        };
        let Target { pool, endpoint, path, .. } = &path.target;
        if self.pools.path(pool, endpoint, *path, seen, since(now)) {
            self.changed = true;
            self.ngap.tell(&self.config, &self.pools, now);
        }
    }

    /// How it sees its endpoints.
    pub(super) fn endpoints(&self, now: Time) -> Vec<Seen> {
        let views = self.pools.views(None, &Uncounted, since(now)).unwrap_or_default();
        views.into_iter().map(Seen::from).collect()
    }
}

impl Probed {
    fn probe(&mut self, now: Time) -> Option<Packet> {
        let secret = u32::try_from(now.as_micros() & 0x7fff_ffff).unwrap_or_default() | 1;
        let (kind, payload): (u8, Bytes) = match self.target.health.probe {
            Probe::Sctp => {
                let init = sctp::Init { from: self.port, to: self.target.to.port(), tag: secret, tsn: secret };
                (protocol::SCTP, sctp::init(init).into())
            }
            Probe::Gtpu => {
                let request = gtpu::echo_request(sequence(secret));
                (protocol::UDP, datagram((self.port, self.target.to.port()), &request))
            }
            _ => return None,
        };
        self.waiting = Some(Question { at: now, secret });
        let anywhere = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        Some(Packet::new(anywhere, self.target.to.ip(), kind, payload))
    }

    /// Reads an answer: what else than a good one it is, and what is sent for it.
    fn read(&self, question: Question, packet: &Packet) -> Option<(Option<Outcome>, Option<Vec<u8>>)> {
        match packet.protocol {
            protocol::SCTP => {
                let answer = sctp::read(&packet.payload)?;
                if (answer.to, answer.tag) != (self.port, question.secret) {
                    return None;
                }
                match answer.says {
                    sctp::Says::InitAck(tag) => Some((None, Some(sctp::abort(answer.to, answer.from, tag)))),
                    sctp::Says::Abort(cause) => Some((Some(Failure::Abort(cause).into()), None)),
                }
            }
            protocol::UDP => {
                let udp = Udp::parse(&packet.payload).ok().filter(|udp| udp.destination_port == self.port)?;
                let good = matches!(gtpu::read(udp.payload, sequence(question.secret)), udp::Reading::Answer);
                good.then_some((None, None))
            }
            _ => None,
        }
    }
}

fn sequence(secret: u32) -> u16 {
    u16::try_from(secret & 0xffff).unwrap_or_default()
}

fn since(now: Time) -> Duration {
    now.since(Time::ZERO)
}
