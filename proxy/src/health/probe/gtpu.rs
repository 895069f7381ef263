//! GTP-U Echo (TS 29.281 7.2.1, 7.2.2). The request comes from any port, and its answer goes there (TS 29.281 4.4.2.1).

use pinion_protocols::gtpu::{MessageType, Packet};

use super::udp::Reading;

/// An Echo Request: version 1, with a sequence number, for no tunnel.
pub fn echo_request(sequence: u16) -> [u8; 12] {
    let [high, low] = sequence.to_be_bytes();
    [0x32, u8::from(MessageType::EchoRequest), 0, 4, 0, 0, 0, 0, high, low, 0, 0]
}

/// Whether a datagram is the Echo Response to the request with this sequence number.
pub fn read(datagram: &[u8], sequence: u16) -> Reading {
    let Ok(packet) = Packet::parse(datagram) else { return Reading::Other };
    let answers = packet.message_type() == MessageType::EchoResponse
        && packet.missing() == 0
        && packet.sequence() == Ok(Some(sequence));
    if answers { Reading::Answer } else { Reading::Other }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// scapy 2.8.0: `GTP_U_Header(S=1, PT=1, teid=0, seq=0x1234) / GTPEchoRequest()`.
    #[test]
    fn the_request_is_scapys() {
        assert_eq!(echo_request(0x1234), *b"\x32\x01\x00\x04\0\0\0\0\x12\x34\0\0");
    }

    /// scapy 2.8.0: `GTP_U_Header(S=1, teid=0, seq=0x1234) / GTPEchoResponse(IE_list=[IE_Recovery(restart_counter=0)])`.
    const RESPONSE: [u8; 14] = *b"\x32\x02\x00\x06\0\0\0\0\x12\x34\0\0\x0e\0";

    #[test]
    fn only_its_own_answer_counts() {
        assert_eq!(read(&RESPONSE, 0x1234), Reading::Answer);
        assert_eq!(read(&RESPONSE, 0x1235), Reading::Other);
        assert_eq!(read(&echo_request(0x1234), 0x1234), Reading::Other);
        for length in 0..RESPONSE.len() {
            assert_eq!(read(&RESPONSE[..length], 0x1234), Reading::Other);
        }
        let mut without_sequence = RESPONSE;
        without_sequence[0] = 0x30;
        assert_eq!(read(&without_sequence, 0x1234), Reading::Other);
    }

    #[test]
    fn any_bytes_are_read() {
        bolero::check!().with_type::<(Vec<u8>, u16)>().for_each(|(datagram, sequence)| {
            if read(datagram, *sequence) == Reading::Answer {
                assert_eq!(datagram[1], 2);
                assert_eq!(datagram[8..10], sequence.to_be_bytes());
            }
        });
    }
}
