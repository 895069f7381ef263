//! PFCP services, which Pinion itself speaks: one UPF to each SMF (TS 29.244).

use std::net::IpAddr;
use std::time::Duration;

/// How PFCP is spoken for the UPFs of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pfcp {
    /// What becomes of messages.
    pub mode: PfcpMode,
    /// The names of the gtpu services that stand for the UPFs' tunnel addresses, each once and of no other pfcp
    /// service; every UPF has an endpoint of its name behind one of them. Empty: SMFs and gNBs see the UPFs' own.
    pub user_plane: Vec<String>,
    /// Network instances by which users' packets go elsewhere than to their UPF, each once; to endpoints of the user plane's
    /// pools, and of those that it breaks out to.
    pub breakouts: Vec<Breakout>,
    /// Who makes sure that packets to a user reach the UPF of its session; `None`: there is one UPF only.
    pub ue_addresses: Option<UeAddresses>,
    /// Whether the sessions of a lost UPF are made again on another; never with [`UeAddresses::Upf`].
    pub restore: bool,
    /// Whether SMFs may choose TEIDs themselves; else they are told to leave that to the UPF (TS 29.244 5.5.1).
    pub smf_teids: bool,
    /// From one heartbeat to a peer to the next, 100 ms to 1 h.
    pub heartbeat: Duration,
    /// T1: until a request is sent again, 100 ms to 1 min (TS 29.244 6.4).
    pub t1: Duration,
    /// N1: how often a request is sent in all, 1 to 20 (TS 29.244 6.4).
    pub n1: u8,
    /// The most sessions, 1 to 16,777,216.
    pub sessions: u32,
    /// The most SMFs with an association, 1 to 65,535.
    pub smfs: u16,
}

/// Where packets go that FARs forward to the core by a network instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breakout {
    /// The network instance.
    pub network_instance: String,
    /// The pool of the endpoint.
    pub pool: String,
    /// The endpoint.
    pub endpoint: String,
}

/// What becomes of PFCP messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PfcpMode {
    /// They end here: to SMFs Pinion is a UPF, to UPFs it is an SMF.
    #[default]
    Terminate,
    /// Those of nodes and establishments are relayed; SMF and UPF speak to each other directly then. Never with a user
    /// plane, [`Pfcp::restore`], [`Pfcp::smf_teids`] or least sessions.
    Redirect,
}

/// Who makes sure that packets to a user's address reach the UPF of its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UeAddresses {
    /// The UPF allocates the address, from pools of its own.
    Upf,
    /// The SMF allocates it, and the session goes to the UPF that has it in [`Serves::ue_addresses`].
    Pools,
    /// The data network: host routes are announced, or N6 passes through Pinion.
    N6,
}

/// Which sessions a UPF takes; an empty list takes all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Serves {
    /// Data network names.
    pub dnns: Vec<String>,
    /// Slices: type, and differentiator; without one, whatever the differentiator.
    pub slices: Vec<(u8, Option<[u8; 3]>)>,
    /// Network instances, of either side.
    pub network_instances: Vec<String>,
    /// Prefixes of users' addresses: address and length, nothing set beyond it.
    pub ue_addresses: Vec<(IpAddr, u8)>,
}
