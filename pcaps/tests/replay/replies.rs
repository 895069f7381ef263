//! In an automatic replay a reply goes to an endpoint's address and back: it leaves as it was captured.

use pinion_pcaps::capture::Frame;
use pinion_pcaps::link;
use pinion_pcaps::replay::Choice;
use pinion_pcaps::writer::Writer;
use pinion_steering::{MAX_PATHS, Reason, Verdict};
use std::io::Write as _;
use std::process::Command;

use crate::{auto, corpus, file, run};

/// The IP packet of an Ethernet frame.
fn packet(frame: &[u8]) -> Vec<u8> {
    let network = link::network(link::LinkType::Ethernet, frame).unwrap();
    frame[network.offset..].to_vec()
}

/// The IP packet as it was captured, with zeros for what a snap length cut.
fn captured(frame: &Frame<'_>) -> Vec<u8> {
    let network = link::network(frame.link, frame.bytes).unwrap();
    let mut packet = frame.bytes[network.offset..].to_vec();
    packet.resize(frame.wire_len as usize - network.offset, 0);
    packet
}

/// Zero is written in two ways in one's complement; TCP does not mind which (RFC 1624 3).
fn with_one_zero(packet: &mut [u8]) {
    let (transport, protocol) = transport(packet);
    if protocol == 6 && packet[transport + 16..transport + 18] == [0xff, 0xff] {
        packet[transport + 16..transport + 18].fill(0);
    }
}

/// Where the transport header begins, and which it is; no reply in the captures has extension headers.
fn transport(packet: &[u8]) -> (usize, u8) {
    if packet[0] >> 4 == 6 { (40, packet[6]) } else { (usize::from(packet[0] & 15) * 4, packet[9]) }
}

/// Takes the hop that was counted, and with it IPv4's header checksum, out of the comparison.
fn without_hop(packet: &mut [u8]) -> u8 {
    if packet[0] >> 4 == 6 {
        return std::mem::take(&mut packet[7]);
    }
    packet[10..12].fill(0);
    std::mem::take(&mut packet[8])
}

/// Takes out of an SCTP INIT ACK what steering changes for good, and the checksum: ASCONF is not among the supported extensions any
/// more (RFC 5061 4.2.7), and where there are more addresses than a service has paths, some become that of the first path.
fn without_changes(packet: &mut [u8]) {
    let (transport, protocol) = transport(packet);
    if protocol != 132 || packet[transport + 12] != 2 {
        return;
    }
    packet[transport + 8..transport + 12].fill(0);
    let mut addresses = Vec::new();
    let mut at = transport + 32;
    while at + 4 <= packet.len() {
        let length = usize::from(u16::from_be_bytes([packet[at + 2], packet[at + 3]]));
        if packet[at..at + 2] == [0x80, 0x08] {
            packet[at + 4..at + length].fill(0);
        } else if matches!(packet[at..at + 2], [0, 5 | 6]) {
            addresses.push(at + 4..at + length);
        }
        at += length.max(4).next_multiple_of(4);
    }
    if addresses.len() > MAX_PATHS {
        for address in addresses {
            packet[address].fill(0);
        }
    }
}

#[test]
fn replies_leave_as_they_were_captured() {
    let mut replies = 0;
    for path in corpus::own().into_iter().chain(corpus::shared()) {
        let open = file(&path);
        run(&mut auto(Choice::User, &open).unwrap(), &open, |frame, step| {
            if step.reason != Reason::Replied {
                return;
            }
            let place = || format!("{}: frame {}", path.display(), frame.number);
            let (mut was, mut is) = (captured(frame), packet(step.bytes()));
            assert_ne!(packet(step.presented()), was, "{}: no endpoint sent it", place());
            let hops = (without_hop(&mut was), without_hop(&mut is));
            assert_eq!(hops.0 - 1, hops.1, "{}", place());
            for packet in [&mut was, &mut is] {
                without_changes(packet);
                with_one_zero(packet);
            }
            assert_eq!(was, is, "{}", place());
            replies += 1;
        })
        .unwrap();
    }
    println!("{replies} replies");
    assert!(replies >= 50);
}

/// Frames of a capture in which tshark finds a wrong checksum.
fn wrong_checksums(capture: &[u8]) -> String {
    const CHECKS: [&str; 4] = ["ip.check_checksum", "udp.check_checksum", "tcp.check_checksum", "sctp.checksum"];
    let mut command = Command::new("tshark");
    command.args(["-r", "-", "-o", "sctp.checksum:TRUE"]);
    for check in &CHECKS[..3] {
        command.args(["-o", &format!("{check}:TRUE")]);
    }
    let wrong = ["ip", "udp", "tcp", "sctp"].map(|protocol| format!("{protocol}.checksum.status == 0"));
    command.args(["-Y", &wrong.join(" or ")]);
    command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
    let mut tshark = command.spawn().unwrap();
    tshark.stdin.take().unwrap().write_all(capture).unwrap();
    String::from_utf8(tshark.wait_with_output().unwrap().stdout).unwrap()
}

#[test]
fn tshark_finds_no_wrong_checksum_in_what_leaves_or_comes_from_endpoints() {
    if Command::new("tshark").arg("--version").output().is_err() {
        let _ = writeln!(std::io::stderr(), "\nskipped: no tshark");
        return;
    }
    for path in corpus::own().iter().filter(|path| !path.ends_with("hostile.pcap")) {
        let open = file(path);
        let mut capture = Writer::new(Vec::new()).unwrap();
        run(&mut auto(Choice::User, &open).unwrap(), &open, |frame, step| {
            if matches!(step.verdict, Verdict::Transmit | Verdict::Redirect) {
                for bytes in [step.presented(), step.bytes()] {
                    capture.frame(frame.time, 0, bytes, None).unwrap();
                }
            }
        })
        .unwrap();
        assert_eq!(wrong_checksums(&capture.finish().unwrap()), "", "{}", path.display());
    }
}
