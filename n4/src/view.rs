//! How it goes, for those who ask.

use std::net::IpAddr;
use std::sync::Arc;

use crate::counts::Counts;
use crate::front::FrontEnd;
use crate::sessions::{Phase, SessionId};

/// A session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionView {
    /// Its SEID here.
    pub seid: u64,
    /// How far it is.
    pub phase: Phase,
    /// The SMF, and its SEID.
    pub smf: (IpAddr, u64),
    /// The UPF's name, `POOL/NAME`, and its SEID.
    pub upf: (Arc<str>, u64),
    /// Its tunnels.
    pub tunnels: Vec<TunnelView>,
}

/// A tunnel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TunnelView {
    /// What clients send to.
    pub at: Vec<(IpAddr, u32)>,
    /// The TEID as the UPF knows it.
    pub upf_teid: u32,
}

/// A UPF.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpfView {
    /// Its name, `POOL/NAME`.
    pub name: Arc<str>,
    /// Whether it has an association.
    pub up: bool,
    /// How many sessions it has.
    pub sessions: u32,
    /// Percent of its capacity that it says is in use.
    pub load: u8,
}

/// What is under way, or only remembered for a while.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Requests of its own that were not answered yet.
    pub asked: usize,
    /// Requests of peers that are remembered with their answers.
    pub remembered: usize,
    /// Batches of tunnels that are not in force yet.
    pub batches: usize,
    /// Procedures of its own that did not begin yet.
    pub chores: usize,
    /// Sessions that wait for a UPF that takes them.
    pub homeless: usize,
}

impl<Proof> FrontEnd<Proof> {
    /// What is under way.
    #[must_use]
    pub fn backlog(&self) -> Backlog {
        Backlog {
            asked: self.outbound.len(),
            remembered: self.inbound.len(),
            batches: self.parked.len(),
            chores: self.chores.len(),
            homeless: self.homeless.len(),
        }
    }

    /// What it did so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// The UPFs.
    pub fn upfs(&self) -> impl Iterator<Item = UpfView> {
        self.upfs.iter().filter(|upf| !upf.is_gone()).map(|upf| UpfView {
            name: Arc::clone(&upf.config.name),
            up: upf.is_up(),
            sessions: upf.sessions,
            load: upf.load.percent(self.now),
        })
    }

    /// How many sessions there are.
    #[must_use]
    pub fn session_count(&self) -> usize {
        self.sessions.len()
    }

    /// The sessions behind a SEID, in an order that stays.
    pub fn sessions(&self, after: Option<u64>) -> impl Iterator<Item = SessionView> {
        let after = after.map(SessionId::of);
        self.sessions.iter_after(after).map(|(id, session)| SessionView {
            seid: id.seid(),
            phase: session.phase,
            smf: (session.smf_address, session.smf_seid),
            upf: (
                self.upfs
                    .get(usize::from(session.upf))
                    .map_or_else(|| Arc::from(""), |upf| Arc::clone(&upf.config.name)),
                session.upf_seid,
            ),
            tunnels: self.plane.views(&session.tunnels),
        })
    }
}
