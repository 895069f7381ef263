//! What requests of our own are for.

use std::net::IpAddr;

use pinion_exchange::inbound::Origin;
use pinion_protocols::gtpv2::MessageType;

use crate::interface::{End, Side};

/// What a request of our own is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Whether an endpoint is there.
    Echo(u16),
    /// Whether a client that seems to have begun anew has.
    Doubt(IpAddr),
    /// What a peer asks the other side.
    Relay(Relay),
    /// Nothing more: a session that its endpoint makes after it was given up is to end.
    Late(Relay),
    /// The end of a session that a peer does not know of yet.
    Farewell,
}

/// What a peer asks the other side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Relay {
    pub(crate) origin: Origin,
    /// Who asks what.
    pub(crate) side: Side,
    pub(crate) kind: MessageType,
    /// Of which session.
    pub(crate) session: u64,
    /// The TEID that the answer to it carries.
    pub(crate) teid: u32,
    /// What becomes of the session when the answer is yes.
    pub(crate) change: Change,
}

/// What becomes of a session when a request is accepted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Change {
    /// Where the client is now.
    pub(crate) client: Option<End>,
    /// A PDN connection that is made.
    pub(crate) adds: Option<u8>,
    /// Those that end.
    pub(crate) ends: Ends,
}

/// Which PDN connections end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Ends {
    /// None.
    #[default]
    None,
    /// That of a default bearer.
    One(u8),
    /// All.
    All,
}
