//! Which side of a conversation serves.

use pinion_steering::protocol;

use crate::replay::headers::Headers;

/// What one packet says of that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// It opens a conversation with the server, beyond doubt.
    Opens,
    /// It goes to the server.
    Asks,
    /// It is from the server.
    Answers,
}

impl Role {
    pub(super) fn to_server(self) -> bool {
        self != Self::Answers
    }
}

const SYN: u8 = 0x02;
const ACK: u8 = 0x10;

/// Chunk types (RFC 9260 3.2).
const INIT: u8 = 1;
const INIT_ACK: u8 = 2;
const COOKIE_ECHO: u8 = 10;
const COOKIE_ACK: u8 = 11;

/// By the flags and chunks that only one side sends; else by the ports, of which the better known one serves; else the first packet
/// of a conversation is taken as the client's.
pub(super) fn role(headers: &Headers) -> Role {
    match (headers.protocol, headers.kind) {
        (protocol::TCP, flags) if flags & SYN != 0 => {
            if flags & ACK == 0 {
                Role::Opens
            } else {
                Role::Answers
            }
        }
        (protocol::SCTP, INIT | COOKIE_ECHO) => Role::Opens,
        (protocol::SCTP, INIT_ACK | COOKIE_ACK) => Role::Answers,
        _ if obscurity(headers.source_port) < obscurity(headers.destination_port) => Role::Answers,
        _ => Role::Asks,
    }
}

/// Ports that cores serve at: GTP, PFCP, Diameter, SIP, M2UA, M3UA, Megaco, SUA, and the applications over SCTP from S1AP to E1AP.
const CORE: [u16; 25] = [
    2123, 2152, 2904, 2905, 2944, 2945, 3386, 3868, 5060, 5061, 5868, 8805, 14_001, 25_471, 29_118, 29_168,
    29_169, 36_412, 36_422, 36_443, 36_444, 38_412, 38_422, 38_462, 38_472,
];

/// How unlikely it is that something is served at a port.
fn obscurity(port: u16) -> u8 {
    match port {
        _ if CORE.contains(&port) => 0,
        0..1024 => 1,
        1024..32_768 => 2,
        32_768.. => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pinion_steering::Address;

    fn headers(protocol: u8, kind: u8, source_port: u16, destination_port: u16) -> Headers {
        Headers {
            source: Address::v4([192, 0, 2, 1]),
            destination: Address::v4([192, 0, 2, 2]),
            network: 14,
            transport: 34,
            end: 60,
            source_port,
            destination_port,
            protocol,
            kind,
            flags: 0,
            tag: 0,
        }
    }

    #[test]
    fn what_only_one_side_sends_decides() {
        let judged = |protocol, kind, from, to| role(&headers(protocol, kind, from, to));
        assert_eq!(judged(protocol::TCP, SYN, 80, 50_000), Role::Opens);
        assert_eq!(judged(protocol::TCP, SYN | ACK, 50_000, 80), Role::Answers);
        assert_eq!(judged(protocol::SCTP, INIT, 38_412, 38_412), Role::Opens);
        assert_eq!(judged(protocol::SCTP, COOKIE_ACK, 9, 9), Role::Answers);
    }

    #[test]
    fn the_better_known_port_serves() {
        let judged = |protocol, from, to| role(&headers(protocol, 0, from, to));
        assert_eq!(judged(protocol::UDP, 53, 40_000), Role::Answers);
        assert_eq!(judged(protocol::UDP, 8805, 53), Role::Answers);
        assert_eq!(judged(protocol::SCTP, 3868, 40_000), Role::Answers);
        assert_eq!(judged(protocol::TCP, 7777, 40_000), Role::Answers);
        assert_eq!(judged(protocol::UDP, 8805, 8805), Role::Asks);
        assert_eq!(judged(protocol::UDP, 50_000, 40_000), Role::Asks);
    }
}
