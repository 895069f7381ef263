//! The front end: datagrams and time come in; datagrams go out.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use foldhash::HashMap;
use pinion_exchange::inbound::{Inbound, Origin, Seen};
use pinion_exchange::outbound::{Due, Outbound};
use pinion_exchange::random::Random;
use pinion_protocols::gtpv2::{Cause, Error, Message, MessageType, MessageWriter, Messages, PORT};

use crate::chores::Farewell;
use crate::counts::Counts;
use crate::interface::Side;
use crate::keep::Kept;
use crate::peers::{Client, Peer};
use crate::purpose::Purpose;
use crate::sessions::Sessions;
use crate::settings::Settings;
use crate::told::Refusal;

/// Numbers of requests have 23 bits; the 24th says that a command asked for it (TS 29.274 7.6).
pub(crate) const NUMBERS: u32 = 1 << 23;

/// What the host is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send a datagram, from port 2123 of the front end's address.
    Send {
        /// Where to.
        to: SocketAddr,
        /// What.
        bytes: Bytes,
    },
    /// Keep a value for the front end after this one ([`FrontEnd::take_over`]), before what follows is done.
    Keep {
        /// What it is of.
        of: Kept,
        /// The value; `None`: it is to be forgotten.
        value: Option<Bytes>,
    },
    /// Take down that an endpoint answers, or does not.
    Endpoint {
        /// Its name, `POOL/NAME`.
        name: Arc<str>,
        /// Whether it does.
        up: bool,
        /// Why that changed.
        why: &'static str,
    },
}

/// One SGW or PGW to each client, one client to each SGW or PGW behind it (TS 29.274).
#[derive(Debug)]
pub struct FrontEnd {
    pub(crate) settings: Settings,
    /// Its restart counter: peers take a change for a loss of all sessions.
    pub(crate) recovery: u8,
    pub(crate) now: Duration,
    pub(crate) endpoints: Vec<Peer>,
    /// Which endpoint speaks from an address.
    pub(crate) endpoint_at: HashMap<IpAddr, u16>,
    pub(crate) clients: HashMap<IpAddr, Client>,
    pub(crate) sessions: Sessions,
    pub(crate) placed: u64,
    pub(crate) inbound: Inbound,
    pub(crate) outbound: Outbound<MessageType, Purpose>,
    pub(crate) farewells: VecDeque<Farewell>,
    /// How many ends are being told of.
    pub(crate) busy: u32,
    /// The request that was answered last.
    answered: Option<Origin>,
    outputs: VecDeque<Output>,
    pub(crate) counts: Counts,
}

impl FrontEnd {
    /// A front end without sessions. `recovery`: a restart counter that is greater than the one before; `seed`: of
    /// identifiers, different at each start.
    #[must_use]
    pub fn new(settings: Settings, recovery: u8, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let first = random.word();
        let mut front_end = Self {
            recovery,
            now: Duration::ZERO,
            endpoints: Vec::new(),
            endpoint_at: HashMap::default(),
            clients: HashMap::default(),
            sessions: Sessions::new(seed.rotate_left(32) ^ u64::from(random.word())),
            placed: 0,
            inbound: Inbound::default(),
            outbound: Outbound::new(first, NUMBERS),
            farewells: VecDeque::new(),
            busy: 0,
            answered: None,
            outputs: VecDeque::new(),
            counts: Counts::default(),
            settings,
        };
        front_end.settle();
        front_end.keep_front_end();
        front_end
    }

    /// Takes other settings over. An endpoint that is configured no more gets no new sessions, and keeps those that it has.
    pub fn configure(&mut self, settings: Settings) {
        self.settings = settings;
        self.settle();
    }

    /// Takes a datagram: a message, and perhaps one that is piggybacked on it (TS 29.274 5.5.1).
    pub fn receive(&mut self, now: Duration, from: SocketAddr, datagram: &[u8]) {
        self.now = now;
        self.answered = None;
        let (mark, mut whole) = (self.outputs.len(), 0);
        for message in Messages::new(datagram).take(2) {
            match message {
                Ok(message) if fits(&message, datagram, whole) => {
                    whole += 1;
                    self.take(from, &message, datagram);
                }
                Ok(message) => self.other_length(from, &message, whole),
                Err(Error::Version { version, .. }) if whole == 0 => self.other_version(from, version, datagram),
                Err(_) => self.counts.malformed += 1,
            }
        }
        if whole == 2 {
            self.join(mark);
        }
        self.work();
    }

    /// Does what is due by time alone.
    pub fn tick(&mut self, now: Duration) {
        self.now = now;
        while let Some(due) = self.outbound.due(now, self.settings.timers.t3) {
            match due {
                Due::Again(to, bytes) => {
                    self.counts.repeated += 1;
                    self.send(to, bytes);
                }
                Due::Lost(asked, purpose) => self.lost(asked, purpose),
            }
        }
        self.inbound.expire(now);
        self.tend_endpoints();
        self.work();
    }

    /// When [`FrontEnd::tick`] is to be called next at the latest; perhaps too early.
    #[must_use]
    pub fn next(&self) -> Duration {
        let soon = self.now.saturating_add(Duration::from_secs(1));
        self.endpoints.iter().map(|peer| peer.next).chain(self.outbound.next()).min().unwrap_or(soon).min(soon)
    }

    /// What the host is to do next.
    pub fn output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn take(&mut self, from: SocketAddr, message: &Message<'_>, datagram: &[u8]) {
        let kind = message.message_type();
        if matches!(kind, MessageType::Other(_)) {
            // TS 29.274 7.7.4.
            self.counts.unknown += 1;
        } else if kind == MessageType::EchoRequest {
            self.counts.requests += 1;
            self.echo(from, message);
        } else if kind.is_answer() {
            self.take_answer(from, message);
        } else {
            self.counts.requests += 1;
            let end = message.body_offset().saturating_add(message.body().len());
            let bytes = datagram.get(message.offset()..end).unwrap_or_default();
            let origin = Origin::of(from, message.sequence(), bytes);
            match self.see(origin) {
                Seen::New => self.request(origin, message),
                Seen::Pending => self.counts.retransmitted += 1,
                Seen::Answered(bytes) => {
                    self.counts.retransmitted += 1;
                    self.send(from, bytes);
                }
            }
        }
    }

    /// Takes a request down, unless it is known.
    fn see(&mut self, origin: Origin) -> Seen {
        let timers = self.settings.timers;
        // Its sender has given up by then; and one T3 for what was long under way.
        let until = self.now.saturating_add(timers.t3.saturating_mul(u32::from(timers.n3) + 1));
        self.inbound.see(origin, until, self.settings.bounds.answers)
    }

    /// A request that is new.
    fn request(&mut self, origin: Origin, message: &Message<'_>) {
        let done = match sender(message.message_type()) {
            // What is about nodes, and not about a session, would concern all that are behind the front end (7.9.2, 7.9.4).
            None if is_of_sets(message.message_type()) => Err(Refusal::plain(Cause::Rejected)),
            None if message.message_type().response().is_some() => Err(Refusal::plain(Cause::ServiceNotSupported)),
            // TS 29.274 7.7.5.
            None => {
                self.counts.unexpected += 1;
                Ok(())
            }
            Some(side) => self.request_of(side, origin, message),
        };
        if let Err(refusal) = done {
            self.refuse(origin, message, refusal);
        }
    }

    /// TS 29.274 7.7.3: a request of another length than its datagram's is answered.
    fn other_length(&mut self, from: SocketAddr, message: &Message<'_>, before: usize) {
        self.counts.malformed += 1;
        let kind = message.message_type();
        if kind.is_answer() || kind == MessageType::EchoRequest {
            return;
        }
        let origin = Origin { from, sequence: message.sequence(), digest: 0 };
        let cause = if before == 0 { Cause::InvalidLength } else { Cause::InvalidOverallLength };
        self.refuse(origin, message, Refusal::plain(cause));
    }

    /// TS 29.274 7.1.3, 7.7.2: says which version it is that is spoken here, to who speaks a later one and was not told.
    fn other_version(&mut self, from: SocketAddr, version: u8, datagram: &[u8]) {
        self.counts.malformed += 1;
        let [flags, kind, ..] = *datagram else { return };
        if version < 2 || kind == u8::from(MessageType::VersionNotSupportedIndication) {
            return;
        }
        let at = if flags & 8 != 0 { 8 } else { 4 };
        let sequence = match datagram.get(at..at + 3) {
            Some([a, b, c]) => u32::from_be_bytes([0, *a, *b, *c]),
            _ => 0,
        };
        let mut out = BytesMut::new();
        let writer = MessageWriter::new(&mut out, MessageType::VersionNotSupportedIndication, None, sequence);
        if writer.finish().is_ok() {
            self.send(from, out.freeze());
        }
    }

    /// Joins what two messages of one datagram became, where both go to the same peer: an answer, and a request behind it.
    fn join(&mut self, mark: usize) {
        let mut sends = (mark..).zip(self.outputs.iter().skip(mark)).filter_map(|(at, output)| match output {
            Output::Send { to, bytes } => Some((at, *to, bytes.clone())),
            _ => None,
        });
        let (Some((first, to, answer)), Some((second, also, request)), None) =
            (sends.next(), sends.next(), sends.next())
        else {
            return;
        };
        let kind = |bytes: &Bytes| bytes.get(1).copied().map_or(MessageType::Other(0), MessageType::from);
        let fits = kind(&answer).is_answer() && !kind(&request).is_answer() && to.ip() == also.ip();
        let Some(origin) = self.answered.filter(|origin| fits && origin.from == to) else { return };
        let mut joined = BytesMut::with_capacity(answer.len().saturating_add(request.len()));
        joined.extend_from_slice(&answer);
        if let Some(flags) = joined.first_mut() {
            *flags |= FOLLOWED;
        }
        joined.extend_from_slice(&request);
        let bytes = joined.freeze();
        // A retransmission is answered alike, and what is sent again is both (TS 29.274 7.6).
        self.inbound.answer(&origin, &bytes);
        if let Ok(asked) = Message::parse(&request) {
            self.outbound.goes_in((also, asked.sequence()), to, bytes.clone());
        }
        if let Some(output) = self.outputs.get_mut(second) {
            *output = Output::Send { to, bytes };
        }
        self.outputs.remove(first);
        self.counts.sent = self.counts.sent.saturating_sub(1);
    }

    pub(crate) fn push(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    pub(crate) fn send(&mut self, to: SocketAddr, bytes: Bytes) {
        self.counts.sent += 1;
        self.push(Output::Send { to, bytes });
    }

    /// Sends an answer, and remembers it.
    pub(crate) fn finish(&mut self, origin: Origin, bytes: Bytes) {
        self.inbound.answer(&origin, &bytes);
        self.answered = Some(origin);
        self.send(origin.from, bytes);
    }
}

/// Whether a message ends where its datagram does, or where the one behind it begins.
fn fits(message: &Message<'_>, datagram: &[u8], before: usize) -> bool {
    let end = message.body_offset().saturating_add(message.body().len());
    let last = before > 0 || !message.is_followed();
    message.missing() == 0 && (!last || end == datagram.len())
}

/// Whether a message is about sets of PDN connections that fail together.
fn is_of_sets(kind: MessageType) -> bool {
    matches!(kind, MessageType::DeletePdnConnectionSetRequest | MessageType::UpdatePdnConnectionSetRequest)
}

/// The flag of a message that another one is piggybacked on.
const FOLLOWED: u8 = 0x10;

/// Who sends a message about a session on S11, S4, S5, S8, S2a or S2b; none where it is none (TS 29.274 table 6.1-1).
fn sender(kind: MessageType) -> Option<Side> {
    match kind {
        MessageType::CreateSessionRequest
        | MessageType::ModifyBearerRequest
        | MessageType::DeleteSessionRequest
        | MessageType::ChangeNotificationRequest
        | MessageType::RemoteUeReportNotification
        | MessageType::ModifyBearerCommand
        | MessageType::DeleteBearerCommand
        | MessageType::BearerResourceCommand
        | MessageType::DownlinkDataNotificationFailureIndication
        | MessageType::TraceSessionActivation
        | MessageType::TraceSessionDeactivation
        | MessageType::CreateForwardingTunnelRequest
        | MessageType::SuspendNotification
        | MessageType::ResumeNotification
        | MessageType::CreateIndirectDataForwardingTunnelRequest
        | MessageType::DeleteIndirectDataForwardingTunnelRequest
        | MessageType::ReleaseAccessBearersRequest
        | MessageType::ModifyAccessBearersRequest => Some(Side::Client),
        MessageType::StopPagingIndication
        | MessageType::CreateBearerRequest
        | MessageType::UpdateBearerRequest
        | MessageType::DeleteBearerRequest
        | MessageType::PgwDownlinkTriggeringNotification
        | MessageType::DownlinkDataNotification => Some(Side::Endpoint),
        _ => None,
    }
}

/// Where a peer takes requests: answers come from there too.
pub(crate) fn port_of(address: IpAddr) -> SocketAddr {
    SocketAddr::new(address, PORT)
}
