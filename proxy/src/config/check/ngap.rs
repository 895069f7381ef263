//! NGAP services, which Pinion itself speaks: what is wrong with one by itself.

mod transport;

use std::ops::RangeInclusive;
use std::time::Duration;

use pinion_n2::{Admission, Bounds, Timers};

use super::{span, spoken};
use crate::config::Host;
use crate::config::mistake::Wrong;
use crate::config::model::{self, AmfIds, Discover, Protocol, Spread, Transport};
use crate::config::read::Either;
use crate::config::scalar::ngap::DomainName;
use crate::config::written::{self, AmfLoss, Ngap, Service};

const RESET_AFTER: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(3600);
const UES: u32 = 1_000_000;
const GNBS: u16 = 4096;

/// What a service's NGAP means; `None` where it is of another protocol.
pub(super) fn model(service: &Service, host: &Host, wrong: &mut Wrong) -> Option<model::Ngap> {
    if !spoken::is_of(service, Protocol::Ngap, ("ngap", service.ngap.at), wrong) {
        return None;
    }
    spoken::check_steered(service, "NGAP", wrong);
    if let Some(at) = service.algorithm.at {
        wrong.mistake(
            at,
            "a UE's AMF is chosen by its identity and by the AMFs' capacities; leave `algorithm` out",
        );
    }
    transport::check(service, host, wrong);
    let name = service.name.value.as_ref().map(|name| name.0.clone()).unwrap_or_default();
    let default = default(name);
    Some(match service.ngap.value.as_ref() {
        Some(ngap) => meaning(ngap, default, wrong),
        None => default,
    })
}

fn default(amf_name: String) -> model::Ngap {
    model::Ngap {
        transport: Transport::default(),
        interfaces: Vec::new(),
        amf_name,
        amf_ids: AmfIds::PerAmf,
        reset_after: Some(Duration::ZERO),
        ues: UES,
        gnbs: GNBS,
        associations: Bounds::default().associations,
        messages: None,
        admission: Admission::default(),
        pws: Spread::default(),
        ran_configuration: Spread::default(),
        timers: Timers::default(),
        discover: None,
    }
}

fn meaning(ngap: &Ngap, default: model::Ngap, wrong: &mut Wrong) -> model::Ngap {
    let amf_ids = ngap.amf_ids.or(AmfIds::PerAmf);
    let after = span("reset_after", &ngap.reset_after, Duration::ZERO, RESET_AFTER, wrong);
    let rebinds = match ngap.amf_loss.given() {
        Some((at, loss @ AmfLoss::Rebind)) => {
            if amf_ids == AmfIds::PerAmf {
                wrong.mistake(at, "another AMF knows a UE only by a number that is unique; give amf_ids set-unique too, or reset");
            }
            if let Some(at) = ngap.reset_after.at {
                let what =
                    format!("with amf_loss {} UEs are not reset; leave `reset_after` out", loss.as_written());
                wrong.mistake(at, what);
            }
            true
        }
        _ => false,
    };
    let rules = ngap.rules.value.as_ref();
    model::Ngap {
        transport: ngap.transport.or(Transport::default()),
        interfaces: ngap.interfaces.values().map(|name| name.0.clone()).collect(),
        amf_name: ngap.amf_name.value.as_ref().map_or(default.amf_name, |name| name.0.clone()),
        amf_ids,
        reset_after: (!rebinds).then_some(after),
        ues: ngap.ues.value.as_ref().map_or(UES, |count| count.0),
        gnbs: ngap.gnbs.value.as_ref().map_or(GNBS, |count| count.0),
        associations: ngap.associations.value.as_ref().map_or(default.associations, |count| count.0),
        messages: ngap.messages.value.as_ref().map(|count| count.0),
        admission: ngap.admission.value.as_ref().map(admission).unwrap_or_default(),
        pws: rules.map_or(default.pws, |rules| rules.pws.or(default.pws)),
        ran_configuration: rules
            .map_or(default.ran_configuration, |rules| rules.ran_configuration.or(default.ran_configuration)),
        timers: ngap.timers.value.as_ref().map_or(default.timers, |given| timers(given, wrong)),
        discover: ngap.discover.value.as_ref().map(discover),
    }
}

fn discover(given: &Either<DomainName, written::Discover>) -> Discover {
    let (name, servers) = match given {
        Either::Short(name) => (Some(name), Vec::new()),
        Either::Whole(whole) => {
            (whole.name.value.as_ref(), whole.servers.values().map(|server| server.0).collect())
        }
    };
    Discover { name: name.map(|name| name.0.clone()).unwrap_or_default(), servers }
}

fn admission(given: &written::Admission) -> Admission {
    Admission {
        nodes: given.nodes.values().map(|node| node.0.clone()).collect(),
        plmns: given.plmns.values().map(|plmn| plmn.0.0).collect(),
        tacs: given.tacs.values().map(|tac| tac.0).collect(),
        prefixes: given.prefixes.values().map(|prefix| prefix.0).collect(),
    }
}

fn timers(given: &written::Timers, wrong: &mut Wrong) -> Timers {
    let default = Timers::default();
    let (soon, minute) = (Duration::from_millis(100), Duration::from_secs(60));
    Timers {
        answer: span("answer", &given.answer, default.answer, soon..=minute, wrong),
        reconnect: span("reconnect", &given.reconnect, default.reconnect, soon..=minute * 10, wrong),
        retry: span("retry", &given.retry, default.retry, Duration::from_secs(1)..=minute * 10, wrong),
        quarantine: span("quarantine", &given.quarantine, default.quarantine, Duration::ZERO..=minute * 60, wrong),
    }
}
