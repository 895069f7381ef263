//! Puts user messages of SCTP together from the DATA chunks that they were cut into (RFC 9260 6.9), or the I-DATA chunks (RFC 8260 2.1).

use std::collections::{HashMap, VecDeque};

use pinion_protocols::sctp::{Data, DataFlags, IData};

/// One direction of an association, whatever the paths: the receiver's verification tag, and the ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Direction {
    pub(super) tag: u32,
    pub(super) source: u16,
    pub(super) destination: u16,
}

/// What a chunk carries: a user message, or a piece of one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece<'a> {
    flags: DataFlags,
    stream: u16,
    /// Number of the message in its stream.
    message: u32,
    /// Number of the piece; those of a message follow one another.
    number: u32,
    /// Whether the pieces of each message are numbered by themselves: so in I-DATA. In DATA it is those of the direction.
    by_message: bool,
    /// The payload protocol identifier; in I-DATA only the first piece has it.
    pub(super) protocol: Option<u32>,
    pub(super) payload: &'a [u8],
}

impl<'a> From<Data<'a>> for Piece<'a> {
    fn from(data: Data<'a>) -> Self {
        Self {
            flags: data.flags,
            stream: data.stream,
            message: data.sequence.into(),
            number: data.tsn,
            by_message: false,
            protocol: Some(data.protocol),
            payload: data.payload,
        }
    }
}

impl<'a> From<IData<'a>> for Piece<'a> {
    fn from(data: IData<'a>) -> Self {
        // The first piece has the protocol where the others have their numbers, and is number 0.
        let (protocol, number) = match data.flags.beginning() {
            true => (Some(data.protocol_or_fragment), 0),
            false => (None, data.protocol_or_fragment),
        };
        Self {
            flags: data.flags,
            stream: data.stream,
            message: data.message,
            number,
            by_message: true,
            protocol,
            payload: data.payload,
        }
    }
}

impl<'a> Piece<'a> {
    /// The message, where it is in one piece, and its protocol.
    pub(super) fn whole(&self) -> Option<(u32, &'a [u8])> {
        let protocol = self.protocol.filter(|_| self.flags.beginning() && self.flags.end())?;
        Some((protocol, self.payload))
    }

    fn key(&self, direction: Direction) -> Key {
        let of = self.of();
        Key { direction, of: self.by_message.then_some(of), number: self.number }
    }

    fn of(&self) -> Of {
        Of { stream: self.stream, message: self.message, unordered: self.flags.unordered() }
    }
}

/// What all pieces of a message have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Of {
    stream: u16,
    message: u32,
    unordered: bool,
}

/// What no two pieces have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    direction: Direction,
    /// Of which message, where each numbers its own pieces.
    of: Option<Of>,
    number: u32,
}

impl Key {
    fn moved(self, number: u32) -> Self {
        Self { number, ..self }
    }
}

/// Pieces of messages that are not whole. The one that waits longest gives way.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    waiting: HashMap<Key, Waiting>,
    /// In which order they came; some may be gone.
    order: VecDeque<(Key, u64)>,
    count: u64,
    bytes: usize,
}

#[derive(Debug)]
struct Waiting {
    since: u64,
    beginning: bool,
    end: bool,
    of: Of,
    protocol: Option<u32>,
    payload: Vec<u8>,
}

/// Pieces that wait at a time.
const MOST: usize = 4096;

/// Bytes of all of them.
const MOST_BYTES: usize = 16 << 20;

/// Pieces of one message: a message that has more is given up.
const MOST_OF_ONE: u32 = 1024;

impl Pieces {
    /// Takes a piece; gives the message that it completes, and its protocol. Pieces of a message have numbers one after another, between
    /// one that begins it and one that ends it.
    pub(super) fn add(&mut self, direction: Direction, piece: &Piece<'_>) -> Option<(u32, Vec<u8>)> {
        let key = piece.key(direction);
        if self.waiting.contains_key(&key) {
            return None;
        }
        self.count = self.count.wrapping_add(1);
        self.bytes = self.bytes.saturating_add(piece.payload.len());
        self.order.push_back((key, self.count));
        let waiting = Waiting {
            since: self.count,
            beginning: piece.flags.beginning(),
            end: piece.flags.end(),
            of: piece.of(),
            protocol: piece.protocol,
            payload: piece.payload.to_vec(),
        };
        self.waiting.insert(key, waiting);
        let whole = self.whole(key, piece.of());
        self.give_way();
        whole
    }

    fn whole(&mut self, key: Key, of: Of) -> Option<(u32, Vec<u8>)> {
        let piece = |number: u32| self.waiting.get(&key.moved(number)).filter(|piece| piece.of == of);
        let steps = 0..MOST_OF_ONE;
        let at = key.number;
        let before =
            steps.clone().find(|&step| piece(at.wrapping_sub(step)).is_none_or(|piece| piece.beginning))?;
        let after = steps.clone().find(|&step| piece(at.wrapping_add(step)).is_none_or(|piece| piece.end))?;
        let (first, last) = (at.wrapping_sub(before), at.wrapping_add(after));
        let protocol = piece(first).filter(|piece| piece.beginning)?.protocol?;
        piece(last).filter(|piece| piece.end)?;
        let mut message = Vec::new();
        for step in 0..=last.wrapping_sub(first) {
            if let Some(piece) = self.forget(key.moved(first.wrapping_add(step))) {
                message.extend_from_slice(&piece.payload);
            }
        }
        Some((protocol, message))
    }

    fn forget(&mut self, key: Key) -> Option<Waiting> {
        let piece = self.waiting.remove(&key)?;
        self.bytes = self.bytes.saturating_sub(piece.payload.len());
        Some(piece)
    }

    fn give_way(&mut self) {
        while self.waiting.len() > MOST || self.bytes > MOST_BYTES || self.order.len() > MOST.saturating_mul(2) {
            let Some((key, since)) = self.order.pop_front() else {
                return;
            };
            if self.waiting.get(&key).is_some_and(|piece| piece.since == since) {
                self.forget(key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use pinion_protocols::sctp::{Chunk, Packet};

    use super::*;

    const ONE: Direction = Direction { tag: 1, source: 5, destination: 38412 };
    const MIDDLE: u8 = 0;
    const END: u8 = 1;
    const BEGINNING: u8 = 2;
    const UNORDERED: u8 = 4;

    fn chunk(flags: u8, tsn: u32, sequence: u16, payload: &[u8]) -> Vec<u8> {
        let length = u16::try_from(16 + payload.len()).unwrap();
        let mut chunk = vec![0, flags];
        chunk.extend(length.to_be_bytes());
        chunk.extend(tsn.to_be_bytes());
        chunk.extend([0, 3]);
        chunk.extend(sequence.to_be_bytes());
        chunk.extend([0, 0, 0, 60]);
        chunk.extend(payload);
        chunk
    }

    /// I-DATA: of a first piece `last` is the protocol, of others their number.
    fn i_chunk(flags: u8, message: u32, last: u32, payload: &[u8]) -> Vec<u8> {
        let length = u16::try_from(20 + payload.len()).unwrap();
        let mut chunk = vec![0x40, flags];
        chunk.extend(length.to_be_bytes());
        chunk.extend([0, 0, 0, 7, 0, 3, 0, 0]);
        chunk.extend(message.to_be_bytes());
        chunk.extend(last.to_be_bytes());
        chunk.extend(payload);
        chunk
    }

    fn add(pieces: &mut Pieces, direction: Direction, chunk: &[u8]) -> Option<Vec<u8>> {
        let packet = [&[0; 12], chunk].concat();
        let raw = Packet::parse(&packet).unwrap().chunks().next().unwrap().unwrap();
        let piece = match raw.parse().unwrap() {
            Chunk::Data(data) => Piece::from(data),
            Chunk::IData(data) => Piece::from(data),
            _ => panic!(),
        };
        let (protocol, whole) = pieces.add(direction, &piece)?;
        assert_eq!(protocol, 60);
        Some(whole)
    }

    #[test]
    fn any_order_completes_even_over_the_last_number() {
        let mut pieces = Pieces::default();
        assert_eq!(add(&mut pieces, ONE, &chunk(END, 1, 9, b"d")), None);
        assert_eq!(add(&mut pieces, ONE, &chunk(BEGINNING, u32::MAX - 1, 9, b"a")), None);
        assert_eq!(add(&mut pieces, ONE, &chunk(MIDDLE, 0, 9, b"c")), None);
        assert_eq!(add(&mut pieces, ONE, &chunk(MIDDLE, 0, 9, b"again")), None);
        let other = Direction { tag: 2, ..ONE };
        assert_eq!(add(&mut pieces, other, &chunk(MIDDLE, u32::MAX, 9, b"x")), None);
        assert_eq!(add(&mut pieces, ONE, &chunk(MIDDLE, u32::MAX, 9, b"b")).unwrap(), b"abcd");
        assert_eq!((pieces.waiting.len(), pieces.bytes), (1, 1));
    }

    #[test]
    fn pieces_of_other_messages_are_not_taken() {
        let mut pieces = Pieces::default();
        assert_eq!(add(&mut pieces, ONE, &chunk(BEGINNING, 10, 1, b"a")), None);
        assert_eq!(add(&mut pieces, ONE, &chunk(END, 11, 2, b"b")), None);
        assert_eq!(add(&mut pieces, ONE, &chunk(BEGINNING, 12, 3, b"c")), None);
        assert_eq!(add(&mut pieces, ONE, &chunk(END, 13, 3, b"d")).unwrap(), b"cd");
    }

    // The pieces of several messages may alternate; their TSNs, here all the same, say nothing.
    #[test]
    fn rfc8260_2_1_each_message_numbers_its_pieces() {
        let mut pieces = Pieces::default();
        assert_eq!(add(&mut pieces, ONE, &i_chunk(BEGINNING, 1, 60, b"a")), None);
        assert_eq!(add(&mut pieces, ONE, &i_chunk(END, 2, 2, b"z")), None);
        assert_eq!(add(&mut pieces, ONE, &i_chunk(BEGINNING, 2, 60, b"x")), None);
        assert_eq!(add(&mut pieces, ONE, &i_chunk(END, 1, 1, b"b")).unwrap(), b"ab");
        assert_eq!(add(&mut pieces, ONE, &i_chunk(MIDDLE | UNORDERED, 2, 1, b"!")), None);
        assert_eq!(add(&mut pieces, ONE, &i_chunk(MIDDLE, 2, 1, b"y")).unwrap(), b"xyz");
        assert_eq!((pieces.waiting.len(), pieces.bytes), (1, 1));
    }

    #[test]
    fn it_is_bounded() {
        let mut pieces = Pieces::default();
        for tsn in 0..10_000 {
            assert_eq!(add(&mut pieces, ONE, &chunk(MIDDLE, tsn * 2, 1, b"aaaa")), None);
            assert!(pieces.waiting.len() <= MOST && pieces.order.len() <= 2 * MOST);
        }
        assert_eq!(pieces.bytes, 4 * MOST);
        // A message of too many pieces is none.
        let mut pieces = Pieces::default();
        assert_eq!(add(&mut pieces, ONE, &chunk(BEGINNING, 0, 1, b"a")), None);
        for tsn in 1..=MOST_OF_ONE {
            assert_eq!(add(&mut pieces, ONE, &chunk(MIDDLE, tsn, 1, b"a")), None);
        }
        assert_eq!(add(&mut pieces, ONE, &chunk(END, MOST_OF_ONE + 1, 1, b"a")), None);
    }

    #[test]
    fn bounds_hold() {
        bolero::check!().with_type::<Vec<(u8, u8, u8)>>().for_each(|input| {
            let mut pieces = Pieces::default();
            let mut given = 0;
            for &(flags, tsn, sequence) in input {
                if flags & 3 != 3 {
                    let chunk = chunk(flags & 7, tsn.into(), (sequence & 1).into(), b"ab");
                    given += add(&mut pieces, ONE, &chunk).map_or(0, |whole| whole.len());
                }
            }
            let held: usize = pieces.waiting.values().map(|piece| piece.payload.len()).sum();
            assert_eq!(held, pieces.bytes);
            assert!(given + held <= 2 * input.len());
        });
    }
}
