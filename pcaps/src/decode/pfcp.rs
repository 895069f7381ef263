//! Fields of PFCP messages.

use std::net::IpAddr;

use pinion_protocols::pfcp::{Element, Error, FTeid, Flags, Message as Pfcp, NodeId, RawElement, Rule};

use super::Message;
use super::framed::{self, Names, elements};
use super::message::{labels, text};
use super::network::{Ends, Walk};

/// The messages of one datagram: one, or several that are bundled.
pub(super) fn messages(walk: &mut Walk<'_>, ends: Ends, datagram: &[u8]) {
    framed::messages(walk, ends, datagram, &NAMES, fields);
}

const NAMES: Names =
    Names { first: |octet| ("pfcp.version", octet >> 5), kind: "pfcp.msg_type", length: "pfcp.length" };

fn fields(message: &mut Message, pfcp: &Pfcp<'_>) -> Result<(), Error> {
    let flags = pfcp.flags();
    message.add("pfcp.version", flags >> 5);
    message.add("pfcp.fo_flag", flags & 4 != 0);
    message.add("pfcp.mp_flag", flags & 2 != 0);
    message.add("pfcp.s", flags & 1 != 0);
    message.add("pfcp.msg_type", u8::from(pfcp.message_type()));
    message.add("pfcp.length", pfcp.length());
    if let Some(seid) = pfcp.seid() {
        message.add("pfcp.seid", seid);
    }
    message.add("pfcp.seqno", pfcp.sequence());
    message.summarize(format!("{} {}", pfcp.message_type(), pfcp.sequence()));
    if let Some(seid) = pfcp.seid() {
        message.summarize(format!("seid {seid:#x}"));
    }
    elements(message, pfcp.elements(), element)
}

fn element(message: &mut Message, raw: &RawElement<'_>) -> Result<(), Error> {
    // Wireshark has another name for the types of vendors.
    let name = if raw.kind().is_vendor_specific() { "pfcp.enterprise_ie" } else { "pfcp.ie_type" };
    message.add(name, u16::from(raw.kind()));
    message.add("pfcp.ie_len", u64::try_from(raw.value().len()).unwrap_or(u64::MAX));
    if let Some(enterprise) = raw.enterprise()? {
        message.add("pfcp.enterprise_id", enterprise);
    }
    match raw.parse()? {
        Element::Group(_, group) => elements(message, group, element)?,
        Element::Cause(cause) => {
            message.add("pfcp.cause", u8::from(cause));
            message.summarize(format!("cause {}", u8::from(cause)));
        }
        Element::SourceInterface(interface) => message.add("pfcp.source_interface", interface),
        Element::UserPlaneResource(resource) => {
            if let Some(interface) = resource.interface {
                message.add("pfcp.source_interface", interface);
            }
        }
        Element::DestinationInterface(interface) => message.add("pfcp.dst_interface", interface),
        Element::FTeid(tunnel) => f_teid(message, tunnel),
        Element::FlowInformation(_, flow) => message.add("pfcp.flow_desc", text(flow)),
        Element::FailedRule(rule) => failed(message, rule),
        Element::SdfFilter(filter) => {
            if let Some(flow) = filter.flow {
                message.add("pfcp.flow_desc", text(flow));
            }
        }
        Element::Precedence(precedence) => message.add("pfcp.precedence", precedence),
        Element::OffendingElement(kind) => message.add("pfcp.offending_ie", u16::from(kind)),
        Element::Metric(metric) => message.add("pfcp.metric", metric),
        Element::PdrId(number) => message.add("pfcp.pdr_id", number),
        Element::FSeid(session) => {
            message.add("pfcp.seid", session.seid);
            message.add_addresses(
                session.addresses.v4,
                session.addresses.v6,
                ("pfcp.f_seid.ipv4", "pfcp.f_seid.ipv6"),
            );
            message.summarize(format!("f-seid {:#x}", session.seid));
        }
        Element::NodeId(node) => node_id(message, node),
        Element::RemotePeer(peer) => {
            message.add_addresses(
                peer.addresses.v4,
                peer.addresses.v6,
                ("pfcp.node_id_ipv4", "pfcp.node_id_ipv6"),
            );
        }
        Element::SmfSetId(name) => message.add("pfcp.node_id_fqdn", labels(name)),
        Element::FarId(number) => message.add("pfcp.far_id", number & DYNAMIC),
        Element::UrrId(number) | Element::LinkedUrrId(number) | Element::AggregatedUrrId(number) => {
            message.add("pfcp.urr_id", number & DYNAMIC);
        }
        Element::QerId(number) => message.add("pfcp.qer_id", number & DYNAMIC),
        Element::BarId(number) => message.add("pfcp.bar_id", number),
        Element::ApplyAction(flags) => bits(message, flags, &ACTIONS),
        Element::ReportType(octet) => octet_bits(message, octet, &REPORTS),
        Element::NodeReportType(octet) => octet_bits(message, octet, &NODE_REPORTS),
        Element::OuterHeaderCreation(header) => {
            if let Some(teid) = header.teid {
                message.add("pfcp.outer_hdr_creation.teid", teid);
            }
            message.add_addresses(
                header.addresses.v4,
                header.addresses.v6,
                ("pfcp.outer_hdr_creation.ipv4", "pfcp.outer_hdr_creation.ipv6"),
            );
            if let Some(port) = header.port {
                message.add("pfcp.outer_hdr_creation.port", port);
            }
        }
        Element::OuterHeaderRemoval(header) => message.add("pfcp.out_hdr_desc", header.description),
        Element::UeIpAddress(address) => {
            message.add_addresses(
                address.addresses.v4,
                address.addresses.v6,
                ("pfcp.ue_ip_addr_ipv4", "pfcp.ue_ip_addr_ipv6"),
            );
        }
        Element::PdnType(kind) => message.add("pfcp.pdn_type", kind),
        Element::Qfi(flow) => message.add("pfcp.qfi_value", flow),
        Element::TrafficEndpointId(number) => message.add("pfcp.traffic_endpoint_id", number),
        Element::NetworkInstance(_)
        | Element::UpFunctionFeatures(_)
        | Element::SequenceNumber(_)
        | Element::Timer(_)
        | Element::CpFunctionFeatures(_)
        | Element::RecoveryTimeStamp(_)
        | Element::GracefulReleasePeriod(_)
        | Element::Dnn(_)
        | Element::AlternativeSmfAddress(_)
        | Element::CpEntityAddress(_)
        | Element::SNssai(_)
        | Element::Other(_) => {}
    }
    Ok(())
}

/// A rule's number without the highest bit, which says whether the control plane function made it.
const DYNAMIC: u32 = 0x7fff_ffff;

/// Names of bits, from bit 1 of the first octet on.
const ACTIONS: [&str; 13] = [
    "pfcp.apply_action.drop",
    "pfcp.apply_action.forw",
    "pfcp.apply_action.buff",
    "pfcp.apply_action.nocp",
    "pfcp.apply_action.dupl",
    "pfcp.apply_action.ipma",
    "pfcp.apply_action.ipmd",
    "pfcp.apply_action.dfrt",
    "pfcp.apply_action.edrt",
    "pfcp.apply_action.bdpn",
    "pfcp.apply_action.ddpn",
    "pfcp.apply_action.fssm",
    "pfcp.apply_action.mbsu",
];

const REPORTS: [&str; 7] = [
    "pfcp.report_type.dldr",
    "pfcp.report_type.usar",
    "pfcp.report_type.erir",
    "pfcp.report_type.upir",
    "pfcp.report_type.tmir",
    "pfcp.report_type.sesr",
    "pfcp.report_type.uisr",
];

const NODE_REPORTS: [&str; 6] = [
    "pfcp.node_report_type.upfr",
    "pfcp.node_report_type.uprr",
    "pfcp.node_report_type.ckdr",
    "pfcp.node_report_type.gpqr",
    "pfcp.node_report_type.purr",
    "pfcp.node_report_type.pvsrurr",
];

fn bits(message: &mut Message, flags: Flags<'_>, names: &[&'static str]) {
    let there = flags.octets().len().saturating_mul(8);
    for (bit, name) in names.iter().enumerate().take(there) {
        message.add(name, flags.has(bit));
    }
}

fn octet_bits(message: &mut Message, octet: u8, names: &[&'static str]) {
    for (bit, name) in names.iter().enumerate() {
        message.add(name, octet >> bit & 1 != 0);
    }
}

fn f_teid(message: &mut Message, tunnel: FTeid) {
    let (v4, v6) = match tunnel {
        FTeid::Given { addresses, .. } => (addresses.v4.is_some(), addresses.v6.is_some()),
        FTeid::Choose { v4, v6, .. } => (v4, v6),
    };
    message.add("pfcp.f_teid_flags.ch", matches!(tunnel, FTeid::Choose { .. }));
    message.add("pfcp.f_teid_flags.v4", v4);
    message.add("pfcp.f_teid_flags.v6", v6);
    if let FTeid::Given { teid, addresses: ends } = tunnel {
        message.add("pfcp.f_teid.teid", teid);
        message.add_addresses(ends.v4, ends.v6, ("pfcp.f_teid.ipv4_addr", "pfcp.f_teid.ipv6_addr"));
        message.summarize(format!("teid {teid:#x}"));
    }
}

fn failed(message: &mut Message, rule: Rule) {
    match rule {
        Rule::Pdr(number) => message.add("pfcp.pdr_id", number),
        Rule::Far(number) => message.add("pfcp.far_id", number & DYNAMIC),
        Rule::Qer(number) => message.add("pfcp.qer_id", number & DYNAMIC),
        Rule::Urr(number) => message.add("pfcp.urr_id", number & DYNAMIC),
        Rule::Bar(number) => message.add("pfcp.bar_id", number),
        Rule::Mar(_) | Rule::Srr(_) => {}
    }
}

fn node_id(message: &mut Message, node: NodeId<'_>) {
    let (kind, field, value) = match node {
        NodeId::Address(IpAddr::V4(address)) => (0_u8, "pfcp.node_id_ipv4", address.to_string()),
        NodeId::Address(IpAddr::V6(address)) => (1, "pfcp.node_id_ipv6", address.to_string()),
        NodeId::Name(name) => (2, "pfcp.node_id_fqdn", labels(name)),
        NodeId::Other(kind, _) => return message.add("pfcp.node_id_type", kind),
    };
    message.add("pfcp.node_id_type", kind);
    message.summarize(format!("node {value}"));
    message.add(field, value);
}
