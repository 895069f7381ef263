use crate::values::{far_of, near_of};
use crate::{Address, Outcome, Packet, Rare, Reason, Round, STEPS, ServiceKey, Step, Tables, Work, protocol};

/// What the headers of a packet say. Offsets are from the Ethernet header's first byte.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Facts {
    /// Where it is from.
    pub source: Address,
    /// Where it is sent.
    pub destination: Address,
    /// SCTP: the verification tag. GTP-U: the TEID.
    pub word: u32,
    /// Offset of the IP header.
    pub network: u32,
    /// Offset of the transport header.
    pub transport: u32,
    /// Offset of the first byte behind the IP packet; the frame may go on with padding.
    pub end: u32,
    /// The ports as they lie in the packet: source, then destination. Keys hold them so.
    pub ports: u32,
    /// Length of the IP packet.
    pub length: u16,
    /// Outer VLAN tag control information; 0 where there is no tag.
    pub vlan: u16,
    /// Of a fragment: how far behind the IP header's first byte its identification is; 0 where the packet is whole.
    pub fragment: u16,
    /// How many VLAN tags, 0 to 2.
    pub tags: u8,
    /// Whether it is IPv6.
    pub v6: u8,
    /// Transport protocol.
    pub protocol: u8,
    /// Time to live, or hop limit.
    pub ttl: u8,
    /// Type of service, or traffic class.
    pub class: u8,
    /// TCP flags; SCTP: type of the first chunk; GTP-U: message type.
    pub kind: u8,
    /// SCTP: flags of the first chunk.
    pub flags: u8,
    /// Whether source and destination were read.
    pub addressed: u8,
    /// Whether it is a fragment, and not the first.
    pub later: u8,
    /// The IPv4 header's checksum, as it lies there.
    pub check: [u8; 2],
    /// UDP: length and checksum, as they lie there.
    pub tail: [u8; 4],
}

impl Facts {
    /// Source port.
    #[inline(always)]
    pub(crate) const fn source_port(&self) -> u16 {
        far_of(self.ports)
    }

    /// Destination port.
    #[inline(always)]
    pub(crate) const fn destination_port(&self) -> u16 {
        near_of(self.ports)
    }

    /// Refuses a packet whose time to live ends here, before any table is changed for it.
    #[inline(always)]
    pub(crate) fn alive(&self) -> Result<(), Reason> {
        if self.ttl <= 1 { Err(Reason::TtlExpired) } else { Ok(()) }
    }

    /// What becomes of a fragment: of UDP the first is steered, and the others follow it.
    #[inline(always)]
    fn cut(&self) -> Result<(), Step> {
        // Behind the first there may be anything in front of UDP.
        let udp = self.protocol == protocol::UDP || (self.v6 & self.later != 0 && is_extension(self.protocol));
        match (udp, self.later) {
            (false, _) => Err(Step::drop(Reason::Fragment)),
            (true, 0) => Ok(()),
            (true, _) => Err(Step::rare(Rare::Follow)),
        }
    }
}

const VLAN: u16 = 0x8100;
const QINQ: u16 = 0x88a8;
const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
const ARP: u16 = 0x0806;

/// How many IPv6 extension headers are walked.
const EXTENSIONS: u32 = 8;

/// Reads the headers of the frame that nearly all are: untagged IPv4 without options, no fragment, not at the end of
/// its way.
#[inline(always)]
pub(crate) fn common<P: Packet>(packet: &P, facts: &mut Facts) -> Result<(), Step> {
    const NETWORK: usize = 14;
    const GENERAL: Step = Step::rare(Rare::General);
    let begin = packet.load::<4>(12).ok_or(GENERAL)?;
    let fragment = packet.be16(NETWORK + 6).ok_or(GENERAL)?;
    let ttl = packet.byte(NETWORK + 8).ok_or(GENERAL)?;
    let [ethertype_high, ethertype_low, version, _] = begin;
    if [ethertype_high, ethertype_low, version] != [8, 0, 0x45] || fragment & 0x3fff != 0 || ttl <= 1 {
        return Err(GENERAL);
    }
    facts.network = NETWORK as u32;
    facts.transport = NETWORK as u32 + 20;
    facts.ttl = ttl;
    facts.protocol = packet.byte(NETWORK + 9).ok_or(GENERAL)?;
    facts.length = packet.be16(NETWORK + 2).ok_or(GENERAL)?;
    facts.end = facts.network + facts.length as u32;
    if facts.end < facts.transport || exceeds(packet, facts.end as usize) {
        return Err(GENERAL);
    }
    facts.source = Address::v4(packet.load(NETWORK + 12).ok_or(GENERAL)?);
    facts.destination = Address::v4(packet.load(NETWORK + 16).ok_or(GENERAL)?);
    // What becomes of any other is for the general path to say.
    ports(packet, facts).map_err(|_| GENERAL)
}

/// Reads the headers of `packet`, up to the ports, into the work's facts.
///
/// Stops, with a step to return, where the packet is not one that can be steered by ports.
#[inline(always)]
pub fn parse<P: Packet, T: Tables>(packet: &mut P, tables: &T, work: &mut Work) -> Result<(), Step> {
    work.facts.addressed = 0;
    match headers(packet, tables, work) {
        Err(step) if step.drops() => {
            work.walk.reason = step.outcome.reason;
            Err(Step::rare(Rare::Refused))
        }
        result => result,
    }
}

#[inline(always)]
fn headers<P: Packet, T: Tables>(packet: &mut P, tables: &T, work: &mut Work) -> Result<(), Step> {
    match ethernet(packet, &mut work.facts)? {
        IPV4 => ipv4(packet, &mut work.facts)?,
        IPV6 => {
            ipv6(packet, &mut work.facts)?;
            if is_extension(work.facts.protocol) {
                extensions(packet, tables, work)?;
            }
        }
        ARP => return Err(Step::rare(Rare::Arp)),
        _ => return Err(Step::pass(Reason::NotIp)),
    }
    match work.facts.protocol {
        protocol::ICMP | protocol::ICMPV6 => Err(icmp(packet, &work.facts)),
        _ => ports(packet, &mut work.facts),
    }
}

/// What is answered, and what tells of a packet that did not arrive.
#[inline(always)]
fn icmp<P: Packet>(packet: &P, facts: &Facts) -> Step {
    // Type 0 is an echo's.
    let kind = packet.byte(facts.transport as usize).unwrap_or(0);
    match (facts.v6, facts.protocol, kind) {
        (1, protocol::ICMPV6, 135) => Step::rare(Rare::Solicitation),
        (1, protocol::ICMPV6, 1 | 4) | (0, protocol::ICMP, 3) => Step::rare(Rare::Unreachable),
        _ => Step::pass(Reason::NotOurs),
    }
}

#[inline(always)]
fn ethernet<P: Packet>(packet: &P, facts: &mut Facts) -> Result<u16, Step> {
    const SHORT: Step = Step::drop(Reason::EthernetTruncated);
    facts.network = 14;
    facts.tags = 0;
    facts.vlan = 0;
    facts.fragment = 0;
    facts.later = 0;
    let mut ethertype = packet.be16(12).ok_or(SHORT)?;
    if ethertype == VLAN || ethertype == QINQ {
        let [a, b, c, d] = packet.load::<4>(14).ok_or(SHORT)?;
        facts.vlan = u16::from_be_bytes([a, b]);
        ethertype = u16::from_be_bytes([c, d]);
        facts.network = 18;
        facts.tags = 1;
        if ethertype == VLAN {
            ethertype = packet.be16(20).ok_or(SHORT)?;
            facts.network = 22;
            facts.tags = 2;
        }
    }
    Ok(ethertype)
}

#[inline(always)]
fn ipv4<P: Packet>(packet: &P, facts: &mut Facts) -> Result<(), Step> {
    let at = facts.network as usize;
    let header = packet.load::<20>(at).ok_or(Step::drop(Reason::IpTruncated))?;
    let header_length = ((header[0] & 0x0f) as usize) << 2;
    if header[0] >> 4 != 4 || header_length < 20 {
        return Err(Step::drop(Reason::IpMalformed));
    }
    facts.transport = (at + header_length) as u32;
    ipv4_fields(packet, facts, &header)?;
    // More fragments, or an offset (RFC 791 3.1).
    let fragment = u16::from_be_bytes([header[6], header[7]]) & 0x3fff;
    if fragment == 0 {
        return Ok(());
    }
    facts.fragment = 4;
    facts.later = u8::from(fragment & 0x1fff != 0);
    facts.cut()
}

#[inline(always)]
fn ipv4_fields<P: Packet>(packet: &P, facts: &mut Facts, header: &[u8; 20]) -> Result<(), Step> {
    facts.source = Address::v4([header[12], header[13], header[14], header[15]]);
    facts.destination = Address::v4([header[16], header[17], header[18], header[19]]);
    facts.addressed = 1;
    let length = u16::from_be_bytes([header[2], header[3]]);
    facts.length = length;
    facts.end = facts.network + length as u32;
    if facts.end < facts.transport || exceeds(packet, facts.end as usize) {
        return Err(Step::drop(Reason::IpLength));
    }
    facts.v6 = 0;
    facts.class = header[1];
    facts.ttl = header[8];
    facts.protocol = header[9];
    facts.check = [header[10], header[11]];
    Ok(())
}

#[inline(always)]
fn ipv6<P: Packet>(packet: &P, facts: &mut Facts) -> Result<(), Step> {
    let at = facts.network as usize;
    let [a, b, _, _, c, d, next, ttl] = packet.load::<8>(at).ok_or(Step::drop(Reason::IpTruncated))?;
    let source = packet.load::<16>(at + 8);
    let destination = packet.load::<16>(at + 24);
    let (Some(source), Some(destination)) = (source, destination) else {
        return Err(Step::drop(Reason::IpTruncated));
    };
    if a >> 4 != 6 {
        return Err(Step::drop(Reason::IpMalformed));
    }
    facts.v6 = 1;
    facts.class = (a << 4) | (b >> 4);
    facts.ttl = ttl;
    facts.source = Address::v6(source);
    facts.destination = Address::v6(destination);
    facts.addressed = 1;
    // On no wire (RFC 4291 2.5.5.2); here it would be taken for the IPv4 address.
    if facts.source.is_v4() || facts.destination.is_v4() {
        return Err(Step::pass(Reason::NotOurs));
    }
    let length = u16::from_be_bytes([c, d]) as usize + 40;
    if length > 0xffff || exceeds(packet, at + length) {
        return Err(Step::drop(Reason::IpLength));
    }
    facts.length = length as u16;
    facts.end = (at + length) as u32;
    facts.protocol = next;
    facts.transport = (at + 40) as u32;
    Ok(())
}

/// Whether the frame ends before `end`. Nearly always the first look tells.
#[inline(always)]
fn exceeds<P: Packet>(packet: &P, end: usize) -> bool {
    !packet.holds(end) && end > packet.whole()
}

/// IPv6 extension headers (RFC 8200 4): hop-by-hop, routing, fragment, authentication, destination options,
/// mobility, HIP, shim6.
pub(crate) const fn is_extension(protocol: u8) -> bool {
    matches!(protocol, 0 | 43 | FRAGMENT | AUTHENTICATION | 60 | 135 | 139 | 140)
}

pub(crate) const FRAGMENT: u8 = 44;
const AUTHENTICATION: u8 = 51;

/// How long an extension header of this protocol is, by its second octet.
#[inline(always)]
pub(crate) const fn extension_size(protocol: u8, length: u8) -> u32 {
    match protocol {
        FRAGMENT => 8,
        // In 4-octet units, minus two (RFC 4302 2.2).
        AUTHENTICATION => (length as u32 + 2) * 4,
        // In 8-octet units beyond the first.
        _ => (length as u32 + 1) * 8,
    }
}

/// Walks extension headers up to the transport header.
#[inline(always)]
fn extensions<P: Packet, T: Tables>(packet: &mut P, tables: &T, work: &mut Work) -> Result<(), Step> {
    work.walk.failed = 0;
    packet.repeat(EXTENSIONS / STEPS, Round::Extension, tables, work);
    match work.walk.result() {
        Err(reason) => Err(Step::drop(reason)),
        Ok(()) if work.facts.later != 0 => work.facts.cut(),
        Ok(()) if is_extension(work.facts.protocol) => Err(Step::drop(Reason::ExtensionHeaders)),
        Ok(()) if work.facts.fragment != 0 => work.facts.cut(),
        Ok(()) => Ok(()),
    }
}

/// One extension header.
#[inline(always)]
pub(crate) fn extension<P: Packet>(packet: &P, work: &mut Work) -> bool {
    let facts = &mut work.facts;
    if !is_extension(facts.protocol) {
        return false;
    }
    let at = facts.transport;
    let Some([next, length, a, b]) = packet.load::<4>(at as usize) else {
        return work.walk.fail(Reason::IpTruncated);
    };
    let size = extension_size(facts.protocol, length);
    if size > facts.end.wrapping_sub(at) {
        return work.walk.fail(Reason::IpLength);
    }
    // An offset, or more fragments; an atomic fragment (RFC 6946) is no fragment.
    let fragment = u16::from_be_bytes([a, b]) & 0xfff9;
    if facts.protocol == FRAGMENT && fragment != 0 {
        facts.fragment = at.wrapping_sub(facts.network).wrapping_add(4) as u16;
        facts.later = u8::from(fragment >> 3 != 0);
    }
    facts.protocol = next;
    facts.transport = at + size;
    facts.later == 0
}

/// Reads ports, and what else is in the transport header's fixed place.
#[inline(always)]
fn ports<P: Packet>(packet: &P, facts: &mut Facts) -> Result<(), Step> {
    const SHORT: Step = Step::drop(Reason::TransportTruncated);
    let at = facts.transport as usize;
    let room = (facts.end as usize).wrapping_sub(at);
    match facts.protocol {
        protocol::UDP => {
            if room < 8 {
                return Err(SHORT);
            }
            facts.ports = u32::from_ne_bytes(packet.load(at).ok_or(SHORT)?);
            facts.tail = packet.load(at + 4).ok_or(SHORT)?;
            facts.kind = 0;
            let length = packet.be16(at + 4).ok_or(SHORT)? as usize;
            if facts.fragment != 0 {
                return first_of(length, room);
            }
            if length < 8 || length > room {
                return Err(Step::drop(Reason::TransportLength));
            }
            Ok(())
        }
        protocol::TCP => {
            if room < 20 {
                return Err(SHORT);
            }
            facts.ports = u32::from_ne_bytes(packet.load(at).ok_or(SHORT)?);
            let [offset, flags] = packet.load::<2>(at + 12).ok_or(SHORT)?;
            facts.kind = flags;
            let header = ((offset >> 4) as usize) << 2;
            if header < 20 || header > room {
                return Err(Step::drop(Reason::TransportLength));
            }
            Ok(())
        }
        protocol::SCTP => {
            if room < 16 {
                return Err(SHORT);
            }
            let [a, b, c, d, e, f, g, h] = packet.load::<8>(at).ok_or(SHORT)?;
            let [kind, flags, i, j] = packet.load::<4>(at + 12).ok_or(SHORT)?;
            facts.ports = u32::from_ne_bytes([a, b, c, d]);
            facts.word = u32::from_be_bytes([e, f, g, h]);
            facts.kind = kind;
            facts.flags = flags;
            let length = u16::from_be_bytes([i, j]) as usize;
            if length < 4 || length > room - 12 {
                return Err(Step::drop(Reason::ChunkLength));
            }
            Ok(())
        }
        _ => Err(Step::pass(Reason::NotOurs)),
    }
}

/// A first fragment holds what it is steered by (a TEID: eight bytes behind UDP's header), as every link lets it, and
/// not all of the datagram.
#[inline(always)]
fn first_of(length: usize, room: usize) -> Result<(), Step> {
    if room < 8 + 8 {
        Err(Step::drop(Reason::TransportTruncated))
    } else if length <= room {
        Err(Step::drop(Reason::TransportLength))
    } else {
        Ok(())
    }
}

/// What cannot be steered is dropped where it is for a service address, or nobody can tell who it is for.
#[inline(always)]
pub(crate) fn refused<T: Tables>(tables: &T, work: &Work) -> Outcome {
    if work.facts.addressed == 0 || is_service_address(tables, work.facts.destination) {
        Outcome::drop(work.walk.reason)
    } else {
        Outcome::pass(Reason::NotOurs)
    }
}

/// Whether any service has this address.
#[inline(always)]
pub(crate) fn is_service_address<T: Tables>(tables: &T, address: Address) -> bool {
    tables.service(&ServiceKey { address, port: 0, protocol: 0, bank: tables.bank() }).is_some()
}
