//! Requests of our own: numbered, and sent again until they are answered (TS 29.244 6.4,
//! TS 29.274 7.6).

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use foldhash::HashMap;

/// Who is asked, and with which number.
pub type Key = (SocketAddr, u32);

/// How many numbers there are where they have 24 bits.
pub const NUMBERS: u32 = 1 << 24;

/// Requests that were not answered yet: `K` is the type of an answer, `P` what a request is for.
#[derive(Debug)]
pub struct Outbound<K, P> {
    /// How many numbers there are.
    numbers: u32,
    /// The next number, of those of all peers; after a restart another one, or peers would give old answers.
    next: u32,
    /// Behind the last number that may be used.
    end: u32,
    asked: HashMap<Key, Asked<K, P>>,
    /// When each is due, which with one T1 for all is in their order.
    timers: VecDeque<(Duration, Key)>,
}

#[derive(Debug)]
struct Asked<K, P> {
    /// Where it is sent.
    to: SocketAddr,
    /// What is sent; none where only an answer that comes too late is waited for.
    bytes: Option<Bytes>,
    answer: K,
    left: u8,
    due: Duration,
    purpose: P,
}

/// What becomes of a request whose time has come.
#[derive(Debug, PartialEq, Eq)]
pub enum Due<P> {
    /// It is sent again.
    Again(SocketAddr, Bytes),
    /// It was sent often enough: who was asked, with which number, and what for.
    Lost(Key, P),
}

/// How many numbers are reserved at once.
const AHEAD: u32 = 4_096;

impl<K, P> Outbound<K, P> {
    /// Begins to count at a number, of so many, of which there is at least one.
    #[must_use]
    pub fn new(first: u32, numbers: u32) -> Self {
        let numbers = numbers.max(1);
        let next = first % numbers;
        Self { numbers, next, end: next, asked: HashMap::default(), timers: VecDeque::new() }
    }

    /// Whether the next number is beyond those that were said to be used; then more are.
    pub fn reserve(&mut self) -> bool {
        // A step over numbers in use may have gone beyond the end.
        let left = self.end.wrapping_sub(self.next) % self.numbers;
        let beyond = left == 0 || left > AHEAD;
        if beyond {
            self.end = self.next.wrapping_add(AHEAD) % self.numbers;
        }
        beyond
    }

    /// The number behind all that were used, and that may be until more are reserved.
    #[must_use]
    pub fn end(&self) -> u32 {
        self.end
    }

    /// The number of the next request to a peer.
    pub fn number(&mut self, to: SocketAddr) -> u32 {
        // As many requests as there are numbers are never under way at once.
        while self.asked.contains_key(&(to, self.next)) {
            self.next = self.next.wrapping_add(1) % self.numbers;
        }
        let number = self.next;
        self.next = number.wrapping_add(1) % self.numbers;
        number
    }

    /// How many were not answered yet.
    #[must_use]
    pub fn len(&self) -> usize {
        self.asked.len()
    }

    /// Whether all were answered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.asked.is_empty()
    }

    /// Takes a request down that was sent `tries` times less than it may be.
    pub fn ask(&mut self, key: Key, bytes: Bytes, answer: K, purpose: P, (due, tries): (Duration, u8)) {
        self.take_down(key, Some(bytes), answer, purpose, (due, tries));
    }

    /// Waits on for an answer to what was lost, for so many times T1: the first of them ends at `due`.
    pub fn wait_on(&mut self, key: Key, answer: K, purpose: P, (due, times): (Duration, u8)) {
        self.take_down(key, None, answer, purpose, (due, times));
    }

    fn take_down(&mut self, key: Key, bytes: Option<Bytes>, answer: K, purpose: P, (due, times): (Duration, u8)) {
        self.timers.push_back((due, key));
        self.asked.insert(key, Asked { to: key.0, bytes, answer, left: times.saturating_sub(1), due, purpose });
    }

    /// What was asked, where this is the answer.
    pub fn answered(&mut self, from: SocketAddr, number: u32, is: impl FnOnce(&K) -> bool) -> Option<P> {
        let key = (from, number);
        let wanted = self.asked.get(&key).is_some_and(|asked| is(&asked.answer));
        if wanted { self.asked.remove(&key).map(|asked| asked.purpose) } else { None }
    }

    /// Sends a request of ours otherwise from now on: the datagram that it went in, and where that went.
    pub fn goes_in(&mut self, (to, number): Key, at: SocketAddr, bytes: Bytes) {
        if let Some(asked) = self.asked.get_mut(&(to, number)) {
            (asked.to, asked.bytes) = (at, Some(bytes));
        }
    }

    /// What was asked with a number, and is not answered yet.
    #[must_use]
    pub fn purpose(&self, from: SocketAddr, number: u32) -> Option<&P> {
        self.asked.get(&(from, number)).map(|asked| &asked.purpose)
    }

    /// Whether something is not answered yet that was for this.
    pub fn waits_for(&self, is: impl Fn(&P) -> bool) -> bool {
        self.asked.values().any(|asked| is(&asked.purpose))
    }

    /// Takes back what need not be answered any more.
    pub fn cancel(&mut self, is: impl Fn(&P) -> bool) -> Vec<P> {
        self.asked.extract_if(|_, asked| is(&asked.purpose)).map(|(_, asked)| asked.purpose).collect()
    }

    /// The next request whose time has come.
    pub fn due(&mut self, now: Duration, t1: Duration) -> Option<Due<P>> {
        while let Some((due, key)) = self.timers.front().copied().filter(|(due, _)| *due <= now) {
            self.timers.pop_front();
            let Some(asked) = self.asked.get_mut(&key).filter(|asked| asked.due == due) else { continue };
            if let Some(left) = asked.left.checked_sub(1) {
                asked.left = left;
                asked.due = now.saturating_add(t1);
                self.timers.push_back((asked.due, key));
                match &asked.bytes {
                    Some(bytes) => return Some(Due::Again(asked.to, bytes.clone())),
                    None => continue,
                }
            }
            return self.asked.remove(&key).map(|asked| Due::Lost(key, asked.purpose));
        }
        None
    }

    /// When [`Outbound::due`] is to be asked next; perhaps too early.
    #[must_use]
    pub fn next(&self) -> Option<Duration> {
        self.timers.front().map(|(due, _)| *due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T1: Duration = Duration::from_secs(3);
    /// The type of an answer.
    const ANSWER: u8 = 2;

    fn peer(last: u8) -> SocketAddr {
        ([192, 0, 2, last], 8805).into()
    }

    fn ask(outbound: &mut Outbound<u8, u8>, to: SocketAddr, purpose: u8) -> u32 {
        let number = outbound.number(to);
        outbound.ask((to, number), Bytes::from_static(b"?"), ANSWER, purpose, (T1, 3));
        number
    }

    #[test]
    fn no_number_is_given_twice() {
        let mut outbound = Outbound::new(1, NUMBERS);
        let numbers = [peer(1), peer(1), peer(2)].map(|to| ask(&mut outbound, to, 0));
        assert_eq!(numbers, [1, 2, 3]);
    }

    #[test]
    fn numbers_begin_again_and_step_over_those_in_use() {
        let mut outbound = Outbound::new(1, NUMBERS);
        ask(&mut outbound, peer(1), 0);
        outbound.next = NUMBERS - 1;
        let numbers: Vec<u32> = (0..4).map(|_| ask(&mut outbound, peer(1), 0)).collect();
        assert_eq!(numbers, [NUMBERS - 1, 0, 2, 3]);
    }

    #[test]
    fn the_answer_is_of_the_peer_the_number_and_the_type() {
        let mut outbound = Outbound::new(1, NUMBERS);
        let number = ask(&mut outbound, peer(1), 5);
        assert_eq!(outbound.answered(peer(2), number, |it| *it == ANSWER), None);
        assert_eq!(outbound.answered(peer(1), number, |it| *it == 3), None);
        assert_eq!(outbound.answered(peer(1), number, |it| *it == ANSWER), Some(5));
        assert_eq!(outbound.answered(peer(1), number, |it| *it == ANSWER), None);
    }

    #[test]
    fn numbers_are_reserved_before_they_are_used() {
        let mut outbound = Outbound::new(NUMBERS - 2, NUMBERS);
        let mut reserved = 0;
        for used in 0..=2 * AHEAD {
            reserved += u32::from(outbound.reserve());
            assert_eq!(reserved, 1 + used / AHEAD);
            let number = ask(&mut outbound, peer(1), 0);
            assert!((outbound.end().wrapping_sub(number) % NUMBERS) <= AHEAD);
            assert_ne!(number, outbound.end());
        }
        // What is in use is stepped over.
        let ahead = outbound.next;
        outbound.next = NUMBERS - 2;
        outbound.end = NUMBERS - 1;
        assert!(!outbound.reserve());
        assert_eq!(ask(&mut outbound, peer(1), 0), ahead);
        assert!(outbound.reserve());
    }

    /// TS 29.244 6.4: sent N1 times in all, each T1 after the one before.
    #[test]
    fn is_sent_again_and_then_lost() {
        let mut outbound = Outbound::new(1, NUMBERS);
        ask(&mut outbound, peer(1), 5);
        assert_eq!(outbound.due(T1 - Duration::from_millis(1), T1), None);
        for round in 1..=2 {
            assert_eq!(outbound.next(), Some(round * T1));
            assert_eq!(outbound.due(round * T1, T1), Some(Due::Again(peer(1), Bytes::from_static(b"?"))));
            assert_eq!(outbound.due(round * T1, T1), None);
        }
        assert_eq!(outbound.due(3 * T1, T1), Some(Due::Lost((peer(1), 1), 5)));
        assert_eq!(outbound.due(9 * T1, T1), None);
        assert!(outbound.asked.is_empty());
    }

    /// TS 29.274 7.6: with what it was piggybacked on.
    #[test]
    fn what_is_sent_again_may_be_more() {
        let mut outbound = Outbound::new(1, NUMBERS);
        let number = ask(&mut outbound, peer(1), 5);
        let elsewhere = ([192, 0, 2, 1], 40_000).into();
        outbound.goes_in((peer(1), number), elsewhere, Bytes::from_static(b"!?"));
        assert_eq!(outbound.due(T1, T1), Some(Due::Again(elsewhere, Bytes::from_static(b"!?"))));
        assert_eq!(outbound.answered(peer(1), number, |_| true), Some(5));
    }

    #[test]
    fn an_answer_may_come_too_late() {
        let mut outbound = Outbound::new(1, NUMBERS);
        let key = (peer(1), 1);
        for answers in [true, false] {
            outbound.wait_on(key, ANSWER, 6, (T1, 2));
            assert_eq!(outbound.due(T1, T1), None);
            assert_eq!(
                outbound.answered(peer(1), 1, |it| *it == ANSWER).filter(|_| answers),
                answers.then_some(6)
            );
            assert_eq!(outbound.due(2 * T1, T1), None);
        }
        outbound.wait_on(key, ANSWER, 6, (T1, 2));
        assert_eq!(outbound.due(T1, T1), None);
        assert_eq!(outbound.due(2 * T1, T1), Some(Due::Lost(key, 6)));
    }
}
