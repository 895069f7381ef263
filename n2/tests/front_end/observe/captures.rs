//! Captures of others' gNBs and AMFs: the UEs that are seen are those that tshark shows.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use pinion_n2::observe::{Bounds, Observer, Side};
use pinion_pcaps::capture;
use pinion_pcaps::datagram::IpPacket;
use pinion_protocols::ip::protocol;
use pinion_protocols::ngap::PORT;
use pinion_protocols::sctp::Packet;

/// RAN UE NGAP ID and AMF UE NGAP ID.
type Pairs = BTreeSet<(u32, u64)>;

/// What an observer sees of a capture's associations to port 38412.
fn seen(path: &Path) -> Pairs {
    let mut observer = Observer::new(Bounds::default());
    let (mut capture, mut pairs) = (capture::open(path).unwrap(), Pairs::new());
    while let Some(frame) = capture.next().unwrap() {
        let sctp = IpPacket::of(&frame).filter(|ip| ip.protocol == protocol::SCTP && !ip.is_fragment);
        let Some((ip, packet)) = sctp.and_then(|ip| Some((ip, Packet::parse(ip.payload).ok()?))) else { continue };
        let (key, from) = match (packet.source_port(), packet.destination_port()) {
            (PORT, PORT) => continue,
            (port, PORT) => ((ip.from, port), Side::Gnb),
            (PORT, port) => ((ip.to, port), Side::Amf),
            _ => continue,
        };
        observer.packet(&key, (), from, ip.payload, Duration::ZERO);
        pairs.extend(observer.ues(None).filter_map(|seen| Some((seen.ran, seen.ue.amf?))));
    }
    pairs
}

/// What tshark shows, but for messages that only say that a UE has ended, and those between two ports 38412.
fn shown(path: &Path) -> Option<Pairs> {
    let filter = "ngap && !(sctp.srcport == 38412 && sctp.dstport == 38412) && \
        (sctp.srcport == 38412 || sctp.dstport == 38412) && \
        !(ngap.procedureCode == 41 && sctp.dstport == 38412) && !(ngap.procedureCode == 20) && !(ngap.procedureCode == 9)";
    let fields = ["ngap.RAN_UE_NGAP_ID", "ngap.AMF_UE_NGAP_ID"];
    let mut tshark = Command::new("tshark");
    tshark.arg("-r").arg(path).args(["-Y", filter, "-T", "fields"]);
    for field in fields {
        tshark.args(["-e", field]);
    }
    let out = tshark.output().ok().filter(|out| out.status.success())?;
    let mut pairs = Pairs::new();
    for line in String::from_utf8(out.stdout).unwrap().lines() {
        let (rans, amfs) = line.split_once('\t').unwrap();
        if rans.split(',').count() == amfs.split(',').count() {
            let both = rans.split(',').zip(amfs.split(','));
            pairs.extend(both.filter_map(|(ran, amf)| Some((ran.parse().ok()?, amf.parse().ok()?))));
        }
    }
    Some(pairs)
}

#[test]
fn the_ues_are_those_that_tshark_shows() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut paths = vec![root.join("pcaps/captures/n2.pcap")];
    let folder = root.join("../shared/pcaps");
    if folder.is_dir() {
        paths.extend(capture::below(&folder));
    } else {
        println!("skipped: there is no {}", folder.display());
    }
    let mut ues = 0;
    for path in paths {
        let Some(shown) = shown(&path) else {
            println!("skipped: there is no tshark, or it cannot read {}", path.display());
            continue;
        };
        assert_eq!(seen(&path), shown, "{}", path.display());
        ues += shown.len();
    }
    println!("{ues} UEs");
}
