//! PFCP and GTPv2-C messages of others' making, read and written again: the same bytes come out.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::io::Write as _;
use std::path::{Path, PathBuf};

use bytes::BytesMut;
use pinion_pcaps::capture;
use pinion_pcaps::datagram::Datagram;
use pinion_protocols::{gtpv2, pfcp};

#[test]
fn every_pfcp_message_of_our_own_capture_comes_back() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/n4.pcap");
    let mut kinds = pfcp_written_again(&file);
    kinds.sort_unstable();
    kinds.dedup();
    let all: Vec<u8> = (1..=17).chain(50..=57).collect();
    assert_eq!(kinds, all);
}

// Not those of free5GC, which sets spare bits.
#[test]
fn pfcp_messages_of_real_cores_come_back() {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/pcaps");
    let files = [
        "open5gs+open5gs/testattach.pcapng",
        "open5gs+open5gs/5g-roaming-lbo.pcapng",
        "own+open5gs-2.7.7/core-10ue-via-scp.pcap",
    ];
    for file in files.map(|file: &str| -> PathBuf { shared.join(file) }) {
        if file.exists() {
            assert!(!pfcp_written_again(&file).is_empty(), "{}", file.display());
        } else {
            let _ = writeln!(std::io::stderr(), "\nskipped: no {}", file.display());
        }
    }
}

#[test]
fn every_gtpv2_message_of_our_own_capture_comes_back() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/gtpc.pcap");
    let mut kinds = gtpv2_written_again(&file);
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!(kinds, [1, 2, 3, 32, 33, 34, 35, 36, 37, 66, 95, 96, 97, 98, 99, 100, 170, 171, 176, 177]);
}

#[test]
fn gtpv2_messages_of_real_cores_come_back() {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/pcaps");
    for file in ["open5gs+open5gs/testattach.pcapng", "open5gs+open5gs/ipsec_reg.pcapng", "ntop+nDPI/gtp_c.pcap"] {
        let file = shared.join(file);
        if file.exists() {
            assert!(!gtpv2_written_again(&file).is_empty(), "{}", file.display());
        } else {
            let _ = writeln!(std::io::stderr(), "\nskipped: no {}", file.display());
        }
    }
}

/// What a protocol's messages are written by, which is the same for both.
macro_rules! written_again {
    ($name:ident, $protocol:ident, $identifier:ident, |$writer:ident, $raw:ident| $copy:expr) => {
        /// Types of the messages of a capture, each of which was written again with the same bytes. What is longer than the
        /// snap length is left out.
        fn $name(file: &Path) -> Vec<u8> {
            let mut capture = capture::open(file).unwrap();
            let mut kinds = Vec::new();
            while let Some(frame) = capture.next().unwrap() {
                let of_protocol = |it: &Datagram<'_>| [it.from.port(), it.to.port()].contains(&$protocol::PORT);
                let Some(datagram) = Datagram::of(&frame).filter(of_protocol) else { continue };
                let messages = $protocol::Messages::new(datagram.payload).flatten();
                for message in messages.filter(|message| message.missing() == 0) {
                    let mut out = BytesMut::new();
                    let (kind, number) = (message.message_type(), message.sequence());
                    let mut $writer = $protocol::MessageWriter::new(&mut out, kind, message.$identifier(), number);
                    if let Some(priority) = message.priority() {
                        $writer.priority(priority);
                    }
                    if message.is_followed() {
                        $writer.follow_on();
                    }
                    for raw in message.elements() {
                        let $raw = raw.unwrap();
                        $copy;
                    }
                    $writer.finish().unwrap();
                    let (start, length) = (message.offset(), usize::from(message.length()) + 4);
                    let expected = datagram.payload.get(start..start + length).unwrap();
                    assert_eq!(out, expected, "{}, frame {}", file.display(), frame.number);
                    kinds.push(kind.into());
                }
            }
            kinds
        }
    };
}

written_again!(pfcp_written_again, pfcp, seid, |writer, raw| pfcp_element(&mut writer, &raw));
written_again!(gtpv2_written_again, gtpv2, teid, |writer, raw| gtpv2_element(&mut writer, &raw));

fn pfcp_element(writer: &mut pfcp::MessageWriter<'_>, raw: &pfcp::RawElement<'_>) {
    match raw.parse().unwrap() {
        pfcp::Element::Group(kind, group) => {
            writer.nested(kind, |writer| {
                for raw in group {
                    pfcp_element(writer, &raw.unwrap());
                }
            });
        }
        element => {
            writer.add(&element);
        }
    }
}

fn gtpv2_element(writer: &mut gtpv2::MessageWriter<'_>, raw: &gtpv2::RawElement<'_>) {
    match raw.parse().unwrap() {
        gtpv2::Element::Group(kind, group) => {
            writer.nested_instance(kind, raw.instance(), |writer| {
                for raw in group {
                    gtpv2_element(writer, &raw.unwrap());
                }
            });
        }
        element => {
            writer.add_instance(&element, raw.instance());
        }
    }
}
