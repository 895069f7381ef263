//! Several messages in one datagram (TS 29.244 6.5).

use pinion_protocols::pfcp::Message;

use super::super::Datagram;

/// FO: another message follows (TS 29.244 7.2.2.2).
const FOLLOWED: u8 = 0x04;

/// Puts neighbouring session messages between the same two sockets together, as long as they fit, and says how many
/// datagrams have several now.
pub(super) fn together(datagrams: Vec<Datagram>, longest: usize) -> (Vec<Datagram>, u64) {
    let mut out: Vec<Datagram> = Vec::new();
    // Where the last message of the last datagram begins.
    let mut last = 0;
    let mut bundles = 0;
    for datagram in datagrams {
        let joined = match out.last_mut() {
            Some(before)
                if (before.from, before.to) == (datagram.from, datagram.to)
                    && is_session(before.bytes.get(last..).unwrap_or_default())
                    && is_session(&datagram.bytes)
                    && before.bytes.len() + datagram.bytes.len() <= longest =>
            {
                bundles += u64::from(last == 0);
                if let Some(flags) = before.bytes.get_mut(last) {
                    *flags |= FOLLOWED;
                }
                last = before.bytes.len();
                before.bytes.extend(&datagram.bytes);
                true
            }
            _ => false,
        };
        if !joined {
            last = 0;
            out.push(datagram);
        }
    }
    (out, bundles)
}

fn is_session(message: &[u8]) -> bool {
    Message::parse(message).is_ok_and(|message| message.message_type().is_session() == Some(true))
}
