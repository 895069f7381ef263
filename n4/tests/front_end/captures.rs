//! Captures of others' SMFs and UPFs, with the front end between them: what it does not have to change is as it was.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use pinion_n4::{FrontEnd, Output, Settings, Upf, UserPlane};
use pinion_pcaps::capture;
use pinion_pcaps::datagram::Datagram;
use pinion_protocols::pfcp::{Cause, Element, ElementType, FTeid, Message, MessageType, Messages, PORT};

use crate::smf::message;
use crate::stage::{HERE, STAMP, Said, n3_here, settings, upf};

/// A message of a capture: who, to whom, and what.
struct Captured {
    from: IpAddr,
    to: IpAddr,
    said: Said,
}

/// The messages of PFCP in IPv4 datagrams of a capture that are whole.
fn messages(path: &Path) -> Vec<Captured> {
    let (mut capture, mut all) = (capture::open(path).unwrap(), Vec::new());
    while let Some(frame) = capture.next().unwrap() {
        let is_pfcp = |it: &Datagram<'_>| it.from.is_ipv4() && [it.from.port(), it.to.port()].contains(&PORT);
        let Some(datagram) = Datagram::of(&frame).filter(is_pfcp) else { continue };
        for message in Messages::new(datagram.payload).flatten().filter(|message| message.missing() == 0) {
            let end = message.body_offset() + message.body().len();
            let said = Said(datagram.payload[message.offset()..end].to_vec().into());
            all.push(Captured { from: datagram.from.ip(), to: datagram.to.ip(), said });
        }
    }
    all
}

/// An SMF and a UPF of a capture, and the front end between them.
struct Between {
    front_end: FrontEnd<()>,
    smf: IpAddr,
    upf: IpAddr,
}

impl Between {
    fn new(establishment: &Captured, all: &[Captured]) -> Self {
        let (smf, address) = (establishment.from, establishment.to);
        let ends: Vec<IpAddr> = all
            .iter()
            .filter(|it| it.from == address && it.said.kind() == MessageType::SessionEstablishmentResponse)
            .flat_map(|it| it.said.tunnels())
            .filter_map(|tunnel| if let FTeid::Given { addresses, .. } = tunnel { addresses.v4 } else { None })
            .map(IpAddr::V4)
            .take(1)
            .collect();
        let user_plane = UserPlane {
            service: "n3".into(),
            addresses: vec![n3_here().0.into()],
            endpoints: vec![("upfs/1".into(), ends)],
        };
        let upfs = vec![Upf { address, ..upf(1) }];
        let settings = Settings { upfs, user_plane: vec![user_plane], ..settings(1) };
        let mut it = Self { front_end: FrontEnd::new(settings, STAMP, 1), smf, upf: address };
        it.front_end.tick(Duration::ZERO);
        let setup = it.sent().remove(0);
        let number = setup.1.message().sequence();
        let answer = message(MessageType::AssociationSetupResponse, None, number, |writer| {
            writer.add(&Element::Cause(Cause::ACCEPTED)).add(&Element::RecoveryTimeStamp(5));
            writer.element(ElementType::UpFunctionFeatures, |out| out.extend_from_slice(&[0x10]));
        });
        it.receive(address, &answer);
        let node = establishment.said.value(ElementType::NodeId).unwrap();
        let setup = message(MessageType::AssociationSetupRequest, None, 0xff_ffff, |writer| {
            writer.element(ElementType::NodeId, |out| out.extend_from_slice(&node));
            writer.add(&Element::RecoveryTimeStamp(5));
        });
        it.receive(smf, &setup);
        it.sent();
        it
    }

    fn receive(&mut self, from: IpAddr, bytes: &[u8]) {
        self.front_end.receive(Duration::ZERO, SocketAddr::new(from, PORT), bytes);
    }

    fn sent(&mut self) -> Vec<(IpAddr, Said)> {
        let mut sent = Vec::new();
        while let Some(output) = self.front_end.output() {
            match output {
                Output::Send { to, bytes } => sent.push((to.ip(), Said(bytes))),
                Output::Commit { batch, .. } => self.front_end.installed(Duration::ZERO, batch, ()),
                Output::Upf { .. } | Output::Keep { .. } | Output::Lead(_) | Output::Classify(_) => {}
            }
        }
        sent
    }
}

/// A message with another SEID and number in its header.
fn with(said: &Said, seid: u64, number: u32) -> Vec<u8> {
    let mut bytes = said.0.to_vec();
    bytes[4..12].copy_from_slice(&seid.to_be_bytes());
    bytes[12..15].copy_from_slice(&number.to_be_bytes()[1..]);
    bytes
}

/// What of a message the front end leaves as it is.
fn untouched(message: &Message<'_>) -> Vec<(ElementType, Vec<u8>)> {
    let changed = [
        ElementType::NodeId,
        ElementType::FSeid,
        ElementType::FqCsid,
        ElementType::CreatedPdr,
        ElementType::CreatedTrafficEndpoint,
        ElementType::LoadControlInformation,
        ElementType::OverloadControlInformation,
        ElementType::AlternativeSmfIpAddress,
        ElementType::SmfSetId,
        ElementType::GroupId,
        ElementType::CpPfcpEntityIpAddress,
    ];
    let elements = message.elements().map(|element| element.unwrap());
    let kept = elements.filter(|element| !changed.contains(&element.kind()));
    kept.map(|element| (element.kind(), element.value().to_vec())).collect()
}

/// Plays the sessions of a capture; how many exchanges there were.
fn play(path: &Path) -> usize {
    let all = messages(path);
    let mut between: HashMap<(IpAddr, IpAddr), Between> = HashMap::new();
    // SEIDs of the capture's UPFs and SMFs, and those of the front end instead.
    let mut here: HashMap<(IpAddr, u64), u64> = HashMap::new();
    let mut exchanges = 0;
    for (at, request) in all.iter().enumerate() {
        let kind = request.said.kind();
        let whole = request.said.message().elements().all(|element| element.is_ok());
        if !request.said.is_request() || kind.is_session() != Some(true) || !whole {
            continue;
        }
        let number = request.said.message().sequence();
        let answer = all[at..].iter().find(|it| {
            it.from == request.to
                && it.to == request.from
                && Some(it.said.kind()) == kind.response()
                && it.said.message().sequence() == number
        });
        let Some(answer) = answer else { continue };
        let establishes = kind == MessageType::SessionEstablishmentRequest;
        let reports = kind == MessageType::SessionReportRequest;
        let pair = if reports { (request.to, request.from) } else { (request.from, request.to) };
        if establishes && !request.said.message().elements().any(|it| it.unwrap().kind() == ElementType::NodeId) {
            continue;
        }
        if establishes {
            between.entry(pair).or_insert_with(|| Between::new(request, &all));
        }
        let seid = request.said.message().seid().unwrap();
        let seid = if establishes { Some(0) } else { here.get(&(request.to, seid)).copied() };
        let (Some(between), Some(seid)) = (between.get_mut(&pair), seid) else { continue };
        between.receive(request.from, &with(&request.said, seid, number));
        let (to, asked) = between.sent().remove(0);
        if !asked.is_request() {
            // A session that is none any more: both say so alike.
            assert_eq!((to, asked.cause()), (request.from, answer.said.cause()), "{at}");
            assert_eq!(asked.message().seid(), answer.said.message().seid(), "{at}");
            continue;
        }
        assert_eq!((to, asked.kind()), (if reports { between.smf } else { between.upf }, kind), "{at}");
        assert_eq!(untouched(&asked.message()), untouched(&request.said.message()), "{at}");
        between.receive(to, &with(&answer.said, 1, asked.message().sequence()));
        let (to, answered) = between.sent().pop().unwrap();
        assert_eq!((to, answered.kind()), (request.from, answer.said.kind()), "{at}");
        assert_eq!(answered.message().sequence(), number, "{at}");
        assert_eq!(untouched(&answered.message()), untouched(&answer.said.message()), "{at}");
        if let (true, Some(theirs), Some(ours)) = (establishes, answer.said.f_seid(), answered.f_seid()) {
            assert_eq!(ours.addresses, HERE.into());
            here.insert((answer.from, theirs.seid), ours.seid);
            here.insert((request.from, request.said.f_seid().unwrap().seid), asked.f_seid().unwrap().seid);
            assert_eq!(answered.message().seid(), request.said.f_seid().map(|it| it.seid), "{at}");
        }
        exchanges += 1;
    }
    exchanges
}

#[test]
fn captures_of_the_project() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../pcaps/captures/n4.pcap");
    assert!(play(&path) >= 6);
}

/// Others' captures, where they are there.
#[test]
fn captures_of_others() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/pcaps");
    let paths = capture::below(&folder);
    if paths.is_empty() {
        return println!("skipped: no captures in {}", folder.display());
    }
    let played: Vec<_> = paths.iter().map(|path| (path, play(path))).filter(|(_, count)| *count > 0).collect();
    println!("{played:#?}");
    assert!(!played.is_empty());
}
