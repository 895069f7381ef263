/// What the front end did so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Requests that were received, retransmissions among them.
    pub requests: u64,
    /// Answers to requests of its own.
    pub answers: u64,
    /// Datagrams that it had sent.
    pub sent: u64,
    /// Messages that are none of GTPv2-C, or cut.
    pub malformed: u64,
    /// Messages of a type that it does not know.
    pub unknown: u64,
    /// Messages of a type that this side does not send, or of an endpoint's session from elsewhere.
    pub unexpected: u64,
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
    /// Requests about a session that there is not.
    pub not_found: u64,
    /// Sessions that were made.
    pub created: u64,
    /// Sessions that ended by their peers' word.
    pub deleted: u64,
    /// Sessions that another client took over.
    pub moved: u64,
    /// Sessions that ended because their client began anew.
    pub forsaken: u64,
    /// Sessions that were lost because their endpoint began anew.
    pub lost: u64,
    /// Endpoints that began anew, or were silent too long.
    pub endpoint_losses: u64,
}
