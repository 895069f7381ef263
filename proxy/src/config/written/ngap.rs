//! NGAP as it is written.

use crate::config::model::{AmfIds, Transport};
use crate::config::read::{List, choice, record};
use crate::config::scalar::ngap::Gnbs;
use crate::config::scalar::pfcp::Sessions;
use crate::config::scalar::{InterfaceName, Name, Span};

record! {
    /// How NGAP is spoken for the AMFs: each UE is pinned to its AMF.
    Ngap = "ngap" {
        /// Whose SCTP is used. Left out: auto.
        optional transport: Transport,
        /// For SCTP of Pinion's own: the interface of each address of the service. Left out: those whose networks they are of.
        optional interfaces: List<InterfaceName>,
        /// The AMF Name that gNBs are told. Left out: the service's name.
        optional amf_name: Name,
        /// Who gives UEs the AMF UE NGAP IDs that gNBs know. Left out: per-amf.
        optional amf_ids: AmfIds,
        /// What becomes of the UEs of an AMF that is lost. Left out: reset.
        optional amf_loss: AmfLoss,
        /// With amf_loss reset: how long an AMF is lost before its UEs are reset, 0s to 1h. Left out: 0s.
        optional reset_after: Span,
        /// The most UEs; beyond, new ones are refused. Left out: 1000000.
        optional ues: Sessions,
        /// The most gNBs; beyond, NG Setup fails. Left out: 4096.
        optional gnbs: Gnbs,
    }
}

/// What becomes of the UEs of an AMF that is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::config) enum AmfLoss {
    Reset,
    Rebind,
}

choice! {
    pub(in crate::config) AmfLoss = "way of UEs whose AMF is lost", "reset or rebind" {
        /// Their gNB is told to reset them, and them alone.
        "reset" => AmfLoss::Reset,
        /// They go on with another AMF of the set, which shares contexts with the one that is lost. With set-unique alone.
        "rebind" => AmfLoss::Rebind,
    }
}

choice! {
    pub Transport = "transport", "auto, kernel or userspace" {
        /// The kernel's SCTP where it has it, otherwise as userspace.
        "auto" => Transport::Auto,
        /// The kernel's SCTP, at addresses of the host.
        "kernel" => Transport::Kernel,
        /// SCTP of Pinion's own, at addresses that the host has not: Pinion answers for them on the host's interfaces.
        "userspace" => Transport::Userspace,
    }
}

choice! {
    pub AmfIds = "way of AMF UE NGAP IDs", "set-unique or per-amf" {
        /// The AMFs of a set give each number once, and it stays as it is.
        "set-unique" => AmfIds::SetUnique,
        /// AMFs may give the same number, and Pinion makes another of it then.
        "per-amf" => AmfIds::PerAmf,
    }
}
