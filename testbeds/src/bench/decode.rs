//! What it costs to find in a message what it is routed by, beside other crates that decode it (feature `rivals`).

#[cfg(feature = "rivals")]
mod rivals;

use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use pinion_pcaps::{capture, link};
use pinion_protocols::ip::{Ipv4, Udp, protocol};
use pinion_protocols::{diameter, gtpu, ngap, pfcp, sctp};

use super::{BenchError, Report};

/// Rounds of which the quickest counts, and messages in each.
const ROUNDS: u32 = 30;
const TIMES: u32 = 50_000;

/// Runs the bench.
pub(super) fn run(report: &mut Report) -> Result<(), BenchError> {
    let pfcp_goal = "at most 100 ns";
    for (name, kind) in [
        ("heartbeat", pfcp::MessageType::HeartbeatRequest),
        ("establishment-request", pfcp::MessageType::SessionEstablishmentRequest),
        ("establishment-response", pfcp::MessageType::SessionEstablishmentResponse),
        ("modification-request", pfcp::MessageType::SessionModificationRequest),
    ] {
        let is = |bytes: &[u8]| pfcp::Message::parse(bytes).is_ok_and(|message| message.message_type() == kind);
        let bytes = first("n4.pcap", is)?;
        let row = format!("pfcp-view/{name}");
        report.row(&row, "ns", nanoseconds(|| routed_pfcp(black_box(&bytes))), rivals::pfcp(&bytes), pfcp_goal);
    }
    let bytes = first("n3.pcap", |bytes| bytes.first() == Some(&0x34))?;
    let header = || gtpu::Packet::parse(black_box(&bytes)).map(|packet| (packet.teid(), packet.message_type()));
    report.row("gtp/g-pdu", "ns", nanoseconds(header), None, "at most 30 ns");
    for (name, procedure) in [
        ("initial-ue-message", ngap::Procedure::InitialUeMessage),
        ("uplink-nas-transport", ngap::Procedure::UplinkNasTransport),
    ] {
        let is = |bytes: &[u8]| ngap::Message::parse(bytes).is_ok_and(|message| message.procedure() == procedure);
        let bytes = first("n2.pcap", is)?;
        let ids = || ngap::Message::parse(black_box(&bytes)).map(|message| (message.procedure(), message.ids()));
        report.row(&format!("ngap-view/{name}"), "ns", nanoseconds(ids), rivals::ngap(&bytes), "at most 150 ns");
    }
    ngap_whole(report)?;
    for (name, bytes) in [("update-location", &UPDATE_LOCATION[..]), ("credit-control", &CREDIT_CONTROL)] {
        let routing = || diameter::Message::parse(black_box(bytes)).map(|message| message.routing());
        let row = format!("diameter-view/{name}");
        report.row(&row, "ns", nanoseconds(routing), rivals::diameter(bytes), "at most 100 ns");
    }
    Ok(())
}

/// NGAP read as values, and copied with other identifiers.
fn ngap_whole(report: &mut Report) -> Result<(), BenchError> {
    let of = |procedure| {
        move |bytes: &[u8]| ngap::Message::parse(bytes).is_ok_and(|message| message.procedure() == procedure)
    };
    let initial = first("n2.pcap", of(ngap::Procedure::InitialUeMessage))?;
    let read = || {
        ngap::Message::parse(black_box(&initial))
            .and_then(|message| ngap::InitialUeMessage::read(&message))
            .is_ok()
    };
    report.row("ngap-full/initial-ue-message", "ns", nanoseconds(read), None, "at most 1000 ns");
    let uplink = first("n2.pcap", of(ngap::Procedure::UplinkNasTransport))?;
    let ids = ngap::NewIds { amf: Some(1 << 39), ran: Some(1), ..ngap::NewIds::default() };
    let mut out = bytes::BytesMut::with_capacity(4096);
    let changed = || {
        out.clear();
        ngap::Message::parse(black_box(&uplink)).and_then(|message| message.with_ids(&ids, &mut out)).is_ok()
    };
    report.row("ngap-full/changed-identifiers", "ns", nanoseconds(changed), None, "at most 1000 ns");
    Ok(())
}

/// Type, SEID, Node ID, F-SEID and the first F-TEID of the user plane function.
fn routed_pfcp(bytes: &[u8]) -> Option<(Option<u64>, pfcp::Routing<'_>, Option<pfcp::LocalTunnel>)> {
    let message = pfcp::Message::parse(bytes).ok()?;
    Some((message.seid(), message.routing().ok()?, message.local_tunnels().next()?.ok()))
}

/// Where the other crates are not built.
#[cfg(not(feature = "rivals"))]
mod rivals {
    pub(super) fn pfcp(_: &[u8]) -> Option<f64> {
        None
    }
    pub(super) use {pfcp as diameter, pfcp as ngap};
}

/// Nanoseconds that one call takes, at best.
fn nanoseconds<T>(mut call: impl FnMut() -> T) -> f64 {
    let round = |_| {
        let begun = Instant::now();
        for _ in 0..TIMES {
            black_box(call());
        }
        begun.elapsed().as_secs_f64() * 1e9 / f64::from(TIMES)
    };
    (0..ROUNDS).map(round).fold(f64::INFINITY, f64::min)
}

/// The first payload of UDP, or user message of SCTP, that `is` what is looked for, in one of the project's captures.
fn first(file: &str, is: impl Fn(&[u8]) -> bool) -> Result<Vec<u8>, BenchError> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../pcaps/captures").join(file);
    let broken = |error: capture::CaptureError| BenchError::Missing(format!("{}: {error}", path.display()));
    let mut capture = capture::open(&path).map_err(broken)?;
    while let Some(frame) = capture.next().map_err(broken)? {
        let packet = link::network(frame.link, frame.bytes).and_then(|network| frame.bytes.get(network.offset..));
        let Some(Ok(packet)) = packet.map(Ipv4::parse) else {
            continue;
        };
        if let Some(bytes) = payloads(&packet).into_iter().find(|bytes| is(bytes)) {
            return Ok(bytes.to_vec());
        }
    }
    Err(BenchError::Missing(format!("{}: it has not the message that is to be measured", path.display())))
}

fn payloads<'a>(packet: &Ipv4<'a>) -> Vec<&'a [u8]> {
    match packet.protocol {
        protocol::UDP => Udp::parse(packet.payload).map(|udp| udp.payload).into_iter().collect(),
        protocol::SCTP => {
            let packet = sctp::Packet::parse(packet.payload);
            let chunks = packet.iter().flat_map(|packet| packet.chunks().flatten());
            let data = chunks.filter_map(|chunk| match chunk.parse() {
                Ok(sctp::Chunk::Data(data)) => Some(data.payload),
                _ => None,
            });
            data.collect()
        }
        _ => Vec::new(),
    }
}

/// An Update-Location-Request with Session-Id, Origin-Host, Destination-Realm, User-Name, a group and a pair of a vendor.
const UPDATE_LOCATION: [u8; 156] = *b"\x01\0\0\x9c\xc0\0\x01\x3c\x01\0\0\x23\x11\x22\x33\x44\x55\x66\x77\x88\
\0\0\x01\x07\x40\0\0\x17mme.example;1;2\0\0\0\x01\x08\x40\0\0\x13mme.example\0\
\0\0\x01\x1b\x40\0\0\x13example.org\0\0\0\0\x01\x40\0\0\x17001010123456789\0\
\0\0\x01\x04\x40\0\0\x20\0\0\x01\x0a\x40\0\0\x0c\0\0\x28\xaf\0\0\x01\x02\x40\0\0\x0c\x01\0\0\x23\
\0\0\x05\x7d\xc0\0\0\x10\0\0\x28\xaf\0\0\0\x22";

/// A Credit-Control-Request of Gx with Session-Id, hosts, realms, type and number, and a Subscription-Id.
const CREDIT_CONTROL: [u8; 184] = *b"\x01\0\0\xb8\xc0\0\x01\x10\x01\0\0\x16\x11\x223DUfw\x88\
\0\0\x01\x07@\0\0\x17pgw.example;1;2\0\
\0\0\x01\x08@\0\0\x13pgw.example\0\
\0\0\x01(@\0\0\x13example.org\0\
\0\0\x01\x1b@\0\0\x13example.org\0\
\0\0\x01\x02@\0\0\x0c\x01\0\0\x16\
\0\0\x01\xa0@\0\0\x0c\0\0\0\x01\
\0\0\x01\x9f@\0\0\x0c\0\0\0\0\
\0\0\x01\xbb@\0\0,\0\0\x01\xc2@\0\0\x0c\0\0\0\x01\0\0\x01\xbc@\0\0\x17001010123456789\0";
