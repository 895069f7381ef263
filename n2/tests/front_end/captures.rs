//! Captures of others' gNBs and AMFs, with the front end between them: UEs are on their AMF, and their messages are as they were.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::IpAddr;
use std::path::Path;

use bytes::Bytes;
use pinion_n2::{AmfIds, Leg, Settings};
use pinion_pcaps::capture;
use pinion_pcaps::datagram::IpPacket;
use pinion_protocols::ip::protocol;
use pinion_protocols::ngap::value::{List, ServedGuami};
use pinion_protocols::ngap::{ElementType, Message, Outcome, PORT, Procedure, UeIds};
use pinion_protocols::sctp::{Chunk, Packet};

use crate::stage::{Stage, settings};

/// A message of a capture: of whose association, by its gNB's address and port and its AMF's address, from where, and what.
struct Captured {
    gnb: (IpAddr, u16),
    of_gnb: bool,
    stream: u16,
    bytes: Bytes,
}

/// The messages of NGAP of a capture that are in one piece, each once.
fn messages(path: &Path) -> Vec<Captured> {
    let (mut capture, mut all, mut seen) = (capture::open(path).unwrap(), Vec::new(), HashSet::new());
    while let Some(frame) = capture.next().unwrap() {
        let ip = IpPacket::of(&frame).filter(|ip| ip.protocol == protocol::SCTP && !ip.is_fragment);
        let Some(ip) = ip else { continue };
        let Ok(packet) = Packet::parse(ip.payload) else { continue };
        for chunk in packet.chunks().flatten() {
            let Ok(Chunk::Data(data)) = chunk.parse() else { continue };
            let (from, to) = (packet.source_port(), packet.destination_port());
            let whole = data.flags.beginning() && data.flags.end();
            let key = (packet.verification_tag(), data.tsn);
            if data.protocol != 60 || !whole || ![from, to].contains(&PORT) || !seen.insert(key) {
                continue;
            }
            let of_gnb = to == PORT && !(from == PORT && is_of_amf(data.payload));
            let gnb = if of_gnb { (ip.from, from) } else { (ip.to, to) };
            all.push(Captured { gnb, of_gnb, stream: data.stream, bytes: Bytes::copy_from_slice(data.payload) });
        }
    }
    all
}

/// Where both have the same port: whether it is what an AMF says.
fn is_of_amf(bytes: &[u8]) -> bool {
    let Ok(message) = Message::parse(bytes) else { return false };
    let answers = message.outcome() != Outcome::Initiating;
    match message.procedure() {
        Procedure::NgSetup
        | Procedure::PathSwitchRequest
        | Procedure::HandoverPreparation
        | Procedure::HandoverCancel => answers,
        Procedure::InitialContextSetup
        | Procedure::UeContextRelease
        | Procedure::UeContextModification
        | Procedure::PduSessionResourceSetup
        | Procedure::PduSessionResourceModify
        | Procedure::PduSessionResourceRelease
        | Procedure::HandoverResourceAllocation => !answers,
        Procedure::DownlinkNasTransport | Procedure::Paging => true,
        _ => false,
    }
}

/// Plays a capture, and says how many messages of UEs came through.
fn play(path: &Path) -> usize {
    let unique = Settings { amf_ids: AmfIds::SetUnique, ..settings(1) };
    let (mut stage, mut through) = (Stage::new(unique), 0);
    let mut legs: HashMap<(IpAddr, u16), (Leg, Option<Leg>)> = HashMap::new();
    let mut ues: BTreeMap<(Leg, u32), Option<u64>> = BTreeMap::new();
    for captured in messages(path) {
        let Ok(message) = Message::parse(&captured.bytes) else { continue };
        let (kind, ids) = ((message.procedure(), message.outcome()), message.ids().unwrap());
        let begins = kind == (Procedure::NgSetup, Outcome::Initiating);
        if begins && captured.of_gnb {
            let leg = stage.accept();
            stage.say(leg, 0, &captured.bytes);
            let amf = stage.connect(0);
            assert_eq!(stage.one(amf).bytes, captured.bytes);
            legs.insert(captured.gnb, (leg, Some(amf)));
            continue;
        }
        let Some(&(gnb, Some(amf))) = legs.get(&captured.gnb) else { continue };
        let (from, to, stream) = match captured.of_gnb {
            true => (gnb, amf, captured.stream.min(11)),
            false => (amf, gnb, captured.stream.min(4)),
        };
        if kind == (Procedure::NgSetup, Outcome::Successful) {
            stage.say(from, stream, &captured.bytes);
            let said = stage.one(to);
            let guamis = |it: Option<List<ServedGuami, 256>>| it.unwrap().0;
            let theirs = guamis(message.get(ElementType::ServedGuamiList).unwrap());
            assert_eq!(guamis(said.get(ElementType::ServedGuamiList)), theirs);
            continue;
        }
        if ids == UeIds::default() {
            continue;
        }
        // What the capture began too late for.
        let known = ids.ran.and_then(|ran| ues.get(&(gnb, ran)).copied());
        let first = kind.0 == Procedure::InitialUeMessage;
        if !first && (known.is_none() || known.flatten().is_some_and(|amf| ids.amf.is_some_and(|it| it != amf))) {
            continue;
        }
        stage.say(from, stream, &captured.bytes);
        let said = stage.one(to);
        assert_eq!(said.bytes, captured.bytes, "{} {kind:?}", path.display());
        through += 1;
        if let Some(ran) = ids.ran {
            ues.insert((gnb, ran), ids.amf.or(known.flatten()));
            if kind == (Procedure::UeContextRelease, Outcome::Successful) {
                ues.remove(&(gnb, ran));
            }
        }
    }
    let counts = stage.front_end.counts();
    assert_eq!((counts.malformed, counts.undeliverable, counts.mismatches), (0, 0, 0), "{}", path.display());
    through
}

/// tshark shows three UEs of the first gNB, with three messages each, before others come.
#[test]
fn captures_of_the_project() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../pcaps/captures/n2.pcap");
    let through = play(&path);
    assert!(through >= 9, "{through}");
}

/// Others' captures, where they are there.
#[test]
fn captures_of_others() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/pcaps");
    if !folder.is_dir() {
        return println!("skipped: there is no {}", folder.display());
    }
    let paths = capture::below(&folder);
    let played: Vec<_> = paths.iter().map(|path| (path, play(path))).filter(|(_, count)| *count > 0).collect();
    println!("{played:#?}");
    assert!(!played.is_empty());
}
