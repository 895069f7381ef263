//! Captures of others' MMEs, SGWs and PGWs, with the front end between them: what it does not have to change is as it was.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use pinion_gtpc::{Endpoint, FrontEnd, Output, Settings};
use pinion_pcaps::capture;
use pinion_pcaps::datagram::Datagram;
use pinion_protocols::gtpv2::{Element, ElementType, MessageType, Messages, PORT};

use crate::stage::{HERE, RECOVERY, Said, endpoint, settings};

/// A message of a capture: who, to whom, and what.
struct Captured {
    from: IpAddr,
    to: IpAddr,
    said: Said,
}

/// The messages of GTPv2-C of a capture that are whole.
fn messages(path: &Path) -> Vec<Captured> {
    let (mut capture, mut all) = (capture::open(path).unwrap(), Vec::new());
    while let Some(frame) = capture.next().unwrap() {
        let Some(datagram) = Datagram::of(&frame).filter(|it| [it.from.port(), it.to.port()].contains(&PORT))
        else {
            continue;
        };
        for message in Messages::new(datagram.payload).flatten().filter(|message| message.missing() == 0) {
            let end = message.body_offset() + message.body().len();
            let said = Said(datagram.payload[message.offset()..end].to_vec().into());
            all.push(Captured { from: datagram.from.ip(), to: datagram.to.ip(), said });
        }
    }
    all
}

/// A client and an endpoint of a capture, and the front end between them.
struct Between {
    front_end: FrontEnd,
    client: IpAddr,
    endpoint: IpAddr,
    now: Duration,
}

impl Between {
    fn new(client: IpAddr, address: IpAddr) -> Self {
        let endpoints = vec![Endpoint { address, ..endpoint(1) }];
        let here = if address.is_ipv4() { HERE } else { "2001:db8::1".parse().unwrap() };
        let settings = Settings { address: here, endpoints, ..settings(1) };
        Self { front_end: FrontEnd::new(settings, RECOVERY, 1), client, endpoint: address, now: Duration::ZERO }
    }

    /// What is sent when a message comes. Others of the same number may have been asked before: time passes.
    fn receive(&mut self, from: IpAddr, bytes: &[u8]) -> Vec<(IpAddr, Said)> {
        self.now += Duration::from_millis(10);
        self.front_end.receive(self.now, SocketAddr::new(from, PORT), bytes);
        let outputs = std::iter::from_fn(|| self.front_end.output());
        let sent = outputs.filter_map(|output| match output {
            Output::Send { to, bytes } => Some((to.ip(), Said(bytes))),
            _ => None,
        });
        sent.filter(|(_, said)| said.kind() != MessageType::EchoRequest).collect()
    }
}

/// A message with another TEID and number in its header.
fn with(said: &Said, teid: u32, number: u32) -> Vec<u8> {
    let mut bytes = said.0.to_vec();
    bytes[0] &= 0xef;
    bytes[4..8].copy_from_slice(&teid.to_be_bytes());
    bytes[8..11].copy_from_slice(&number.to_be_bytes()[1..]);
    bytes
}

/// What of a message the front end leaves as it is: all but ends of control tunnels and what is about nodes.
fn untouched(said: &Said) -> Vec<(ElementType, u8, Vec<u8>)> {
    let elements = said.message().elements().map(Result::unwrap);
    let of_node = |kind| {
        matches!(
            kind,
            ElementType::Recovery | ElementType::FqCsid | ElementType::LoadControl | ElementType::OverloadControl
        )
    };
    let kept = elements.filter(|element| {
        let is_end = match element.parse().unwrap() {
            Element::FTeid(tunnel) => matches!(tunnel.interface, 6 | 7 | 10 | 11 | 17 | 30 | 32 | 35 | 36),
            _ => false,
        };
        !is_end && !of_node(element.kind())
    });
    kept.map(|element| (element.kind(), element.instance(), element.value().to_vec())).collect()
}

/// The end of a control tunnel that a message's sender says is its own.
fn own_end(said: &Said, is: impl Fn(u8) -> bool) -> Option<u32> {
    (0..2).find_map(|instance| said.tunnel(instance).filter(|it| is(it.interface))).map(|it| it.teid)
}

/// Plays the sessions of a capture; how many exchanges there were.
fn play(path: &Path) -> usize {
    let all = messages(path);
    let mut between: HashMap<(IpAddr, IpAddr), Between> = HashMap::new();
    // TEIDs of the capture's peers, and those of the front end instead, which the other peer knows.
    let mut here: HashMap<((IpAddr, IpAddr), IpAddr, u32), u32> = HashMap::new();
    let mut exchanges = 0;
    for (at, request) in all.iter().enumerate() {
        let (kind, number) = (request.said.kind(), request.said.sequence());
        let Some(teid) = request.said.teid() else { continue };
        let answer = all[at..].iter().find(|it| {
            (it.from, it.to, it.said.sequence()) == (request.to, request.from, number)
                && Some(it.said.kind()) == kind.response()
        });
        let Some(answer) = answer else { continue };
        let creates = kind == MessageType::CreateSessionRequest && teid == 0;
        let pair = (request.from, request.to);
        if creates {
            between.entry(pair).or_insert_with(|| Between::new(pair.0, pair.1));
        }
        let known = if between.contains_key(&pair) { pair } else { (pair.1, pair.0) };
        let Some(ours) = (if teid == 0 { Some(0) } else { here.get(&(known, request.to, teid)).copied() }) else {
            continue;
        };
        let Some(between) = between.get_mut(&known) else { continue };
        let mut sent = between.receive(request.from, &with(&request.said, ours, number));
        assert_eq!(sent.len(), 1, "{at}");
        let (to, asked) = sent.remove(0);
        let wanted = if request.from == between.client { between.endpoint } else { between.client };
        assert_eq!((to, asked.kind(), asked.teid()), (wanted, kind, Some(teid)), "{at}");
        assert_eq!(untouched(&asked), untouched(&request.said), "{at}");
        if creates {
            let theirs = own_end(&request.said, |it| matches!(it, 6 | 10)).unwrap();
            here.insert((known, request.from, theirs), own_end(&asked, |it| matches!(it, 6 | 10)).unwrap());
        }
        let theirs = answer.said.teid().unwrap();
        let ours = here.get(&(known, request.from, theirs)).copied().unwrap_or(0);
        let (to, answered) = between.receive(to, &with(&answer.said, ours, asked.sequence())).remove(0);
        let (kind, number) = (answer.said.kind(), answer.said.sequence());
        assert_eq!((to, answered.kind(), answered.sequence()), (request.from, kind, number), "{at}");
        assert_eq!(answered.teid(), Some(theirs), "{at}");
        assert_eq!(untouched(&answered), untouched(&answer.said), "{at}");
        let is_s11 = own_end(&request.said, |it| it == 10).is_some();
        let is_end = |it| it == if is_s11 { 11 } else { 7 };
        if let (true, Some(theirs)) = (creates, own_end(&answer.said, is_end)) {
            here.insert((known, answer.from, theirs), own_end(&answered, is_end).unwrap());
        }
        exchanges += 1;
    }
    exchanges
}

#[test]
fn captures_of_the_project() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../pcaps/captures/gtpc.pcap");
    assert!(play(&path) >= 16);
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
