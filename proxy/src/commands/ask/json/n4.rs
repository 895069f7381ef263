use std::net::IpAddr;

use pinion_n4::{Counts, TunnelView};
use serde::Serialize;

use super::super::words;
use crate::control::{N4FrontEnd, N4SessionView, N4Upf};

/// An N4 session. SEIDs are text: they have 64 bits, which many that read JSON do not.
#[derive(Debug, Serialize)]
pub(crate) struct N4Session<'a> {
    service: &'a str,
    key: String,
    seid: String,
    phase: &'static str,
    smf_address: IpAddr,
    smf_seid: String,
    upf: &'a str,
    upf_seid: Option<String>,
    tunnels: Vec<Tunnel>,
}

#[derive(Debug, Serialize)]
struct Tunnel {
    at: Vec<End>,
    upf_teid: u32,
}

#[derive(Debug, Serialize)]
struct End {
    address: IpAddr,
    teid: u32,
}

impl<'a> From<&'a N4SessionView> for N4Session<'a> {
    fn from(view: &'a N4SessionView) -> Self {
        let hex = |seid: u64| format!("{seid:#x}");
        let end = |(address, teid): &(IpAddr, u32)| End { address: *address, teid: *teid };
        let tunnel =
            |tunnel: &TunnelView| Tunnel { at: tunnel.at.iter().map(end).collect(), upf_teid: tunnel.upf_teid };
        Self {
            service: &view.service,
            key: words::seid(view.seid),
            seid: hex(view.seid),
            phase: words::n4_phase(view.phase).0,
            smf_address: view.smf,
            smf_seid: hex(view.smf_seid),
            upf: &view.upf,
            upf_seid: Some(view.upf_seid).filter(|seid| *seid != 0).map(hex),
            tunnels: view.tunnels.iter().map(tunnel).collect(),
        }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct FrontEnd<'a> {
    service: &'a str,
    sessions: u64,
    established: u64,
    deleted: u64,
    restored: u64,
    lost: u64,
    forsaken: u64,
    requests: u64,
    retransmitted: u64,
    refusals: u64,
    answers: u64,
    repeated: u64,
    unanswered: u64,
    sent: u64,
    malformed: u64,
    unknown: u64,
    unasked: u64,
    refused: u64,
    upf_losses: u64,
    unlearned: u64,
    upfs: Vec<Upf<'a>>,
}

#[derive(Debug, Serialize)]
struct Upf<'a> {
    pool: &'a str,
    name: &'a str,
    up: bool,
    sessions: u64,
    load_percent: u8,
}

impl<'a> From<&'a N4FrontEnd> for FrontEnd<'a> {
    fn from(view: &'a N4FrontEnd) -> Self {
        let Counts { requests, answers, sent, malformed, unknown, unasked, retransmitted, .. } = view.counts;
        let Counts { repeated, unanswered, refusals, refused, established, deleted, .. } = view.counts;
        let Counts { restored, lost, forsaken, upf_losses, unlearned, .. } = view.counts;
        Self {
            service: &view.service,
            sessions: view.sessions,
            established,
            deleted,
            restored,
            lost,
            forsaken,
            requests,
            retransmitted,
            refusals,
            answers,
            repeated,
            unanswered,
            sent,
            malformed,
            unknown,
            unasked,
            refused,
            upf_losses,
            unlearned,
            upfs: view.upfs.iter().map(Upf::from).collect(),
        }
    }
}

impl<'a> From<&'a N4Upf> for Upf<'a> {
    fn from(view: &'a N4Upf) -> Self {
        Self { pool: &view.pool, name: &view.name, up: view.up, sessions: view.sessions, load_percent: view.load }
    }
}
