//! What is between the players: links, Pinion in their midst, and time.

pub(crate) mod kernel;
pub(crate) mod user;

use std::net::SocketAddr;

use bytes::Bytes;
use pinion_protocols::sctp::endpoint::Time;
use pinion_transport::link::Frame;

use super::cast::{Member, Network};
use super::error::DemoError;
use super::sbi::ground::Ground;
use crate::control::{EndpointState, EndpointView};

/// A frame that came to a player.
#[derive(Debug)]
pub(crate) struct Arrived {
    /// The number of the player, as in [`super::cast::members`].
    pub(crate) node: usize,
    /// The link that it came over.
    pub(crate) network: Network,
    /// The frame.
    pub(crate) frame: Bytes,
}

/// How the daemon sees an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Its name.
    pub(crate) name: String,
    /// Whether it is up; `None`: not known yet.
    pub(crate) up: Option<bool>,
    /// Why, in words.
    pub(crate) why: String,
}

impl Seen {
    /// How it sees a member: as its endpoint of those that are not up, where it is several.
    pub(crate) fn of(all: &[Self], member: Member) -> Option<&Self> {
        all.iter().filter(|seen| seen.is(member)).min_by_key(|seen| match seen.up {
            Some(false) => 0,
            None => 1,
            Some(true) => 2,
        })
    }

    /// Whether it is how it sees a member.
    pub(crate) fn is(&self, member: Member) -> bool {
        self.name == member.to_string()
    }
}

impl From<EndpointView> for Seen {
    fn from(view: EndpointView) -> Self {
        let EndpointView { name, state, why, .. } = view;
        let up = match state {
            EndpointState::Unknown => None,
            EndpointState::Down => Some(false),
            EndpointState::Up | EndpointState::Draining | EndpointState::Drained => Some(true),
        };
        Self { name, up, why }
    }
}

/// The host of a demonstration.
pub(crate) trait Stage {
    /// What steers: `kernel` or `user`.
    const ENGINE: &'static str;

    /// The time.
    fn now(&self) -> Time;

    /// Puts a player's frame on its link.
    fn send(&mut self, node: usize, network: Network, frame: Frame);

    /// Waits for frames until a time, and adds them to `arrived`. Comes back sooner with any.
    ///
    /// # Errors
    /// [`DemoError`] where the stage broke.
    async fn receive(&mut self, until: Time, arrived: &mut Vec<Arrived>) -> Result<(), DemoError>;

    /// Cuts a network between gNBs and Pinion, or mends it.
    ///
    /// # Errors
    /// What the system refuses.
    fn cut(&mut self, network: Network, cut: bool) -> Result<(), DemoError>;

    /// Starts the daemon; [`Stage::ready`] says when it is there.
    ///
    /// # Errors
    /// What it needs and does not get.
    fn start(&mut self) -> Result<(), DemoError>;

    /// Kills the daemon as a crash would.
    ///
    /// # Errors
    /// What the system refuses.
    fn kill(&mut self) -> Result<(), DemoError>;

    /// Whether the daemon is ready.
    ///
    /// # Errors
    /// [`DemoError::Daemon`] where it has ended.
    fn ready(&mut self) -> Result<bool, DemoError>;

    /// Where functions of SBI are. From now on time passes as it does for them: for everybody.
    fn ground(&mut self) -> Ground;

    /// Has Pinion be the SCP of those that this NRF knows; where it is.
    ///
    /// # Errors
    /// What it needs and does not get.
    fn scp(&mut self, nrf: SocketAddr) -> Result<SocketAddr, DemoError>;

    /// How the daemon sees the endpoints; empty where there is none.
    fn endpoints(&self) -> Vec<Seen>;
}
