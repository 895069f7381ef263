//! What an endpoint may be told.

use core::time::Duration;

/// Longest delay of an acknowledgement (RFC 9260 6.2).
const LONGEST_SACK_DELAY: Duration = Duration::from_millis(500);
/// Longest life of a cookie: the key that it is signed with lives longer.
const LONGEST_COOKIE_LIFE: Duration = Duration::from_secs(3000);
/// Smallest IP packet that a path is taken to carry, bytes.
pub(super) const SMALLEST_MTU: u16 = 512;

/// Protocol parameters (RFC 9260 16) and bounds. [`Config::default`] has the RFC's values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// RTO.Initial.
    pub rto_initial: Duration,
    /// RTO.Min.
    pub rto_min: Duration,
    /// RTO.Max.
    pub rto_max: Duration,
    /// Packets that may leave a path in answer to one acknowledgement (Max.Burst).
    pub max_burst: u16,
    /// Valid.Cookie.Life, at most 3,000 s.
    pub cookie_life: Duration,
    /// Association.Max.Retrans: consecutive timeouts after which the peer is lost.
    pub association_max_retransmissions: u16,
    /// Path.Max.Retrans: consecutive timeouts after which a path is down.
    pub path_max_retransmissions: u16,
    /// Consecutive timeouts after which a path is potentially failed (RFC 7829 3.1; its PFMR). With
    /// `u16::MAX` no path ever is.
    pub potentially_failed_after: u16,
    /// Max.Init.Retransmits.
    pub max_init_retransmissions: u16,
    /// HB.interval; without one, only unconfirmed and doubtful paths are probed.
    pub heartbeat_interval: Option<Duration>,
    /// SACK.Delay, at most 500 ms (RFC 9260 6.2).
    pub sack_delay: Duration,
    /// How many packets with DATA one SACK may answer.
    pub sack_frequency: u16,
    /// Largest IP packet of a path, bytes, as long as nothing else is said; at least 512.
    pub mtu: u16,
    /// Largest IP packet that is tried on a path (RFC 8899), bytes. A path that swallows packets falls
    /// back to 1,280 and is searched up to here, or up to `mtu`, again.
    pub largest_mtu: u16,
    /// Bytes that the transport puts between the IP header and SCTP: 8 for UDP (RFC 6951).
    pub encapsulation: u16,
    /// Whether small messages wait for the acknowledgement of others to fill a packet (RFC 9260 6.1).
    pub nagle: bool,
    /// Streams to send on that are asked for.
    pub outbound_streams: u16,
    /// Streams that the peer may send on.
    pub inbound_streams: u16,
    /// Bytes of messages, whole or in part, that wait for the caller; also the window advertised.
    pub receive_buffer: u32,
    /// Bytes of messages that wait to be acknowledged.
    pub send_buffer: u32,
    /// Largest message, bytes, sent or received; three quarters of the receive buffer at most. A peer that
    /// sends a larger one is aborted.
    pub max_message: u32,
    /// Ranges of TSNs that can be known beyond a gap.
    pub max_gaps: u16,
    /// Addresses of the peer that are used; others are ignored.
    pub max_addresses: u8,
    /// Associations at a time.
    pub max_associations: u32,
    /// Packets that belong to no association and wait to be sent; others are not answered.
    pub max_replies: u16,
    /// Whether partial reliability is offered (RFC 3758).
    pub partial_reliability: bool,
    /// Whether authentication (RFC 4895) and with it the change of addresses (RFC 5061) are offered.
    pub dynamic_addresses: bool,
    /// How often SHUTDOWN is repeated before the association is aborted, as a multiple of RTO.Max (T5, RFC 9260 9.2).
    pub shutdown_guard: u16,
}

impl Config {
    /// The same, with what contradicts itself or the RFC moved to the next value that does not.
    pub(super) fn bounded(mut self) -> Self {
        // A message is put together in the receive buffer, and its fragments cost more than their bytes.
        self.max_message = self.max_message.min(self.receive_buffer / 4 * 3).max(1);
        self.cookie_life = self.cookie_life.min(LONGEST_COOKIE_LIFE);
        self.sack_delay = self.sack_delay.min(LONGEST_SACK_DELAY);
        self.sack_frequency = self.sack_frequency.max(1);
        self.max_burst = self.max_burst.max(1);
        self.outbound_streams = self.outbound_streams.max(1);
        self.inbound_streams = self.inbound_streams.max(1);
        self.mtu = self.mtu.max(SMALLEST_MTU);
        self.largest_mtu = self.largest_mtu.max(self.mtu);
        self.rto_max = self.rto_max.max(self.rto_min);
        self
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            rto_initial: Duration::from_secs(1),
            rto_min: Duration::from_secs(1),
            rto_max: Duration::from_secs(60),
            max_burst: 4,
            cookie_life: Duration::from_secs(60),
            association_max_retransmissions: 10,
            path_max_retransmissions: 5,
            potentially_failed_after: 0,
            max_init_retransmissions: 8,
            heartbeat_interval: Some(Duration::from_secs(30)),
            sack_delay: Duration::from_millis(200),
            sack_frequency: 2,
            mtu: 1500,
            largest_mtu: 1500,
            encapsulation: 0,
            nagle: false,
            outbound_streams: 10,
            inbound_streams: u16::MAX,
            receive_buffer: 1 << 20,
            send_buffer: 1 << 20,
            max_message: 256 << 10,
            max_gaps: 1000,
            max_addresses: 16,
            max_associations: 100_000,
            max_replies: 1024,
            partial_reliability: true,
            dynamic_addresses: true,
            shutdown_guard: 5,
        }
    }
}
