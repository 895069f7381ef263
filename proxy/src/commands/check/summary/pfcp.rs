//! What a configuration would have Pinion say in PFCP.

use std::fmt;

use serde::Serialize;

use super::super::table::Table;
use super::ServiceRow;
use crate::config::duration;
use crate::config::model::{Breakout, Pfcp, UeAddresses};

/// How a service's PFCP is spoken, as `--format json` has it.
#[derive(Debug, Serialize)]
pub(super) struct PfcpRow {
    mode: &'static str,
    user_plane: Vec<String>,
    breakouts: Vec<BreakoutRow>,
    ue_addresses: Option<&'static str>,
    restore: bool,
    smf_teids: bool,
    heartbeat: String,
    t1: String,
    n1: u8,
    sessions: u32,
    smfs: u16,
}

/// Where packets go that are forwarded by a network instance.
#[derive(Debug, Serialize)]
struct BreakoutRow {
    network_instance: String,
    via: String,
}

impl BreakoutRow {
    fn new(Breakout { network_instance, pool, endpoint }: &Breakout) -> Self {
        Self { network_instance: network_instance.clone(), via: format!("{pool}/{endpoint}") }
    }
}

impl PfcpRow {
    pub(super) fn new(pfcp: &Pfcp) -> Self {
        let Pfcp {
            mode,
            user_plane,
            breakouts,
            ue_addresses,
            restore,
            smf_teids,
            heartbeat,
            t1,
            n1,
            sessions,
            smfs,
        } = pfcp;
        Self {
            mode: mode.as_written(),
            user_plane: user_plane.clone(),
            breakouts: breakouts.iter().map(BreakoutRow::new).collect(),
            ue_addresses: ue_addresses.map(UeAddresses::as_written),
            restore: *restore,
            smf_teids: *smf_teids,
            heartbeat: duration(*heartbeat),
            t1: duration(*t1),
            n1: *n1,
            sessions: *sessions,
            smfs: *smfs,
        }
    }
}

/// A table of the services that speak PFCP; nothing where there is none.
pub(super) fn table(f: &mut fmt::Formatter<'_>, services: &[ServiceRow]) -> fmt::Result {
    let spoken = services.iter().filter_map(|service| Some((service, service.pfcp.as_ref()?)));
    let mut table = Table::new(["pfcp", "mode", "user plane", "UE addresses", "restores", "sessions", "SMFs"]);
    let mut any = false;
    for (service, pfcp) in spoken.take(super::LISTED) {
        any = true;
        let user_plane =
            if pfcp.user_plane.is_empty() { "the UPFs' own".to_owned() } else { pfcp.user_plane.join(" ") };
        table.row([
            service.name.clone(),
            pfcp.mode.to_owned(),
            user_plane,
            pfcp.ue_addresses.unwrap_or("of one UPF").to_owned(),
            if pfcp.restore { "yes" } else { "no" }.to_owned(),
            format!("up to {}", pfcp.sessions),
            format!("up to {}", pfcp.smfs),
        ]);
    }
    if any { write!(f, "\n{table}") } else { Ok(()) }
}
