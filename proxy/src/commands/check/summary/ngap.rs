//! What a configuration would have Pinion say in NGAP.

use std::fmt;

use serde::Serialize;

use super::super::table::Table;
use super::ServiceRow;
use crate::config::duration;
use crate::config::model::Ngap;

/// How a service's NGAP is spoken, as `--format json` has it.
#[derive(Debug, Serialize)]
pub(super) struct NgapRow {
    transport: &'static str,
    amf_name: String,
    amf_ids: &'static str,
    /// `None`: UEs of a lost AMF go on with another one of its set.
    reset_after: Option<String>,
    ues: u32,
    gnbs: u16,
}

impl NgapRow {
    pub(super) fn new(ngap: &Ngap) -> Self {
        let Ngap { transport, amf_name, amf_ids, reset_after, ues, gnbs, .. } = ngap;
        let reset_after = reset_after.map(duration);
        let (amf_name, amf_ids) = (amf_name.clone(), amf_ids.as_written());
        Self { transport: transport.as_written(), amf_name, amf_ids, reset_after, ues: *ues, gnbs: *gnbs }
    }
}

/// A table of the services that speak NGAP; nothing where there is none.
pub(super) fn table(f: &mut fmt::Formatter<'_>, services: &[ServiceRow]) -> fmt::Result {
    let spoken = services.iter().filter_map(|service| Some((service, service.ngap.as_ref()?)));
    let mut table = Table::new(["ngap", "SCTP", "AMF name", "AMF UE NGAP IDs", "AMF lost", "UEs", "gNBs"]);
    let mut any = false;
    for (service, ngap) in spoken.take(super::LISTED) {
        any = true;
        let lost = match ngap.reset_after.as_deref() {
            None => "another of its set".to_owned(),
            Some("0s") => "UEs reset at once".to_owned(),
            Some(after) => format!("UEs reset after {after}"),
        };
        table.row([
            service.name.clone(),
            ngap.transport.to_owned(),
            ngap.amf_name.clone(),
            ngap.amf_ids.to_owned(),
            lost,
            format!("up to {}", ngap.ues),
            format!("up to {}", ngap.gnbs),
        ]);
    }
    if any { write!(f, "\n{table}") } else { Ok(()) }
}
