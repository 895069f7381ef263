//! Fields of GTP messages.

use std::net::IpAddr;

use pinion_protocols::gtpu::{
    Element, Error, Extension, ExtensionType, MessageType, Packet, PduSessionContainer, RawExtension, old,
};

use super::network::{Ends, Walk};
use super::{Message, gtpv2};

/// The message of one datagram on a port of GTP-U or GTP-C, then what is in its T-PDU. Nothing where it is a version that there is
/// not, or a message type without a meaning: it is not GTP then.
pub(super) fn message(walk: &mut Walk<'_>, ends: Ends, datagram: &[u8]) {
    if let [0x40..=0x5f, _, ..] = *datagram {
        return gtpv2::messages(walk, ends, datagram);
    }
    match version_and_type(datagram) {
        Some((1, true)) => version_1(walk, ends, datagram),
        Some((0, _) | (1, false)) => old_version(walk, ends, datagram),
        _ => {}
    }
}

/// The message of one datagram on the port that GTP version 0 and GTP' share.
pub(super) fn prime(walk: &mut Walk<'_>, ends: Ends, datagram: &[u8]) {
    match version_and_type(datagram) {
        Some((1, true)) => version_1(walk, ends, datagram),
        Some((0, _) | (1 | 2, false)) => old_version(walk, ends, datagram),
        _ => {}
    }
}

/// Version of a message with a meaningful type, and whether it is GTP, not GTP'.
fn version_and_type(datagram: &[u8]) -> Option<(u8, bool)> {
    let [flags, kind, ..] = *datagram else {
        return None;
    };
    MessageType::from(kind).is_assigned().then_some((flags >> 5, flags & 0x10 != 0))
}

fn version_1(walk: &mut Walk<'_>, ends: Ends, datagram: &[u8]) {
    let mut message = walk.message("GTP", ends);
    let packet = match Packet::parse(datagram) {
        Ok(packet) => packet,
        Err(error) => return cut(walk, message, datagram, error),
    };
    message.add("gtp.flags", packet.flags().octet());
    message.add("gtp.message", u8::from(packet.message_type()));
    message.add("gtp.length", packet.length());
    message.add("gtp.teid", packet.teid());
    let named = format!("{} teid {:#010x}", name(packet.message_type()), packet.teid());
    message.summarize(named);
    let body = optional_fields(&mut message, &packet).and_then(|()| {
        packet.extensions().try_for_each(|item| extension(&mut message, &item?))?;
        packet.body()
    });
    match (body, packet.message_type()) {
        (Err(error), _) => message.fail(error),
        (
            Ok(_),
            MessageType::EchoRequest
            | MessageType::EchoResponse
            | MessageType::ErrorIndication
            | MessageType::SupportedExtensionHeaders
            | MessageType::EndMarker,
        ) => {
            if let Err(error) = elements(&mut message, &packet) {
                message.fail(error);
            }
        }
        _ => {}
    }
    if packet.missing() > 0 {
        let have = usize::from(packet.length()).saturating_sub(packet.missing());
        message.fail(format_args!("GTP length at offset 2: {have} bytes of {}", packet.length()));
    }
    walk.keep(message);
    if let (Ok(body), MessageType::GPdu) = (body, packet.message_type()) {
        walk.t_pdu(body);
    }
}

fn optional_fields(message: &mut Message, packet: &Packet<'_>) -> Result<(), Error> {
    if let Some(sequence) = packet.sequence()? {
        message.add("gtp.seq_number", sequence);
    }
    if let Some(number) = packet.n_pdu()? {
        message.add("gtp.npdu_number", number);
    }
    if let Some(next) = packet.next_extension()? {
        message.add("gtp.ext_hdr.next", u8::from(next));
    }
    Ok(())
}

fn extension(message: &mut Message, raw: &RawExtension<'_>) -> Result<(), Error> {
    // Units of four octets: the length octet, the content and the next type are whole ones.
    let units = raw.content().len().saturating_add(2) / 4;
    message.add("gtp.ext_hdr.length", u8::try_from(units).unwrap_or(u8::MAX));
    let view = raw.parse();
    match view {
        Ok(Extension::UdpPort(port)) => message.add("gtp.ext_hdr.udp_port", port),
        Ok(Extension::PdcpPduNumber(number)) => message.add("gtp.ext_hdr.pdcp_sn", number),
        // Wireshark knows this number by the type that an endpoint must understand.
        Ok(Extension::LongPdcpPduNumber(number)) if raw.kind() == ExtensionType::LongPdcpPduNumberSpare => {
            message.add("gtp.ext_hdr.long_pdcp_sn", number);
        }
        Ok(Extension::PduSession(container)) => pdu_session(message, &container),
        Ok(
            Extension::LongPdcpPduNumber(_)
            | Extension::ServiceClass(_)
            | Extension::Container(_)
            | Extension::Other(_),
        )
        | Err(_) => {}
    }
    message.add("gtp.ext_hdr.next", u8::from(raw.next_kind()));
    view.map(|_| ())
}

fn pdu_session(message: &mut Message, container: &PduSessionContainer<'_>) {
    message.add("gtp.ext_hdr.pdu_ses_con.pdu_type", container.pdu_type());
    if let Some(present) = container.paging_policy_present() {
        message.add("gtp.ext_hdr.pdu_ses_cont.ppp", present);
    }
    if let Some(reflective) = container.reflective_qos() {
        message.add("gtp.ext_hdr.pdu_ses_cont.rqi", reflective);
    }
    if let Some(flow) = container.qos_flow() {
        message.add("gtp.ext_hdr.pdu_ses_con.qos_flow_id", flow);
        message.summarize(format!("qfi {flow}"));
    }
    if let Some(policy) = container.paging_policy() {
        message.add("gtp.ext_hdr.pdu_ses_cont.ppi", policy);
    }
}

fn elements(message: &mut Message, packet: &Packet<'_>) -> Result<(), Error> {
    for raw in packet.elements()? {
        match raw?.parse()? {
            Element::Recovery(counter) => message.add("gtp.recovery", counter),
            Element::TeidDataI(teid) => {
                message.add("gtp.teid_data", teid);
                message.summarize(format!("for teid {teid:#010x}"));
            }
            Element::PeerAddress(IpAddr::V4(address)) => {
                message.add("gtp.gsn_ipv4", address.to_string());
            }
            Element::PeerAddress(IpAddr::V6(address)) => {
                message.add("gtp.gsn_ipv6", address.to_string());
            }
            Element::ExtensionTypeList(types) => {
                for kind in types {
                    message.add("gtp.ext_hdr_type", u8::from(kind));
                }
            }
            Element::TunnelStatus(_)
            | Element::RecoveryTimeStamp(_)
            | Element::PrivateExtension { .. }
            | Element::Unknown(_) => {}
        }
    }
    Ok(())
}

fn old_version(walk: &mut Walk<'_>, ends: Ends, datagram: &[u8]) {
    let prime = datagram.first().is_some_and(|flags| flags & 0x10 == 0);
    let mut message = walk.message(if prime { "GTP'" } else { "GTP" }, ends);
    let packet = match old::Packet::parse(datagram) {
        Ok(packet) => packet,
        Err(error) => {
            if let [_, _, _, _, high, low, ..] = *datagram {
                message.add("gtp.seq_number", u16::from_be_bytes([high, low]));
            }
            return cut(walk, message, datagram, error);
        }
    };
    message.add("gtp.flags", packet.flags());
    message.add("gtp.message", u8::from(packet.message_type()));
    message.add("gtp.length", packet.length());
    message.add("gtp.seq_number", packet.sequence());
    message.summarize(name(packet.message_type()));
    walk.keep(message);
    if packet.message_type() == MessageType::GPdu {
        walk.t_pdu(packet.body());
    }
}

/// What can be read of a header that is not whole.
fn cut(walk: &mut Walk<'_>, mut message: Message, datagram: &[u8], error: Error) {
    if let [flags, kind, ..] = *datagram {
        message.add("gtp.flags", flags);
        message.add("gtp.message", kind);
        message.summarize(name(kind.into()));
    }
    if let [_, _, high, low, ..] = *datagram {
        message.add("gtp.length", u16::from_be_bytes([high, low]));
    }
    message.fail(error);
    walk.keep(message);
}

/// Name of a message type, as the specifications write it.
fn name(kind: MessageType) -> String {
    let name = match kind {
        MessageType::EchoRequest => "Echo Request",
        MessageType::EchoResponse => "Echo Response",
        MessageType::ErrorIndication => "Error Indication",
        MessageType::SupportedExtensionHeaders => "Supported Extension Headers Notification",
        MessageType::TunnelStatus => "Tunnel Status",
        MessageType::EndMarker => "End Marker",
        MessageType::GPdu => "G-PDU",
        MessageType::Other(kind) => return format!("message type {kind}"),
    };
    name.to_owned()
}
