//! What there is to see of N2: UEs, of which the daemon knows at which AMF they are (TS 38.413).

use std::time::Duration;

use pinion_n2::{Answerer, Candidate, Counts, Latency};
use pinion_protocols::ngap::{FiveGSTmsi, Guami, Procedure};

/// How N2 is balanced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum N2Mode {
    /// The daemon speaks NGAP itself, and each UE has an AMF.
    Ue,
    /// A gNB's association as a whole has an AMF; of its UEs is known what passed by.
    Association,
}

/// Which UEs are asked for; a part that is `None` lets all through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct N2Filter {
    /// Of this service.
    pub service: Option<String>,
    /// On this AMF: `NAME` or `POOL/NAME`.
    pub endpoint: Option<String>,
    /// At this gNB, as [`N2Ue::gnb`] has it.
    pub gnb: Option<String>,
    /// Known in this way.
    pub mode: Option<N2Mode>,
}

/// A page of UEs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct N2Page {
    /// The UEs.
    pub ues: Vec<N2UeView>,
    /// Where the next page begins; `None`: this was the last.
    pub next: Option<String>,
}

/// A UE of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct N2UeView {
    /// The service.
    pub service: String,
    /// The UE.
    pub ue: N2Ue,
}

impl N2UeView {
    pub(crate) fn of((service, ue): (String, N2Ue)) -> Self {
        Self { service, ue }
    }
}

/// A UE and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct N2Ue {
    /// Counts the UEs of the service.
    pub number: u64,
    /// How it is known.
    pub mode: N2Mode,
    /// Its gNB: a Global RAN Node ID, `001-01-gnb-000001/24`, or an address where that is not known.
    pub gnb: String,
    /// Its AMF, `POOL/NAME`.
    pub amf: String,
    /// RAN UE NGAP ID, once the gNB has given one.
    pub ran: Option<u32>,
    /// The AMF's AMF UE NGAP ID, once it has given one.
    pub amf_id: Option<u64>,
    /// The one that the gNB knows.
    pub gnb_id: Option<u64>,
    /// 5G-S-TMSI, as far as its first message showed it.
    pub tmsi: Option<FiveGSTmsi>,
    /// GUAMI, as far as it is known.
    pub guami: Option<Guami>,
    /// How long it has been at this gNB.
    pub since: Duration,
    /// Why it is at its AMF, in words.
    pub why: String,
    /// Procedures that are not answered yet, and how long they have lasted.
    pub procedures: Vec<(Procedure, Duration)>,
}

/// Why a UE is at its AMF, or which one it would get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct N2Explained {
    /// The service.
    pub service: String,
    /// The UE; `None`: there is none, and this is where it would go.
    pub ue: Option<N2Ue>,
    /// What the rules say now of each AMF, for a UE that comes anew.
    pub amfs: Vec<Candidate>,
}

/// An N2 front end and how it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct N2FrontEnd {
    /// The service.
    pub service: String,
    /// How many gNBs are set up.
    pub gnbs: u64,
    /// How many UEs it has.
    pub ues: u64,
    /// What it did so far.
    pub counts: Counts,
    /// Its AMFs.
    pub amfs: Vec<N2Amf>,
    /// Messages that came from gNBs, and from AMFs, by procedure.
    pub messages: Vec<(Procedure, u64, u64)>,
    /// How long answers took, by procedure and by who gave them.
    pub latencies: Vec<(Procedure, Answerer, Latency)>,
}

/// An AMF, as a front end sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct N2Amf {
    /// Its pool.
    pub pool: String,
    /// Its name.
    pub name: String,
    /// How many gNBs are set up with it.
    pub gnbs: u32,
    /// How many UEs it has.
    pub ues: u64,
    /// The relative capacity that it said last.
    pub capacity: u8,
    /// Percent of initial messages that it asks to be spared; 0: none.
    pub overload: u8,
}
