//! What requests of our own are for, and what waits for tunnels.

use std::net::IpAddr;

use bytes::Bytes;
use pinion_protocols::pfcp::{MessageType, Place};

use crate::inbound::Origin;
use crate::redirect::Task;
use crate::sessions::SessionId;
use crate::tunnels::{TunnelChange, Tunnels};

/// What a request of our own is for.
#[derive(Debug)]
pub(crate) enum Purpose {
    /// Whether a UPF is there.
    UpfHeartbeat(u16),
    /// Whether an SMF is there.
    SmfHeartbeat(IpAddr),
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
    /// What a UPF reports, as it said it; `ends`: that the session is no more; how often another SMF was asked instead.
    Report { origin: Origin, session: SessionId, ends: bool, request: Bytes, redirected: u8 },
    /// A session made again on another UPF, and its tunnels on the UPF before.
    Remake { session: SessionId, lost: Tunnels },
    /// A session that a UPF was asked for, and given up for: if it is there after all, it is to end.
    Late(u16),
    /// The end of a session that no SMF asks for any more.
    Abandon,
    /// What is relayed.
    Redirect(Task),
}

impl Purpose {
    /// The answer that somebody else waits for meanwhile.
    pub(crate) fn answers(&self) -> Option<MessageType> {
        match self {
            Self::Establish { .. } => Some(MessageType::SessionEstablishmentResponse),
            Self::Modify { .. } => Some(MessageType::SessionModificationResponse),
            Self::Delete { .. } => Some(MessageType::SessionDeletionResponse),
            Self::Report { .. } => Some(MessageType::SessionReportResponse),
            _ => None,
        }
    }

    /// The session that a UPF was asked for.
    pub(crate) fn of_upf(&self) -> Option<SessionId> {
        match self {
            Self::Establish { session, .. }
            | Self::Modify { session, .. }
            | Self::Delete { session, .. }
            | Self::Remake { session, .. } => Some(*session),
            Self::UpfHeartbeat(_)
            | Self::SmfHeartbeat(_)
            | Self::Setup(_)
            | Self::Notice
            | Self::Report { .. }
            | Self::Late(_)
            | Self::Abandon
            | Self::Redirect(_) => None,
        }
    }

    /// Whether a UPF was asked to make a session.
    pub(crate) fn makes(&self) -> bool {
        matches!(self, Self::Establish { .. } | Self::Remake { .. })
    }
}

/// A batch that was not put into force yet.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    /// What it puts into force.
    pub(crate) changes: Vec<TunnelChange>,
    /// What waits for it.
    pub(crate) parked: Vec<Parked>,
    /// Whether one before it that it may need was refused.
    pub(crate) doomed: bool,
}

/// What waits for tunnels.
#[derive(Debug)]
pub(crate) enum Parked {
    /// An answer to an SMF. `made`: the answer says that the session is there.
    Answer { origin: Origin, session: SessionId, answer: Bytes, made: bool },
    /// A session that was made again.
    Remade { session: SessionId },
    /// Sessions of the front end before, which have their tunnels for all that their peers know.
    TakenOver,
    /// One of those, for itself.
    Held { session: SessionId },
    /// Nothing: tunnels end.
    Nothing,
}

impl Parked {
    pub(crate) fn session(&self) -> Option<SessionId> {
        match self {
            Self::Answer { session, .. } | Self::Remade { session } | Self::Held { session } => Some(*session),
            Self::TakenOver | Self::Nothing => None,
        }
    }
}
