/// Declares the reasons once: variant, name in output, what it means.
macro_rules! reasons {
    ($($(#[doc = $doc:literal])+ $([$default:ident])? $variant:ident = $name:literal,)+) => {
        /// Why a packet was forwarded, answered, passed or dropped; as a number, the index of its counter.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Reason {
            $($(#[doc = $doc])+ $(#[$default])? $variant,)+
        }

        impl Reason {
            /// Every reason, in the order of the counters.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Its name in output and metrics.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            /// What it means, in a sentence for people.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self {
                    $(Self::$variant => concat!($($doc),+),)+
                }
            }
        }
    };
}

reasons! {
    /// Went to the endpoint that its pin names.
    [default]
    Pinned = "pinned",
    /// First of its session: an endpoint was chosen and pinned.
    Placed = "placed",
    /// A reply went to the client from the service's address.
    Replied = "replied",
    /// An ARP request for a service address was answered.
    ArpAnswered = "arp_answered",
    /// A neighbour solicitation for a service address was answered.
    NeighbourAnswered = "neighbour_answered",
    /// A GTP-U Echo Request was answered.
    EchoAnswered = "echo_answered",
    /// A user's packet that a filter of its tunnel sent to another endpoint.
    Branched = "branched",
    /// A user's packet that a filter of its tunnel took out of it, and sent on as it is.
    BrokenOut = "broken_out",
    /// Belongs to no session we know of; went where consistent hashing says.
    Hashed = "hashed",
    /// A fragment went where the first one of its datagram had gone.
    Followed = "followed",
    /// Rewritten, then left to the kernel's stack: the next hop's link address is not known yet. Of what is broken out,
    /// dropped.
    Unresolved = "unresolved",

    /// Neither IPv4, IPv6 nor ARP.
    NotIp = "not_ip",
    /// For no service of ours and from no endpoint of ours.
    NotOurs = "not_ours",
    /// From an endpoint of ours, but it matches no pin.
    ReplyWithoutPin = "reply_without_pin",

    /// The Ethernet or VLAN header is cut short.
    EthernetTruncated = "ethernet_truncated",
    /// The IP header is cut short, or longer than the packet.
    IpTruncated = "ip_truncated",
    /// The IP header contradicts itself: version or header length.
    IpMalformed = "ip_malformed",
    /// The IP header gives a length that the frame does not have.
    IpLength = "ip_length",
    /// More IPv6 extension headers than are walked.
    ExtensionHeaders = "extension_headers",
    /// The transport header is cut short.
    TransportTruncated = "transport_truncated",
    /// The UDP length is not that of the packet, or TCP's data offset is impossible.
    TransportLength = "transport_length",
    /// A fragment for a service address, of something else than UDP, or of what is answered or broken out here.
    Fragment = "fragment",
    /// A fragment for a service address whose first one was not seen lately: it has no ports to steer by.
    FragmentUnseen = "fragment_unseen",
    /// The time to live ends here.
    TtlExpired = "ttl_expired",
    /// Longer than the next hop's link carries.
    TooBig = "too_big",
    /// The kernel has no route to where the packet should go.
    NoRoute = "no_route",
    /// No headroom to change the VLAN tag.
    NoHeadroom = "no_headroom",
    /// The service has no endpoint that is up.
    NoEndpoint = "no_endpoint",
    /// The table of flows is full.
    FlowsFull = "flows_full",
    /// Another session already holds the key that the reply needs.
    Collision = "collision",
    /// A table names something that is not there.
    Inconsistent = "inconsistent",

    /// GTP-U header is cut short, is not version 1, or is GTP prime.
    GtpMalformed = "gtp_malformed",
    /// GTP-U length exceeds the datagram.
    GtpLength = "gtp_length",
    /// GTP-U signalling that ends here: Echo Response, Supported Extension Headers Notification, Error Indication.
    GtpSignalling = "gtp_signalling",
    /// A tunnel that nobody taught us, and the service's policy is to drop it.
    UnknownTunnel = "unknown_tunnel",

    /// An SCTP chunk's length is below four or beyond the packet.
    ChunkLength = "chunk_length",
    /// INIT with a verification tag, another chunk in INIT's packet, or INIT ACK bundled.
    InitBundled = "init_bundled",
    /// The initiate tag is zero.
    InitiateTagZero = "initiate_tag_zero",
    /// INIT or INIT ACK is too short for its fixed part.
    InitTruncated = "init_truncated",
    /// A parameter's length is below four or beyond its chunk.
    ParameterLength = "parameter_length",
    /// More parameters than are walked.
    ParameterCount = "parameter_count",
    /// A host name instead of addresses.
    HostName = "host_name",
    /// The verification tag is zero and the chunk is not INIT.
    TagZero = "tag_zero",
    /// To a service, but with no association: out of the blue, or a wrong verification tag.
    OutOfTheBlue = "out_of_the_blue",
    /// ASCONF from an endpoint: it would tell the client an address that is not the service's.
    AddressChange = "address_change",

    /// No endpoint took the TCP connection, and its client was told by a RST.
    ResetAnswered = "reset_answered",
    /// No endpoint took the SCTP association, and its client was told by an ABORT.
    AbortAnswered = "abort_answered",
    /// No endpoint took the UDP session or tunnel, and its client was told by ICMP's port unreachable.
    UnreachableAnswered = "unreachable_answered",
    /// A tunnel that nobody taught us, and the sender of its packet was told by a GTP-U Error Indication.
    IndicationAnswered = "indication_answered",
    /// The client of a session that no endpoint took, or the sender into an unknown tunnel, was not told: enough errors
    /// were sent in this second.
    ErrorLimited = "error_limited",
}

impl Reason {
    /// How many reasons there are.
    pub const COUNT: usize = Self::ALL.len();
}

#[cfg(test)]
mod tests {
    use super::Reason;

    #[test]
    fn number_is_position() {
        for (position, reason) in Reason::ALL.iter().enumerate() {
            assert_eq!(*reason as usize, position);
        }
    }
}
