//! The N4 front end of a simulated daemon: the code is the daemon's own ([`pinion_n4`]), and its tunnels go into the
//! user-space engine's tables before it is told that they are in force.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use pinion_loader::user::UserEngine;
use pinion_loader::{LoadError, tunnels};
use pinion_n4::{Kept, Output, TunnelChange};
use pinion_protocols::ip::{Udp, protocol};
use pinion_protocols::pfcp::PORT;
use pinion_protocols::sctp::endpoint::Time;
use pinion_steering::PinKey;
use pinion_transport::link::Packet;

use crate::config::model::Config;
use crate::demo::actor::pfcp;
use crate::demo::cast;
use crate::demo::configuration::PFCP_SERVICE;
use crate::demo::error::DemoError;
use crate::n4::way;
use crate::pool::{Path, Pools};
use crate::sessions::Names;

/// Seconds since 1900 at which the first daemon began: any moment does, and the same each time.
const BEGAN: u32 = 0xee00_0001;

/// What the front end draws its identifiers from.
const SEED: u64 = 4;

/// The front end.
pub(super) struct FrontEnd {
    state: pinion_n4::FrontEnd<InForce>,
    began: Time,
    /// Whether it was told something, and not asked since.
    heard: bool,
}

/// That tunnels are in the engine's tables.
struct InForce;

/// What a front end has said.
#[derive(Default)]
pub(super) struct Spoken {
    /// To SMF and UPFs.
    pub(super) packets: Vec<Packet>,
    /// Of UPFs, `POOL/NAME`: how they are.
    pub(super) upfs: Vec<(Arc<str>, Path)>,
}

impl FrontEnd {
    /// Goes on where the one before ended.
    pub(super) fn start(
        config: &Config,
        pools: &Pools,
        kept: &BTreeMap<Kept, Bytes>,
        now: Time,
    ) -> Result<Self, DemoError> {
        let refused = |why: &str| DemoError::Configuration(format!("service {PFCP_SERVICE}: {why}"));
        let service = config.services.iter().find(|service| service.name == PFCP_SERVICE);
        let settings = service.and_then(|service| crate::n4::settings(config, pools, service));
        let settings = settings.ok_or_else(|| refused("it has no front end"))?;
        let state = match kept.is_empty() {
            true => pinion_n4::FrontEnd::new(settings, BEGAN, SEED),
            false => pinion_n4::FrontEnd::take_over(settings, kept.clone(), SEED)
                .map_err(|error| refused(&error.to_string()))?,
        };
        Ok(Self { state, began: now, heard: false })
    }

    /// Takes a packet for the service.
    pub(super) fn hear(&mut self, now: Time, packet: &Packet) {
        let udp = Udp::parse(&packet.payload).ok().filter(|_| packet.protocol == protocol::UDP);
        if let Some(udp) = udp.filter(|udp| udp.destination_port == PORT) {
            self.heard = true;
            self.state.receive(self.since(now), (packet.source, udp.source_port).into(), udp.payload);
        }
    }

    /// When [`FrontEnd::expire`] is to be called, at the latest.
    pub(super) fn deadline(&self) -> Time {
        if self.heard { self.began } else { self.began.after(self.state.next()) }
    }

    /// Does what is due.
    pub(super) fn expire(&mut self, now: Time) {
        self.state.tick(self.since(now));
    }

    /// Does what it says, for as long as it says anything. `names` says what endpoints the tables know.
    pub(super) fn speak(
        &mut self,
        now: Time,
        engine: &mut UserEngine,
        names: impl Fn() -> Names,
        kept: &mut BTreeMap<Kept, Bytes>,
    ) -> Result<Spoken, DemoError> {
        let mut spoken = Spoken::default();
        self.heard = false;
        while let Some(output) = self.state.output() {
            match output {
                Output::Send { to, bytes } => {
                    spoken.packets.push(pfcp::packet(cast::pfcp_service(), (to.ip(), to.port()), &bytes));
                }
                Output::Commit { batch, changes } => match put(engine, &names(), changes)? {
                    Some(proof) => self.state.installed(self.since(now), batch, proof),
                    None => self.state.refused(self.since(now), batch),
                },
                Output::Lead(leads) => {
                    let names = names();
                    for (end, pin) in leads.into_iter().map(|lead| way(&names, lead)) {
                        tunnels::lead(engine, end, pin.as_ref())?;
                    }
                }
                // Nothing breaks out of its network.
                Output::Classify(_) => {}
                Output::Keep { of, value: Some(value) } => drop(kept.insert(of, value)),
                Output::Keep { of, value: None } => drop(kept.remove(&of)),
                Output::Upf { name, up, why } => {
                    let since = now.since(Time::ZERO);
                    spoken.upfs.push((name, Path { up: Some(up), why: why.to_owned(), round_trip: None, since }));
                }
            }
        }
        Ok(spoken)
    }

    fn since(&self, now: Time) -> Duration {
        now.since(self.began)
    }
}

/// Puts a batch into the tables; `None`, and nothing of it, where they know no such endpoint.
fn put(engine: &mut UserEngine, names: &Names, changes: Vec<TunnelChange>) -> Result<Option<InForce>, LoadError> {
    let entry = |change: TunnelChange| {
        let (address, teid) = change.at();
        let key = PinKey { address: address.into(), teid };
        match change {
            TunnelChange::Pin { service: (service, path), to: (endpoint, theirs), .. } => {
                Some((key, Some(names.record(&service, &endpoint, path, theirs)?.pin)))
            }
            TunnelChange::Unpin { .. } => Some((key, None)),
        }
    };
    let Some(entries) = changes.into_iter().map(entry).collect::<Option<Vec<_>>>() else { return Ok(None) };
    for (key, pin) in entries {
        match pin {
            Some(pin) => tunnels::put(engine, &key, &pin)?,
            None => tunnels::remove(engine, &key)?,
        }
    }
    Ok(Some(InForce))
}
