//! What the kernel tells of an association (RFC 6458 6.1), as events.

use std::net::IpAddr;

use super::options::{
    ASSOC_CHANGE, PEER_ADDR_CHANGE, REMOTE_ERROR, SEND_FAILED_EVENT, SHUTDOWN_EVENT, STORAGE, address_of,
};
use crate::Event;

/// What must be known to tell.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Circumstances {
    /// The peer asked for the association.
    pub(super) accepted: bool,
    /// The kernel has an error that says that the peer refused.
    pub(super) refused: bool,
}

/// States of `struct sctp_assoc_change`.
const UP: u16 = 0;
const LOST: u16 = 1;
const RESTART: u16 = 2;
const SHUT_DOWN: u16 = 3;
const NOT_STARTED: u16 = 4;
/// Its bytes without the ABORT chunk that may follow.
const ASSOC_CHANGE_LENGTH: usize = 20;

/// The event of a notification; none where nobody wants to hear it.
pub(super) fn event(bytes: &[u8], circumstances: Circumstances) -> Option<Event> {
    match half(bytes, 0)? {
        ASSOC_CHANGE => change(bytes, circumstances),
        PEER_ADDR_CHANGE => {
            let address: IpAddr = address_of(bytes.get(8..)?)?.ip();
            let state = word(bytes, 8 + STORAGE)?;
            path(state, address)
        }
        REMOTE_ERROR => Some(Event::PeerError(network_half(bytes, 8)?)),
        SHUTDOWN_EVENT => Some(Event::PeerShutdown),
        SEND_FAILED_EVENT => Some(Event::SendFailed {
            context: word(bytes, 20)?,
            stream: half(bytes, 12)?,
            sent: half(bytes, 2)? & 1 == 1,
        }),
        _ => None,
    }
}

fn change(bytes: &[u8], Circumstances { accepted, refused }: Circumstances) -> Option<Event> {
    let cause = network_half(bytes, 10)?;
    let by_peer = bytes.len() > ASSOC_CHANGE_LENGTH || refused;
    Some(match half(bytes, 8)? {
        UP => {
            Event::Established { accepted, outbound_streams: half(bytes, 12)?, inbound_streams: half(bytes, 14)? }
        }
        LOST | NOT_STARTED if by_peer || cause != 0 => Event::Aborted { cause, by_peer: true },
        LOST | NOT_STARTED => Event::Lost,
        RESTART => Event::Restarted,
        SHUT_DOWN => Event::Closed,
        _ => return None,
    })
}

/// States of `struct sctp_paddr_change`.
fn path(state: u32, address: IpAddr) -> Option<Event> {
    Some(match state {
        // Available, confirmed.
        0 | 5 => Event::PathUp(address),
        1 => Event::PathDown(address),
        2 => Event::AddressDeleted(address),
        3 => Event::AddressAdded(address),
        6 => Event::PathPotentiallyFailed(address),
        _ => return None,
    })
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|half| u16::from_ne_bytes(*half))
}

fn network_half(bytes: &[u8], at: usize) -> Option<u16> {
    half(bytes, at).map(u16::from_be)
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|word| u32::from_ne_bytes(*word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assoc_change(state: u16, error: u16, more: usize) -> Vec<u8> {
        let mut bytes = ASSOC_CHANGE.to_ne_bytes().to_vec();
        bytes.extend([0; 6]);
        bytes.extend(state.to_ne_bytes());
        bytes.extend(error.to_be_bytes());
        bytes.extend([7_u16, 8].map(u16::to_ne_bytes).concat());
        bytes.resize(ASSOC_CHANGE_LENGTH + more, 0);
        bytes
    }

    #[test]
    fn an_end_says_whose_it_was() {
        let any = Circumstances::default();
        assert_eq!(event(&assoc_change(LOST, 0, 0), any), Some(Event::Lost));
        assert_eq!(event(&assoc_change(LOST, 0, 4), any), Some(Event::Aborted { cause: 0, by_peer: true }));
        assert_eq!(event(&assoc_change(LOST, 12, 4), any), Some(Event::Aborted { cause: 12, by_peer: true }));
        let refused = Circumstances { refused: true, ..any };
        let nobody = Event::Aborted { cause: 0, by_peer: true };
        assert_eq!(event(&assoc_change(NOT_STARTED, 0, 0), refused), Some(nobody));
        assert_eq!(event(&assoc_change(SHUT_DOWN, 0, 0), any), Some(Event::Closed));
        let up = Event::Established { accepted: false, outbound_streams: 7, inbound_streams: 8 };
        assert_eq!(event(&assoc_change(UP, 0, 0), any), Some(up));
        assert_eq!(event(&[1], any), None);
    }
}
