//! The NGAP messages that gNBs and AMFs exchange: Uplink and Downlink NAS Transport (TS 38.413 9.2.5.3, 9.2.5.2) with a
//! 5GMM STATUS (TS 24.501 8.2.29) in them. Their identifiers say who sent them and what they answer.

use bytes::Bytes;

/// Identifiers begin here, so that each takes as many bytes as any other.
const RAN_FIRST: u32 = 1 << 24;

/// What a message says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    /// Whether it goes to the AMF.
    pub(crate) up: bool,
    /// The AMF that sends it, from 1; uplink: any number but 0.
    pub(crate) amf: u8,
    /// The gNB at the other end.
    pub(crate) gnb: u8,
    /// The request's number, below 2^24; a response has its request's.
    pub(crate) number: u32,
}

impl Said {
    /// The message, as NGAP-PDU.
    pub(crate) fn encode(self) -> Bytes {
        let [r0, r1, r2, r3] = (RAN_FIRST | self.number & (RAN_FIRST - 1)).to_be_bytes();
        let (begin, end): (&[u8], &[u8]) = if self.up { (&UP, &UP_END) } else { (&DOWN, &DOWN_END) };
        // AMF-UE-NGAP-ID of five bytes, RAN-UE-NGAP-ID of four.
        let ids = [&[0, 10, 0, 6, 0x80, self.amf, 0, 0, 0, self.gnb][..], &[0, 85, 0, 5, 0xc0, r0, r1, r2, r3]];
        [begin, &ids.concat(), end].concat().into()
    }

    /// Reads a message of this kind; `None`: it is another.
    pub(crate) fn read(message: &[u8]) -> Option<Self> {
        let (up, rest) = match (message.strip_prefix(&UP[..]), message.strip_prefix(&DOWN[..])) {
            (Some(rest), _) => (true, rest),
            (_, Some(rest)) => (false, rest),
            _ => return None,
        };
        let (amf_id, rest) = rest.split_first_chunk::<10>()?;
        let (ran_id, _) = rest.split_first_chunk::<9>()?;
        let [0, 10, 0, 6, 0x80, amf, 0, 0, 0, gnb] = *amf_id else { return None };
        let [0, 85, 0, 5, 0xc0, r0, r1, r2, r3] = *ran_id else { return None };
        let number = u32::from_be_bytes([r0, r1, r2, r3]).checked_sub(RAN_FIRST)?;
        Some(Self { up, amf, gnb, number })
    }
}

/// Procedure, criticality, length, and the list of information elements.
const UP: [u8; 7] = [0x00, 46, 0x40, 50, 0, 0, 4];
const DOWN: [u8; 7] = [0x00, 4, 0x40, 31, 0, 0, 3];
/// The NAS-PDU: 5GMM STATUS, protocol error.
const DOWN_END: [u8; 9] = [0, 38, 0, 5, 4, 0x7e, 0, 0x64, 0x6f];
/// The NAS-PDU, and where the UE is: PLMN 001/01, cell 16, tracking area 1.
const UP_END: [u8; 28] = [
    0, 38, 0, 5, 4, 0x7e, 0, 0x64, 0x6f, 0, 121, 0x40, 15, 0x40, 0, 0xf1, 0x10, 0, 0, 0, 1, 0, 0, 0xf1, 0x10, 0,
    0, 1,
];

#[cfg(test)]
mod tests {
    use super::*;

    const UPLINK: Said = Said { up: true, amf: 1, gnb: 5, number: 77 };
    const DOWNLINK: Said = Said { up: false, amf: 3, gnb: 5, number: 77 };

    #[test]
    fn messages_are_pycrates() {
        let hex = |said: Said| said.encode().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        assert_eq!(
            hex(UPLINK),
            "002e4032000004000a000680010000000500550005c00100004d00260005047e00646f0079400f4000f110000000010000f110000001"
        );
        assert_eq!(hex(DOWNLINK), "0004401f000003000a000680030000000500550005c00100004d00260005047e00646f");
    }

    #[test]
    fn what_is_said_is_read() {
        for said in [UPLINK, DOWNLINK] {
            assert_eq!(Said::read(&said.encode()), Some(said));
            assert_eq!(Said::read(&said.encode()[..20]), None);
        }
        bolero::check!().for_each(|bytes| {
            if let Some(said) = Said::read(bytes) {
                assert_eq!(Said::read(&said.encode()), Some(said));
            }
        });
    }
}
