//! What the front end is told by its host.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use crate::admission::Admission;

/// What the front end is told by its host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// What spans call the service.
    pub service: Arc<str>,
    /// The AMF Name that gNBs are told: 1 to 150 printable characters of ASCII.
    pub name: Arc<str>,
    /// The AMFs, at most 65,535.
    pub amfs: Vec<Amf>,
    /// Who gives UEs the AMF UE NGAP IDs that gNBs know.
    pub amf_ids: AmfIds,
    /// What becomes of the UEs of an AMF that is lost.
    pub loss: AmfLoss,
    /// Which gNBs are served.
    pub admission: Admission,
    /// Where messages go that no AMF is named for.
    pub rules: Rules,
    /// How long something is waited for.
    pub timers: Timers,
    /// How much there may be.
    pub bounds: Bounds,
}

impl Settings {
    /// With everything else as it is where nobody says otherwise: UEs of a lost AMF are reset at once.
    #[must_use]
    pub fn new(name: impl Into<Arc<str>>, amfs: Vec<Amf>) -> Self {
        Self {
            service: Arc::default(),
            name: name.into(),
            amfs,
            amf_ids: AmfIds::default(),
            loss: AmfLoss::Reset { after: Duration::ZERO },
            admission: Admission::default(),
            rules: Rules::default(),
            timers: Timers::default(),
            bounds: Bounds::default(),
        }
    }
}

/// An AMF.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Amf {
    /// Its name, `POOL/NAME`: who it is over reloads.
    pub name: Arc<str>,
    /// What its relative capacity is multiplied by; 0 takes no initial messages.
    pub weight: u32,
    /// Whether it takes no initial messages.
    pub drained: bool,
}

impl Amf {
    /// One that takes its share.
    #[must_use]
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self { name: name.into(), weight: 1, drained: false }
    }
}

/// Who gives UEs the AMF UE NGAP IDs that gNBs know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AmfIds {
    /// The AMFs: theirs are unique within a set (TS 38.401 6.2.1), and stay as they are. One that a UE of another set has is
    /// replaced.
    SetUnique,
    /// The front end: an AMF's is replaced where a UE of another AMF has it, or had it a moment ago.
    #[default]
    PerAmf,
}

/// What becomes of the UEs of an AMF that is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AmfLoss {
    /// They stay; what they send next goes to another AMF of the set, with the identifier that they had. For AMFs that share
    /// contexts: with [`AmfIds::PerAmf`] they do not, and UEs are reset at once.
    Rebind,
    /// They are reset, unless the AMF is back before.
    Reset {
        /// How long after.
        after: Duration,
    },
}

/// Which AMFs get a message that could go to any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Spread {
    /// The first of them that the gNB is set up with.
    #[default]
    First,
    /// All.
    All,
}

/// Where messages go that no AMF is named for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// PWS Restart Indication and PWS Failure Indication.
    pub pws: Spread,
    /// Uplink RAN Configuration Transfer and Uplink RIM Information Transfer.
    pub ran_configuration: Spread,
}

/// How long something is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timers {
    /// Until an AMF is associated, and until it or a gNB answers.
    pub answer: Duration,
    /// From a lost association to the next try.
    pub reconnect: Duration,
    /// From a refused NG Setup without Time to Wait to the next.
    pub retry: Duration,
    /// How long an AMF UE NGAP ID is given to nobody after its UE is gone; and, but not shorter than `answer`, how long a UE is
    /// kept that only a gNB or only an AMF has named.
    pub quarantine: Duration,
}

impl Default for Timers {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { answer: seconds(5), reconnect: seconds(2), retry: seconds(10), quarantine: seconds(60) }
    }
}

/// How much there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// gNBs; beyond, NG Setup fails.
    pub gnbs: u32,
    /// Associations of a gNB; beyond, another one is closed.
    pub associations: u16,
    /// UEs; beyond, initial messages are answered by Error Indication.
    pub ues: u32,
    /// Messages of a gNB in a second, and at once; beyond, initial messages are answered by Error Indication. `None`: any.
    pub messages: Option<NonZeroU32>,
    /// Requests of AMFs, and routing identifiers of NRPPa, that are remembered of a gNB; beyond, the oldest is forgotten.
    pub remembered: u16,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { gnbs: 4_096, associations: 8, ues: 1_000_000, messages: None, remembered: 64 }
    }
}
