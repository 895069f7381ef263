//! NGAP services, which Pinion itself speaks: what is wrong with one by itself.

mod transport;

use std::ops::RangeInclusive;
use std::time::Duration;

use super::{span, spoken};
use crate::config::Host;
use crate::config::mistake::Wrong;
use crate::config::model::{self, AmfIds, Protocol, Transport};
use crate::config::written::{AmfLoss, Ngap, Service};

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
    let default = || model::Ngap {
        transport: Transport::default(),
        interfaces: Vec::new(),
        amf_name: name.clone(),
        amf_ids: AmfIds::PerAmf,
        reset_after: Some(Duration::ZERO),
        ues: UES,
        gnbs: GNBS,
    };
    Some(service.ngap.value.as_ref().map_or_else(default, |ngap| meaning(ngap, &name, wrong)))
}

fn meaning(ngap: &Ngap, name: &str, wrong: &mut Wrong) -> model::Ngap {
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
    model::Ngap {
        transport: ngap.transport.or(Transport::default()),
        interfaces: ngap.interfaces.values().map(|name| name.0.clone()).collect(),
        amf_name: ngap.amf_name.value.as_ref().map_or_else(|| name.to_owned(), |name| name.0.clone()),
        amf_ids,
        reset_after: (!rebinds).then_some(after),
        ues: ngap.ues.value.as_ref().map_or(UES, |count| count.0),
        gnbs: ngap.gnbs.value.as_ref().map_or(GNBS, |count| count.0),
    }
}
