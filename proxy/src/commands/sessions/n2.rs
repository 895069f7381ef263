//! `pinion sessions n2`: the UEs of gNBs, and which AMFs have them.

use std::io::Write;
use std::process::ExitCode;

use super::super::ask::columns::{Cell, Look, Side};
use super::super::ask::{self, Error, How, json, time, words};
use super::pages::{self, Listed, Portion};
use crate::control::{N2Filter, N2Mode, N2UeView};

const EXAMPLES: &str = "\
Examples:
  pinion sessions n2
      The first 100: at which gNB each UE is, and which AMF has it.
  pinion sessions n2 --endpoint amf-1 --all --format json | jq -r '.[].key' | xargs -n1 pinion explain
      Why the UEs of an AMF are there.
  pinion sessions n2 --gnb 001-01-gnb-000001/24
      Those of a gNB.

JSON: an array of objects, one a line, with service, key (for `pinion explain`), number (which counts them), mode (ue: Pinion speaks
NGAP itself; association: a gNB's association as a whole is balanced, and of its UEs is known what passed by), gnb (Global RAN Node
ID; an address where that is not known), amf (POOL/NAME), ran_ue_ngap_id (null: the gNB gave none yet), amf_ue_ngap_id and
amf_ue_ngap_id_at_gnb (the AMF's, and the one that the gNB knows; null: the AMF gave none yet), tmsi (5G-S-TMSI that it came with, as
SET-POINTER-NUMBER), guami (as MCC-MNC-REGION-SET-POINTER), since_seconds, why (why it is at its AMF) and procedures: objects with
procedure and open_seconds, of those that are not answered yet. What is not known is null. A UE that is handed over is at two gNBs.
Where the command fails half-way the array stays open.

Exit codes: 0 done; 1 the daemon does not answer, or refuses; 2 bad usage.";

/// List UEs: their gNB, their AMF, their identifiers
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Only those of this service
    #[arg(long, value_name = "NAME")]
    service: Option<String>,

    /// Only those on this AMF
    #[arg(long, value_name = "NAME|POOL/NAME")]
    endpoint: Option<String>,

    /// Only those at this gNB
    #[arg(long, value_name = "GNB")]
    gnb: Option<String>,

    /// Only those that are known in this way
    #[arg(long, value_enum)]
    mode: Option<Mode>,

    #[command(flatten)]
    portion: Portion,

    #[command(flatten)]
    how: How,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Mode {
    /// Pinion speaks NGAP itself
    Ue,
    /// A gNB's association as a whole is balanced
    Association,
}

impl From<Mode> for N2Mode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Ue => Self::Ue,
            Mode::Association => Self::Association,
        }
    }
}

pub(super) fn run(args: &Args) -> Result<ExitCode, Error> {
    ask::ask(&args.how.daemon, async |mut client| {
        let filter = N2Filter {
            service: args.service.clone(),
            endpoint: args.endpoint.clone(),
            gnb: args.gnb.clone(),
            mode: args.mode.map(Into::into),
        };
        let page = async |ask| client.n2_ues(&filter, &ask).await.map(|page| (page.ues, page.next));
        pages::list(&args.portion, args.how.format, page).await
    })
}

impl Listed for N2UeView {
    const HEADS: &'static [(&'static str, Side)] = &[
        ("SERVICE", Side::Left),
        ("GNB", Side::Left),
        ("RAN ID", Side::Right),
        ("ITS AMF ID", Side::Right),
        ("AMF", Side::Left),
        ("AMF ID", Side::Right),
        ("5G-S-TMSI", Side::Left),
        ("GUAMI", Side::Left),
        ("SINCE", Side::Right),
        ("MODE", Side::Left),
        ("OPEN", Side::Left),
    ];

    fn cells(&self) -> Vec<Cell> {
        let Self { service, ue } = self;
        let open: Vec<_> = ue.procedures.iter().map(|(procedure, _)| procedure.to_string()).collect();
        vec![
            Cell::new(service),
            Cell::new(&ue.gnb),
            Cell::new(shown(ue.ran)),
            Cell::new(shown(ue.gnb_id)),
            Cell::new(&ue.amf),
            Cell::new(shown(ue.amf_id)),
            Cell::new(shown(ue.tmsi)),
            Cell::new(shown(ue.guami)),
            Cell::new(time::shown(ue.since)),
            Cell::new(words::n2_mode(ue.mode)),
            Cell::looking(open.join(", "), Look::Warning),
        ]
    }

    fn json(&self, out: impl Write) -> serde_json::Result<()> {
        serde_json::to_writer(out, &json::N2Ue::of(&self.service, &self.ue))
    }
}

/// What is known.
fn shown(known: Option<impl ToString>) -> String {
    known.map_or_else(|| "-".to_owned(), |known| known.to_string())
}
