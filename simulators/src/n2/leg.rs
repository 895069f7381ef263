//! A UE between one gNB and one AMF.

use pinion_protocols::ngap::Procedure;

use super::payload::Payload;
use super::violation::Wrong;

/// A UE between one gNB and one AMF, as one of them counts it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Leg {
    pub(super) ue: u32,
    pub(super) life: u32,
    /// Messages that were sent.
    pub(super) sent: u32,
    /// Messages that came.
    pub(super) got: u32,
    /// Stream on which they come.
    stream: Option<u16>,
}

impl Leg {
    pub(super) fn new(ue: u32, life: u32) -> Self {
        Self { ue, life, sent: 0, got: 0, stream: None }
    }

    /// The number of the next message that is sent.
    pub(super) fn next(&mut self) -> u32 {
        let number = self.sent;
        self.sent = number.saturating_add(1);
        number
    }

    /// Takes a message: it has to be of this connection of the UE, the next one, and on the stream of those before.
    pub(super) fn take(&mut self, payload: &Payload, kind: Procedure, stream: u16) -> Result<(), Wrong> {
        if (payload.ue, payload.life) != (self.ue, self.life) {
            return Err(Wrong::Foreign { kind, of: payload.ue, life: payload.life });
        }
        let next = self.got;
        self.got = payload.number.saturating_add(1);
        if payload.number != next {
            return Err(Wrong::Order { kind, is: payload.number, next });
        }
        if stream == 0 || *self.stream.get_or_insert(stream) != stream {
            return Err(Wrong::Stream(kind));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::payload::Asks;
    use super::*;

    const KIND: Procedure = Procedure::UplinkNasTransport;

    fn message(number: u32) -> Payload {
        Payload { ue: 5, life: 2, number, up: true, asks: Asks::Nothing, mark: 0 }
    }

    #[test]
    fn every_message_is_the_next_of_its_ue_and_on_its_stream() {
        let mut leg = Leg::new(5, 2);
        assert_eq!(leg.take(&message(0), KIND, 3), Ok(()));
        assert_eq!(leg.take(&message(1), KIND, 3), Ok(()));
        // One is lost.
        assert_eq!(leg.take(&message(3), KIND, 3), Err(Wrong::Order { kind: KIND, is: 3, next: 2 }));
        assert_eq!(leg.take(&message(4), KIND, 3), Ok(()));
        // One comes twice.
        assert_eq!(leg.take(&message(4), KIND, 3), Err(Wrong::Order { kind: KIND, is: 4, next: 5 }));
        for stream in [0, 4] {
            let next = leg.got;
            assert_eq!(leg.take(&message(next), KIND, stream), Err(Wrong::Stream(KIND)));
        }
        for other in [Payload { ue: 6, ..message(7) }, Payload { life: 3, ..message(7) }] {
            let foreign = Wrong::Foreign { kind: KIND, of: other.ue, life: other.life };
            assert_eq!(leg.take(&other, KIND, 3), Err(foreign));
        }
    }
}
