//! NGAP as it is written.

use crate::config::model::{AmfIds, Spread, Transport};
use crate::config::read::{Either, List, choice, record};
use crate::config::scalar::ngap::{Associations, DomainName, GnbPrefix, Gnbs, Messages, Plmn, RanNode, Tac};
use crate::config::scalar::pfcp::Sessions;
use crate::config::scalar::{InterfaceName, Listen, Name, Span};

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
        /// The most associations of a gNB; beyond, another one is closed. Left out: 8.
        optional associations: Associations,
        /// The most messages of a gNB in a second, and at once; beyond, its new UEs are refused, and messages of UEs that are
        /// there still go on. Left out: any.
        optional messages: Messages,
        /// Which gNBs are served. Left out: all.
        optional admission: Admission,
        /// Where messages go that no AMF is named for.
        optional rules: Rules,
        /// How long something is waited for.
        optional timers: Timers,
        /// A name by which AMFs are found in DNS, beside those that are listed; `endpoints` may be [] then. By the NAPTR records
        /// of AMFs on N2 that it has, or, where it begins with _, by its SRV records, each target is an AMF; otherwise each
        /// of its addresses is one. Left out: none.
        optional discover: Either<DomainName, Discover>,
    }
}

record! {
    /// A name by which AMFs are found in DNS.
    Discover = "discover" {
        /// The name, such as set001.region48.amfset.5gc.mnc001.mcc001.3gppnetwork.org.
        required name: DomainName,
        /// DNS servers, addresses with ports. Left out: those of /etc/resolv.conf.
        optional servers: List<Listen>,
    }
}

record! {
    /// Which gNBs are served when they come: those that fit all that is given.
    Admission = "admission" {
        /// Their Global RAN Node IDs, as they are shown. Left out: any.
        optional nodes: List<RanNode>,
        /// PLMNs, of which a gNB broadcasts one at least. Left out: any.
        optional plmns: List<Plmn>,
        /// Tracking area codes, of which it supports one at least, for such a PLMN. Left out: any.
        optional tacs: List<Tac>,
        /// Prefixes that all of its addresses have. Left out: any.
        optional prefixes: List<GnbPrefix>,
    }
}

record! {
    /// Where messages go that no AMF is named for.
    Rules = "rules" {
        /// PWS Restart Indication and PWS Failure Indication. Left out: first.
        optional pws: Spread,
        /// Uplink RAN Configuration Transfer and Uplink RIM Information Transfer. Left out: first.
        optional ran_configuration: Spread,
    }
}

record! {
    /// How long something is waited for.
    Timers = "timers" {
        /// Until an AMF is associated, and until it or a gNB answers, 100ms to 1m. Left out: 5s.
        optional answer: Span,
        /// From a lost association to the next try, 100ms to 10m. Left out: 2s.
        optional reconnect: Span,
        /// From an NG Setup that an AMF refused without saying how long to wait, to the next, 1s to 10m. Left out: 10s.
        optional retry: Span,
        /// How long an AMF UE NGAP ID is given to nobody after its UE is gone, 0s to 1h. Left out: 1m.
        optional quarantine: Span,
    }
}

choice! {
    pub Spread = "choice of AMFs", "first or all" {
        /// The first of them that the gNB is set up with.
        "first" => Spread::First,
        /// All.
        "all" => Spread::All,
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
