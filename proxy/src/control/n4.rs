//! What there is to see of N4: sessions that the daemon itself speaks PFCP for (TS 29.244).

use std::net::IpAddr;

use pinion_n4::{Counts, Phase, TunnelView};

/// Which N4 sessions are asked for; a part that is `None` lets all through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct N4Filter {
    /// Of this PFCP service.
    pub service: Option<String>,
    /// On this UPF: `NAME` or `POOL/NAME`.
    pub upf: Option<String>,
    /// From the SMF with this address.
    pub smf: Option<IpAddr>,
}

/// A page of N4 sessions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct N4Page {
    /// The sessions.
    pub sessions: Vec<N4SessionView>,
    /// Where the next page begins; `None`: this was the last.
    pub next: Option<String>,
}

/// An N4 session and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct N4SessionView {
    /// The PFCP service.
    pub service: String,
    /// The daemon's SEID: the same towards SMF and UPF.
    pub seid: u64,
    /// How far it is.
    pub phase: Phase,
    /// The address in the SMF's F-SEID.
    pub smf: IpAddr,
    /// The SMF's SEID.
    pub smf_seid: u64,
    /// The UPF, as `POOL/NAME`.
    pub upf: String,
    /// The UPF's SEID; 0: it gave none yet.
    pub upf_seid: u64,
    /// Its tunnels through a gtpu service.
    pub tunnels: Vec<TunnelView>,
}

/// An N4 front end and how it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct N4FrontEnd {
    /// The PFCP service.
    pub service: String,
    /// How many sessions it has.
    pub sessions: u64,
    /// What it did so far.
    pub counts: Counts,
    /// Its UPFs.
    pub upfs: Vec<N4Upf>,
}

/// A UPF, as a front end sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct N4Upf {
    /// Its pool.
    pub pool: String,
    /// Its name.
    pub name: String,
    /// Whether it has an association.
    pub up: bool,
    /// How many sessions it has.
    pub sessions: u64,
    /// Percent of its capacity that it says is in use; 0 also where it says nothing.
    pub load: u8,
}
