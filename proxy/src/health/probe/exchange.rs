//! One socket for all probes of a kind and family: a task owns it, and knows which probes wait for an answer.

use std::collections::HashMap;
use std::future::pending;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use pinion_protocols::ip::Ipv4;
use tokio::sync::{mpsc, oneshot};
use tokio::time::sleep;
use tracing::warn;

use super::socket::{Arrival, Packets};
use super::{Ends, Reply};
use crate::health::outcome::{Failure, IcmpError, Obstacle, Outcome};

/// How a protocol's packets are made and read. Addresses are not its concern.
pub(super) trait Wire: Send + Sync + 'static {
    /// A port or number of our own that `draw` makes; what follows on `draw` makes others.
    fn local(&self, draw: u64) -> u16;

    /// The question: what goes behind the IP header.
    fn question(&self, port: u16, local: u16, draw: u64) -> Vec<u8>;

    /// What a packet says, if it answers such a question.
    fn read(&self, packet: &[u8]) -> Option<Heard>;

    /// Port and own number of the question whose first bytes an ICMP error quotes.
    fn quoted(&self, quotation: &[u8]) -> Option<(u16, u16)>;

    /// What must come back in [`Heard::secret`] for a question that `draw` made.
    fn secret(&self, draw: u64) -> u64;
}

/// What a packet says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Heard {
    /// The port that was asked.
    pub(super) port: u16,
    /// Our own port or number.
    pub(super) local: u16,
    /// What only the one who was asked knows.
    pub(super) secret: u64,
    /// What the answer is.
    pub(super) reply: Result<(), Failure>,
    /// What is to be sent in return.
    pub(super) then: Option<Vec<u8>>,
}

/// The probes' side: questions for the task. The task ends with it.
#[derive(Debug)]
pub(super) struct Exchange(mpsc::Sender<Question>);

#[derive(Debug)]
struct Question {
    ends: Ends,
    draws: [u64; 2],
    answer: oneshot::Sender<Reply>,
}

/// At most so many questions wait for an answer; those that gave up are forgotten first.
const MOST_OUT: usize = 4096;

/// Questions that wait to be sent.
const QUEUE: usize = 64;

/// Answers are shorter; longer packets are cut.
const LONGEST: usize = 16 * 1024;

/// A number that another question to the same place has is not given again; so many are tried.
const TRIES: u64 = 16;

/// After a failure to receive that does not go away, this is waited.
const RECOVERY: Duration = Duration::from_millis(100);

impl Exchange {
    /// Starts the task. `ip_header`: packets come with their IPv4 header.
    pub(super) fn start<W: Wire>(socket: Packets, wire: W, ip_header: bool) -> Self {
        let (questions, asked) = mpsc::channel(QUEUE);
        let task = Task { socket, wire, ip_header, out: HashMap::new() };
        tokio::spawn(task.run(asked));
        Self(questions)
    }

    /// Asks and waits for the answer; without end, if none comes.
    pub(super) async fn ask(&self, ends: Ends, draws: [u64; 2]) -> Reply {
        let (answer, reply) = oneshot::channel();
        let broken = |()| Err(Obstacle::Broken.into());
        if self.0.send(Question { ends, draws, answer }).await.is_err() {
            return broken(());
        }
        match reply.await {
            Ok(reply) => reply,
            // Its place was taken after it had given up, or the task has ended.
            Err(_) if self.0.is_closed() => broken(()),
            Err(_) => pending().await,
        }
    }
}

struct Task<W> {
    socket: Packets,
    wire: W,
    ip_header: bool,
    out: HashMap<Key, Waiting>,
}

/// What tells questions apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    peer: IpAddr,
    port: u16,
    local: u16,
}

struct Waiting {
    secret: u64,
    from: Option<IpAddr>,
    answer: oneshot::Sender<Reply>,
}

impl<W: Wire> Task<W> {
    async fn run(mut self, mut asked: mpsc::Receiver<Question>) {
        let mut buffer = vec![0; LONGEST];
        loop {
            tokio::select! {
                question = asked.recv() => match question {
                    Some(question) => self.ask(question).await,
                    None => return,
                },
                arrival = self.socket.receive(&mut buffer) => match arrival {
                    Ok(arrival) => self.hear(arrival, &buffer).await,
                    Err(error) => {
                        warn!(%error, "cannot receive answers to probes");
                        sleep(RECOVERY).await;
                    }
                },
            }
        }
    }

    async fn ask(&mut self, Question { ends: Ends { to, from }, draws: [draw, other], answer }: Question) {
        if self.out.len() >= MOST_OUT {
            self.out.retain(|_, waiting| !waiting.answer.is_closed());
        }
        let Some(key) = self.free(to, other).filter(|_| self.out.len() < MOST_OUT) else {
            let _ = answer.send(Err(Obstacle::Crowded.into()));
            return;
        };
        let packet = self.wire.question(key.port, key.local, draw);
        match self.socket.send(&packet, Some(key.peer), from).await {
            Ok(()) => {
                self.out.insert(key, Waiting { secret: self.wire.secret(draw), from, answer });
            }
            Err(error) => {
                let _ = answer.send(Err(Outcome::of_call("send", &error)));
            }
        }
    }

    fn free(&self, to: SocketAddr, draw: u64) -> Option<Key> {
        let key = |local| Key { peer: to.ip(), port: to.port(), local };
        let taken = |key: &Key| self.out.get(key).is_some_and(|waiting| !waiting.answer.is_closed());
        let mut keys = (0..TRIES).map(|tried| key(self.wire.local(draw.wrapping_add(tried))));
        keys.find(|key| !taken(key))
    }

    async fn hear(&mut self, arrival: Arrival, buffer: &[u8]) {
        match arrival {
            Arrival::Packet { from, length } => {
                let packet = buffer.get(..length).unwrap_or_default();
                let Some((peer, packet)) = self.strip(from, packet) else { return };
                let Some(heard) = self.wire.read(packet) else { return };
                self.answer(peer, heard).await;
            }
            Arrival::Error { to, icmp, length } => {
                let quotation = buffer.get(..length).unwrap_or_default();
                if let (Some(peer), Some((port, local))) = (to, self.wire.quoted(quotation)) {
                    self.refuse(Key { peer, port, local }, icmp);
                }
            }
        }
    }

    /// The sender of a packet, and what is behind the IP header.
    fn strip<'a>(&self, from: Option<IpAddr>, packet: &'a [u8]) -> Option<(IpAddr, &'a [u8])> {
        if self.ip_header {
            let ip = Ipv4::parse(packet).ok()?;
            Some((ip.source.into(), ip.payload))
        } else {
            Some((from?, packet))
        }
    }

    async fn answer(&mut self, peer: IpAddr, heard: Heard) {
        let key = Key { peer, port: heard.port, local: heard.local };
        if self.out.get(&key).is_none_or(|waiting| waiting.secret != heard.secret) {
            return;
        }
        let Some(waiting) = self.out.remove(&key) else { return };
        let _ = waiting.answer.send(heard.reply.map_err(Outcome::from));
        if let Some(packet) = heard.then {
            // The peer forgets by itself where this does not reach it.
            let _: io::Result<()> = self.socket.send(&packet, Some(peer), waiting.from).await;
        }
    }

    fn refuse(&mut self, key: Key, icmp: IcmpError) {
        if let Some(waiting) = self.out.remove(&key) {
            let _ = waiting.answer.send(Err(Failure::Icmp(icmp).into()));
        }
    }
}
