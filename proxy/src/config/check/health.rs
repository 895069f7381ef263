//! How endpoints are probed: whether the numbers make sense, and whether what is probed is there.

use std::ops::RangeInclusive;
use std::time::Duration;

use pinion_protocols::pfcp;

use super::{services, span};
use crate::config::mistake::Wrong;
use crate::config::model::{self, Probe, Protocol};
use crate::config::scalar::{shown, written};
use crate::config::written::{Health, ProbeKind, Service};

const INTERVAL: Duration = Duration::from_secs(1);
const TIMEOUT: Duration = Duration::from_millis(500);
const RISE: u8 = 2;
const FALL: u8 = 3;
const JITTER: u8 = 10;
const INTERVALS: RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_secs(3600);

/// Whether a probe is answered at the port that the services of its endpoints use.
pub(super) fn check(health: &Health, users: &[&Service], wrong: &mut Wrong) {
    let Some((at, kind)) = health.kind.given() else {
        return;
    };
    // A port that is given is meant, whatever the services do.
    if health.port.is_given() {
        return;
    }
    for service in users {
        let (Some(protocol), Some(port)) = (service.protocol.value, services::port(service)) else {
            continue;
        };
        let name = shown(service.name.value.as_ref());
        if let Some(what) = unanswered(*kind, protocol, port, &name) {
            wrong.mistake(at, what);
            return;
        }
    }
}

/// Why a probe without a port of its own is not answered.
fn unanswered(kind: ProbeKind, protocol: Protocol, port: u16, service: &str) -> Option<String> {
    let word = kind.as_written();
    let (transport, own) = match kind {
        ProbeKind::Icmp => return None,
        ProbeKind::Tcp | ProbeKind::Http2 => ("TCP", None),
        ProbeKind::Udp => ("UDP", None),
        ProbeKind::Sctp => ("SCTP", None),
        ProbeKind::Gtpu => ("UDP", Some(pinion_steering::gtpu::PORT)),
        ProbeKind::Pfcp => ("UDP", Some(pfcp::PORT)),
    };
    let served = match protocol {
        Protocol::Udp | Protocol::Gtpu | Protocol::Pfcp | Protocol::Gtpc => "UDP",
        Protocol::Tcp => "TCP",
        Protocol::Sctp | Protocol::Ngap => "SCTP",
    };
    if transport != served {
        let example = own.unwrap_or(port);
        return Some(format!(
            "a {word} probe of service {service}'s port {port}, which is {served}; give the {transport} port that \
             answers, such as `port: {example}`, or another kind"
        ));
    }
    let own = own.filter(|own| *own != port)?;
    Some(format!(
        "a {word} probe of service {service}'s port {port}; give the port that answers, `port: {own}`, or another kind"
    ))
}

/// What a description of probes means, and what is wrong with it by itself.
pub(super) fn model(health: &Health, wrong: &mut Wrong) -> model::Health {
    let kind = health.kind.value;
    let fields = [
        ("port", health.port.at, kind != Some(ProbeKind::Icmp), "any kind but icmp"),
        ("payload", health.payload.at, kind == Some(ProbeKind::Udp), "udp"),
        ("answer", health.answer.at, kind == Some(ProbeKind::Udp), "udp"),
        ("path", health.path.at, kind == Some(ProbeKind::Http2), "http2"),
        ("authority", health.authority.at, kind == Some(ProbeKind::Http2), "http2"),
    ];
    for (name, at, fits, whose) in fields {
        if let Some(at) = at
            && !fits
            && kind.is_some()
        {
            wrong.mistake(at, format!("`{name}` is for {whose}; leave it out, or give another kind"));
        }
    }
    let interval = span("interval", &health.interval, INTERVAL, INTERVALS, wrong);
    let timeout = health.timeout.value.as_ref().map_or(TIMEOUT.min(interval), |span| span.0);
    if let Some((at, _)) = health.timeout.given() {
        if timeout.is_zero() {
            wrong.mistake(at, "`timeout` of 0s; give the time that an answer may take, such as 500ms");
        } else if timeout > interval && (health.interval.value.is_some() || !health.interval.is_given()) {
            let (timeout, interval) = (written(timeout), written(interval));
            let what = format!("`timeout` of {timeout} is longer than the interval; give {interval} at the most");
            wrong.mistake(at, what);
        }
    }
    model::Health {
        probe: probe(health),
        port: health.port.value.as_ref().map(|port| port.0),
        interval,
        timeout,
        rise: health.rise.value.as_ref().map_or(RISE, |count| count.0),
        fall: health.fall.value.as_ref().map_or(FALL, |count| count.0),
        jitter: health.jitter.value.as_ref().map_or(JITTER, |percent| percent.0),
    }
}

fn probe(health: &Health) -> Probe {
    match health.kind.or(ProbeKind::Icmp) {
        ProbeKind::Icmp => Probe::Icmp,
        ProbeKind::Tcp => Probe::Tcp,
        ProbeKind::Udp => Probe::Udp {
            payload: health.payload.value.as_ref().map(|payload| payload.0.clone()).unwrap_or_default(),
            answer: health.answer.value.is_some_and(|answer| answer.0),
        },
        ProbeKind::Gtpu => Probe::Gtpu,
        ProbeKind::Sctp => Probe::Sctp,
        ProbeKind::Pfcp => Probe::Pfcp,
        ProbeKind::Http2 => Probe::Http2 {
            path: health.path.value.as_ref().map_or_else(|| "/".to_owned(), |path| path.0.clone()),
            authority: health.authority.value.as_ref().map(|authority| authority.0.clone()),
        },
    }
}
