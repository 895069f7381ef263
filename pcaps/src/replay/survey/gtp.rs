//! As much of GTP-U (TS 29.281) as tells a tunnel's ends apart.

use crate::replay::headers::at;

const ECHO_REQUEST: u8 = 1;
const TUNNEL_STATUS: u8 = 253;

/// PDU Session Container (TS 29.281 5.2.1, TS 38.415).
const PDU_SESSION_CONTAINER: u8 = 0x85;

/// A message that makes its receiver or its sender a GTP-U service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Gtp {
    pub(super) way: Way,
}

/// Which way the user's data goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// To the core.
    Up,
    /// To the radio network.
    Down,
    /// The message does not say.
    Unknown,
}

impl Gtp {
    /// Reads a datagram's payload; `None` where it is neither an echo request nor belongs to a tunnel.
    pub(super) fn read(payload: &[u8]) -> Option<Self> {
        let [flags, kind, l0, l1, teid @ ..]: [u8; 8] = at(payload, 0)?;
        let length = usize::from(u16::from_be_bytes([l0, l1]));
        if flags >> 4 != 3 || length > payload.len().saturating_sub(8) {
            return None;
        }
        match kind {
            ECHO_REQUEST => Some(Self { way: Way::Unknown }),
            TUNNEL_STATUS.. if teid != [0; 4] => Some(Self { way: way(flags, payload).unwrap_or(Way::Unknown) }),
            _ => None,
        }
    }
}

/// Of the PDU session container, where it is the first extension header.
fn way(flags: u8, payload: &[u8]) -> Option<Way> {
    let [next, _, first]: [u8; 3] = at(payload, 11)?;
    if flags & 4 == 0 || next != PDU_SESSION_CONTAINER {
        return None;
    }
    // TS 38.415 5.5.2: PDU type 0 goes down, 1 up.
    match first >> 4 {
        0 => Some(Way::Down),
        1 => Some(Way::Up),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_container_tells_the_way() {
        let pdu = |kind: u8| [0x34, 255, 0, 8, 0, 0, 0, 1, 0, 0, 0, 0x85, 1, kind, 9, 0];
        assert_eq!(Gtp::read(&pdu(0x00)), Some(Gtp { way: Way::Down }));
        assert_eq!(Gtp::read(&pdu(0x10)), Some(Gtp { way: Way::Up }));
        let plain = Gtp::read(&[0x30, 255, 0, 0, 0, 0, 0, 1]);
        assert_eq!(plain, Some(Gtp { way: Way::Unknown }));
    }

    #[test]
    fn what_names_no_tunnel_makes_no_service() {
        assert_eq!(Gtp::read(&[0x30, 255, 0, 0, 0, 0, 0, 0]), None);
        assert_eq!(Gtp::read(&[0x32, 26, 0, 0, 0, 0, 0, 1]), None);
        assert_eq!(Gtp::read(&[0x48, 255, 0, 0, 0, 0, 0, 1]), None);
        assert_eq!(Gtp::read(&[0x30, 255, 0, 1, 0, 0, 0, 1]), None);
        assert_eq!(Gtp::read(&[0x30]), None);
    }
}
