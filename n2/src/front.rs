//! The front end: associations, messages and time come in; associations to open and messages go out.

use std::collections::{BTreeSet, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use foldhash::HashMap;
use pinion_exchange::random::Random;
use pinion_protocols::ngap::value::{Cause, GlobalRanNodeId};
use pinion_protocols::ngap::{Envelope, Error, Message, Outcome, PAYLOAD_PROTOCOL, Procedure, UeIds, Unfit};

use crate::amfs::{AmfId, Amfs};
use crate::counts::Counts;
use crate::gnbs::{Gnb, GnbId, Tnla};
use crate::identities::Identities;
use crate::pins::{PinId, Pins};
use crate::procedures::Procedures;
use crate::settings::Settings;
use crate::{upstreams, write};

/// The payload protocol identifier of NGAP over DTLS over SCTP (TS 38.412 7).
const OVER_DTLS: u32 = 66;

/// An association.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Leg {
    /// One that a gNB made, by the number that the host gave it.
    Gnb(u64),
    /// One to an AMF, by the number that the front end gave it.
    Amf(u64),
}

/// What the host is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Make an association to an AMF, and say so with [`FrontEnd::connected`], or [`FrontEnd::closed`] where there is none.
    Open {
        /// Its number, which no other has.
        upstream: u64,
        /// The AMF's name, `POOL/NAME`.
        amf: Arc<str>,
    },
    /// End an association; nothing more is heard of it.
    Close {
        /// Which.
        leg: Leg,
    },
    /// Send a message, with payload protocol identifier 60.
    Send {
        /// Where.
        leg: Leg,
        /// On which stream.
        stream: u16,
        /// The message.
        bytes: Bytes,
    },
    /// Take down that an AMF serves a gNB, or none any more.
    Amf {
        /// Its name, `POOL/NAME`.
        name: Arc<str>,
        /// Whether it does.
        up: bool,
        /// Why that changed.
        why: &'static str,
    },
}

/// Where a message of a gNB came from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin {
    pub(crate) gnb: GnbId,
    pub(crate) association: u64,
    pub(crate) stream: u16,
}

/// Where a message of an AMF came from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AmfOrigin {
    pub(crate) gnb: GnbId,
    pub(crate) amf: AmfId,
    pub(crate) stream: u16,
}

/// What is due at some time; it looks for itself whether it still is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Due {
    /// Something of a gNB.
    Gnb(GnbId),
    /// Something of a gNB's upstream.
    Upstream(GnbId, AmfId),
    /// A UE that only one side has named.
    Pin(PinId),
}

/// One AMF to each gNB, every gNB to each AMF (TS 38.413).
#[derive(Debug)]
pub struct FrontEnd {
    pub(crate) settings: Settings,
    pub(crate) now: Duration,
    pub(crate) random: Random,
    pub(crate) amfs: Amfs,
    pub(crate) gnbs: HashMap<GnbId, Gnb>,
    pub(crate) by_node: HashMap<GlobalRanNodeId, GnbId>,
    pub(crate) associations: HashMap<u64, Tnla>,
    /// Whose an upstream association is.
    pub(crate) upstreams: HashMap<u64, (GnbId, AmfId)>,
    pub(crate) next_upstream: u64,
    /// When AMFs may be asked for gNBs that left after they were refused.
    pub(crate) waits: HashMap<(GlobalRanNodeId, AmfId), Duration>,
    pub(crate) next_gnb: u32,
    pub(crate) pins: Pins,
    pub(crate) identities: Identities,
    pub(crate) due: BTreeSet<(Duration, Due)>,
    outputs: VecDeque<Output>,
    pub(crate) counts: Counts,
    pub(crate) procedures: Procedures,
}

impl FrontEnd {
    /// A front end without gNBs. `seed`: of choices, different at each start.
    #[must_use]
    pub fn new(settings: Settings, seed: u64) -> Self {
        let mut amfs = Amfs::default();
        amfs.configure(&settings.amfs);
        Self {
            settings,
            now: Duration::ZERO,
            random: Random::new(seed),
            amfs,
            gnbs: HashMap::default(),
            by_node: HashMap::default(),
            associations: HashMap::default(),
            upstreams: HashMap::default(),
            next_upstream: 0,
            waits: HashMap::default(),
            next_gnb: 0,
            pins: Pins::default(),
            identities: Identities::default(),
            due: BTreeSet::new(),
            outputs: VecDeque::new(),
            counts: Counts::default(),
            procedures: Procedures::default(),
        }
    }

    /// Takes other settings over. AMFs that came are told of every gNB; one that is configured no more takes no initial
    /// messages, and keeps the UEs that it has.
    pub fn configure(&mut self, now: Duration, settings: Settings) {
        self.now = now;
        self.settings = settings;
        self.amfs.configure(&self.settings.amfs);
        let gnbs: Vec<_> = self.gnbs.keys().copied().collect();
        for gnb in gnbs {
            self.open_missing(gnb);
            self.reset_abandoned(gnb);
            self.close_abandoned(gnb);
            self.tell(gnb);
            self.settle_overload(gnb);
        }
    }

    /// A gNB made an association, on which `streams` may be sent on. It is closed where there are as many as all gNBs may have.
    pub fn accepted(&mut self, now: Duration, association: u64, streams: u16) {
        self.now = now;
        let bounds = self.settings.bounds;
        let most = u64::from(bounds.gnbs).saturating_mul(bounds.associations.into());
        if self.associations.len() as u64 >= most {
            return self.push(Output::Close { leg: Leg::Gnb(association) });
        }
        self.associations.insert(association, Tnla { gnb: None, streams, warned: false });
    }

    /// Whether somebody with these addresses may make an association: to be asked before [`FrontEnd::accepted`].
    pub fn admits(&mut self, addresses: &[IpAddr]) -> bool {
        let fits = self.settings.admission.fits(addresses);
        self.counts.foreign += u64::from(!fits);
        fits
    }

    /// There is an association to an AMF, on which `streams` may be sent on.
    pub fn connected(&mut self, now: Duration, upstream: u64, streams: u16) {
        self.now = now;
        if let Some((gnb, amf)) = self.upstreams.get(&upstream).copied() {
            self.upstream_connected(gnb, amf, streams);
        }
    }

    /// There is no such association any more, or there never was.
    pub fn closed(&mut self, now: Duration, leg: Leg) {
        self.now = now;
        match leg {
            Leg::Gnb(association) => self.association_lost(association),
            Leg::Amf(upstream) => {
                if let Some((gnb, amf)) = self.upstreams.get(&upstream).copied() {
                    self.upstream_lost(gnb, amf, "its association ended");
                }
            }
        }
    }

    /// Takes a user message of SCTP, with its stream and payload protocol identifier.
    pub fn receive(&mut self, now: Duration, leg: Leg, stream: u16, protocol: u32, bytes: &Bytes) {
        self.now = now;
        if protocol != PAYLOAD_PROTOCOL {
            return self.other_protocol(leg, protocol);
        }
        let origin = match leg {
            Leg::Gnb(association) => {
                self.counts.uplink += 1;
                let Some(tnla) = self.associations.get(&association) else { return };
                Ok((association, tnla.gnb))
            }
            Leg::Amf(upstream) => {
                self.counts.downlink += 1;
                let Some(&whose) = self.upstreams.get(&upstream) else { return };
                Err(whose)
            }
        };
        let envelope = match Envelope::parse(bytes) {
            Ok(envelope) => envelope,
            Err(error) => return self.malformed(leg, stream, None, &error),
        };
        let joined = envelope.value().joined();
        let taken = envelope.open(&joined).and_then(|message| {
            self.procedures.count(message.procedure(), origin.is_ok());
            match origin {
                Ok((association, Some(gnb))) => self.uplink(Origin { gnb, association, stream }, &message, bytes),
                Ok((association, None)) => self.first(association, stream, &message),
                Err((gnb, amf)) => self.downlink(AmfOrigin { gnb, amf, stream }, &message, bytes),
            }
        });
        if let Err(error) = taken {
            let kind = envelope.open(&joined).ok().map(|message| (message.procedure(), message.outcome()));
            self.malformed(leg, stream, kind, &error);
        }
    }

    /// Drops what is not NGAP in the clear, and says so once for each association: who sends it waits for answers in vain.
    fn other_protocol(&mut self, leg: Leg, protocol: u32) {
        self.counts.other_protocol += 1;
        let warned = match leg {
            Leg::Gnb(association) => self.associations.get_mut(&association).map(|it| &mut it.warned),
            Leg::Amf(upstream) => {
                let whose = self.upstreams.get(&upstream).copied();
                whose.and_then(|(gnb, amf)| self.upstream_mut(gnb, amf)).map(|it| &mut it.warned)
            }
        };
        if warned.is_some_and(|warned| !std::mem::replace(warned, true)) {
            let what =
                if protocol == OVER_DTLS { "NGAP over DTLS is not spoken here" } else { "NGAP is number 60" };
            tracing::warn!(?leg, protocol, "dropped for its payload protocol identifier: {what}");
        }
    }

    /// Does what is due by time alone.
    pub fn tick(&mut self, now: Duration) {
        self.now = now;
        self.identities.expire(now);
        while let Some(&(at, due)) = self.due.first()
            && at <= now
        {
            self.due.pop_first();
            match due {
                Due::Gnb(gnb) => self.gnb_due(gnb),
                Due::Upstream(gnb, amf) => self.upstream_due(gnb, amf),
                Due::Pin(pin) => self.overdue_pin(pin),
            }
        }
    }

    /// When [`FrontEnd::tick`] is to be called next at the latest; perhaps too early.
    #[must_use]
    pub fn next(&self) -> Duration {
        let soon = self.now.saturating_add(Duration::from_secs(1));
        self.due.first().map_or(soon, |&(at, _)| at.min(soon))
    }

    /// What the host is to do next.
    pub fn output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// The first message of an association (TS 38.413 8.7.1, 8.7.2).
    fn first(&mut self, association: u64, stream: u16, message: &Message<'_>) -> Result<(), Error> {
        match (message.procedure(), message.outcome()) {
            (Procedure::NgSetup, Outcome::Initiating) => self.ng_setup(association, message),
            (Procedure::RanConfigurationUpdate, Outcome::Initiating) => self.join(association, message),
            (procedure, _) => {
                self.counts.unexpected += 1;
                if procedure != Procedure::ErrorIndication {
                    self.indicate(Leg::Gnb(association), stream, UeIds::default(), &Cause::NOT_COMPATIBLE);
                }
                Ok(())
            }
        }
    }

    /// What was due of a gNB.
    fn gnb_due(&mut self, gnb: GnbId) {
        self.settle_setup(gnb);
        self.settle_update(gnb);
        self.settle_reset(gnb);
        self.overdue_reset(gnb);
        self.overdue_telling(gnb);
        self.close_abandoned(gnb);
    }

    pub(crate) fn push(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    /// Has something looked at again.
    pub(crate) fn remind(&mut self, at: Duration, due: Due) {
        self.due.insert((at, due));
    }

    pub(crate) fn after(&self, time: Duration) -> Duration {
        self.now.saturating_add(time)
    }

    pub(crate) fn send(&mut self, leg: Leg, stream: u16, bytes: Bytes) {
        self.counts.sent += 1;
        self.push(Output::Send { leg, stream, bytes });
    }

    /// Sends what the front end made itself, on a stream that the other end used, which may be more than may be sent on.
    pub(crate) fn say(&mut self, leg: Leg, stream: u16, made: Result<Bytes, Unfit>) {
        let streams = match leg {
            Leg::Gnb(association) => self.streams_down(association),
            Leg::Amf(upstream) => self.upstreams.get(&upstream).map_or(1, |&(gnb, amf)| self.streams_up(gnb, amf)),
        };
        let stream = if stream < streams { stream } else { upstreams::stream(streams, stream.into()) };
        match made {
            Ok(bytes) => self.send(leg, stream, bytes),
            Err(unfit) => tracing::warn!(?leg, %unfit, "a message could not be made"),
        }
    }

    /// Sends a gNB what is about no UE.
    pub(crate) fn send_gnb(&mut self, gnb: GnbId, made: Result<Bytes, Unfit>) {
        let association = self.gnbs.get(&gnb).and_then(|gnb| gnb.associations.first());
        match association.copied() {
            Some(association) => self.say(Leg::Gnb(association), 0, made),
            None => self.counts.undeliverable += 1,
        }
    }

    /// Sends an AMF what is about no UE.
    pub(crate) fn send_amf(&mut self, gnb: GnbId, amf: AmfId, made: Result<Bytes, Unfit>) {
        let upstream = self.upstream(gnb, amf);
        match upstream.filter(|upstream| upstream.is_open()).map(|upstream| upstream.id) {
            Some(upstream) => self.say(Leg::Amf(upstream), 0, made),
            None => self.counts.undeliverable += 1,
        }
    }

    /// Sends a UE's gNB a message.
    pub(crate) fn send_down(&mut self, pin: PinId, bytes: Bytes) {
        let Some(pin) = self.pins.get(pin) else { return };
        let (association, stream) = (pin.association, pin.streams.0);
        if self.associations.contains_key(&association) {
            self.send(Leg::Gnb(association), stream, bytes);
        } else {
            self.counts.undeliverable += 1;
        }
    }

    /// Sends a UE's AMF a message. False: it has no association.
    pub(crate) fn send_up(&mut self, pin: PinId, bytes: Bytes) -> bool {
        let Some(pin) = self.pins.get(pin) else { return false };
        let stream = pin.streams.1;
        let upstream = self.upstream(pin.gnb, pin.amf);
        let Some(upstream) = upstream.filter(|upstream| upstream.is_up()).map(|upstream| upstream.id) else {
            self.counts.undeliverable += 1;
            return false;
        };
        self.send(Leg::Amf(upstream), stream, bytes);
        true
    }

    /// Tells a sender that its message is wrong.
    pub(crate) fn indicate(&mut self, leg: Leg, stream: u16, ids: UeIds, cause: &Cause) {
        self.counts.error_indications += 1;
        self.say(leg, stream, write::error_indication(ids, cause));
    }

    /// A message that cannot be read: its sender is told, unless it told us that ours cannot (10.2, 10.3).
    fn malformed(&mut self, leg: Leg, stream: u16, kind: Option<(Procedure, Outcome)>, error: &Error) {
        self.counts.malformed += 1;
        tracing::debug!(?leg, ?kind, %error, "a message that cannot be read");
        let cause = match (kind, error) {
            (Some((Procedure::ErrorIndication, _)), _) => return,
            (Some(_), Error::Missing { .. }) => Cause::ABSTRACT_SYNTAX_ERROR,
            _ => Cause::TRANSFER_SYNTAX_ERROR,
        };
        // NG Setup is answered, as its sender waits for that.
        if let (Leg::Gnb(_), Some((Procedure::NgSetup, Outcome::Initiating))) = (leg, kind) {
            self.counts.setup_failures += 1;
            return self.say(leg, stream, write::failure(Procedure::NgSetup, &cause, None));
        }
        self.indicate(leg, stream, UeIds::default(), &cause);
    }
}
