//! NGAP services, which Pinion itself speaks: one AMF to each gNB (TS 38.413).

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use pinion_n2::{Admission, Timers};

/// How NGAP is spoken for the AMFs of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ngap {
    /// Whose SCTP is used.
    pub transport: Transport,
    /// The interface of each address of the service, where that is named: of SCTP of Pinion's own alone.
    pub interfaces: Vec<String>,
    /// The AMF Name that gNBs are told, 1 to 63 letters, digits, dots, dashes and underscores.
    pub amf_name: String,
    /// Who gives UEs the AMF UE NGAP IDs that gNBs know.
    pub amf_ids: AmfIds,
    /// What becomes of the UEs of an AMF that is lost: how long after they are reset; `None`: they go on with another AMF of
    /// the set, never with [`AmfIds::PerAmf`].
    pub reset_after: Option<Duration>,
    /// The most UEs, 1 to 16,777,216.
    pub ues: u32,
    /// The most gNBs, 1 to 65,535.
    pub gnbs: u16,
    /// The most associations of a gNB, 1 to 64.
    pub associations: u16,
    /// The most messages of a gNB in a second, at most a million; `None`: any.
    pub messages: Option<NonZeroU32>,
    /// Which gNBs are served.
    pub admission: Admission,
    /// Where PWS Restart Indication and PWS Failure Indication go.
    pub pws: Spread,
    /// Where Uplink RAN Configuration Transfer and Uplink RIM Information Transfer go.
    pub ran_configuration: Spread,
    /// How long something is waited for.
    pub timers: Timers,
    /// Where AMFs are found beside those that are configured.
    pub discover: Option<Discover>,
}

/// A name that stands for AMFs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discover {
    /// The name.
    pub name: String,
    /// DNS servers; those of the host where none is named.
    pub servers: Vec<SocketAddr>,
}

/// Whose SCTP is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Transport {
    /// The kernel's where it has it, else Pinion's own.
    #[default]
    Auto,
    /// The kernel's, at addresses of the host.
    Kernel,
    /// Pinion's own, at addresses that the host has not.
    Userspace,
}

/// Which AMFs get a message that could go to any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Spread {
    /// The first of them that the gNB is set up with.
    #[default]
    First,
    /// All.
    All,
}

/// Who gives UEs the AMF UE NGAP IDs that gNBs know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AmfIds {
    /// The AMFs of a set, which give each number once (TS 38.401 6.2.1).
    SetUnique,
    /// Pinion, where a UE of another AMF has the number.
    PerAmf,
}
