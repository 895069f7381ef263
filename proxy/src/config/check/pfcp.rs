//! PFCP services, which Pinion itself speaks: what is wrong with one by itself.

mod breakouts;
mod serves;
mod user_plane;

use std::ops::RangeInclusive;
use std::time::Duration;

use pinion_loader::Bounds;

use super::pools::Gathered;
use super::{span, spoken};
use crate::config::Host;
use crate::config::mistake::Wrong;
use crate::config::model::{self, Algorithm, PfcpMode, Protocol, UeAddresses};
use crate::config::written::{File, Pfcp, Service};

pub(super) use serves::model as serves;

const HEARTBEAT: Duration = Duration::from_secs(10);
const HEARTBEATS: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(3600);
const T1: Duration = Duration::from_secs(3);
const T1S: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(60);
const N1: u8 = 3;
const SESSIONS: u32 = 1_000_000;
const SMFS: u16 = 1024;

/// Whether the endpoints and the gtpu services that are named fit each pfcp service.
pub(super) fn meet(
    file: &File,
    pools: &[Gathered<'_>],
    members: &[Vec<&Service>],
    bounds: Bounds,
    wrong: &mut Wrong,
) {
    for (pool, users) in pools.iter().zip(members) {
        serves::misplaced(pool, users, wrong);
        for service in users.iter().filter(|service| is_pfcp(service)) {
            attracted(pool, service, wrong);
        }
        serves::check(pool, users, wrong);
    }
    user_plane::check(file, pools, members, wrong);
    breakouts::check(file, pools, members, wrong);
    for service in file.services.values().filter(|service| is_pfcp(service)) {
        held(service, bounds, wrong);
    }
}

/// Whether it is one, and not something that is written wrong.
pub(super) fn is_pfcp(service: &Service) -> bool {
    service.protocol.value == Some(Protocol::Pfcp)
}

/// With several UPFs, somebody must see to it that packets to a user reach the one that has its session.
fn attracted(pool: &Gathered<'_>, service: &Service, wrong: &mut Wrong) {
    let count = pool.endpoints.count();
    let said = match &service.pfcp.value {
        Some(pfcp) => pfcp.ue_addresses.is_given(),
        // What is wrong there is a mistake already.
        None => service.pfcp.is_given(),
    };
    if count > 1
        && !said
        && let Some(at) = service.pfcp.at.or(service.protocol.at)
    {
        let what = format!(
            "{count} UPFs, and nothing says how packets to a user reach the one of its session; give \
             `ue_addresses: upf` where UPFs allocate users' addresses, pools where SMFs do from pools of each UPF, or \
             n6 where N6 passes through Pinion or host routes are announced"
        );
        wrong.mistake(at, what);
    }
}

/// Whether the table of tunnels holds as many as there may be sessions.
fn held(service: &Service, bounds: Bounds, wrong: &mut Wrong) {
    let Some(pfcp) = &service.pfcp.value else { return };
    if let Some((at, sessions)) = pfcp.sessions.given()
        && sessions.0 > bounds.pins
        && pfcp.user_plane.values().next().is_some()
    {
        let what = format!(
            "{sessions} sessions, of a tunnel each at the least, where table `pins` holds {pins} entries; raise it by \
             `bounds: {{pins: {sessions}}}` or more, or give {pins} at the most",
            sessions = sessions.0,
            pins = bounds.pins
        );
        wrong.warning(at, what);
    }
}

/// What a service's PFCP means; `None` where it is of another protocol.
pub(super) fn model(service: &Service, host: &Host, wrong: &mut Wrong) -> Option<model::Pfcp> {
    if !spoken::is_of(service, Protocol::Pfcp, ("pfcp", service.pfcp.at), wrong) {
        return None;
    }
    spoken::check(service, host, ["PFCP", "an SMF", "UPF"], wrong);
    let Some(pfcp) = &service.pfcp.value else { return Some(default()) };
    if let (Some((at, restore)), false) =
        (pfcp.restore.given(), matches!(pfcp.ue_addresses.value, Some(UeAddresses::Pools | UeAddresses::N6)))
        && restore.0
        // One that is written wrong may be right.
        && (pfcp.ue_addresses.value.is_some() || !pfcp.ue_addresses.is_given())
    {
        let whose = match pfcp.ue_addresses.value {
            Some(UeAddresses::Upf) => "where a lost UPF's users have addresses of its own",
            _ => "without `ue_addresses`",
        };
        let what = format!("`restore` {whose}; give `ue_addresses: pools` or n6, or leave it out");
        wrong.mistake(at, what);
    }
    if pfcp.mode.value == Some(PfcpMode::Redirect) {
        redirected(service, pfcp, wrong);
    } else if let Some((at, restore)) = pfcp.restore.given()
        && restore.0
        && pfcp.user_plane.values().next().is_none()
    {
        let what = "`restore` without `user_plane`: gNBs keep the tunnels of the UPF that is lost, and go on sending to \
                    it; name the gtpu service that stands for the UPFs";
        wrong.warning(at, what);
    }
    Some(meaning(pfcp, wrong))
}

/// What needs messages that do not pass by where SMF and UPF speak to each other directly.
fn redirected(service: &Service, pfcp: &Pfcp, wrong: &mut Wrong) {
    if let Some((at, planes)) = pfcp.user_plane.given()
        && !planes.0.is_empty()
    {
        let what = "`user_plane` in mode redirect, where gNBs are told the UPFs' own tunnels; leave it out, or give \
                    `mode: terminate`";
        wrong.mistake(at, what);
    }
    if let Some((at, restore)) = pfcp.restore.given()
        && restore.0
    {
        let what = "`restore` in mode redirect, where Pinion does not know what a session has become; leave it out, or \
                    give `mode: terminate`";
        wrong.mistake(at, what);
    }
    if let Some((at, smf_teids)) = pfcp.smf_teids.given()
        && smf_teids.0
    {
        let what = "`smf_teids` in mode redirect, where TEIDs are between SMF and UPF; leave it out, or give `mode: \
                    terminate`";
        wrong.mistake(at, what);
    }
    if let Some((at, Algorithm::LeastSessions)) = service.algorithm.given() {
        let what = "least_sessions in mode redirect, where sessions end without Pinion; give maglev, round_robin or \
                    weighted";
        wrong.mistake(at, what);
    }
}

fn default() -> model::Pfcp {
    model::Pfcp {
        mode: model::PfcpMode::default(),
        user_plane: Vec::new(),
        breakouts: Vec::new(),
        ue_addresses: None,
        restore: false,
        smf_teids: false,
        heartbeat: HEARTBEAT,
        t1: T1,
        n1: N1,
        sessions: SESSIONS,
        smfs: SMFS,
    }
}

fn meaning(pfcp: &Pfcp, wrong: &mut Wrong) -> model::Pfcp {
    model::Pfcp {
        mode: pfcp.mode.or(model::PfcpMode::default()),
        user_plane: pfcp.user_plane.values().map(|name| name.0.clone()).collect(),
        breakouts: breakouts::model(pfcp),
        ue_addresses: pfcp.ue_addresses.value,
        restore: pfcp.restore.value.is_some_and(|restore| restore.0),
        smf_teids: pfcp.smf_teids.value.is_some_and(|smf_teids| smf_teids.0),
        heartbeat: span("heartbeat", &pfcp.heartbeat, HEARTBEAT, HEARTBEATS, wrong),
        t1: span("t1", &pfcp.t1, T1, T1S, wrong),
        n1: pfcp.n1.value.as_ref().map_or(N1, |count| count.0),
        sessions: pfcp.sessions.value.as_ref().map_or(SESSIONS, |count| count.0),
        smfs: pfcp.smfs.value.as_ref().map_or(SMFS, |count| count.0),
    }
}
