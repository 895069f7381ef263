//! Puts user messages of SCTP together from the DATA chunks that they were cut into (RFC 9260 6.9).

use std::collections::{HashMap, VecDeque};

use pinion_protocols::sctp::Data;

/// One direction of an association, whatever the paths: the receiver's verification tag, and the ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Direction {
    pub(super) tag: u32,
    pub(super) source: u16,
    pub(super) destination: u16,
}

/// Pieces of messages that are not whole. The one that waits longest gives way.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    waiting: HashMap<(Direction, u32), Piece>,
    /// In which order they came; some may be gone.
    order: VecDeque<((Direction, u32), u64)>,
    count: u64,
    bytes: usize,
}

#[derive(Debug)]
struct Piece {
    number: u64,
    beginning: bool,
    end: bool,
    /// What all pieces of a message have in common: stream, its sequence number, and whether order counts.
    of: (u16, u16, bool),
    payload: Vec<u8>,
}

/// Pieces that wait at a time.
const MOST: usize = 4096;

/// Bytes of all of them.
const MOST_BYTES: usize = 16 << 20;

/// Pieces of one message: a message that has more is given up.
const MOST_OF_ONE: u32 = 1024;

impl Pieces {
    /// Takes a piece; gives the message that it completes. Pieces of a message have numbers one after another, between one that
    /// begins it and one that ends it.
    pub(super) fn add(&mut self, direction: Direction, data: &Data<'_>) -> Option<Vec<u8>> {
        let key = (direction, data.tsn);
        if self.waiting.contains_key(&key) {
            return None;
        }
        self.count = self.count.wrapping_add(1);
        self.bytes = self.bytes.saturating_add(data.payload.len());
        self.order.push_back((key, self.count));
        let of = (data.stream, data.sequence, data.flags.unordered());
        let (beginning, end) = (data.flags.beginning(), data.flags.end());
        let payload = data.payload.to_vec();
        self.waiting.insert(key, Piece { number: self.count, beginning, end, of, payload });
        let whole = self.whole(direction, data.tsn, of);
        self.give_way();
        whole
    }

    fn whole(&mut self, direction: Direction, tsn: u32, of: (u16, u16, bool)) -> Option<Vec<u8>> {
        let piece = |tsn: u32| self.waiting.get(&(direction, tsn)).filter(|piece| piece.of == of);
        let steps = 0..MOST_OF_ONE;
        let before =
            steps.clone().find(|&step| piece(tsn.wrapping_sub(step)).is_none_or(|piece| piece.beginning))?;
        let after = steps.clone().find(|&step| piece(tsn.wrapping_add(step)).is_none_or(|piece| piece.end))?;
        let (first, last) = (tsn.wrapping_sub(before), tsn.wrapping_add(after));
        (piece(first)?.beginning && piece(last)?.end).then_some(())?;
        let mut message = Vec::new();
        for step in 0..=last.wrapping_sub(first) {
            if let Some(piece) = self.forget((direction, first.wrapping_add(step))) {
                message.extend_from_slice(&piece.payload);
            }
        }
        Some(message)
    }

    fn forget(&mut self, key: (Direction, u32)) -> Option<Piece> {
        let piece = self.waiting.remove(&key)?;
        self.bytes = self.bytes.saturating_sub(piece.payload.len());
        Some(piece)
    }

    fn give_way(&mut self) {
        while self.waiting.len() > MOST || self.bytes > MOST_BYTES || self.order.len() > MOST.saturating_mul(2) {
            let Some((key, number)) = self.order.pop_front() else {
                return;
            };
            if self.waiting.get(&key).is_some_and(|piece| piece.number == number) {
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

    fn add(pieces: &mut Pieces, direction: Direction, chunk: &[u8]) -> Option<Vec<u8>> {
        let packet = [&[0; 12], chunk].concat();
        let raw = Packet::parse(&packet).unwrap().chunks().next().unwrap().unwrap();
        let Chunk::Data(data) = raw.parse().unwrap() else { panic!() };
        pieces.add(direction, &data)
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
