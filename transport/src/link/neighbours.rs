//! Who is where on the link: the conceptual neighbour cache of RFC 4861 5.1, for IPv4's ARP too.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use super::ethernet::Mac;
use super::packet::Packet;
use crate::Time;

/// How long things are believed and waited for, and how many are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// Between two questions that nobody answers (RFC 4861 10, RETRANS_TIMER).
    pub again: Duration,
    /// Questions without an answer after which nobody is there (MAX_MULTICAST_SOLICIT).
    pub questions: u8,
    /// An answer is not doubted for so long (REACHABLE_TIME).
    pub reachable: Duration,
    /// Neighbours that are known or asked for at a time; the one that was not used for longest makes room.
    pub neighbours: usize,
    /// Packets that wait for one neighbour; the oldest makes room.
    pub waiting: usize,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            again: Duration::from_secs(1),
            questions: 3,
            reachable: Duration::from_secs(30),
            neighbours: 1024,
            waiting: 64,
        }
    }
}

/// A question to be put on the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Whose Ethernet address is wanted.
    pub address: IpAddr,
    /// Own address that a packet to it comes from.
    pub source: IpAddr,
    /// Who had it and is asked alone; otherwise everybody is.
    pub to: Option<Mac>,
}

/// The neighbours of one link. Packets to one that is not known yet wait here.
#[derive(Debug)]
pub struct Neighbours {
    timing: Timing,
    entries: BTreeMap<IpAddr, Entry>,
    /// The entries that wait for something, by when they do no longer.
    due: BTreeSet<(Time, IpAddr)>,
    asks: VecDeque<Ask>,
    lost: u64,
}

#[derive(Debug)]
struct Entry {
    state: State,
    /// Own address that it was last asked for with.
    source: IpAddr,
    used: Time,
    due: Option<Time>,
}

#[derive(Debug)]
enum State {
    /// Nobody has answered yet.
    Incomplete { asked: u8, waiting: VecDeque<Packet> },
    /// It is there, and not to be doubted until then.
    Known { mac: Mac, until: Time },
    /// It was there and is asked whether it still is; packets go there meanwhile.
    Probed { mac: Mac, asked: u8 },
}

impl Neighbours {
    /// None known yet.
    pub fn new(timing: Timing) -> Self {
        Self { timing, entries: BTreeMap::new(), due: BTreeSet::new(), asks: VecDeque::new(), lost: 0 }
    }

    /// Where a packet for `next_hop` goes now; none where it waits for an answer.
    pub fn resolve(&mut self, now: Time, next_hop: IpAddr, packet: Packet) -> Option<(Mac, Packet)> {
        let timing = self.timing;
        let source = packet.source;
        let Some(entry) = self.entries.get_mut(&next_hop) else {
            self.make_room();
            let state = State::Incomplete { asked: 1, waiting: VecDeque::from([packet]) };
            self.entries.insert(next_hop, Entry { state, source, used: now, due: None });
            self.ask(next_hop, source, None);
            self.wait(next_hop, now.after(timing.again));
            return None;
        };
        entry.used = now;
        match &mut entry.state {
            State::Incomplete { waiting, .. } => {
                if waiting.len() >= timing.waiting {
                    waiting.pop_front();
                    self.lost = self.lost.saturating_add(1);
                }
                waiting.push_back(packet);
                None
            }
            State::Known { mac, until } => {
                let (mac, until) = (*mac, *until);
                if now >= until {
                    entry.state = State::Probed { mac, asked: 1 };
                    entry.source = source;
                    self.ask(next_hop, source, Some(mac));
                    self.wait(next_hop, now.after(timing.again));
                }
                Some((mac, packet))
            }
            State::Probed { mac, .. } => Some((*mac, packet)),
        }
    }

    /// A neighbour answered: it is there, if it was asked. What waited for it may go.
    pub fn answered(&mut self, now: Time, address: IpAddr, mac: Mac) -> VecDeque<Packet> {
        let state = self.entries.get(&address).map(|entry| &entry.state);
        let asked = matches!(state, Some(State::Incomplete { .. } | State::Probed { .. }));
        self.learn(now, address, mac, asked)
    }

    /// A neighbour said of itself where it is, which shows nobody that packets get there. That makes no entry
    /// (RFC 4861 7.2.5). What waited for it may go.
    pub fn announced(&mut self, now: Time, address: IpAddr, mac: Mac) -> VecDeque<Packet> {
        self.learn(now, address, mac, false)
    }

    /// A neighbour asked for one of our addresses, and said where it is itself: it will be talked to.
    pub fn asked_by(&mut self, now: Time, address: IpAddr, source: IpAddr, mac: Mac) -> VecDeque<Packet> {
        if !self.entries.contains_key(&address) {
            self.make_room();
            let state = State::Known { mac, until: now };
            self.entries.insert(address, Entry { state, source, used: now, due: None });
        }
        self.learn(now, address, mac, false)
    }

    /// The next question to be put.
    pub fn poll_ask(&mut self) -> Option<Ask> {
        self.asks.pop_front()
    }

    /// When [`Neighbours::expire`] is to be called.
    pub fn deadline(&self) -> Option<Time> {
        self.due.first().map(|(due, _)| *due)
    }

    /// Asks again, or gives up those that have not answered often enough.
    pub fn expire(&mut self, now: Time) {
        while let Some((due, address)) = self.due.first().copied()
            && due <= now
        {
            self.due.pop_first();
            self.unanswered(now, address);
        }
    }

    /// Packets that were given up.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// Where a neighbour is, as far as is known.
    pub fn get(&self, address: IpAddr) -> Option<Mac> {
        match &self.entries.get(&address)?.state {
            State::Incomplete { .. } => None,
            State::Known { mac, .. } | State::Probed { mac, .. } => Some(*mac),
        }
    }

    /// Takes an address for an existing entry; `sure` where it answers a question.
    fn learn(&mut self, now: Time, address: IpAddr, mac: Mac, sure: bool) -> VecDeque<Packet> {
        let Some(entry) = self.entries.get_mut(&address) else { return VecDeque::new() };
        let until = match &entry.state {
            State::Known { mac: old, until } if !sure && *old == mac => *until,
            // It may be wrong: doubted at its next use.
            _ if !sure => now,
            _ => now.after(self.timing.reachable),
        };
        let probed = matches!(&entry.state, State::Probed { mac: old, .. } if *old == mac);
        if probed && !sure {
            return VecDeque::new();
        }
        let known = State::Known { mac, until };
        let waiting = match std::mem::replace(&mut entry.state, known) {
            State::Incomplete { waiting, .. } => waiting,
            State::Known { .. } | State::Probed { .. } => VecDeque::new(),
        };
        if let Some(due) = entry.due.take() {
            self.due.remove(&(due, address));
        }
        waiting
    }

    fn unanswered(&mut self, now: Time, address: IpAddr) {
        let Some(entry) = self.entries.get_mut(&address) else { return };
        entry.due = None;
        let source = entry.source;
        let (asked, to) = match &mut entry.state {
            State::Incomplete { asked, .. } => (asked, None),
            State::Probed { mac, asked } => (asked, Some(*mac)),
            State::Known { .. } => return,
        };
        if *asked >= self.timing.questions {
            return self.remove(address);
        }
        *asked = asked.saturating_add(1);
        self.ask(address, source, to);
        self.wait(address, now.after(self.timing.again));
    }

    fn remove(&mut self, address: IpAddr) {
        let Some(entry) = self.entries.remove(&address) else { return };
        if let Some(due) = entry.due {
            self.due.remove(&(due, address));
        }
        if let State::Incomplete { waiting, .. } = entry.state {
            self.lost = self.lost.saturating_add(u64::try_from(waiting.len()).unwrap_or(u64::MAX));
        }
    }

    fn make_room(&mut self) {
        while self.entries.len() >= self.timing.neighbours.max(1) {
            let oldest = self.entries.iter().min_by_key(|(_, entry)| entry.used).map(|(address, _)| *address);
            let Some(oldest) = oldest else { return };
            self.remove(oldest);
        }
    }

    fn ask(&mut self, address: IpAddr, source: IpAddr, to: Option<Mac>) {
        // Nobody takes the questions: they come again.
        if self.asks.len() < self.timing.neighbours.max(1) {
            self.asks.push_back(Ask { address, source, to });
        }
    }

    fn wait(&mut self, address: IpAddr, due: Time) {
        if let Some(entry) = self.entries.get_mut(&address) {
            entry.due = Some(due);
            self.due.insert((due, address));
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    const OWN: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const THERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));
    const MAC: Mac = Mac([2, 0, 0, 0, 0, 2]);
    const OTHER: Mac = Mac([2, 0, 0, 0, 0, 3]);

    fn at(seconds: u64) -> Time {
        Time::from_micros(seconds * 1_000_000)
    }

    fn packet(number: u8) -> Packet {
        Packet::new(OWN, THERE, 132, Bytes::copy_from_slice(&[number]))
    }

    fn neighbours() -> Neighbours {
        Neighbours::new(Timing { waiting: 2, neighbours: 2, ..Timing::default() })
    }

    fn known(at: Time) -> Neighbours {
        let mut neighbours = neighbours();
        neighbours.resolve(at, THERE, packet(0));
        neighbours.poll_ask();
        neighbours.answered(at, THERE, MAC);
        neighbours
    }

    #[test]
    fn packets_wait_for_an_answer_and_the_oldest_makes_room() {
        let mut neighbours = neighbours();
        for number in 1..=3 {
            assert_eq!(neighbours.resolve(at(0), THERE, packet(number)), None);
        }
        assert_eq!(neighbours.poll_ask(), Some(Ask { address: THERE, source: OWN, to: None }));
        assert_eq!(neighbours.poll_ask(), None);
        assert_eq!(neighbours.lost(), 1);
        assert_eq!(neighbours.answered(at(0), THERE, MAC), [packet(2), packet(3)]);
        assert_eq!(neighbours.resolve(at(29), THERE, packet(4)), Some((MAC, packet(4))));
        assert_eq!((neighbours.poll_ask(), neighbours.deadline()), (None, None));
    }

    // RFC 4861 10: three questions, a second apart.
    #[test]
    fn rfc4861_7_2_2_nobody_is_there_after_three_questions() {
        let mut neighbours = neighbours();
        neighbours.resolve(at(0), THERE, packet(1));
        let mut questions = 0;
        while let Some(due) = neighbours.deadline() {
            questions += u32::from(neighbours.poll_ask().is_some());
            neighbours.expire(due);
            assert!(due <= at(3));
        }
        assert_eq!((questions, neighbours.lost(), neighbours.get(THERE)), (3, 1, None));
    }

    #[test]
    fn rfc4861_7_3_3_one_that_is_doubted_is_asked_alone_and_used_meanwhile() {
        let mut neighbours = known(at(0));
        assert!(neighbours.resolve(at(30), THERE, packet(1)).is_some());
        assert_eq!(neighbours.poll_ask(), Some(Ask { address: THERE, source: OWN, to: Some(MAC) }));
        assert!(neighbours.resolve(at(30), THERE, packet(2)).is_some());
        assert_eq!(neighbours.poll_ask(), None);
        neighbours.answered(at(30), THERE, MAC);
        assert_eq!(neighbours.deadline(), None);
        // And once it does not answer it is forgotten.
        assert!(neighbours.resolve(at(60), THERE, packet(3)).is_some());
        for second in 61..=63 {
            neighbours.expire(at(second));
        }
        assert_eq!(neighbours.get(THERE), None);
    }

    #[test]
    fn rfc4861_7_2_5_an_answer_that_nobody_asked_for_makes_no_entry() {
        let mut neighbours = neighbours();
        assert!(neighbours.answered(at(0), THERE, MAC).is_empty());
        assert!(neighbours.announced(at(0), THERE, MAC).is_empty());
        assert_eq!(neighbours.get(THERE), None);
        let mut neighbours = known(at(0));
        neighbours.answered(at(1), THERE, OTHER);
        assert_eq!(neighbours.get(THERE), Some(OTHER));
    }

    #[test]
    fn rfc4861_7_2_5_only_an_answer_to_a_question_confirms() {
        for take in [Neighbours::announced, Neighbours::answered] {
            // Where it is known already it is doubted as soon as before.
            let mut neighbours = known(at(0));
            take(&mut neighbours, at(20), THERE, MAC);
            assert_eq!(neighbours.resolve(at(29), THERE, packet(1)), Some((MAC, packet(1))));
            assert_eq!(neighbours.poll_ask(), None);
            assert_eq!(neighbours.resolve(at(30), THERE, packet(1)), Some((MAC, packet(1))));
            assert!(neighbours.poll_ask().is_some_and(|ask| ask.to == Some(MAC)));
            // Where it is somewhere else it is doubted at once.
            let mut neighbours = known(at(0));
            take(&mut neighbours, at(1), THERE, OTHER);
            assert_eq!(neighbours.resolve(at(1), THERE, packet(1)), Some((OTHER, packet(1))));
            assert!(neighbours.poll_ask().is_some_and(|ask| ask.to == Some(OTHER)));
        }
        // Whoever is asked must answer.
        let mut neighbours = known(at(0));
        neighbours.resolve(at(30), THERE, packet(1));
        neighbours.announced(at(30), THERE, MAC);
        assert_eq!(neighbours.deadline(), Some(at(31)));
        // Packets need not wait for longer, but the neighbour is asked.
        let mut neighbours = self::neighbours();
        neighbours.resolve(at(0), THERE, packet(1));
        neighbours.poll_ask();
        assert_eq!(neighbours.announced(at(0), THERE, MAC), [packet(1)]);
        assert!(neighbours.resolve(at(0), THERE, packet(2)).is_some());
        assert!(neighbours.poll_ask().is_some_and(|ask| ask.to == Some(MAC)));
    }

    // RFC 4861 7.2.3: made stale by a solicitation, and so asked at its first use.
    #[test]
    fn rfc4861_7_2_3_who_asks_is_known_and_doubted() {
        let mut neighbours = neighbours();
        assert!(neighbours.asked_by(at(5), THERE, OWN, MAC).is_empty());
        assert_eq!(neighbours.resolve(at(5), THERE, packet(1)), Some((MAC, packet(1))));
        assert!(neighbours.poll_ask().is_some_and(|ask| ask.to == Some(MAC)));
    }

    #[test]
    fn the_one_not_used_for_longest_makes_room() {
        let mut neighbours = known(at(0));
        let hosts: [IpAddr; 2] = [[192, 0, 2, 3].into(), [192, 0, 2, 4].into()];
        for (host, second) in hosts.into_iter().zip(1..) {
            neighbours.asked_by(at(second), host, OWN, OTHER);
        }
        assert_eq!(neighbours.get(THERE), None);
        assert!(hosts.iter().all(|host| neighbours.get(*host) == Some(OTHER)));
    }
}
