//! What requests of our own are for, and what waits for tunnels.

use bytes::Bytes;
use pinion_protocols::pfcp::Place;

use crate::inbound::Origin;
use crate::sessions::SessionId;
use crate::tunnels::Tunnels;

/// What a request of our own is for.
#[derive(Debug)]
pub(crate) enum Purpose {
    /// Whether a UPF is there.
    UpfHeartbeat(u16),
    /// Whether an SMF is there.
    SmfHeartbeat,
    /// An association with a UPF.
    Setup(u16),
    /// What only needs to be known to have arrived.
    Notice,
    /// An SMF's wish for a session.
    Establish { origin: Origin, session: SessionId, request: Option<Bytes> },
    /// An SMF's wish for another session than it has; the rules that it takes away.
    Modify { origin: Origin, session: SessionId, removed: Vec<Place>, request: Option<Bytes> },
    /// An SMF's wish for a session's end.
    Delete { origin: Origin, session: SessionId },
    /// What a UPF reports.
    Report { origin: Origin, session: SessionId },
    /// A session made again on another UPF, and its tunnels on the UPF before.
    Remake { session: SessionId, lost: Tunnels },
    /// The end of a session that no SMF asks for any more.
    Abandon,
}

/// What waits for tunnels.
#[derive(Debug)]
pub(crate) enum Parked {
    /// An answer to an SMF. `made`: the answer says that the session is there.
    Answer { origin: Origin, session: SessionId, answer: Bytes, made: bool },
    /// A session that was made again.
    Remade { session: SessionId },
    /// Nothing: tunnels end.
    Nothing,
}
