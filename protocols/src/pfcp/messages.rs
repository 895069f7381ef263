//! Several messages in one datagram (TS 29.244 6.5).

use super::{Error, Message, UNCOUNTED};
use crate::bytes;

/// The messages of a datagram, one after another as long as each says that another follows. Ends after
/// the first error.
///
/// Whether messages may be bundled at all was agreed upon between the peers, and only session messages may.
#[derive(Clone, Debug)]
pub struct Messages<'a> {
    rest: Option<&'a [u8]>,
    offset: usize,
}

impl<'a> Messages<'a> {
    /// The messages of the payload of a UDP datagram.
    pub fn new(datagram: &'a [u8]) -> Self {
        Self { rest: Some(datagram), offset: 0 }
    }
}

impl<'a> Iterator for Messages<'a> {
    type Item = Result<Message<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.rest.take()?;
        let message = Message::parse_at(rest, self.offset);
        if let Ok(message) = &message
            && message.follow_on()
            && message.missing() == 0
        {
            let length = usize::from(message.length()).saturating_add(UNCOUNTED);
            self.rest = Some(bytes::after(rest, length));
            self.offset = self.offset.saturating_add(length);
        }
        Some(message)
    }
}
