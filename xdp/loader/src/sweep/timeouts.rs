use std::time::Duration;

use pinion_steering::{Flow, FlowKey, FlowKind, Parts, State, protocol};

/// How long a session may be silent, by what it is and how far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// UDP flows.
    pub udp: Duration,
    /// TCP connections of which no second segment was seen from the client.
    pub tcp_opening: Duration,
    /// TCP connections under way.
    pub tcp_established: Duration,
    /// TCP connections after a FIN.
    pub tcp_closing: Duration,
    /// TCP connections after a RST.
    pub tcp_closed: Duration,
    /// SCTP associations before COOKIE ACK.
    pub sctp_opening: Duration,
    /// SCTP associations under way.
    pub sctp_established: Duration,
    /// SCTP associations after a SHUTDOWN.
    pub sctp_closing: Duration,
    /// SCTP associations after an ABORT or SHUTDOWN COMPLETE.
    pub sctp_closed: Duration,
    /// GTP-U tunnels that nobody taught.
    pub tunnel: Duration,
}

impl Default for Timeouts {
    /// What the RFCs ask of those in the middle. UDP: at least two minutes (RFC 4787 4.3). TCP: 2 hours 4 minutes, in
    /// the other states 4 minutes (RFC 5382 5). SCTP: heartbeats come every 30 s and a path's failure takes five of
    /// them (RFC 9260 16), so that 15 minutes of silence on all paths is the end.
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            udp: seconds(120),
            tcp_opening: seconds(240),
            tcp_established: seconds(7440),
            tcp_closing: seconds(240),
            tcp_closed: seconds(10),
            sctp_opening: seconds(60),
            sctp_established: seconds(900),
            sctp_closing: seconds(60),
            sctp_closed: seconds(10),
            tunnel: seconds(3600),
        }
    }
}

impl Timeouts {
    /// No silence ends anything.
    pub(super) const NEVER: Self = {
        let never = Duration::MAX;
        Self {
            udp: never,
            tcp_opening: never,
            tcp_established: never,
            tcp_closing: never,
            tcp_closed: never,
            sctp_opening: never,
            sctp_established: never,
            sctp_closing: never,
            sctp_closed: never,
            tunnel: never,
        }
    };

    /// The one for a pin.
    #[must_use]
    pub fn of(&self, key: &FlowKey, flow: &Flow) -> Duration {
        const ESTABLISHED: u8 = State::Established as u8;
        const CLOSING: u8 = State::Closing as u8;
        let [opening, established, closing, closed] = match key.kind() {
            FlowKind::Tunnel => return self.tunnel,
            FlowKind::Tuple => match key.parts() {
                Parts::Tuple { protocol: protocol::TCP, .. } => {
                    [self.tcp_opening, self.tcp_established, self.tcp_closing, self.tcp_closed]
                }
                _ => return self.udp,
            },
            FlowKind::Association | FlowKind::Peer => {
                [self.sctp_opening, self.sctp_established, self.sctp_closing, self.sctp_closed]
            }
        };
        match flow.state {
            0..ESTABLISHED => opening,
            ESTABLISHED => established,
            CLOSING => closing,
            _ => closed,
        }
    }
}
