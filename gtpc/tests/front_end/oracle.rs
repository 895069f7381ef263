//! What the front end says, as Wireshark reads it.

use std::fs::File;
use std::io::Write as _;
use std::net::IpAddr;
use std::path::Path;
use std::process::Command;

use pinion_pcaps::writer::Writer;
use pinion_protocols::gtpv2::{Element, MessageType, PORT};

use crate::stage::{HERE, Said, Stage, message, tunnel};

/// A UDP datagram from the front end, in a frame.
fn frame(to: IpAddr, payload: &[u8]) -> Vec<u8> {
    let (IpAddr::V4(from), IpAddr::V4(to)) = (HERE, to) else { unreachable!("the stage is IPv4") };
    let udp = u16::try_from(payload.len() + 8).unwrap();
    let mut frame = [&[2; 12], [8, 0].as_slice(), &[0x45, 0]].concat();
    frame.extend((udp + 20).to_be_bytes());
    frame.extend([0, 0, 0, 0, 64, 17, 0, 0]);
    frame.extend(from.octets().into_iter().chain(to.octets()));
    frame.extend([PORT.to_be_bytes(), PORT.to_be_bytes(), udp.to_be_bytes(), [0, 0]].concat());
    frame.extend(payload);
    frame
}

/// A session of each kind of message, and what is refused.
fn everything() -> Vec<(IpAddr, Said)> {
    let mut stage = Stage::new(1);
    stage.record = Some(Vec::new());
    let from = stage.mmes[0].address;
    stage.sgws[0].piggybacks = true;
    stage.attach(0, 7);
    let request = stage.mmes[0].modify(7, |_| {});
    stage.receive(from, &request);
    let request = stage.sgws[0].request(MessageType::DownlinkDataNotification, 7, |_| {});
    stage.receive(stage.sgws[0].address, &request);
    // What is missing, what is cut, what is not known, another version.
    let wrong = message(MessageType::CreateSessionRequest, Some(0), 900, |writer| {
        writer.add(&tunnel(10, 0x55, from));
    });
    stage.receive(from, &wrong);
    let wrong = message(MessageType::CreateSessionRequest, Some(0), 901, |writer| {
        writer.raw(&[87, 0, 9, 0, 0x8a]);
    });
    stage.receive(from, &wrong);
    stage.receive(from, &message(MessageType::ModifyBearerRequest, Some(0x1234), 902, |_| {}));
    stage.receive(from, &[0x60, 1, 0, 4, 0, 3, 0x87, 0]);
    stage.receive(
        from,
        &message(MessageType::EchoRequest, None, 904, |writer| {
            writer.add(&Element::Recovery(9));
        }),
    );
    // Both begin anew, one after the other.
    stage.attach(0, 8);
    stage.mmes[0].recovery += 1;
    stage.receive(
        from,
        &message(MessageType::EchoRequest, None, 905, |writer| {
            writer.add(&Element::Recovery(10));
        }),
    );
    stage.attach(1, 9);
    stage.sgws[0].recovery += 1;
    stage.live(2 * crate::stage::ECHO);
    stage.record.unwrap()
}

/// Display filters, and how many frames they let through.
const MEANT: &[(&str, usize)] = &[
    ("_ws.malformed || _ws.expert.severity >= 0x600000", 0),
    // The piggybacked request is in the frame of the response.
    ("gtpv2.message_type == 33 && gtpv2.message_type == 95 && gtpv2.f_teid_ipv4 == 192.0.2.1", 1),
    ("gtpv2.message_type == 32 && gtpv2.teid == 0 && e212.imsi == \"001010000000007\" && gtpv2.rec == 77", 1),
    ("e212.imsi == \"001010000000007\" && gtpv2.f_teid_interface_type == 10 && gtpv2.f_teid_ipv4 == 192.0.2.1", 1),
    ("gtpv2.message_type == 34 && gtpv2.teid == 1", 1),
    ("gtpv2.message_type == 176 && gtpv2.teid == 8", 1),
    ("gtpv2.message_type == 33 && gtpv2.seq == 900 && gtpv2.cause == 70 && gtpv2.teid == 0x55", 1),
    ("gtpv2.message_type == 33 && gtpv2.seq == 901 && gtpv2.cause == 67", 1),
    ("gtpv2.message_type == 35 && gtpv2.seq == 902 && gtpv2.cause == 64 && gtpv2.teid == 0", 1),
    ("gtpv2.message_type == 3 && !gtpv2.teid", 1),
    ("gtpv2.message_type == 2 && gtpv2.seq == 904 && gtpv2.rec == 77 && !gtpv2.teid", 1),
    // Sessions of MME 1 at the SGW, which tells the PGW; then the session of MME 2, which is to connect again.
    ("gtpv2.message_type == 36 && gtpv2.ebi == 5 && gtpv2.oi == 1", 2),
    ("gtpv2.message_type == 99 && gtpv2.ebi == 5 && gtpv2.cause == 8 && ip.dst == 198.51.100.2", 1),
];

fn write(file: &Path, all: &[(IpAddr, Said)]) {
    let mut writer = Writer::new(File::create(file).unwrap()).unwrap();
    for (to, said) in all {
        let frame = frame(*to, &said.0);
        let length = u32::try_from(frame.len()).unwrap();
        writer.frame(std::time::Duration::ZERO, length, &frame, None).unwrap();
    }
    writer.finish().unwrap();
}

#[test]
fn wireshark_reads_what_was_meant() {
    if Command::new("tshark").arg("--version").output().is_err() {
        let _ = writeln!(std::io::stderr(), "\nskipped: no tshark");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gtpc.pcapng");
    write(&file, &everything());
    for (filter, count) in MEANT {
        let output = Command::new("tshark").arg("-r").arg(&file).args(["-Y", filter]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let found = String::from_utf8_lossy(&output.stdout).lines().count();
        assert_eq!(found, *count, "{filter}");
    }
}
