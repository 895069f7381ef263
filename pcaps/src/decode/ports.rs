//! Which UDP ports carry what.

use pinion_protocols::{gtpu, pfcp};

/// A protocol that is recognized by a UDP port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Service {
    /// GTP-U and GTPv1-C.
    Gtp,
    /// GTP version 0 and GTP'.
    GtpPrime,
    /// SCTP in UDP (RFC 6951).
    Sctp,
    /// PFCP.
    Pfcp,
}

/// RFC 6951 5.1.
const SCTP_IN_UDP: u16 = 9899;

/// Ports of other protocols below 9899. A datagram between one of them and a higher port of ours is theirs, as in Wireshark, which
/// asks the lower port first.
const OTHERS: [u16; 141] = [
    7, 13, 19, 37, 49, 53, 67, 68, 69, 111, 123, 137, 138, 161, 162, 173, 213, 269, 319, 320, 389, 427, 434, 464,
    496, 513, 514, 520, 521, 524, 525, 546, 547, 631, 664, 701, 853, 854, 910, 921, 925, 1001, 1113, 1153, 1194,
    1293, 1628, 1629, 1718, 1719, 1745, 1755, 1900, 2099, 2157, 2221, 2222, 2246, 2268, 2269, 2313, 2345, 2887,
    2944, 2945, 2948, 2949, 3000, 3130, 3205, 3250, 3343, 3357, 3389, 3452, 3455, 3503, 3544, 3567, 3671, 3784,
    3785, 3804, 3863, 4305, 4306, 4307, 4341, 4342, 4500, 4551, 4555, 4569, 4729, 4739, 4754, 4784, 4789, 4790,
    4791, 4991, 5031, 5072, 5094, 5246, 5247, 5350, 5351, 5353, 5355, 5404, 5405, 5436, 5567, 5683, 5684, 5868,
    6073, 6081, 6118, 6160, 6635, 6784, 6970, 7074, 7075, 7255, 7275, 7784, 8200, 8600, 8755, 8767, 8848, 9200,
    9201, 9202, 9203, 9214, 9875, 9877,
];

/// What a datagram between two ports carries. The lower port decides.
pub(super) fn service(source: u16, destination: u16) -> Option<Service> {
    let (low, high) = (source.min(destination), source.max(destination));
    if OTHERS.binary_search(&low).is_ok() {
        return None;
    }
    [low, high].into_iter().find_map(|port| match port {
        gtpu::PORT | gtpu::CONTROL_PORT => Some(Service::Gtp),
        gtpu::old::PORT => Some(Service::GtpPrime),
        SCTP_IN_UDP => Some(Service::Sctp),
        pfcp::PORT => Some(Service::Pfcp),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_port_will_do() {
        assert_eq!(service(2152, 2152), Some(Service::Gtp));
        assert_eq!(service(61458, 2152), Some(Service::Gtp));
        assert_eq!(service(2123, 1024), Some(Service::Gtp));
        assert_eq!(service(3386, 40000), Some(Service::GtpPrime));
        assert_eq!(service(9899, 9899), Some(Service::Sctp));
        assert_eq!(service(5060, 5060), None);
    }

    // tshark 4.0 on UDP datagrams of every source port with one and the same GTP message: the lower port decides.
    #[test]
    fn a_lower_port_of_another_protocol_wins() {
        assert_eq!(service(53, 2152), None);
        assert_eq!(service(2152, 123), None);
        assert_eq!(service(2152, 4789), Some(Service::Gtp));
        assert_eq!(service(4789, 9899), None);
        assert_eq!(service(2152, 9899), Some(Service::Gtp));
    }
}
