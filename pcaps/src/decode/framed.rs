//! What PFCP and GTPv2-C are decoded alike by: their messages are framed alike.

use pinion_protocols::framed::{self, Elements, Error, Messages, Protocol, RawElement};

use super::Message;
use super::network::{Ends, Walk};

/// Names of a protocol's fields that a header has which is not whole.
pub(super) struct Names {
    /// What the first octet says.
    pub(super) first: fn(u8) -> (&'static str, u8),
    /// Type of the message.
    pub(super) kind: &'static str,
    /// Its length.
    pub(super) length: &'static str,
}

/// The messages of one datagram: one, or several. `fields` adds what is in one.
pub(super) fn messages<P: Protocol>(
    walk: &mut Walk<'_>,
    ends: Ends,
    datagram: &[u8],
    names: &Names,
    fields: fn(&mut Message, &framed::Message<'_, P>) -> Result<(), Error<P>>,
) {
    for parsed in Messages::<P>::new(datagram) {
        let mut message = walk.message(P::NAME, ends);
        match parsed {
            Ok(parsed) => {
                if let Err(error) = fields(&mut message, &parsed) {
                    message.fail(error);
                }
                missing(&mut message, &parsed);
            }
            Err(error) => {
                cut(&mut message, datagram.get(error.offset()..).unwrap_or_default(), names);
                message.fail(error);
            }
        }
        walk.keep(message);
    }
}

/// The elements of a message or a group; `element` adds what is in one. One that says too little is told of, and those behind it
/// are still read.
pub(super) fn elements<P: Protocol>(
    message: &mut Message,
    elements: Elements<'_, P>,
    element: fn(&mut Message, &RawElement<'_, P>) -> Result<(), Error<P>>,
) -> Result<(), Error<P>> {
    for raw in elements {
        match element(message, &raw?) {
            Err(error @ Error::Value { .. }) => message.fail(error),
            other => other?,
        }
    }
    Ok(())
}

fn missing<P: Protocol>(message: &mut Message, parsed: &framed::Message<'_, P>) {
    let (missing, length, at) = (parsed.missing(), parsed.length(), parsed.offset().saturating_add(2));
    if missing > 0 {
        message.fail(format_args!("{} length at offset {at}: {missing} bytes of {length} are missing", P::NAME));
    }
}

/// What can be read of a header that is not whole, or of another version.
fn cut(message: &mut Message, header: &[u8], names: &Names) {
    if let [first, kind, ..] = *header {
        let (name, value) = (names.first)(first);
        message.add(name, value);
        message.add(names.kind, kind);
    }
    if let [_, _, high, low, ..] = *header {
        message.add(names.length, u16::from_be_bytes([high, low]));
    }
}
