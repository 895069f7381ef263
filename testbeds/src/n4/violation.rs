//! What a peer did that PFCP forbids.

use std::net::SocketAddr;

use pinion_protocols::pfcp::{ElementType, MessageType};

/// Something that a peer must not do (TS 29.244).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// What came is not PFCP.
    #[error("{from} sent what is not PFCP: {error}")]
    Undecodable {
        /// Who sent it.
        from: SocketAddr,
        /// What is wrong with it.
        error: String,
    },
    /// A message of a type that has no business here.
    #[error("{from} sent {kind}")]
    Unexpected {
        /// Who sent it.
        from: SocketAddr,
        /// Its type.
        kind: MessageType,
    },
    /// A request whose sequence number was another's a moment ago (6.4).
    #[error("{from} sent {kind} with sequence number {sequence} of another request")]
    SequenceReused {
        /// Who sent it.
        from: SocketAddr,
        /// Its type.
        kind: MessageType,
        /// The number.
        sequence: u32,
    },
    /// A response to nothing that was asked (6.4).
    #[error("{from} sent {kind} {sequence} as a response to nothing")]
    Unasked {
        /// Who sent it.
        from: SocketAddr,
        /// Its type.
        kind: MessageType,
        /// Its sequence number.
        sequence: u32,
    },
    /// A response that came from elsewhere than the request went to (6.6).
    #[error("{from} sent {kind}, which {asked} was asked for")]
    Elsewhere {
        /// Who sent it.
        from: SocketAddr,
        /// Who was asked.
        asked: SocketAddr,
        /// Its type.
        kind: MessageType,
    },
    /// A response of a type that does not answer the request.
    #[error("{from} answered {asked} by {kind}")]
    Mistaken {
        /// Who sent it.
        from: SocketAddr,
        /// What was asked.
        asked: MessageType,
        /// What came.
        kind: MessageType,
    },
    /// Two responses to one request that differ (6.4).
    #[error("{from} sent two {kind} {sequence} that differ")]
    Differing {
        /// Who sent them.
        from: SocketAddr,
        /// Their type.
        kind: MessageType,
        /// Their sequence number.
        sequence: u32,
    },
    /// A SEID in the header that never was one of the receiver's, or not that of the session (7.2.2.4.2).
    #[error("{from} sent {kind} with SEID {seid:#x}")]
    WrongSeid {
        /// Who sent it.
        from: SocketAddr,
        /// Type of the message.
        kind: MessageType,
        /// The SEID.
        seid: u64,
    },
    /// An F-SEID that another session of the same address has (5.6.1).
    #[error("{from} gave the F-SEID {seid:#x} to a second session")]
    SeidReused {
        /// Who sent it.
        from: SocketAddr,
        /// The SEID.
        seid: u64,
    },
    /// An element that must be there is not, or is not what it must be.
    #[error("{from} sent {kind} without a right {element}")]
    Missing {
        /// Who sent it.
        from: SocketAddr,
        /// Type of the message.
        kind: MessageType,
        /// The element.
        element: ElementType,
    },
    /// A rule that is not there was named, or one that is there was created.
    #[error("{from} sent {kind} that names rule {rule}, {element}, wrongly")]
    WrongRule {
        /// Who sent it.
        from: SocketAddr,
        /// Type of the message.
        kind: MessageType,
        /// What names the rule.
        element: ElementType,
        /// Its number.
        rule: u32,
    },
}
