//! Upstream associations: one for each gNB and AMF.

use std::sync::Arc;
use std::time::Duration;

use pinion_protocols::ngap::Guami;
use pinion_protocols::ngap::value::{AmfName, Cause, RrcEstablishmentCause, UnavailableGuami};

use crate::amfs::{AmfId, Served};
use crate::front::FrontEnd;
use crate::gnbs::GnbId;
use crate::overload::Overload;

/// How far an upstream is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// It was asked for.
    Connecting {
        /// Until it is given up.
        until: Duration,
    },
    /// NG Setup Request was sent.
    Asked {
        /// Until it is given up.
        until: Duration,
    },
    /// It is set up.
    Up,
    /// The AMF refused it.
    Refused {
        /// When it may be asked again.
        again: Duration,
        /// Why.
        cause: Cause,
    },
    /// There is no association.
    Down {
        /// When it is asked for again.
        again: Duration,
    },
}

/// An upstream association.
#[derive(Debug)]
pub(crate) struct Upstream {
    /// Its number, of which each association has another.
    pub(crate) id: u64,
    /// Streams that may be sent on.
    pub(crate) streams: u16,
    pub(crate) state: State,
    /// What the AMF said of itself last.
    pub(crate) served: Arc<Served>,
    /// GUAMIs that the AMF gave up (8.7.6).
    pub(crate) unavailable: Vec<UnavailableGuami>,
    pub(crate) overload: Option<Box<Overload>>,
    /// Whether UEs of an association before this one are still to be reset, and when.
    pub(crate) owed: Option<Duration>,
    /// UEs.
    pub(crate) pins: u32,
    /// Whether it was said that what is not NGAP comes on it.
    pub(crate) warned: bool,
}

impl Upstream {
    pub(crate) fn new(id: u64, state: State) -> Self {
        Self {
            id,
            streams: 1,
            state,
            served: Arc::default(),
            unavailable: Vec::new(),
            overload: None,
            owed: None,
            pins: 0,
            warned: false,
        }
    }

    pub(crate) fn is_up(&self) -> bool {
        self.state == State::Up
    }

    /// Whether nothing is to be waited for.
    pub(crate) fn is_settled(&self) -> bool {
        matches!(self.state, State::Up | State::Refused { .. } | State::Down { .. })
    }

    /// When it may be asked for again, where it was refused or is down.
    pub(crate) fn again(&self) -> Option<Duration> {
        match self.state {
            State::Refused { again, .. } | State::Down { again } => Some(again),
            State::Connecting { .. } | State::Asked { .. } | State::Up => None,
        }
    }

    /// Whether there is an association, or will be.
    pub(crate) fn is_open(&self) -> bool {
        !matches!(self.state, State::Down { .. })
    }

    /// The GUAMIs that the AMF has not given up.
    pub(crate) fn offered(&self) -> impl Iterator<Item = &Guami> {
        let all = self.served.guamis.iter().map(|it| &it.guami);
        all.filter(|guami| !self.unavailable.iter().any(|it| it.guami == **guami))
    }

    /// Percent of the UEs that come for a cause that the AMF asks to be spared.
    pub(crate) fn spared(&self, cause: Option<RrcEstablishmentCause>) -> u8 {
        self.overload.as_ref().map_or(0, |overload| overload.spared(cause))
    }

    /// Whether the AMF has a name.
    pub(crate) fn is_named(&self, name: &AmfName) -> bool {
        self.served.name.as_ref() == Some(name)
    }
}

impl FrontEnd {
    /// A gNB's upstream to an AMF.
    pub(crate) fn upstream(&self, gnb: GnbId, amf: AmfId) -> Option<&Upstream> {
        self.gnbs.get(&gnb)?.upstreams.get(&amf)
    }

    pub(crate) fn upstream_mut(&mut self, gnb: GnbId, amf: AmfId) -> Option<&mut Upstream> {
        self.gnbs.get_mut(&gnb)?.upstreams.get_mut(&amf)
    }

    /// Streams that may be sent on to an AMF.
    pub(crate) fn streams_up(&self, gnb: GnbId, amf: AmfId) -> u16 {
        self.upstream(gnb, amf).map_or(1, |it| it.streams)
    }

    /// Streams that may be sent on to a gNB.
    pub(crate) fn streams_down(&self, association: u64) -> u16 {
        self.associations.get(&association).map_or(1, |tnla| tnla.streams)
    }
}

/// The stream of a UE: another than that of what is about no UE, where there is another (TS 38.412 7).
pub(crate) fn stream(streams: u16, number: u64) -> u16 {
    let others = u64::from(streams.saturating_sub(1));
    number.checked_rem(others).and_then(|it| u16::try_from(it).ok()).map_or(0, |it| it.saturating_add(1))
}
