//! NAS of real UEs: type and identity are those that tshark shows.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use pinion_protocols::nas::{Identity, Message, Suci};

use super::vectors::octets;

const FIELDS: [&str; 8] = [
    "ngap.NAS_PDU",
    "nas_5gs.security_header_type",
    "nas_5gs.mm.message_type",
    "nas_5gs.mm.type_id",
    "3gpp.tmsi",
    "nas_5gs.amf_region_id",
    "nas_5gs.amf_set_id",
    "nas_5gs.amf_pointer",
];

/// A number as tshark shows it.
fn number(text: &str) -> u64 {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).unwrap(),
        None => text.parse().unwrap(),
    }
}

#[test]
fn messages_of_real_ues_are_read_as_tshark_does() {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/pcaps");
    let own = super::vectors::folder().join("n2.pcap");
    let others = [
        "own+open5gs-2.7.7/core-10ue-via-scp.pcap",
        "own+open5gs-2.7.7/ueransim-reg-pdu-via-scp.pcap",
        "open5gs+open5gs/5g-roaming-lbo.pcapng",
        "telekom+5g-trace-visualizer/free5gc.pcap",
    ];
    let files: Vec<_> = std::iter::once(own).chain(others.map(|file| shared.join(file))).collect();
    let (mut messages, mut identities) = (0, 0);
    for file in files {
        if !file.exists() {
            let _ = writeln!(std::io::stderr(), "\nskipped: no {}", file.display());
            continue;
        }
        let mut command = Command::new("tshark");
        command.arg("-n").arg("-r").arg(&file).args(["-Y", "ngap.NAS_PDU", "-T", "fields", "-E", "occurrence=f"]);
        FIELDS.iter().for_each(|field| {
            command.args(["-e", field]);
        });
        let Ok(output) = command.output() else {
            let _ = writeln!(std::io::stderr(), "\nskipped: tshark is not installed");
            return;
        };
        for line in String::from_utf8(output.stdout).unwrap().lines() {
            let columns: Vec<_> = line.split('\t').collect();
            let bytes = octets(&columns[0].replace(':', ""));
            let message = Message::parse(&bytes).unwrap();
            messages += 1;
            assert_eq!(u64::from(u8::from(message.security())), number(columns[1]), "{line}");
            if let Some(kind) = message.message_type() {
                assert_eq!(u64::from(u8::from(kind)), number(columns[2]), "{line}");
            }
            let Some(identity) = message.identity().unwrap() else { continue };
            identities += 1;
            let shown = |set: u16, pointer: u8, tmsi: [u8; 4]| {
                assert_eq!(u64::from(set), number(columns[6]), "{line}");
                assert_eq!(u64::from(pointer), number(columns[7]), "{line}");
                assert_eq!(u64::from(u32::from_be_bytes(tmsi)), number(columns[4]), "{line}");
            };
            let kind = match identity {
                Identity::Suci(Suci::Imsi { .. } | Suci::Nai { .. }) => 1,
                Identity::Guti { guami, tmsi } => {
                    assert_eq!(u64::from(guami.region), number(columns[5]), "{line}");
                    shown(guami.set, guami.pointer, tmsi);
                    2
                }
                Identity::STmsi(tmsi) => {
                    shown(tmsi.set, tmsi.pointer, tmsi.tmsi);
                    4
                }
                Identity::None | Identity::Other(_) => panic!("{line}"),
            };
            assert_eq!(kind, number(columns[3]), "{line}");
        }
    }
    println!("{messages} messages, {identities} identities");
    assert!(messages > 5 && identities > 2, "{messages} messages, {identities} identities");
}
