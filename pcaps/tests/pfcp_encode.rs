//! PFCP messages of others' making, read and written again: the same bytes come out.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::io::Write as _;
use std::path::{Path, PathBuf};

use bytes::BytesMut;
use pinion_pcaps::{capture, link};
use pinion_protocols::ip::{Ipv4, Ipv6, Udp, protocol};
use pinion_protocols::pfcp::{self, Element, Elements, Message, MessageWriter, Messages};

#[test]
fn every_message_type_of_our_own_capture_comes_back() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/n4.pcap");
    let mut kinds = written_again(&file);
    kinds.sort_unstable();
    kinds.dedup();
    let all: Vec<u8> = (1..=17).chain(50..=57).collect();
    assert_eq!(kinds, all);
}

// Not those of free5GC, which sets spare bits.
#[test]
fn messages_of_real_cores_come_back() {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/pcaps");
    let files = [
        "open5gs+open5gs/testattach.pcapng",
        "open5gs+open5gs/5g-roaming-lbo.pcapng",
        "own+open5gs-2.7.7/core-10ue-via-scp.pcap",
    ];
    for file in files.map(|file: &str| -> PathBuf { shared.join(file) }) {
        if file.exists() {
            assert!(!written_again(&file).is_empty(), "{}", file.display());
        } else {
            let _ = writeln!(std::io::stderr(), "\nskipped: no {}", file.display());
        }
    }
}

/// Types of the messages of a capture, each of which was written again with the same bytes. What is longer than
/// the snap length is left out.
fn written_again(file: &Path) -> Vec<u8> {
    let mut capture = capture::open(file).unwrap();
    let mut kinds = Vec::new();
    while let Some(frame) = capture.next().unwrap() {
        let Some(datagram) = datagram(&frame) else {
            continue;
        };
        for message in Messages::new(datagram).flatten().filter(|message| message.missing() == 0) {
            let mut out = BytesMut::new();
            write(&mut out, &message);
            let (start, length) = (message.offset(), usize::from(message.length()) + 4);
            let expected = datagram.get(start..start + length).unwrap();
            assert_eq!(out, expected, "{}, frame {}", file.display(), frame.number);
            kinds.push(message.message_type().into());
        }
    }
    kinds
}

fn write(out: &mut BytesMut, message: &Message<'_>) {
    let mut writer = MessageWriter::new(out, message.message_type(), message.seid(), message.sequence());
    if let Some(priority) = message.priority() {
        writer.priority(priority);
    }
    if message.is_followed() {
        writer.follow_on();
    }
    elements(&mut writer, message.elements());
    writer.finish().unwrap();
}

fn elements(writer: &mut MessageWriter<'_>, elements_of: Elements<'_>) {
    for raw in elements_of {
        match raw.unwrap().parse().unwrap() {
            Element::Group(kind, group) => {
                writer.nested(kind, |writer| elements(writer, group));
            }
            element => {
                writer.add(&element);
            }
        }
    }
}

/// The payload of a UDP datagram to or from PFCP's port.
fn datagram<'a>(frame: &capture::Frame<'a>) -> Option<&'a [u8]> {
    let network = link::network(frame.link, frame.bytes)?;
    let packet = frame.bytes.get(network.offset..)?;
    let (upper, payload) = match network.ethertype {
        0x0800 => Ipv4::parse(packet).ok().map(|ip| (ip.protocol, ip.payload))?,
        0x86dd => Ipv6::parse(packet).ok().map(|ip| (ip.protocol, ip.payload))?,
        _ => return None,
    };
    let udp = (upper == protocol::UDP).then(|| Udp::parse(payload).ok()).flatten()?;
    [udp.source_port, udp.destination_port].contains(&pfcp::PORT).then_some(udp.payload)
}
