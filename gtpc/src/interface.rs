//! Which F-TEIDs are ends of control tunnels (TS 29.274 8.22).

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// One of the two that a session is between.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Side {
    /// MME, S4-SGSN, SGW, ePDG or TWAN.
    Client,
    /// SGW or PGW.
    Endpoint,
}

impl Side {
    pub(crate) fn other(self) -> Self {
        match self {
            Self::Client => Self::Endpoint,
            Self::Endpoint => Self::Client,
        }
    }
}

/// What the session is one of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Interface {
    /// S11 and S4: one control tunnel for all PDN connections of a user.
    S11,
    /// S5, S8, S2a and S2b: one control tunnel for each PDN connection.
    S5,
}

impl Interface {
    /// That of a session whose client has an F-TEID of this interface type; none where it is no client's.
    pub(crate) fn of_client(kind: u8) -> Option<Self> {
        match kind {
            // An S11 MME, an S4 SGSN.
            10 | 17 => Some(Self::S11),
            // An S5/S8 SGW, an S2b ePDG, an S2a TWAN.
            6 | 30 | 35 => Some(Self::S5),
            _ => None,
        }
    }

    /// Whether an F-TEID of this type is the control tunnel's end at a side.
    pub(crate) fn is_end(self, side: Side, kind: u8) -> bool {
        match (side, self) {
            (Side::Client, _) => Self::of_client(kind) == Some(self),
            (Side::Endpoint, Self::S11) => kind == 11,
            // A PGW on S5/S8, S2b, S2a.
            (Side::Endpoint, Self::S5) => matches!(kind, 7 | 32 | 36),
        }
    }
}

/// A peer's end of a session's control tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct End {
    pub(crate) address: IpAddr,
    pub(crate) teid: u32,
}
