/// What the front end did so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Requests that were received, retransmissions among them.
    pub requests: u64,
    /// Answers to requests of its own.
    pub answers: u64,
    /// Datagrams that it had sent.
    pub sent: u64,
    /// Messages that are none of PFCP, or cut.
    pub malformed: u64,
    /// Messages of a type that it does not know.
    pub unknown: u64,
    /// Answers that nobody asked for, or that came twice.
    pub unasked: u64,
    /// Requests that came again.
    pub retransmitted: u64,
    /// Requests of its own that were sent again.
    pub repeated: u64,
    /// Requests of its own that nobody answered.
    pub unanswered: u64,
    /// Requests that it refused itself.
    pub refusals: u64,
    /// Batches of tunnels that were not put into force.
    pub refused: u64,
    /// Sessions that were made.
    pub established: u64,
    /// Sessions that their SMF ended.
    pub deleted: u64,
    /// Sessions that moved to another UPF.
    pub restored: u64,
    /// Sessions that were lost with their UPF.
    pub lost: u64,
    /// Sessions that ended because their SMF began anew, or left.
    pub forsaken: u64,
    /// Packet detection rules that were to break out, and did not become filters of their tunnels.
    pub unlearned: u64,
    /// UPFs that began anew, or were silent too long.
    pub upf_losses: u64,
}
