//! `pinion sessions sbi`: the resources that the SCP keeps on their producers.

use std::io::Write;
use std::process::ExitCode;

use super::super::ask::columns::{Cell, Side};
use super::super::ask::{self, Error, How, json};
use super::pages::{self, Listed, Portion};
use crate::control::{SbiFilter, SbiResource};

const EXAMPLES: &str = "\
Examples:
  pinion sessions sbi
      The first 100, in the order of their names, and which producer has them.
  pinion sessions sbi --producer 192.0.2.61:8000 --all --format json | jq -r .[].key | xargs -n1 pinion explain
      Why the resources of a producer are there.

JSON: an array of objects, one a line, with resource (the authority that its producer gave for it, and its path), key (for `pinion
explain`), api_root (whom to ask), nf_instance (null: not known), binding (3gpp-Sbi-Binding, as its producer said it; null: it said
none), nf_sets and nf_service_sets (sets that it belongs to). Where the command fails half-way the array stays open.

Exit codes: 0 done; 1 the daemon does not answer, or refuses; 2 bad usage.";

/// List resources of the service-based interface and their producers
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Only those at the producer with this authority
    #[arg(long, value_name = "HOST:PORT")]
    producer: Option<String>,

    /// Only those at this NF instance
    #[arg(long, value_name = "UUID")]
    nf_instance: Option<String>,

    #[command(flatten)]
    portion: Portion,

    #[command(flatten)]
    how: How,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, Error> {
    ask::ask(&args.how.daemon, async |mut client| {
        let filter = SbiFilter { producer: args.producer.clone(), nf_instance: args.nf_instance.clone() };
        let page = async |ask| client.sbi_resources(&filter, &ask).await.map(|page| (page.resources, page.next));
        pages::list(&args.portion, args.how.format, page).await
    })
}

impl Listed for SbiResource {
    const HEADS: &'static [(&'static str, Side)] =
        &[("RESOURCE", Side::Left), ("PRODUCER", Side::Left), ("NF INSTANCE", Side::Left), ("OTHERS", Side::Left)];

    fn cells(&self) -> Vec<Cell> {
        let sets = [&self.nf_service_sets[..], &self.nf_sets[..]].concat();
        let others = self.binding.clone().unwrap_or_else(|| sets.join(" "));
        vec![
            Cell::new(&self.resource),
            Cell::new(&self.api_root),
            Cell::new(self.nf_instance.as_deref().unwrap_or("-")),
            Cell::new(if others.is_empty() { "-".to_owned() } else { others }),
        ]
    }

    fn json(&self, out: impl Write) -> serde_json::Result<()> {
        serde_json::to_writer(out, &json::SbiResource::from(self))
    }
}
