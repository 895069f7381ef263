//! Two endpoints in one process, with nothing between them.

use alloc::vec::Vec;

use ::bytes::Bytes;

use super::{AssociationId, Datagram, Endpoint, Event, Message, SendError, Time, Transmit};

/// Carries packets between two endpoints until neither has any more to send; how many they were.
pub fn exchange(a: &mut Endpoint, b: &mut Endpoint, now: Time) -> u64 {
    let mut packets = 0_u64;
    loop {
        let there = carry(a, b, now);
        let back = carry(b, a, now);
        if there == 0 && back == 0 {
            return packets;
        }
        packets = packets.saturating_add(there).saturating_add(back);
    }
}

/// Carries what `from` has to send to `to`.
fn carry(from: &mut Endpoint, to: &mut Endpoint, now: Time) -> u64 {
    let mut packets = 0_u64;
    while let Some(Transmit { source, destination, bytes, .. }) = from.poll_transmit(now) {
        to.receive(now, &Datagram { source, destination, bytes });
        packets = packets.saturating_add(1);
    }
    packets
}

/// Messages of one size from one endpoint to the other, as fast as they go.
#[derive(Debug)]
pub struct Stream {
    client: Endpoint,
    server: Endpoint,
    id: AssociationId,
    payload: Bytes,
    now: Time,
}

impl Stream {
    /// An association between `client` and `server`, both new, and messages of `size` bytes to send on
    /// it. None where the two do not come together.
    pub fn new(mut client: Endpoint, mut server: Endpoint, size: usize) -> Option<Self> {
        let (here, there) = ([192, 0, 2, 1].into(), [192, 0, 2, 2].into());
        let now = Time::ZERO;
        server.listen(38412, &[there]);
        let id = client.connect(now, (&[here], 9000), (&[there], 38412)).ok()?;
        exchange(&mut client, &mut server, now);
        let mut up = false;
        while let Some((_, event)) = client.poll_event() {
            up |= matches!(event, Event::Established { .. });
        }
        while server.poll_event().is_some() {}
        let payload = Bytes::from(alloc::vec![0x5a; size]);
        up.then_some(Self { client, server, id, payload, now })
    }

    /// Sends `count` messages and waits for them to arrive; how many did.
    ///
    /// # Errors
    ///
    /// [`SendError`] where the association takes none, though nothing waits.
    pub fn run(&mut self, count: u64) -> Result<u64, SendError> {
        let (mut sent, mut received) = (0_u64, 0_u64);
        while received < count {
            while sent < count {
                match self.client.send(self.now, self.id, Message::new(0, 60, self.payload.clone())) {
                    Ok(()) => sent = sent.saturating_add(1),
                    Err(SendError::BufferFull) => break,
                    Err(error) => return Err(error),
                }
            }
            let packets = exchange(&mut self.client, &mut self.server, self.now);
            while self.client.poll_event().is_some() {}
            while let Some((_, event)) = self.server.poll_event() {
                received = received.saturating_add(u64::from(matches!(event, Event::Message(_))));
            }
            if packets == 0 {
                self.wait();
            }
        }
        Ok(received)
    }

    /// Nothing moves: time does, up to the next deadline.
    fn wait(&mut self) {
        let deadlines: Vec<Time> =
            [self.client.deadline(), self.server.deadline()].into_iter().flatten().collect();
        self.now = deadlines.into_iter().min().unwrap_or(self.now).max(self.now);
        self.client.expire(self.now);
        self.server.expire(self.now);
    }
}
