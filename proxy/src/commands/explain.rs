//! `pinion explain`: why a session is where it is.

use std::fmt::Write as _;
use std::process::ExitCode;

use super::ask::columns::printable;
use super::ask::{self, Error, Format, How, json, words};
use crate::control::{Explained, Explanation, GtpcSessionView, N2Explained, N2Ue};

const EXAMPLES: &str = "\
Examples:
  pinion explain 192.0.2.7
      The sessions from a client's address, and why each is on its endpoint.
  pinion explain '[2001:db8::7]:2152'
      Those from an address and port.
  pinion explain tag:305419896
      The SCTP association whose packets carry this verification tag.
  pinion explain teid:4096
      The GTP-U tunnel that clients know by this TEID, and the N4 session that it is of; or the GTPv2-C session, by a TEID of its
      control tunnels.
  pinion explain seid:0x500000003
      The N4 session that Pinion, its SMF or its UPF knows by this SEID, and why it is at its UPF.
  pinion explain ue:5@001-01-gnb-000001/24
      The UE that a gNB knows by this RAN UE NGAP ID, and why it is on its AMF: the rules, and what each says of every AMF.
  pinion explain amf-ue-ngap-id:70
      The UEs that an AMF or a gNB knows by this AMF UE NGAP ID.
  pinion explain tmsi:1-2-0x01020304
      The UE of this 5G-S-TMSI (AMF Set ID, AMF Pointer, 5G-TMSI); where there is none, the AMF that it would get.
  pinion explain guami:001-01-1-1-2
      The UEs of this GUAMI (MCC, MNC, AMF Region ID, AMF Set ID, AMF Pointer); where there is none, the AMF that one would get.

  pinion explain http://192.0.2.61:8000/nsmf-pdusession/v1/sm-contexts/1
      The resource of the service-based interface that this is of, and why the SCP keeps it at its producer.

JSON: an array of objects with session (an object with the keys that `pinion sessions --help` lists; null for a SEID), n4_session
(an object with the keys that `pinion sessions n4 --help` lists; null for all but a SEID), gtpc_session (as `pinion sessions gtpc
--help` has it; null for all but a TEID of GTPv2-C), n2 (null for all but identifiers of N2: an object with service, ue, as `pinion
sessions n2 --help` has it, or null where there is none, and amfs: what the rules say now of each AMF, an object with amf, barred (why
it gets no new UE: not_set_up, removed, drained, no_weight, no_capacity, no_guami, let_go; null: it may), rules: objects with rule
(plmn, load, named_set, owner, backup, same_set) and points, points (all together; the most get the UE), weight, share_percent (of
such UEs that it gets), overload_percent (that it asks to be spared)), sbi_resource (as `pinion sessions sbi --help` has it;
null for all but a URI) and steps (an array of lines).

Exit codes: 0 done, also where no session has this key; 1 the daemon does not answer; 2 bad usage.";

/// Say why a session is on its endpoint
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// ADDRESS, ADDRESS:PORT, tag:NUMBER, teid:NUMBER, seid:NUMBER, ue:NUMBER@GNB, amf-ue-ngap-id:NUMBER, tmsi:TMSI or guami:GUAMI
    #[arg(value_name = "KEY")]
    of: String,

    #[command(flatten)]
    how: How,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Error> {
    ask::ask(&args.how.daemon, async |mut client| {
        let explanations = client.explain(&args.of).await?;
        match args.how.format {
            Format::Json => ask::print_json(&explanations.iter().map(json::Explained::from).collect::<Vec<_>>()),
            Format::Table => ask::print(&text(&args.of, &explanations)),
        }
    })
}

fn text(key: &str, explanations: &[Explanation]) -> String {
    if explanations.is_empty() && (key.starts_with("http://") || key.starts_with("https://")) {
        let key = printable(key);
        return format!(
            "no resource is pinned at {key}: requests for it go where their 3gpp-Sbi-Target-apiRoot or their binding says, or to \
             whom discovery finds; `pinion sessions sbi` lists those that are\n"
        );
    }
    if explanations.is_empty() {
        return format!("no session has the key {}\n", printable(key));
    }
    let mut text = String::new();
    for Explanation { session, steps } in explanations {
        let (of, endpoint, service) = match session {
            Explained::Session(it) => {
                (format!("{} {}", words::key(&it.key), words::detail(&it.key)), &*it.endpoint, &*it.service)
            }
            Explained::N4(it) => {
                (format!("{} of the SMF at {}", words::seid(it.seid), it.smf), &*it.upf, &*it.service)
            }
            Explained::Gtpc(GtpcSessionView { service, session }) => (
                format!("teid:{:#x} of the client at {}", session.client_teid, session.client.0),
                &*session.endpoint,
                &**service,
            ),
            Explained::Sbi(it) => (printable(&it.resource), &*it.api_root, "sbi"),
            Explained::N2(N2Explained { service, ue: Some(ue), .. }) => {
                (format!("{} {}", printable(&words::n2_key(ue)), ue_detail(ue)), &*ue.amf, &**service)
            }
            Explained::N2(N2Explained { service, ue: None, amfs }) => {
                let likely = amfs.iter().max_by_key(|it| it.share).filter(|it| it.share > 0);
                (format!("a UE of {}", printable(key)), likely.map_or("no AMF", |it| &*it.amf), &**service)
            }
        };
        let is = if matches!(session, Explained::N2(it) if it.ue.is_none()) {
            "would most likely be on"
        } else {
            "is on"
        };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{of} {is} {}, for service {}", printable(endpoint), printable(service));
        for (number, step) in (1..).zip(steps) {
            let _ = writeln!(text, "  {number}. {}", printable(step));
        }
    }
    text
}

/// What else there is to say about a UE.
fn ue_detail(ue: &N2Ue) -> String {
    match ue.gnb_id {
        Some(id) => format!("(AMF UE NGAP ID {id})"),
        None => "(no AMF UE NGAP ID yet)".to_owned(),
    }
}
