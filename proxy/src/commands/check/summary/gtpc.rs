//! What a configuration would have Pinion say in GTPv2-C.

use std::fmt;

use serde::Serialize;

use super::super::table::Table;
use super::ServiceRow;
use crate::config::duration;
use crate::config::model::Gtpc;

/// How a service's GTPv2-C is spoken, as `--format json` has it.
#[derive(Debug, Serialize)]
pub(super) struct GtpcRow {
    echo: String,
    t3: String,
    n3: u8,
    sessions: u32,
    clients: u32,
}

impl GtpcRow {
    pub(super) fn new(gtpc: &Gtpc) -> Self {
        let Gtpc { echo, t3, n3, sessions, clients } = gtpc;
        Self { echo: duration(*echo), t3: duration(*t3), n3: *n3, sessions: *sessions, clients: *clients }
    }
}

/// A table of the services that speak GTPv2-C; nothing where there is none.
pub(super) fn table(f: &mut fmt::Formatter<'_>, services: &[ServiceRow]) -> fmt::Result {
    let spoken = services.iter().filter_map(|service| Some((service, service.gtpc.as_ref()?)));
    let mut table = Table::new(["gtpv2-c", "asked each", "tries", "sessions", "clients"]);
    let mut any = false;
    for (service, gtpc) in spoken.take(super::LISTED) {
        any = true;
        table.row([
            service.name.clone(),
            gtpc.echo.clone(),
            format!("{} each {}", gtpc.n3, gtpc.t3),
            format!("up to {}", gtpc.sessions),
            format!("up to {}", gtpc.clients),
        ]);
    }
    if any { write!(f, "\n{table}") } else { Ok(()) }
}
