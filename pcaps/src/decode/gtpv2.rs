//! Fields of GTPv2-C messages.

use pinion_protocols::gtpv2::{Element, Elements, Error, Message as Gtp, Messages};

use super::Message;
use super::message::labels;
use super::network::{Ends, Walk};

/// The messages of one datagram: one, and one that may be piggybacked.
pub(super) fn messages(walk: &mut Walk<'_>, ends: Ends, datagram: &[u8]) {
    for parsed in Messages::new(datagram) {
        let mut message = walk.message("GTPv2", ends);
        match parsed {
            Ok(gtp) => fields(&mut message, &gtp),
            Err(error) => cut(&mut message, datagram, error),
        }
        walk.keep(message);
    }
}

fn fields(message: &mut Message, gtp: &Gtp<'_>) {
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
    if let Err(error) = elements(message, gtp.elements()) {
        message.fail(error);
    }
    if gtp.missing() > 0 {
        let at = gtp.offset().saturating_add(2);
        message.fail(format_args!(
            "GTPv2 length at offset {at}: {} bytes of {} are missing",
            gtp.missing(),
            gtp.length()
        ));
    }
}

/// What can be read of a header that is not whole.
fn cut(message: &mut Message, datagram: &[u8], error: Error) {
    let header = datagram.get(error.offset()..).unwrap_or_default();
    if let [flags, kind, ..] = *header {
        message.add("gtpv2.flags", flags);
        message.add("gtpv2.message_type", kind);
    }
    if let [_, _, high, low, ..] = *header {
        message.add("gtpv2.msg_length", u16::from_be_bytes([high, low]));
    }
    message.fail(error);
}

fn elements(message: &mut Message, elements_of: Elements<'_>) -> Result<(), Error> {
    for raw in elements_of {
        let raw = raw?;
        message.add("gtpv2.ie_type", u8::from(raw.kind()));
        message.add("gtpv2.ie_len", u64::try_from(raw.value().len()).unwrap_or(u64::MAX));
        message.add("gtpv2.instance", raw.instance());
        let element = match raw.parse() {
            Ok(element) => element,
            // An element that says too little is told of, and those behind it are still read.
            Err(error @ Error::Value { .. }) => {
                message.fail(error);
                continue;
            }
            Err(error) => return Err(error),
        };
        match element {
            Element::Group(_, group) => elements(message, group)?,
            Element::Imsi(imsi) => {
                message.add("e212.imsi", imsi.to_string());
                message.summarize(format!("imsi {imsi}"));
            }
            Element::Cause(cause, _) => {
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
    }
    Ok(())
}
