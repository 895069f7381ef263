//! Those who watch: on a screen, or by lines of text.

pub(crate) mod lines;
pub(crate) mod screen;

use std::time::Duration;

use pinion_protocols::sctp::endpoint::{Reach, Time};

use super::cast::{Member, Network};
use super::error::DemoError;
use super::ledger::Tally;
use super::sbi::View;
use super::theatre::Control;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    /// When.
    pub(crate) at: Time,
    /// What kind of thing: one word.
    pub(crate) kind: Kind,
    /// What, in words.
    pub(crate) text: String,
}

/// What kind of thing happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Something was made.
    Build,
    /// Something was broken on purpose.
    Break,
    /// Something was mended.
    Mend,
    /// Clients or the daemon saw something.
    Seen,
}

impl Kind {
    /// The word for it.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Build => "build",
            Self::Break => "break",
            Self::Mend => "mend",
            Self::Seen => "seen",
        }
    }
}

/// How everybody is.
#[derive(Clone, Debug)]
pub(crate) struct Picture {
    /// What steers.
    pub(crate) engine: &'static str,
    /// How long it has gone on.
    pub(crate) now: Duration,
    /// The network that is cut.
    pub(crate) cut: Option<Network>,
    /// Whether the daemon is there; what was killed of it goes on steering.
    pub(crate) daemon: bool,
    /// gNBs.
    pub(crate) gnbs: Vec<Client>,
    /// AMFs, then UPFs.
    pub(crate) servers: Vec<Server>,
    /// What the associations come to.
    pub(crate) associations: Tally,
    /// What the tunnels come to.
    pub(crate) tunnels: Tally,
    /// What the UEs come to.
    pub(crate) ues: Tally,
    /// How it is with the sessions behind the tunnels.
    pub(crate) control: Control,
    /// The functions of SBI, when they have come.
    pub(crate) core: Option<View>,
}

/// A gNB.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    /// Which.
    pub(crate) member: Member,
    /// Its paths to the AMF, in the order of networks; empty without an association.
    pub(crate) paths: Vec<Reach>,
    /// The AMF that answers it.
    pub(crate) amf: Option<u8>,
    /// Messages sent and answered.
    pub(crate) messages: (u64, u64),
    /// Packets sent and answered.
    pub(crate) packets: (u64, u64),
}

/// An AMF or UPF.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    /// Which.
    pub(crate) member: Member,
    /// Whether it lives.
    pub(crate) alive: bool,
    /// Whether the daemon takes it to be up.
    pub(crate) up: Option<bool>,
    /// Sessions that it answered last.
    pub(crate) sessions: u64,
    /// UEs that it has, where it is an AMF.
    pub(crate) ues: Option<u64>,
    /// Requests that it answered.
    pub(crate) answered: u64,
}

/// Somebody who watches.
pub(crate) trait Audience {
    /// Something happened.
    ///
    /// # Errors
    /// Where it cannot be shown.
    fn hear(&mut self, event: &Event) -> Result<(), DemoError>;

    /// Time has passed.
    ///
    /// # Errors
    /// Where it cannot be shown; [`DemoError::Interrupted`] where nobody wants to see more.
    fn see(&mut self, picture: &Picture) -> Result<(), DemoError>;
}
