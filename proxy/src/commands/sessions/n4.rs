//! `pinion sessions n4`: the sessions that SMFs have at UPFs, through Pinion.

use std::io::Write;
use std::net::IpAddr;
use std::process::ExitCode;

use pinion_n4::TunnelView;

use super::super::ask::columns::{Cell, Side};
use super::super::ask::{self, Error, How, json, words};
use super::pages::{self, Listed, Portion};
use crate::control::{N4Filter, N4SessionView};

const EXAMPLES: &str = "\
Examples:
  pinion sessions n4
      The first 100: who asked for them, and which UPF has them.
  pinion sessions n4 --upf upf-1 --all --format json | jq -r '.[].key' | xargs -n1 pinion explain
      Why the sessions of a UPF are there.
  pinion sessions n4 --smf 192.0.2.50
      Those of an SMF.

JSON: an array of objects, one a line, with service, key (for `pinion explain`), seid (Pinion's own), phase (opening, open,
restoring, closing), smf_address, smf_seid, upf (POOL/NAME), upf_seid (null: none yet) and tunnels, those through a gtpu service:
objects with at (what clients send to: objects with address, teid) and upf_teid. SEIDs are hexadecimal text, TEIDs numbers. Where
the command fails half-way the array stays open.

Exit codes: 0 done; 1 the daemon does not answer, or refuses; 2 bad usage.";

/// List N4 sessions: their SMF, their UPF and their tunnels
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Only those of this PFCP service
    #[arg(long, value_name = "NAME")]
    service: Option<String>,

    /// Only those on this UPF
    #[arg(long, value_name = "NAME|POOL/NAME")]
    upf: Option<String>,

    /// Only those of the SMF with this address
    #[arg(long, value_name = "ADDRESS")]
    smf: Option<IpAddr>,

    #[command(flatten)]
    portion: Portion,

    #[command(flatten)]
    how: How,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, Error> {
    ask::ask(&args.how.daemon, async |mut client| {
        let filter = N4Filter { service: args.service.clone(), upf: args.upf.clone(), smf: args.smf };
        let page = async |ask| client.n4_sessions(&filter, &ask).await.map(|page| (page.sessions, page.next));
        pages::list(&args.portion, args.how.format, page).await
    })
}

impl Listed for N4SessionView {
    const HEADS: &'static [(&'static str, Side)] = &[
        ("SERVICE", Side::Left),
        ("SEID", Side::Left),
        ("PHASE", Side::Left),
        ("SMF", Side::Left),
        ("ITS SEID", Side::Left),
        ("UPF", Side::Left),
        ("ITS SEID", Side::Left),
        ("TUNNELS", Side::Left),
    ];

    fn cells(&self) -> Vec<Cell> {
        let (phase, look) = words::n4_phase(self.phase);
        let hex = |seid: u64| if seid == 0 { "-".to_owned() } else { format!("{seid:#x}") };
        let tunnels: Vec<_> = self.tunnels.iter().map(tunnel).collect();
        vec![
            Cell::new(&self.service),
            Cell::new(hex(self.seid)),
            Cell::looking(phase, look),
            Cell::new(self.smf.to_string()),
            Cell::new(hex(self.smf_seid)),
            Cell::new(&self.upf),
            Cell::new(hex(self.upf_seid)),
            Cell::new(if tunnels.is_empty() { "-".to_owned() } else { tunnels.join("; ") }),
        ]
    }

    fn json(&self, out: impl Write) -> serde_json::Result<()> {
        serde_json::to_writer(out, &json::N4Session::from(self))
    }
}

fn tunnel(tunnel: &TunnelView) -> String {
    let at: Vec<_> = tunnel.at.iter().map(|(address, teid)| format!("{address} {teid:#x}")).collect();
    format!("{} -> {:#x}", at.join(", "), tunnel.upf_teid)
}
