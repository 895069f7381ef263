//! `pinion sessions classify`: which of a tunnel's users' packets go elsewhere.

use std::process::ExitCode;

use super::super::ask::columns::printable;
use super::super::ask::{self, Error, Format, How, json};
use crate::control::TunnelFilters;
use crate::sessions::number;

const EXAMPLES: &str = "\
Examples:
  pinion sessions classify teid:0x1001
      The filters that a tunnel has, in the order in which they are asked.
  pinion sessions classify teid:0x1001 --filter 'ip from any to 203.0.113.0/24 via mec/edge-1'
      Users' packets to 203.0.113.0/24 leave the tunnel, and go to edge-1 of the pool that the service names as its `breakout`.
  pinion sessions classify teid:0x1001 --service n3 \\
      --filter 'udp from any to 2001:db8:ed::/48 5000-5999 via upfs/upf-2 teid 0x2002' \\
      --filter 'tcp from 10.45.0.0/16 to any 443 via mec/edge-1'
      Some go on to another UPF, which knows the user by another TEID; others leave. The first that matches counts.
  pinion sessions classify teid:0x1001 --none
      All packets go where the tunnel does.

A filter is PROTOCOL from PREFIX [PORTS] to PREFIX [PORTS] via POOL/NAME [teid NUMBER], of packets as users send them. PROTOCOL: ip
for any, udp, tcp, sctp, icmp, icmpv6 or a number; PREFIX: any, an address, or ADDRESS/LENGTH; PORTS: 53, or 5000-5999. A tunnel has 16
at the most. They end with it, and where it is moved to another endpoint.

JSON: an object with service, endpoint (POOL/NAME: what gets the rest), addresses, teid, and filters (an array of text, in order).

Exit codes: 0 done; 1 the daemon does not answer, or refuses; 2 bad usage.";

/// Show or set which of a tunnel's users' packets go elsewhere (UL CL)
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The tunnel, by the TEID that clients send to; decimal, or hexadecimal after 0x
    #[arg(value_name = "teid:NUMBER", value_parser = teid)]
    tunnel: u32,

    /// The gtpu service, where several have such a tunnel
    #[arg(long, value_name = "NAME")]
    service: Option<String>,

    /// Give the tunnel this filter in place of those that it has; more of them are asked in their order
    #[arg(long, value_name = "FILTER")]
    filter: Vec<String>,

    /// Take the filters away
    #[arg(long, conflicts_with = "filter")]
    none: bool,

    #[command(flatten)]
    how: How,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, Error> {
    ask::ask(&args.how.daemon, async |mut client| {
        let sets = args.none || !args.filter.is_empty();
        let filters = sets.then_some(args.filter.as_slice());
        let shown = client.filters(args.service.as_deref(), args.tunnel, filters).await?;
        match args.how.format {
            Format::Json => ask::print_json(&json::Filters::from(&shown)),
            Format::Table => ask::print(&text(&shown)),
        }
    })
}

fn text(shown: &TunnelFilters) -> String {
    let TunnelFilters { service, endpoint, teid, filters, .. } = shown;
    let (service, endpoint) = (printable(service), printable(endpoint));
    let rest = if filters.is_empty() { "all packets go" } else { "what no filter takes goes" };
    let mut lines = vec![format!("tunnel teid:{teid:#010x} of {service}: {rest} to {endpoint}")];
    lines.extend((1..).zip(filters).map(|(number, filter)| format!("  {number}. {}", printable(filter))));
    lines.push(String::new());
    lines.join("\n")
}

fn teid(text: &str) -> Result<u32, String> {
    let teid = number(text.strip_prefix("teid:").unwrap_or(text));
    teid.filter(|teid| *teid != 0).ok_or_else(|| "give teid:NUMBER, from 1 to 4294967295".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tunnels_are_named_as_explain_names_them() {
        assert_eq!(["teid:4097", "teid:0x1001", "0x1001"].map(teid), [Ok(4097), Ok(4097), Ok(4097)]);
        for wrong in ["", "teid:", "teid:0", "teid:0x1ffffffff", "tag:7"] {
            assert!(teid(wrong).is_err(), "{wrong}");
        }
    }
}
