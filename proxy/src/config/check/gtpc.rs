//! GTPv2-C services, which Pinion itself speaks: what is wrong with one by itself.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::{span, spoken};
use crate::config::Host;
use crate::config::mistake::Wrong;
use crate::config::model::{self, Protocol};
use crate::config::written::{Gtpc, Service};

const ECHO: Duration = Duration::from_secs(60);
const ECHOES: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(3600);
const T3: Duration = Duration::from_secs(3);
const T3S: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(60);
const N3: u8 = 3;
const SESSIONS: u32 = 1_000_000;
const CLIENTS: u32 = 1024;

/// What a service's GTPv2-C means; `None` where it is of another protocol.
pub(super) fn model(service: &Service, host: &Host, wrong: &mut Wrong) -> Option<model::Gtpc> {
    if !spoken::is_of(service, Protocol::Gtpc, ("gtpc", service.gtpc.at), wrong) {
        return None;
    }
    spoken::check(service, host, ["GTPv2-C", "a client", "endpoint"], wrong);
    Some(service.gtpc.value.as_ref().map_or_else(default, |gtpc| meaning(gtpc, wrong)))
}

fn default() -> model::Gtpc {
    model::Gtpc { echo: ECHO, t3: T3, n3: N3, sessions: SESSIONS, clients: CLIENTS }
}

fn meaning(gtpc: &Gtpc, wrong: &mut Wrong) -> model::Gtpc {
    model::Gtpc {
        echo: span("echo", &gtpc.echo, ECHO, ECHOES, wrong),
        t3: span("t3", &gtpc.t3, T3, T3S, wrong),
        n3: gtpc.n3.value.as_ref().map_or(N3, |count| count.0),
        sessions: gtpc.sessions.value.as_ref().map_or(SESSIONS, |count| count.0),
        clients: gtpc.clients.value.as_ref().map_or(CLIENTS, |count| count.0),
    }
}
