use pinion_steering::{Packet, REACH, Round, Tables, Work};

/// A packet in memory.
#[derive(Default)]
pub(super) struct Bytes {
    bytes: Vec<u8>,
}

impl Bytes {
    pub(super) fn set(&mut self, frame: &[u8]) {
        self.bytes.clear();
        self.bytes.extend_from_slice(frame);
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// The headroom that XDP leaves in front of a packet.
const HEADROOM: usize = 256;

impl Packet for Bytes {
    fn len(&self) -> usize {
        self.bytes.len()
    }

    fn whole(&self) -> usize {
        self.bytes.len()
    }

    fn load<const N: usize>(&self, at: usize) -> Option<[u8; N]> {
        if at > REACH {
            return None;
        }
        self.bytes.get(at..)?.first_chunk().copied()
    }

    fn store<const N: usize>(&mut self, at: usize, bytes: [u8; N]) -> Option<()> {
        if at > REACH {
            return None;
        }
        *self.bytes.get_mut(at..)?.first_chunk_mut()? = bytes;
        Some(())
    }

    fn grow_front(&mut self, by: usize) -> Option<()> {
        if by > HEADROOM {
            return None;
        }
        self.bytes.splice(0..0, std::iter::repeat_n(0, by));
        Some(())
    }

    fn shrink_front(&mut self, by: usize) -> Option<()> {
        if by + crate::engine::LEAST > self.bytes.len() {
            return None;
        }
        self.bytes.drain(..by);
        Some(())
    }

    fn resize_tail(&mut self, by: i32) -> Option<()> {
        let length = self.bytes.len().checked_add_signed(by as isize)?;
        if length < crate::engine::LEAST {
            return None;
        }
        self.bytes.resize(length, 0);
        Some(())
    }

    fn repeat<T: Tables>(&mut self, most: u32, round: Round, tables: &T, work: &mut Work) {
        for _ in 0..most {
            if !pinion_steering::round(round, self, tables, work) {
                break;
            }
        }
    }
}
