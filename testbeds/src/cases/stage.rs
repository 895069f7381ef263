//! Runs cases on an engine.

use std::net::IpAddr;

use pinion_loader::setup::{ServiceSpec, Setup};
use pinion_loader::{Copied, Engine, Event, INGRESS, LoadError, filters, sessions, tunnels};
use pinion_steering::{
    Address, Flow, FlowKey, Heard, Link, NextHop, Pin, PinKey, REACH, Reason, hop, sctp::digest,
};

use super::places::{HOSTS, OURS, mac, services};
use super::{Act, At, Case, Expect, Key, Tunnel, Whose};
use crate::packets::check::hex;

/// Why a case failed.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// The engine refused.
    #[error("case {case:?}, act {act}: {source}")]
    Engine {
        /// The case.
        case: &'static str,
        /// Which of its acts, from 0.
        act: usize,
        /// What the engine said.
        source: LoadError,
    },
    /// Something else came of it than expected.
    #[error("case {case:?}, act {act}: {what}")]
    Differs {
        /// The case.
        case: &'static str,
        /// Which of its acts, from 0.
        act: usize,
        /// What.
        what: String,
    },
}

/// Why an act failed.
enum Wrong {
    Engine(LoadError),
    Differs(String),
}

impl From<LoadError> for Wrong {
    fn from(error: LoadError) -> Self {
        Self::Engine(error)
    }
}

/// An engine with the services of the cases.
pub struct Stage<'a> {
    engine: &'a mut dyn Engine,
    setup: Setup,
    /// The services as they are laid out now.
    services: Vec<ServiceSpec>,
    /// Taught tunnels, for clearing up.
    pins: Vec<PinKey>,
    reloaded: bool,
    tick: u32,
    last: Vec<u8>,
    events: Vec<Event>,
    copies: Vec<Copied>,
}

/// The clock when a case begins.
const BEGIN: u32 = 1000;

impl<'a> Stage<'a> {
    /// Lays the services out.
    ///
    /// # Errors
    /// What the engine refuses.
    pub fn new(engine: &'a mut dyn Engine) -> Result<Self, LoadError> {
        let mut stage = Self {
            engine,
            setup: Setup::default(),
            services: Vec::new(),
            pins: Vec::new(),
            reloaded: false,
            tick: BEGIN,
            last: Vec::new(),
            events: Vec::new(),
            copies: Vec::new(),
        };
        stage.lay_out()?;
        Ok(stage)
    }

    /// Runs a case from empty tables, and empties them again.
    ///
    /// # Errors
    /// The first act that comes out otherwise than it should.
    pub fn run(&mut self, case: &Case) -> Result<(), Failed> {
        let mut result = self.reset().map_err(|source| Failed::Engine { case: case.name, act: 0, source });
        for (act, what) in case.acts.iter().enumerate() {
            if result.is_err() {
                break;
            }
            result = self.act(what).map_err(|wrong| match wrong {
                Wrong::Engine(source) => Failed::Engine { case: case.name, act, source },
                Wrong::Differs(what) => Failed::Differs { case: case.name, act, what },
            });
        }
        result
    }

    fn lay_out(&mut self) -> Result<(), LoadError> {
        self.setup = Setup::default();
        self.setup.apply(self.engine, &services())?;
        self.services = services();
        self.engine.put_link(INGRESS, &Link { lower: INGRESS, vlan: 0, address: OURS })
    }

    fn reset(&mut self) -> Result<(), LoadError> {
        for (key, flow) in self.engine.flows()? {
            sessions::forget(self.engine, &key, &flow)?;
        }
        for key in std::mem::take(&mut self.pins) {
            tunnels::remove(self.engine, &key)?;
        }
        if std::mem::take(&mut self.reloaded) {
            // Twice: each takes one bank's entries out.
            self.setup.apply(self.engine, &[])?;
            self.setup.apply(self.engine, &[])?;
            self.lay_out()?;
        }
        self.engine.events()?;
        self.events.clear();
        self.engine.copies()?;
        self.copies.clear();
        self.tick = BEGIN;
        self.usual_hops()
    }

    /// Next hops as the cases know them, asked at this very tick.
    fn usual_hops(&mut self) -> Result<(), LoadError> {
        self.engine.imagine(self.tick, 4)?;
        for host in HOSTS {
            self.put_hop(host, |_| {})?;
        }
        Ok(())
    }

    fn put_hop(&mut self, host: IpAddr, change: fn(&mut NextHop)) -> Result<(), LoadError> {
        let destination = Address::from(host);
        let mut next = NextHop {
            destination,
            ifindex: INGRESS,
            asked: self.tick,
            mtu: 9500,
            vlan: 0,
            header: NextHop::link(mac(host), OURS),
            ..NextHop::default()
        };
        change(&mut next);
        self.engine.put_hop(hop::slot(&destination), &next)
    }

    fn act(&mut self, act: &Act) -> Result<(), Wrong> {
        match act {
            Act::Frame(frame, expect) => return self.frame(frame, expect),
            Act::Flow(key, at) => return self.flow(key, at.as_ref()),
            Act::Flows(count) => {
                let flows = self.engine.flows()?;
                differs(flows.len() == *count, || format!("{} flows, not {count}: {flows:?}", flows.len()))?;
            }
            Act::PutFlow(key, at) => {
                let flow = Flow { seen: self.tick, ..self.value(key, at)? };
                let key = self.key(key)?;
                sessions::restore(self.engine, &key, &flow)?;
            }
            Act::RemoveFlow(key) => {
                let key = self.key(key)?;
                if let Some(flow) = self.engine.read_flow(&key)? {
                    sessions::forget(self.engine, &key, &flow)?;
                }
            }
            Act::Sessions(service, endpoint, count) => {
                let sessions = self.engine.sessions(self.base(service, endpoint)?)?;
                differs(sessions == *count, || format!("{endpoint} of {service} has {sessions}, not {count}"))?;
            }
            Act::Pin(tunnel) => self.pin(tunnel)?,
            Act::Unpin(address, teid) => {
                tunnels::remove(self.engine, &PinKey { address: Address::from(*address), teid: *teid })?;
            }
            Act::Classify(address, teid, list) => {
                let key = PinKey { address: Address::from(*address), teid: *teid };
                let pin = self.engine.read_pin(&key)?.unwrap_or_default();
                let mut list = list.clone();
                for branch in &mut list {
                    branch.filter.target = self.base(branch.service, branch.endpoint)?;
                }
                let list: Vec<_> = list.into_iter().map(|branch| branch.filter).collect();
                filters::put(self.engine, &key, &pin, &list)?;
            }
            Act::Lead(client, teid, tunnel) => {
                let pin = tunnel.as_ref().map(|tunnel| self.value_of(tunnel)).transpose()?;
                let end = (Address::from(*client), *teid);
                self.pins.push(PinKey::back(end.0, end.1));
                tunnels::lead(self.engine, end, pin.as_ref())?;
            }
            Act::Reload(services) => {
                self.reloaded = true;
                self.setup.apply(self.engine, services)?;
                self.services.clone_from(services);
            }
            Act::Wait(ticks) => {
                self.tick = self.tick.saturating_add(*ticks);
                self.usual_hops()?;
            }
            Act::Hop(host, change) => self.put_hop(*host, *change)?,
            Act::Punted(reason) => {
                let events = self.events.split_off(0);
                let length = self.last.len() as u32;
                let bytes = self.last.get(..2048).unwrap_or(&self.last).to_vec();
                let wanted = [Event { reason: *reason, length, bytes }];
                differs(events == wanted, || format!("punted {events:?}, not {wanted:?}"))?;
            }
            Act::Copied(whose) => {
                let copies = self.copies.split_off(0);
                let wanted = whose.iter().map(|whose| self.copied(whose)).collect::<Result<Vec<_>, _>>()?;
                differs(copies == wanted, || format!("copied {copies:?}, not {wanted:?}"))?;
            }
            Act::Unheard => {
                let events = self.events.split_off(0);
                differs(events.is_empty(), || format!("punted {events:?}"))?;
            }
        }
        Ok(())
    }

    fn frame(&mut self, frame: &[u8], expect: &Expect) -> Result<(), Wrong> {
        let before = self.engine.counters()?;
        let ran = self.engine.run(frame)?;
        let after = self.engine.counters()?;
        self.last = frame.to_vec();
        self.events.extend(self.engine.events()?);
        self.copies.extend(self.engine.copies()?);
        let wanted = expect.bytes.as_deref().unwrap_or(frame);
        differs((ran.verdict, ran.reason) == (expect.verdict, expect.reason), || {
            format!("{:?} {:?}, not {:?} {:?}", ran.verdict, ran.reason, expect.verdict, expect.reason)
        })?;
        differs(ran.bytes == wanted, || difference(frame, wanted, &ran.bytes))?;
        for ((reason, before), after) in Reason::ALL.iter().zip(before).zip(after) {
            let more = u64::from(*reason == expect.reason);
            // The kernel's program never sees what is shorter than an Ethernet header.
            let unseen = frame.len() < pinion_loader::LEAST && before == after;
            differs(after == before + more || unseen, || format!("{reason:?} counted from {before} to {after}"))?;
        }
        Ok(())
    }

    fn flow(&mut self, key: &Key, at: Option<&At>) -> Result<(), Wrong> {
        let found = self.engine.read_flow(&self.key(key)?)?;
        let Some(at) = at else {
            return differs(found.is_none(), || format!("{key:?} is there: {found:?}"));
        };
        let wanted = self.value(key, at)?;
        // When it was last seen is this very tick: the cases move the clock only to show that.
        let wanted = Flow { peer: found.map_or(0, |flow| flow.peer), seen: self.tick, ..wanted };
        differs(found == Some(wanted), || format!("{key:?} is {found:?}, not {wanted:?}"))
    }

    fn pin(&mut self, tunnel: &Tunnel) -> Result<(), Wrong> {
        let key = PinKey { address: Address::from(tunnel.address), teid: tunnel.teid };
        let pin = self.value_of(tunnel)?;
        self.pins.push(key);
        Ok(tunnels::put(self.engine, &key, &pin)?)
    }

    fn value_of(&self, tunnel: &Tunnel) -> Result<Pin, Wrong> {
        Ok(Pin {
            target: self.base(tunnel.service, tunnel.endpoint)?,
            teid: tunnel.owned,
            service: self.service(tunnel.service)?,
            path: tunnel.path,
            flags: 0,
        })
    }

    fn key(&self, key: &Key) -> Result<FlowKey, Wrong> {
        Ok(match key {
            Key::Tuple(near, far, protocol) => {
                FlowKey::tuple(Address::from(near.0), near.1, Address::from(far.0), far.1, *protocol)
            }
            Key::Association(service, port, tag) => FlowKey::association(*tag, self.spec(service)?.port, *port),
            Key::Reply(service, endpoint, port, tag) => {
                let endpoints = self.spec(service)?.endpoints.iter();
                let own = endpoints.filter(|spec| spec.name == *endpoint).map(|spec| spec.port).next();
                let own = own.ok_or_else(|| Wrong::Differs(format!("no endpoint {endpoint} of {service}")))?;
                FlowKey::association(*tag, *port, own)
            }
            Key::Peer(service, port, addresses) => {
                let lowest = addresses.iter().map(|address| digest(&Address::from(*address))).min();
                FlowKey::peer(self.service(service)?, *port, lowest.unwrap_or_default())
            }
            Key::Tunnel(service, teid) => FlowKey::tunnel(self.service(service)?, *teid),
        })
    }

    /// The pin that a key is to hold. An association's also says whose addresses its packets come to, or from.
    fn value(&self, key: &Key, at: &At) -> Result<Flow, Wrong> {
        let from = match key {
            Key::Association(service, ..) | Key::Peer(service, ..) => self.own(service)?,
            Key::Reply(service, endpoint, ..) => self.base(service, endpoint)?,
            Key::Tuple(..) | Key::Tunnel(..) => 0,
        };
        let base = match at.endpoint {
            Some(endpoint) => self.base(at.service, endpoint)?,
            None => self.own(at.service)?,
        };
        Ok(Flow {
            target: base + at.path,
            tag: at.tag,
            service: self.service(at.service)?,
            state: at.state as u8,
            reply: u8::from(at.endpoint.is_none()),
            from,
            ..Flow::default()
        })
    }

    /// The copy of the last frame, an untagged one without IP options.
    fn copied(&self, whose: &Whose) -> Result<Copied, Wrong> {
        let at = if whose.client.0.is_ipv4() { 34 } else { 54 };
        let sctp = self.last.get(at..).unwrap_or_default();
        let heard = Heard {
            client: Address::from(whose.client.0),
            endpoint: self.base(whose.service, whose.endpoint)?,
            server_tag: whose.tags.0,
            client_tag: whose.tags.1,
            length: sctp.len() as u16,
            service: self.service(whose.service)?,
            service_port: self.spec(whose.service)?.port,
            client_port: whose.client.1,
            reply: u8::from(whose.reply),
            reserved: [0; 3],
        };
        Ok(Copied { heard, bytes: sctp.get(..REACH + 1 - at).unwrap_or(sctp).to_vec() })
    }

    fn service(&self, name: &str) -> Result<u16, Wrong> {
        self.setup.id(name).ok_or_else(|| Wrong::Differs(format!("no service {name}")))
    }

    fn base(&self, service: &str, endpoint: &str) -> Result<u32, Wrong> {
        self.setup
            .base(service, endpoint)
            .ok_or_else(|| Wrong::Differs(format!("no endpoint {endpoint} of {service}")))
    }

    fn own(&self, service: &str) -> Result<u32, Wrong> {
        self.setup.own(service).ok_or_else(|| Wrong::Differs(format!("no service {service}")))
    }

    fn spec(&self, service: &str) -> Result<&ServiceSpec, Wrong> {
        let spec = self.services.iter().find(|spec| spec.name == service);
        spec.ok_or_else(|| Wrong::Differs(format!("no service {service}")))
    }
}

fn differs(same: bool, what: impl FnOnce() -> String) -> Result<(), Wrong> {
    if same { Ok(()) } else { Err(Wrong::Differs(what())) }
}

fn difference(frame: &[u8], wanted: &[u8], got: &[u8]) -> String {
    let at: Vec<usize> = (0..wanted.len().max(got.len())).filter(|at| wanted.get(*at) != got.get(*at)).collect();
    format!("bytes differ at {at:?}\n  in     {}\n  wanted {}\n  got    {}", hex(frame), hex(wanted), hex(got))
}
