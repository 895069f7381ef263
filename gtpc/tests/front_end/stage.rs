//! The front end's surroundings: a clock and the network.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use pinion_gtpc::{Bounds, Endpoint, FrontEnd, Kept, Output, Placement, SessionView, Settings, Timers};
use pinion_protocols::gtpv2::{
    Addresses, Cause, Element, ElementType, FTeid, Message, MessageType, MessageWriter, Messages, PORT,
};

use crate::mme::Mme;
use crate::sgw::Sgw;

/// Where the front end is.
pub(crate) const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
/// Its restart counter.
pub(crate) const RECOVERY: u8 = 77;
/// Its timers, as TS 29.274 7.6 names them.
pub(crate) const T3: Duration = Duration::from_secs(3);
pub(crate) const N3: u32 = 3;
pub(crate) const ECHO: Duration = Duration::from_secs(60);

pub(crate) fn sgw_address(number: u8) -> IpAddr {
    [192, 0, 2, 10 + number].into()
}

pub(crate) fn mme_address(number: u8) -> IpAddr {
    [198, 51, 100, number].into()
}

pub(crate) fn settings(endpoints: u8) -> Settings {
    Settings {
        address: HERE,
        endpoints: (1..=endpoints).map(endpoint).collect(),
        placement: Placement::Hash,
        timers: Timers { echo: ECHO, t3: T3, n3: 3 },
        bounds: Bounds::default(),
    }
}

pub(crate) fn endpoint(number: u8) -> Endpoint {
    let name: Arc<str> = format!("sgws/{number}").into();
    Endpoint { name, address: sgw_address(number), weight: 1, priority: 0, drained: false }
}

pub(crate) fn tunnel(interface: u8, teid: u32, address: IpAddr) -> Element<'static> {
    Element::FTeid(FTeid { interface, teid, addresses: Addresses::from(address) })
}

/// A message.
pub(crate) fn message(
    kind: MessageType,
    teid: Option<u32>,
    sequence: u32,
    body: impl FnOnce(&mut MessageWriter<'_>),
) -> Vec<u8> {
    let mut out = BytesMut::new();
    let mut writer = MessageWriter::new(&mut out, kind, teid, sequence);
    body(&mut writer);
    writer.finish().unwrap();
    out.to_vec()
}

/// The answer to an Echo Request, with the restart counter of who gives it (TS 29.274 7.1.2).
pub(crate) fn alive(said: &Said, recovery: u8) -> Vec<u8> {
    message(MessageType::EchoResponse, None, said.sequence(), |writer| {
        writer.add(&Element::Recovery(recovery));
    })
}

/// A message as it was sent: the first of its datagram.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Said(pub(crate) Bytes);

impl Said {
    pub(crate) fn message(&self) -> Message<'_> {
        Message::parse(&self.0).unwrap()
    }

    /// All messages of the datagram.
    pub(crate) fn split(&self) -> Vec<Said> {
        let all: Vec<_> = Messages::new(&self.0).map(Result::unwrap).collect();
        all.iter()
            .map(|it| {
                let end = it.body_offset() + it.body().len();
                Said(self.0.slice(it.offset()..end))
            })
            .collect()
    }

    pub(crate) fn kind(&self) -> MessageType {
        self.message().message_type()
    }

    pub(crate) fn teid(&self) -> Option<u32> {
        self.message().teid()
    }

    pub(crate) fn sequence(&self) -> u32 {
        self.message().sequence()
    }

    /// The value of the first element of a type and an instance.
    pub(crate) fn value(&self, kind: ElementType, instance: u8) -> Option<Vec<u8>> {
        let mut all = self.message().elements().map(Result::unwrap);
        all.find(|it| (it.kind(), it.instance()) == (kind, instance)).map(|it| it.value().to_vec())
    }

    pub(crate) fn cause(&self) -> Option<Cause> {
        self.value(ElementType::Cause, 0).map(|value| Cause::from(value[0]))
    }

    pub(crate) fn tunnel(&self, instance: u8) -> Option<FTeid> {
        let mut all = self.message().elements().map(Result::unwrap);
        let found = all.find(|it| (it.kind(), it.instance()) == (ElementType::FTeid, instance))?;
        match found.parse().unwrap() {
            Element::FTeid(tunnel) => Some(tunnel),
            _ => None,
        }
    }
}

pub(crate) struct Stage {
    pub(crate) front_end: FrontEnd,
    pub(crate) now: Duration,
    pub(crate) sgws: Vec<Sgw>,
    pub(crate) mmes: Vec<Mme>,
    /// What anybody was sent, and has not looked at yet.
    pub(crate) inbox: Vec<(SocketAddr, Said)>,
    pub(crate) kept: BTreeMap<Kept, Bytes>,
    /// Endpoints that came and went.
    pub(crate) events: Vec<(Arc<str>, bool)>,
    /// Whether answers of SGWs are put aside, for who delivers them otherwise.
    pub(crate) damages: bool,
    pub(crate) post: Vec<(SocketAddr, Vec<u8>)>,
    /// All that was sent, where it is to be kept.
    pub(crate) record: Option<Vec<(IpAddr, Said)>>,
}

impl Stage {
    /// Endpoints and two MMEs, once all have seen each other.
    pub(crate) fn new(endpoints: u8) -> Self {
        Self::with(settings(endpoints))
    }

    pub(crate) fn with(settings: Settings) -> Self {
        let mut stage = Self {
            sgws: settings.endpoints.iter().zip(1..).map(|(_, number)| Sgw::new(number)).collect(),
            front_end: FrontEnd::new(settings, RECOVERY, 1),
            now: Duration::ZERO,
            mmes: vec![Mme::new(1), Mme::new(2)],
            inbox: Vec::new(),
            kept: BTreeMap::new(),
            events: Vec::new(),
            damages: false,
            post: Vec::new(),
            record: None,
        };
        stage.pass(Duration::ZERO);
        stage.inbox.clear();
        stage
    }

    /// Time passes, at once.
    pub(crate) fn pass(&mut self, time: Duration) {
        self.now += time;
        self.front_end.tick(self.now);
        self.settle();
    }

    /// Time passes second by second.
    pub(crate) fn live(&mut self, time: Duration) {
        let until = self.now + time;
        while self.now < until {
            self.pass(Duration::from_secs(1).min(until - self.now));
        }
    }

    pub(crate) fn receive(&mut self, from: IpAddr, datagram: &[u8]) {
        self.receive_from(SocketAddr::new(from, PORT), datagram);
    }

    pub(crate) fn receive_from(&mut self, from: SocketAddr, datagram: &[u8]) {
        self.front_end.receive(self.now, from, datagram);
        self.settle();
    }

    /// Asks, and takes the one answer.
    pub(crate) fn ask(&mut self, from: IpAddr, request: &[u8]) -> Said {
        self.inbox.clear();
        self.receive(from, request);
        let mut answers = self.sent_to(from);
        answers.retain(|it| it.kind().is_answer());
        assert_eq!(answers.len(), 1, "{answers:?}");
        answers.remove(0)
    }

    /// Takes what somebody was sent.
    pub(crate) fn sent_to(&mut self, to: IpAddr) -> Vec<Said> {
        self.inbox.extract_if(.., |(at, _)| at.ip() == to).map(|(_, said)| said).collect()
    }

    pub(crate) fn settle(&mut self) {
        while let Some(output) = self.front_end.output() {
            match output {
                Output::Keep { of, value } => match value {
                    Some(value) => drop(self.kept.insert(of, value)),
                    None => drop(self.kept.remove(&of)),
                },
                Output::Endpoint { name, up, .. } => self.events.push((name, up)),
                Output::Send { to, bytes } => self.deliver(to, Said(bytes)),
            }
        }
    }

    fn deliver(&mut self, to: SocketAddr, said: Said) {
        self.record.iter_mut().for_each(|all| all.push((to.ip(), said.clone())));
        let mut answers = Vec::new();
        for part in said.split() {
            let sgw = self.sgws.iter_mut().find(|it| it.address == to.ip());
            let mme = self.mmes.iter_mut().find(|it| it.address == to.ip());
            let answer = sgw.and_then(|sgw| sgw.hear(&part));
            // Not of one whose sessions are to stay as they are.
            if self.damages && part.kind() != MessageType::EchoRequest && to.ip() != sgw_address(3) {
                self.post.extend(answer.map(|answer| (to, answer)));
            } else {
                answers.extend(answer);
            }
            answers.extend(mme.and_then(|mme| mme.hear(&part)));
        }
        self.inbox.push((to, said));
        for answer in answers {
            self.front_end.receive(self.now, to, &answer);
        }
    }

    pub(crate) fn sessions(&self) -> Vec<SessionView> {
        self.front_end.sessions(None).collect()
    }

    /// Attaches a user by an MME: the answer.
    pub(crate) fn attach(&mut self, mme: usize, user: u32) -> Said {
        let request = self.mmes[mme].create(user, 5);
        let from = self.mmes[mme].address;
        let answer = self.ask(from, &request);
        self.mmes[mme].attached(user, &answer);
        answer
    }

    /// The SGW that has a user.
    pub(crate) fn sgw_of(&self, user: u32) -> usize {
        let all: Vec<usize> = (0..self.sgws.len()).filter(|it| self.sgws[*it].teid_of(user).is_some()).collect();
        assert_eq!(all.len(), 1, "{user} {all:?}");
        all[0]
    }
}
