//! gNBs: a gNB is its Global RAN Node ID, however many associations it has.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use pinion_protocols::ngap::Procedure;
use pinion_protocols::ngap::value::{Cause, GlobalRanNodeId, RoutingId, TnlFailure, UeConnection};

use crate::allowance::Allowance;
use crate::amfs::AmfId;
use crate::overload::Overload;
use crate::upstreams::Upstream;

/// Which gNB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct GnbId(pub(crate) u32);

/// An association that a gNB made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tnla {
    /// Whose it is; none before its first procedure.
    pub(crate) gnb: Option<GnbId>,
    /// Streams that may be sent on.
    pub(crate) streams: u16,
    /// Whether it was said that what is not NGAP comes on it.
    pub(crate) warned: bool,
}

/// How far a gNB is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// AMFs are asked for it.
    Asking {
        /// Where its NG Setup Request came from.
        association: u64,
        /// Until it is answered with what there is.
        until: Duration,
    },
    /// It is set up.
    Up,
    /// No AMF took it.
    Refused,
}

/// A gNB.
#[derive(Debug)]
pub(crate) struct Gnb {
    pub(crate) node: GlobalRanNodeId,
    /// Its associations, the oldest first.
    pub(crate) associations: Vec<u64>,
    /// Its configuration as it is now, as an NG Setup Request.
    pub(crate) setup: Bytes,
    pub(crate) phase: Phase,
    pub(crate) upstreams: BTreeMap<AmfId, Upstream>,
    /// Its RAN Configuration Update that AMFs have not answered.
    pub(crate) update: Option<(Gathering, Bytes)>,
    /// Those that came meanwhile, and on which associations.
    pub(crate) updates: VecDeque<(u64, Bytes)>,
    /// Its NG Reset that AMFs have not acknowledged, and the list of it.
    pub(crate) reset: Option<(Gathering, Vec<UeConnection>)>,
    /// NG Resets of AMFs; it was sent the first.
    pub(crate) resets: VecDeque<AmfReset>,
    /// Answers that were given up and may come yet: whose they are (`None`: its own), to what, and until when they may.
    pub(crate) late: Vec<(Option<AmfId>, Procedure, Duration)>,
    /// Requests of AMFs about the interface that it has not answered.
    pub(crate) asked: VecDeque<Asked>,
    /// A digest of what it was told of the AMFs.
    pub(crate) told: u64,
    /// What it was told and has not acknowledged.
    pub(crate) telling: Option<Telling>,
    /// Whether there is more to tell then.
    pub(crate) stale: bool,
    /// The overload that it was told of.
    pub(crate) overload: Option<Box<Overload>>,
    /// Which AMF sent an LMF's `NRPPa` messages last.
    pub(crate) routing: VecDeque<(RoutingId, AmfId)>,
    /// What it may send by now.
    pub(crate) allowance: Allowance,
    /// Counts UEs that it gets without asking, for their streams.
    pub(crate) turn: u64,
}

impl Gnb {
    pub(crate) fn new(node: GlobalRanNodeId, setup: Bytes, phase: Phase) -> Self {
        Self {
            node,
            associations: Vec::new(),
            setup,
            phase,
            upstreams: BTreeMap::new(),
            update: None,
            updates: VecDeque::new(),
            reset: None,
            resets: VecDeque::new(),
            late: Vec::new(),
            asked: VecDeque::new(),
            told: 0,
            telling: None,
            stale: false,
            overload: None,
            routing: VecDeque::new(),
            allowance: Allowance::default(),
            turn: 0,
        }
    }

    /// The upstreams that are set up, by AMF.
    pub(crate) fn up(&self) -> impl Iterator<Item = (AmfId, &Upstream)> {
        self.upstreams.iter().filter(|(_, upstream)| upstream.is_up()).map(|(&amf, upstream)| (amf, upstream))
    }

    /// Whether two AMFs are of one set, by what they said to it last.
    pub(crate) fn same_set(&self, one: AmfId, other: AmfId) -> bool {
        match (self.upstreams.get(&one), self.upstreams.get(&other)) {
            (Some(one), Some(other)) => one.served.same_set(&other.served),
            _ => false,
        }
    }

    /// Takes down that an answer may come yet that nobody waits for any more. Answers do not say what they are to: the next one
    /// is this one.
    pub(crate) fn give_up(&mut self, whose: Option<AmfId>, procedure: Procedure, until: Duration) {
        self.late.push((whose, procedure, until));
    }

    /// Whether an answer is one that was given up.
    pub(crate) fn was_given_up(&mut self, whose: Option<AmfId>, procedure: Procedure, now: Duration) -> bool {
        self.late.retain(|it| it.2 > now);
        let place = self.late.iter().position(|it| (it.0, it.1) == (whose, procedure));
        place.map(|place| self.late.remove(place)).is_some()
    }

    /// Forgets all that is under way.
    pub(crate) fn calm(&mut self) {
        self.update = None;
        self.updates.clear();
        self.reset = None;
        self.resets.clear();
        self.late.clear();
        self.asked.clear();
        self.telling = None;
        self.stale = false;
        self.overload = None;
        self.routing.clear();
    }
}

/// A procedure of a gNB that several AMFs answer.
#[derive(Clone, Debug)]
pub(crate) struct Gathering {
    /// Where the answer goes.
    pub(crate) association: u64,
    /// Who has not answered.
    pub(crate) waiting: BTreeSet<AmfId>,
    /// Whether somebody accepted.
    pub(crate) accepted: bool,
    /// Why somebody did not.
    pub(crate) cause: Option<Cause>,
    /// Until it is answered without the rest.
    pub(crate) until: Duration,
}

impl Gathering {
    /// Whether nobody is waited for any more.
    pub(crate) fn is_over(&self, now: Duration) -> bool {
        self.waiting.is_empty() || self.until <= now
    }
}

/// NG Reset of an AMF.
#[derive(Clone, Debug)]
pub(crate) struct AmfReset {
    /// Who is answered; nobody where the front end itself resets.
    pub(crate) amf: Option<AmfId>,
    /// What it is answered: its list, unless it reset the whole interface.
    pub(crate) answer: Option<Vec<UeConnection>>,
    /// What the gNB is told.
    pub(crate) connections: Vec<UeConnection>,
    pub(crate) cause: Cause,
    /// Until it is answered in any case; none before it was sent.
    pub(crate) until: Option<Duration>,
}

/// A request of an AMF about the interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) procedure: Procedure,
    /// What answers repeat of it, where they do.
    pub(crate) key: Vec<u8>,
    pub(crate) amf: AmfId,
}

/// An AMF Configuration Update that is not acknowledged.
#[derive(Clone, Debug)]
pub(crate) struct Telling {
    /// AMFs whose own updates are acknowledged with it, and associations that they asked for in vain.
    pub(crate) waiting: Vec<(AmfId, Vec<TnlFailure>)>,
    pub(crate) until: Duration,
}
