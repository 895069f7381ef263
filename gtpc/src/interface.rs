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

/// How the session's tunnels are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Interface {
    /// S11 and S4: one control tunnel for all PDN connections of a user.
    S11,
    /// S5, S8, S2a and S2b: one control tunnel for each PDN connection.
    S5,
}

/// What the session is one of: bearers of the same user and number are others on another one (TS 29.274 7.2.1). Kept by
/// the order here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Reference {
    /// S11 and S4.
    S11,
    /// S5 and S8.
    S5,
    S2b,
    S2a,
}

impl Reference {
    /// That of a session whose client has an F-TEID of this interface type; none where it is no client's.
    pub(crate) fn of_client(kind: u8) -> Option<Self> {
        match kind {
            // An MME, an S4-SGSN.
            10 | 17 => Some(Self::S11),
            // An SGW, an ePDG, a TWAN.
            6 => Some(Self::S5),
            30 => Some(Self::S2b),
            35 => Some(Self::S2a),
            _ => None,
        }
    }

    pub(crate) fn interface(self) -> Interface {
        match self {
            Self::S11 => Interface::S11,
            Self::S5 | Self::S2b | Self::S2a => Interface::S5,
        }
    }
}

impl Interface {
    /// Whether an F-TEID of this type is the control tunnel's end at a side.
    pub(crate) fn is_end(self, side: Side, kind: u8) -> bool {
        match (side, self) {
            (Side::Client, _) => Reference::of_client(kind).map(Reference::interface) == Some(self),
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
