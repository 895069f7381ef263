//! What must not be.

use std::fmt;

use pinion_protocols::ngap::{Error, Outcome, Procedure};

/// Something that a simulated gNB or AMF saw and must not see.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{who}, stream {stream}: {wrong}{}", About(*.about))]
pub struct Violation {
    /// Who saw it.
    pub who: String,
    /// On which stream.
    pub stream: u16,
    /// The UE, where the message says one.
    pub about: Option<u32>,
    /// What.
    pub wrong: Wrong,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// Another payload protocol identifier.
    #[error("payload protocol {0}")]
    Protocol(u32),
    /// Octets that are no NGAP.
    #[error("no NGAP: {0}")]
    Undecodable(String),
    /// A message that has no business here, or not now.
    #[error("unexpected {0:?} of {1}")]
    Unexpected(Outcome, Procedure),
    /// A message about a UE that carries no [`super::Payload`], or one that goes the other way.
    #[error("{0} does not say whose it is")]
    Nobodys(Procedure),
    /// A message about another UE than its identifiers say.
    #[error("{kind} of UE {of}, connection {life}, which is not the one that its identifiers name")]
    Foreign {
        /// The message.
        kind: Procedure,
        /// Whose it is.
        of: u32,
        /// Of which connection.
        life: u32,
    },
    /// Identifiers that nobody has here.
    #[error("{kind} with identifiers of nobody: AMF {amf:?}, RAN {ran:?}")]
    Unknown {
        /// The message.
        kind: Procedure,
        /// AMF UE NGAP ID.
        amf: Option<u64>,
        /// RAN UE NGAP ID.
        ran: Option<u32>,
    },
    /// A message that is not the next one.
    #[error("{kind} is message {is}, not {next}")]
    Order {
        /// The message.
        kind: Procedure,
        /// Which it is.
        is: u32,
        /// Which would be next.
        next: u32,
    },
    /// Another stream than that of the UE, or that of what is about no UE.
    #[error("{0} on another stream than before")]
    Stream(Procedure),
    /// An association that belongs to another gNB.
    #[error("{0} on another gNB's association")]
    Association(Procedure),
    /// The association ended.
    #[error("the association ended")]
    Closed,
}

impl From<Error> for Wrong {
    fn from(error: Error) -> Self {
        Self::Undecodable(error.to_string())
    }
}

struct About(Option<u32>);

impl fmt::Display for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |ue| write!(f, " (UE {ue})"))
    }
}
