//! A session, as an SMF knows it.

use std::net::{Ipv4Addr, SocketAddr};

use pinion_protocols::pfcp::{Cause, FSeid, MessageType, SNssai};

use super::Tunnel;

/// What a session is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// The user's address; none where the UPF is to choose it (UEIP).
    pub ue: Option<Ipv4Addr>,
    /// The UPF's end of the uplink; none where the UPF is to choose it (FTUP).
    pub uplink: Option<Tunnel>,
    /// Whether the tunnel is a traffic endpoint's, which rules name (PDIU).
    pub endpoint: bool,
    /// Whether usage is measured.
    pub urr: bool,
    /// Data network name, one label; its network instance too.
    pub dnn: String,
    /// Network slice.
    pub slice: Option<SNssai>,
    /// The one QoS flow, 0 to 63.
    pub qfi: u8,
    /// What of its packets goes elsewhere; of a tunnel that is no traffic endpoint's.
    pub breakout: Option<Breakout>,
}

impl Default for Wish {
    fn default() -> Self {
        Self {
            ue: Some(Ipv4Addr::new(10, 60, 0, 1)),
            uplink: None,
            endpoint: false,
            urr: false,
            dnn: "internet".to_owned(),
            slice: None,
            qfi: 9,
            breakout: None,
        }
    }
}

/// A user's packets that are forwarded by another network instance than the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breakout {
    /// Which: a Flow Description (TS 29.244 8.2.5).
    pub flow: String,
    /// The network instance.
    pub network: String,
}

/// How far a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Its establishment was asked for.
    Establishing,
    /// It is there.
    Established,
    /// Its deletion was asked for.
    Deleting,
    /// It was deleted.
    Deleted,
    /// It was refused.
    Refused,
    /// One end forgot it, or never answered.
    Lost,
}

/// Session reports that came (TS 29.244 7.5.8).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reports {
    /// Of usage.
    pub usage: u32,
    /// That packets wait for the user.
    pub downlink: u32,
    /// That the gNB does not know the tunnel.
    pub error: u32,
}

/// A session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// What it was to be.
    pub wish: Wish,
    /// The UPF's socket.
    pub upf: SocketAddr,
    /// How far it is.
    pub state: State,
    /// The UPF's end of it.
    pub up: Option<FSeid>,
    /// The UPF's end of the uplink, as the SMF was told.
    pub uplink: Option<Tunnel>,
    /// The user's address.
    pub ue: Option<Ipv4Addr>,
    /// The gNB's end of the downlink, once it is known.
    pub gnb: Option<Tunnel>,
    /// What was said to each request.
    pub causes: Vec<(MessageType, Cause)>,
    /// Its reports.
    pub reports: Reports,
    /// Usage reports in responses.
    pub usage: u32,
}

impl Session {
    pub(super) fn new(wish: Wish, upf: SocketAddr) -> Self {
        let (uplink, ue) = (wish.uplink, wish.ue);
        Self {
            wish,
            upf,
            state: State::Establishing,
            up: None,
            uplink,
            ue,
            gnb: None,
            causes: Vec::new(),
            reports: Reports::default(),
            usage: 0,
        }
    }

    /// Whether it has not ended.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        matches!(self.state, State::Establishing | State::Established | State::Deleting)
    }
}
