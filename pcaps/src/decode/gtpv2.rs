//! Fields of GTPv2-C messages.

use pinion_protocols::gtpv2::{Element, Error, Message as Gtp, RawElement};

use super::Message;
use super::framed::{self, Names, elements};
use super::message::labels;
use super::network::{Ends, Walk};

/// The messages of one datagram: one, and one that may be piggybacked.
pub(super) fn messages(walk: &mut Walk<'_>, ends: Ends, datagram: &[u8]) {
    framed::messages(walk, ends, datagram, &NAMES, fields);
}

const NAMES: Names =
    Names { first: |octet| ("gtpv2.flags", octet), kind: "gtpv2.message_type", length: "gtpv2.msg_length" };

fn fields(message: &mut Message, gtp: &Gtp<'_>) -> Result<(), Error> {
    message.add("gtpv2.flags", gtp.flags());
    message.add("gtpv2.message_type", u8::from(gtp.message_type()));
    message.add("gtpv2.msg_length", gtp.length());
    if let Some(teid) = gtp.teid() {
        message.add("gtpv2.teid", teid);
    }
    message.add("gtpv2.seq", gtp.sequence());
    message.summarize(format!("{} {}", gtp.message_type(), gtp.sequence()));
    if let Some(teid) = gtp.teid() {
        message.summarize(format!("teid {teid:#010x}"));
    }
    elements(message, gtp.elements(), element)
}

fn element(message: &mut Message, raw: &RawElement<'_>) -> Result<(), Error> {
    message.add("gtpv2.ie_type", u8::from(raw.kind()));
    message.add("gtpv2.ie_len", u64::try_from(raw.value().len()).unwrap_or(u64::MAX));
    message.add("gtpv2.instance", raw.instance());
    match raw.parse()? {
        Element::Group(_, group) => elements(message, group, element)?,
        Element::Imsi(imsi) => {
            message.add("e212.imsi", imsi.to_string());
            message.summarize(format!("imsi {imsi}"));
        }
        Element::Cause(cause, _) => {
            let cause = u8::from(cause);
            message.add("gtpv2.cause", cause);
            message.summarize(format!("cause {cause}"));
        }
        Element::Recovery(counter) => message.add("gtpv2.rec", counter),
        Element::Apn(apn) => message.add("gtpv2.apn", labels(apn)),
        Element::EpsBearerId(bearer) => message.add("gtpv2.ebi", bearer),
        Element::PdnAddress(address) => {
            message.add("gtpv2.pdn_type", address.kind);
            message.add_addresses(
                address.addresses.v4,
                address.addresses.v6,
                ("gtpv2.pdn_addr_and_prefix.ipv4", "gtpv2.pdn_addr_and_prefix.ipv6"),
            );
        }
        Element::RatType(kind) => message.add("gtpv2.rat_type", kind),
        Element::FTeid(tunnel) => {
            message.add("gtpv2.f_teid_interface_type", tunnel.interface);
            message.add("gtpv2.f_teid_gre_key", tunnel.teid);
            message.add_addresses(
                tunnel.addresses.v4,
                tunnel.addresses.v6,
                ("gtpv2.f_teid_ipv4", "gtpv2.f_teid_ipv6"),
            );
            message.summarize(format!("f-teid {:#x}", tunnel.teid));
        }
        Element::PdnType(kind) => message.add("gtpv2.pdn_type", kind),
        Element::Other(_) => {}
    }
    Ok(())
}
