//! Counters.

/// What the front end did so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Messages of gNBs.
    pub uplink: u64,
    /// Messages of AMFs.
    pub downlink: u64,
    /// Messages that it had sent.
    pub sent: u64,
    /// Messages that are none of NGAP, or lack what they are routed by.
    pub malformed: u64,
    /// Messages of another payload protocol, DTLS among them.
    pub other_protocol: u64,
    /// Messages that fit into no procedure that is under way.
    pub unexpected: u64,
    /// Messages for which there was no AMF or no gNB.
    pub undeliverable: u64,
    /// Error Indications that it made.
    pub error_indications: u64,
    /// UEs that were released because identifiers did not fit.
    pub mismatches: u64,
    /// UEs that came.
    pub pinned: u64,
    /// UEs that left, by release.
    pub released: u64,
    /// UEs that moved to another AMF.
    pub moved: u64,
    /// UEs that were reset.
    pub reset: u64,
    /// UEs that could not be taken for want of room, or of an AMF.
    pub refused: u64,
    /// Initial messages that went elsewhere because an AMF had too much to do.
    pub steered: u64,
    /// NAS messages that an AMF sent on to another one.
    pub rerouted: u64,
    /// UEs that could not be taken because their gNB sends more messages than it may.
    pub throttled: u64,
    /// Associations that were refused by the addresses of who made them.
    pub foreign: u64,
    /// NG Setups of gNBs that were refused.
    pub setup_failures: u64,
    /// Procedures with gNBs or AMFs that ended without an answer.
    pub unanswered: u64,
}
