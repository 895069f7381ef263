//! PFCP as it is written: of a service, and of each endpoint.

use crate::config::model::{PfcpMode, UeAddresses};
use crate::config::read::{List, choice, record};
use crate::config::scalar::pfcp::{Dnn, Instance, Sessions, Slice, Smfs, Tries, UePrefix};
use crate::config::scalar::{Name, Span, Truth};

record! {
    /// How PFCP is spoken for the UPFs.
    Pfcp = "pfcp" {
        /// What becomes of messages; another mode takes a restart. Left out: terminate.
        optional mode: PfcpMode,
        /// The gtpu services that stand for the UPFs' tunnel addresses; a UPF and its endpoint there have the same
        /// name. Left out, or empty: SMFs and gNBs see the UPFs' own addresses.
        optional user_plane: List<Name>,
        /// Network instances by which users' packets go elsewhere than to their UPF. Left out: none.
        optional breakouts: List<Breakout>,
        /// Who makes sure that packets to a user reach the UPF of its session; may be left out with one UPF.
        optional ue_addresses: UeAddresses,
        /// Whether sessions of a lost UPF are made again on another; for ue_addresses pools and n6. Left out: false.
        optional restore: Truth,
        /// Whether SMFs may choose TEIDs themselves, as old ones do. Left out: false, they are told not to.
        optional smf_teids: Truth,
        /// From one heartbeat to a peer to the next, 100ms to 1h. Left out: 10s.
        optional heartbeat: Span,
        /// T1: until a request is sent again, 100ms to 1m. Left out: 3s.
        optional t1: Span,
        /// N1: how often a request is sent in all. Left out: 3.
        optional n1: Tries,
        /// The most sessions; beyond, establishment is refused. Left out: 1000000.
        optional sessions: Sessions,
        /// The most SMFs with an association; beyond, setup is refused. Left out: 1024.
        optional smfs: Smfs,
    }
}

record! {
    /// Where packets go that match an uplink PDR's SDF filters, and that its FAR forwards to the core by a network instance.
    Breakout = "a breakout" {
        /// The network instance that FARs name.
        required network_instance: Instance,
        /// The `breakout` of a gtpu service in `user_plane`, where packets leave their tunnels; or the pool of such a
        /// service, for FARs that name the address of that endpoint, a UPF, and its TEID.
        required pool: Name,
        /// The name of the endpoint there.
        required endpoint: Name,
    }
}

record! {
    /// Which sessions a UPF takes: those that fit all that is given.
    Serves = "an endpoint's pfcp" {
        /// Data network names. Left out: all.
        optional dnns: List<Dnn>,
        /// Slices: SST, or SST-SD with the SD in hexadecimal, in quotes; an SST alone takes every SD. Left out: all.
        optional slices: List<Slice>,
        /// Network instances, of either side. Left out: all.
        optional network_instances: List<Instance>,
        /// Prefixes that users' addresses are of. Left out: all.
        optional ue_addresses: List<UePrefix>,
    }
}

choice! {
    pub PfcpMode = "mode of a pfcp service", "terminate or redirect" {
        /// Messages end here: to SMFs Pinion is a UPF, to UPFs it is an SMF.
        "terminate" => PfcpMode::Terminate,
        /// Sessions are placed here, and SMF and UPF speak to each other directly then. The UPFs share one Node ID, and are
        /// one UPF to each SMF. Without user_plane, restore, smf_teids and least_sessions.
        "redirect" => PfcpMode::Redirect,
    }
}

choice! {
    pub UeAddresses = "way of users' addresses to UPFs", "upf, pools or n6" {
        /// The UPF allocates a user's address, from pools of its own.
        "upf" => UeAddresses::Upf,
        /// SMFs allocate it, and a session goes to the UPF whose ue_addresses have it.
        "pools" => UeAddresses::Pools,
        /// Host routes are announced, or N6 passes through Pinion.
        "n6" => UeAddresses::N6,
    }
}
