//! What messages about UEs carry.

use pinion_protocols::ngap::{Element, ElementType, Message};

/// What the other end is to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Asks {
    /// Nothing.
    #[default]
    Nothing,
    /// To answer.
    Answer,
    /// To answer, and that is the end of it; or it is that answer.
    Last,
    /// To register the UE.
    Registration,
    /// To serve the UE again.
    Service,
    /// To let the UE go for good.
    Leave,
}

/// What a message about a UE carries as NAS PDU, so that whoever gets it can tell whether it is the right one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payload {
    /// Whose it is.
    pub ue: u32,
    /// Which of its connections, from 1.
    pub life: u32,
    /// Which message this way, of those about the UE between this gNB and this AMF, from 0.
    pub number: u32,
    /// Whether it goes to the AMF.
    pub up: bool,
    /// What the other end is to do.
    pub asks: Asks,
    /// From an AMF: its number. From a gNB: what time of the test it was, see [`super::Radio::mark`].
    pub mark: u32,
}

/// Security protected and ciphered (TS 24.501 9.3), which nobody between the ends looks into: message authentication
/// code and sequence number are not computed.
const HEADER: [u8; 7] = [0x7e, 2, 0, 0, 0, 0, 0];

impl Payload {
    /// Octets of a NAS PDU.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let words = [self.ue, self.life, self.number, self.mark];
        let mut octets = HEADER.to_vec();
        octets.extend(words.iter().flat_map(|word| word.to_be_bytes()));
        octets.extend([u8::from(self.up), self.asks as u8]);
        octets
    }

    /// Reads one; `None`: the octets are none.
    #[must_use]
    pub fn decode(octets: &[u8]) -> Option<Self> {
        let (words, rest) = octets.strip_prefix(&HEADER)?.split_first_chunk::<16>()?;
        let mut words = words.chunks_exact(4).filter_map(|word| Some(u32::from_be_bytes(word.try_into().ok()?)));
        let (ue, life, number, mark) = (words.next()?, words.next()?, words.next()?, words.next()?);
        let &[up, asks] = rest else { return None };
        let asks = match asks {
            0 => Asks::Nothing,
            1 => Asks::Answer,
            2 => Asks::Last,
            3 => Asks::Registration,
            4 => Asks::Service,
            5 => Asks::Leave,
            _ => return None,
        };
        Some(Self { ue, life, number, up: up == 1, asks, mark })
    }

    /// What a message carries.
    #[must_use]
    pub fn of(message: &Message<'_>) -> Option<Self> {
        let raw = message.elements().find(ElementType::NasPdu).ok()??;
        match raw.parse().ok()? {
            Element::NasPdu(octets) => Self::decode(&octets.joined()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for (number, asks) in
            [Asks::Nothing, Asks::Answer, Asks::Last, Asks::Registration, Asks::Service, Asks::Leave]
                .into_iter()
                .enumerate()
        {
            let number = u32::try_from(number).unwrap();
            let up = number.is_multiple_of(2);
            let payload = Payload { ue: 9_999, life: 3, number, up, asks, mark: u32::MAX };
            let octets = payload.encode();
            assert_eq!(Payload::decode(&octets), Some(payload));
            assert_eq!(Payload::decode(&octets[..octets.len() - 1]), None);
        }
        assert_eq!(Payload::decode(b"\x7e\x00\x41\x79\x00\x0b\xf2"), None);
    }
}
