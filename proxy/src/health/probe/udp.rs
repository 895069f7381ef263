//! One datagram and its answer, from a port of its own: an answer that comes late finds nobody.

use socket2::{Protocol, Type};

use super::socket::{Arrival, Packets};
use super::{Ends, Reply};
use crate::health::outcome::{Failure, Outcome};

/// What a datagram that came from the endpoint is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// The answer.
    Answer,
    /// An answer that says no.
    Refusal(Failure),
    /// Something else: the answer may follow.
    Other,
}

/// Answers of the protocols that are probed are shorter; of a longer one this much is read.
const LONGEST: usize = 2048;

/// Sends a datagram and waits for what `read` calls the answer; without end, if none comes.
pub(super) async fn ask(ends: Ends, payload: &[u8], read: impl Fn(&[u8]) -> Reading) -> Reply {
    let failed = |doing| move |error| Outcome::of_call(doing, &error);
    let socket = Packets::open(ends.to.is_ipv6(), Type::DGRAM, Protocol::UDP, &[]).map_err(failed("socket"))?;
    socket.connect(ends.to, ends.from).map_err(failed("connect"))?;
    socket.send(payload, None, None).await.map_err(failed("send"))?;
    let mut buffer = [0; LONGEST];
    loop {
        match socket.receive(&mut buffer).await.map_err(failed("receive"))? {
            Arrival::Error { icmp, .. } => return Err(Failure::Icmp(icmp).into()),
            Arrival::Packet { length, .. } => match read(buffer.get(..length).unwrap_or_default()) {
                Reading::Answer => return Ok(()),
                Reading::Refusal(failure) => return Err(failure.into()),
                Reading::Other => {}
            },
        }
    }
}
